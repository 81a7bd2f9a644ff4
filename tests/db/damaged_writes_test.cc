// Transactions that meet a damaged page: each page of a database in turn. Whatever they come to
// need it for, they fail with an error and leave what others may see as it was.
#include <gtest/gtest.h>

#include "tests/db/workload.h"

namespace quire {
namespace {

using namespace test;
using io::SimulatedDisk;
using io::Survival;

// Closed in order, so that nothing of it is in memory or in the log.
std::unique_ptr<SimulatedDisk> make(const WorkloadOptions& options) {
  auto disk = std::make_unique<SimulatedDisk>(options.seed);
  Workload workload(*disk, options);
  must(workload.run());
  return disk;
}

void flip_bit(SimulatedDisk& disk, std::uint64_t offset) {
  const auto file = must(disk.open(kData, io::OpenMode::kReadWrite));
  std::byte byte{};
  must(file->read(offset, {&byte, 1}));
  byte ^= std::byte{0x10};
  must(file->write(offset, {&byte, 1}));
}

// What may be said of it: damage, or that the database has given up because of it.
void expect_told(const Status& status) {
  if (status) return;
  const ErrorCode code = status.error().code();
  EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kPoisoned ||
              code == ErrorCode::kTooLarge || code == ErrorCode::kNotFound)
      << error_name(code) << ": " << status.error().message();
}

TEST(DamagedPages, AreNamedByTheTransactionsThatNeedThem) {
  WorkloadOptions options{.database = small_database(), .seed = 41, .transactions = 40};
  const auto disk = make(options);
  const std::uint64_t page_size = options.database.page_size;
  const std::uint64_t pages =
      must(must(disk->open(kData, io::OpenMode::kRead))->size()) / page_size;
  ASSERT_GT(pages, 40u);
  int failed = 0;
  for (std::uint64_t page = 2; page < pages; ++page) {
    SCOPED_TRACE("page " + std::to_string(page));
    const auto damaged = disk->survivor(page, Survival::kEverything);
    flip_bit(*damaged, page * page_size + page * 37 % page_size);
    for (std::uint64_t seed = 1; seed <= (long_run() ? 20u : 3u); ++seed) {
      const auto copy = damaged->survivor(page, Survival::kEverything);
      options.seed = 100 * page + seed;
      Workload workload(*copy, options);
      auto opened = workload.open();
      expect_told(opened);
      for (int i = 0; i < 6 && workload.is_open(); ++i) {
        const Status done = workload.round();
        expect_told(done);
        if (!done) ++failed;
      }
      if (!workload.is_open()) continue;
      // Others are shown all that it holds, or told what is damaged.
      const auto snapshot = workload.database().begin_read();
      ASSERT_TRUE(snapshot) << words_of(snapshot);
      const auto state = read_everything(**snapshot);
      expect_told(state ? Status() : std::unexpected(state.error()));
      expect_told(workload.database().check(nullptr));
    }
    if (HasFailure()) return;
  }
  EXPECT_GT(failed, 0) << "no transaction met a damaged page";
}

}  // namespace
}  // namespace quire
