// Random transactions against a std::map model and against LMDB: every way to change, read and end
// them, snapshots that are held while the database goes on, checkpoints, and new lives after clean
// ends and deaths.
//
// QUIRE_TEST_OPERATIONS: how many random operations, over all the settings (default 2 million).
// QUIRE_TEST_SEED: another course of events.
#include <cstdlib>

#include "tests/db/model_run.h"

namespace quire::test {
namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

const ModelSettings kSettings[] = {
    {.name = "SmallPages", .page_size = 512, .part = 20},
    {.name = "DefaultPages", .page_size = 4096, .keys = 4000, .part = 17},
    {.name = "AgainstLmdb", .page_size = 512, .oracle = true, .durable_only = true, .part = 20},
    {.name = "CommitByCheckpoint",
     .page_size = 512,
     .log_budget_bytes = 6000,
     .long_txn = 600,
     .part = 10},
    {.name = "Spilling",
     .page_size = 512,
     .private_bytes = 24 << 10,
     .keys = 3000,
     .long_txn = 1500,
     .part = 10},
    {.name = "SpillingInBackground",
     .page_size = 1024,
     .private_bytes = 24 << 10,
     .background = true,
     .keys = 3000,
     .long_txn = 1500,
     .part = 5},
    {.name = "PrivatePages", .page_size = 512, .background = true, .alone = true, .part = 6},
    {.name = "Archive",
     .page_size = 512,
     .log_budget_bytes = 3000,
     .private_bytes = 48 << 10,
     .archive = true,
     .long_txn = 600,
     .part = 10},
    {.name = "RealDisk", .page_size = 4096, .background = true, .real_disk = true, .part = 2},
};

class DatabaseModel : public testing::TestWithParam<ModelSettings> {};

TEST_P(DatabaseModel, RandomOperationsGiveWhatTheModelHas) {
  const std::uint64_t all = from_environment("QUIRE_TEST_OPERATIONS", 2'000'000);
  const std::uint64_t seed = from_environment("QUIRE_TEST_SEED", 1);
  ModelRun run(GetParam(), seed);
  run.run(all * GetParam().part / 100);
  RecordProperty("operations", static_cast<int>(run.done()));
}

INSTANTIATE_TEST_SUITE_P(Settings, DatabaseModel, testing::ValuesIn(kSettings),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace quire::test
