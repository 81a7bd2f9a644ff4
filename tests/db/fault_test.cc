// Operations of the disk that fail while the process lives on: whatever fails and wherever, a
// transaction is there whole or not at all, what was promised is kept, and the database says what
// is wrong and goes on or, once poisoned, is well again after it was reopened.
#include "tests/db/workload.h"

namespace quire {
namespace {

using namespace test;
using io::FaultKind;
using io::SimulatedDisk;
using io::Survival;

class FaultRun {
 public:
  FaultRun(const WorkloadOptions& options, std::uint64_t at, FaultKind kind)
      : options_(options), at_(at), kind_(kind), disk_(options.seed), workload_(disk_, options) {
    workload_.keep_history();
    disk_.fail_at(at, kind);
  }

  void run() {
    open();
    for (int i = 0; i < options_.transactions && !testing::Test::HasFailure(); ++i) {
      if (const Status status = workload_.round(); !status) after(status.error());
    }
    if (testing::Test::HasFailure()) return;
    if (!workload_.close()) {
      open();
      expect_ok(workload_.close(), "second close");
    }
    open();
    judge(workload_.promises().committed, workload_.promises().committed);
  }
  bool poisoned() const { return poisoned_; }
  bool survived() const { return survived_; }

 private:
  void expect(bool holds, const std::string& words) {
    if (holds) return;
    ADD_FAILURE() << "fault " << static_cast<int>(kind_) << " at operation " << at_ << ": "
                  << words;
  }
  void expect_ok(const Status& status, const char* what) {
    expect(status.has_value(), std::string(what) + ": " + words_of(status));
  }

  void open() {
    if (workload_.open()) return;
    expect_ok(workload_.open(), "open again");  // a fault comes once
  }

  void after(const Error& error) {
    if (!workload_.is_open()) return reopen();  // an end or a new life went wrong
    Writer& writer = *workload_.database().writer();
    if (writer.health()) {
      survived_ = true;
      const bool full = kind_ == FaultKind::kFull || kind_ == FaultKind::kShortWrite;
      expect(error.code() == (full ? ErrorCode::kFull : ErrorCode::kIo),
             "code " + std::string(error_name(error.code())) + ": " + error.message());
      // Rolled back whole.
      judge(workload_.promises().committed, workload_.promises().committed);
      return;
    }
    poisoned_ = true;
    expect_refusals();
    expect_survivors();
    reopen();
  }

  // Every later commit fails with the first error, which `health` tells; reading goes on.
  void expect_refusals() {
    const Status health = workload_.database().writer()->health();
    for (int i = 0; i < 2; ++i) {
      const auto txn = workload_.database().begin_write(true);
      expect(code_of(txn) == ErrorCode::kPoisoned, "a poisoned writer begins: " + words_of(txn));
      expect(words_of(txn) == words_of(health), "another error: " + words_of(txn));
    }
    expect(words_of(health).find("simulated") != std::string::npos, words_of(health));
    expect(!workload_.database().checkpoint(), "a poisoned writer makes a checkpoint");
    expect(!workload_.database().sync(), "a poisoned writer syncs");
    judge(0, workload_.promises().attempted, /*check=*/false);
  }

  // What the next boot, or the next process, would find.
  void expect_survivors() {
    for (const Survival survival : {Survival::kNothing, Survival::kEverything, Survival::kRandom}) {
      const auto disk = disk_.survivor(at_, survival);
      const auto database = Database::open(*disk, kDatabasePath, options_.database);
      expect(database.has_value(), "open after a crash: " + words_of(database));
      if (!database) continue;
      const Promises& promises = workload_.promises();
      judge_one(**database, survival == Survival::kEverything ? promises.written : promises.durable,
                promises.attempted, true);
    }
  }

  // What it finds is durable then.
  void reopen() {
    Promises& promises = workload_.promises();
    workload_.let_go();
    open();
    if (testing::Test::HasFailure()) return;
    promises.committed = judge(promises.written, promises.attempted);
    promises.all_durable();
    const auto disk = disk_.survivor(at_, Survival::kNothing);
    const auto database = Database::open(*disk, kDatabasePath, options_.database);
    expect(database.has_value(), "open after reopening and a power loss: " + words_of(database));
    if (database) judge_one(**database, promises.committed, promises.committed, true);
  }

  std::size_t judge(std::size_t least, std::size_t most, bool check = true) {
    return judge_one(workload_.database(), least, most, check);
  }
  std::size_t judge_one(Database& database, std::size_t least, std::size_t most, bool check) {
    const auto snapshot = must(database.begin_read());
    const auto found = read_everything(*snapshot);
    expect(found.has_value(), words_of(found));
    if (!found) return 0;
    const std::size_t commit = commit_of(*found);
    expect(least <= commit && commit <= most, "commit " + std::to_string(commit) + " instead of " +
                                                  std::to_string(least) + " to " +
                                                  std::to_string(most));
    const std::string words = difference(workload_.history()[commit], *found);
    expect(words.empty(), "not the state of commit " + std::to_string(commit) + ": " + words);
    if (!check) return commit;
    const std::string damage = damages(database);
    expect(damage.empty(), damage);
    return commit;
  }

  const WorkloadOptions options_;
  const std::uint64_t at_;
  const FaultKind kind_;
  SimulatedDisk disk_;
  Workload workload_;
  bool poisoned_ = false;
  bool survived_ = false;
};

std::uint64_t operations_of(const WorkloadOptions& options) {
  SimulatedDisk disk(options.seed);
  Workload workload(disk, options);
  must(workload.run());
  return disk.operations();
}

void fail_everywhere(const WorkloadOptions& options, FaultKind kind, std::uint64_t part) {
  const std::uint64_t operations = operations_of(options);
  int poisoned = 0;
  int survived = 0;
  const std::uint64_t step = long_run() ? 1 : part;
  for (std::uint64_t at = 1; at <= operations; at += step) {
    FaultRun run(options, at, kind);
    run.run();
    poisoned += run.poisoned() ? 1 : 0;
    survived += run.survived() ? 1 : 0;
    if (testing::Test::HasFailure()) return;
  }
  // The workload met both ends.
  EXPECT_GT(poisoned, 0);
  if (kind != FaultKind::kSyncFailure) {
    EXPECT_GT(survived, 0);
  }
}

class DatabaseFault : public testing::TestWithParam<FaultKind> {};

TEST_P(DatabaseFault, AnyOperationMayFail) {
  fail_everywhere({.database = small_database(), .seed = 21, .transactions = 40}, GetParam(), 7);
}

TEST_P(DatabaseFault, AnyOperationOfCommitsByCheckpointMayFail) {
  WorkloadOptions options{.database = small_database(), .seed = 22, .transactions = 30};
  options.database.writer.log_budget_bytes = 600;
  fail_everywhere(options, GetParam(), 7);
}

TEST_P(DatabaseFault, AnyOperationOfAnArchiveThatSpillsMayFail) {
  WorkloadOptions options{
      .database = small_database(), .seed = 23, .transactions = 30, .long_txn = 200};
  options.database.writer.archive = true;
  options.database.writer.log_budget_bytes = 1000;
  options.database.writer.private_bytes = 8 << 10;
  fail_everywhere(options, GetParam(), 7);
}

INSTANTIATE_TEST_SUITE_P(Kinds, DatabaseFault,
                         testing::Values(FaultKind::kIo, FaultKind::kFull, FaultKind::kShortWrite,
                                         FaultKind::kSyncFailure));

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
