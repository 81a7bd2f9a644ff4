// A device that is full, of every size.
#include <gtest/gtest.h>

#include "tests/db/workload.h"

namespace quire {
namespace {

using namespace test;
using io::SimulatedDisk;

// A device of every size up to what the workload needs: transactions that don't fit fail with kFull
// and leave nothing behind, the database is never poisoned, and all goes on when there is room.
void fill(const WorkloadOptions& options, std::uint64_t blocks) {
  SCOPED_TRACE("capacity of " + std::to_string(blocks) + " blocks");
  SimulatedDisk disk(options.seed);
  disk.set_capacity(blocks * 4096);
  Workload workload(disk, options);
  workload.keep_history();
  const auto reopen = [&] {
    workload.let_go();
    auto opened = workload.open();
    if (opened) return;
    EXPECT_EQ(opened.error().code(), ErrorCode::kFull) << opened.error().message();
    disk.set_capacity(UINT64_MAX);
    must(workload.open());
  };
  const auto expect_state = [&](std::size_t commit) {
    const auto snapshot = must(workload.database().begin_read());
    const State found = must(read_everything(*snapshot));
    EXPECT_EQ(commit_of(found), commit);
    EXPECT_EQ(difference(workload.history()[commit], found), "");
    EXPECT_EQ(damages(workload.database()), "");
  };
  reopen();
  for (int i = 0; i < options.transactions; ++i) {
    if (i == options.transactions * 3 / 4) disk.set_capacity(UINT64_MAX);
    const Status status = workload.round();
    if (status) continue;
    EXPECT_EQ(status.error().code(), ErrorCode::kFull) << status.error().message();
    if (!workload.is_open()) {
      reopen();
      continue;
    }
    ASSERT_TRUE(workload.database().writer()->health())
        << words_of(workload.database().writer()->health());
    expect_state(workload.promises().committed);
    if (testing::Test::HasFailure()) return;
  }
  const std::size_t committed = workload.promises().committed;
  must(workload.close());
  must(workload.open());
  expect_state(committed);
}

TEST(DatabaseFull, ADeviceOfAnySizeFailsTransactionsAndNothingElse) {
  WorkloadOptions options{.database = small_database(), .seed = 31, .transactions = 40};
  for (std::uint64_t blocks = 1; blocks < 90; blocks += long_run() ? 1 : 3) {
    fill(options, blocks);
    ASSERT_FALSE(HasFailure());
  }
}

TEST(DatabaseFull, ADeviceOfAnySizeFailsBulkAndSpillingTransactionsAndNothingElse) {
  WorkloadOptions options{
      .database = small_database(), .seed = 32, .transactions = 40, .long_txn = 200};
  options.database.writer.log_budget_bytes = 600;
  options.database.writer.private_bytes = 8 << 10;
  for (std::uint64_t blocks = 40; blocks < 130; blocks += long_run() ? 1 : 3) {
    options.database.writer.archive = blocks % 2 == 0;
    fill(options, blocks);
    ASSERT_FALSE(HasFailure());
  }
}

}  // namespace
}  // namespace quire
