// The power is lost, or the process dies, at the operations of a mixed workload, one after the
// other; what is found is recovered, also while recovery itself is cut off. By default a part of
// the operations; QUIRE_TEST_LONG=1 takes them all.
#include "tests/db/workload.h"

namespace quire {
namespace {

using namespace test;
using io::SimulatedDisk;
using io::Survival;

struct Outcome {
  Survival survival;
  std::uint64_t seed;
};
constexpr Outcome kOutcomes[] = {{Survival::kNothing, 1},
                                 {Survival::kEverything, 1},
                                 {Survival::kRandom, 1},
                                 {Survival::kRandom, 2}};

class CrashRun {
 public:
  explicit CrashRun(const WorkloadOptions& options) : options_(options) {
    SimulatedDisk disk(options.seed);
    Workload workload(disk, options);
    workload.keep_history();
    must(workload.run());
    operations_ = disk.operations();
    history_ = workload.history();
  }

  std::uint64_t operations() const { return operations_; }
  std::size_t commits() const { return history_.size() - 1; }
  std::uint64_t recovered() const { return recovered_; }  // crashes

  void crash_at(std::uint64_t operation) {
    at_ = operation;
    SimulatedDisk disk(options_.seed);
    disk.set_crash_at(operation);
    Promises promises;
    {
      Workload workload(disk, options_);
      EXPECT_FALSE(workload.run());
      promises = workload.promises();
    }
    for (const Outcome& outcome : kOutcomes) {
      outcome_ = outcome;
      crashes_ = 1;
      recover(disk, promises);
      recover_with_crashes(disk, promises);
      if (testing::Test::HasFailure()) return;
    }
  }

 private:
  void expect(bool holds, const std::string& words) {
    if (holds) return;
    ADD_FAILURE() << "crash at operation " << at_ << " of " << operations_ << ", survival "
                  << static_cast<int>(outcome_.survival) << ", seed " << outcome_.seed << ", crash "
                  << crashes_ << ": " << words;
  }

  std::unique_ptr<SimulatedDisk> survivor(SimulatedDisk& disk) const {
    return disk.after_crash(at_ * 31 + outcome_.seed, outcome_.survival);
  }
  std::size_t least(const Promises& promises) const {
    return outcome_.survival == Survival::kEverything ? promises.written : promises.durable;
  }

  // The state is that of one commit, no older than what was promised. Returns which.
  std::size_t judge(Database& database, std::size_t least, std::size_t most) {
    const auto snapshot = database.begin_read();
    expect(snapshot.has_value(), words_of(snapshot));
    if (!snapshot) return 0;
    const auto found = read_everything(**snapshot);
    expect(found.has_value(), words_of(found));
    if (!found) return 0;
    const std::size_t commit = commit_of(*found);
    expect(least <= commit && commit <= most,
           "commit " + std::to_string(commit) + " is found, promised are " + std::to_string(least) +
               " to " + std::to_string(most));
    if (commit >= history_.size()) return commit;
    const std::string words = difference(history_[commit], *found);
    expect(words.empty(), "not the state of commit " + std::to_string(commit) + ": " + words);
    const std::string damage = damages(database);
    expect(damage.empty(), damage);
    return commit;
  }

  std::unique_ptr<Database> open(SimulatedDisk& disk) {
    ++recovered_;
    auto database = Database::open(disk, kDatabasePath, options_.database);
    expect(database.has_value(), "open: " + words_of(database));
    return database ? std::move(*database) : nullptr;
  }

  // Recovers, commits, loses power at its worst, recovers, and ends in order.
  void recover(SimulatedDisk& crashed, const Promises& promises) {
    const auto disk = survivor(crashed);
    auto database = open(*disk);
    if (!database) return;
    const std::size_t commit = judge(*database, least(promises), promises.attempted);
    put_afterwards(*database);
    database->crash();
    const auto again = disk->after_crash(at_, Survival::kNothing);
    database = open(*again);
    if (!database) return;
    expect_afterwards(*database, commit);
    const Status closed = database->close();
    expect(closed.has_value(), "close: " + words_of(closed));
    database = open(*again);
    if (!database) return;
    expect_afterwards(*database, commit);
    database->crash();
  }

  void put_afterwards(Database& database) {
    auto txn = must(database.begin_write(true));
    const StructureId id = must(txn->create_keyspace("afterwards"));
    must(txn->put(id, as_bytes("key"), as_bytes("value"), TreeWriter::PutMode::kInsert));
    const auto lsn = database.writer()->commit(*txn, Durability::kAlways);
    expect(lsn.has_value(), "the first commit after recovery: " + words_of(lsn));
  }
  void expect_afterwards(Database& database, std::size_t commit) {
    const auto snapshot = must(database.begin_read());
    auto found = read_everything(*snapshot);
    expect(found.has_value(), words_of(found));
    if (!found) return;
    const Keys keys = {{"key", "value"}};
    expect((*found)["afterwards"] == keys, "the first commit after recovery is not there");
    found->erase("afterwards");
    const std::string words = difference(history_[commit], *found);
    expect(words.empty(), "after the first commit: " + words);
    const std::string damage = damages(database);
    expect(damage.empty(), damage);
  }

  // Recovery is cut off, and so is the recovery from that.
  void recover_with_crashes(SimulatedDisk& crashed, const Promises& promises) {
    std::uint64_t needed = 0;
    {
      const auto disk = survivor(crashed);
      const std::uint64_t before = disk->operations();
      auto database = open(*disk);
      if (!database) return;
      database->crash();
      needed = disk->operations() - before;
    }
    const std::uint64_t step = long_run() ? 1 : 1 + needed / 3;
    for (std::uint64_t n = 1 + at_ % step; n <= needed; n += step) {
      const auto disk = survivor(crashed);
      crash_recovery(*disk, n, promises, least(promises));
    }
  }

  void crash_recovery(SimulatedDisk& disk, std::uint64_t n, const Promises& promises,
                      std::size_t least) {
    disk.set_crash_at(disk.operations() + n);
    crashes_ = 2;
    auto database = Database::open(disk, kDatabasePath, options_.database);
    if (database) (*database)->crash();
    for (const Survival survival : {Survival::kNothing, Survival::kEverything, Survival::kRandom}) {
      const auto found = disk.after_crash(at_ + n, survival);
      // Only a process's death, twice, keeps what was never synced.
      const std::size_t kept =
          survival == Survival::kEverything ? least : std::min(least, promises.durable);
      crashes_ = 3;
      found->set_crash_at(found->operations() + 1 + (at_ + n) % 7);
      database = Database::open(*found, kDatabasePath, options_.database);
      if (database) (*database)->crash();
      const auto last = found->after_crash(at_ + n, survival);
      auto recovered = open(*last);
      if (!recovered) return;
      judge(*recovered, kept, promises.attempted);
      recovered->crash();
    }
  }

  const WorkloadOptions options_;
  std::uint64_t operations_ = 0;
  std::vector<State> history_;
  std::uint64_t at_ = 0;
  std::uint64_t recovered_ = 0;
  int crashes_ = 0;
  Outcome outcome_{};
};

// `part`: one operation in so many is tried, by default.
void crash_everywhere(const WorkloadOptions& options, std::uint64_t part) {
  CrashRun run(options);
  ASSERT_GT(run.commits(), 20u);
  ASSERT_GT(run.operations(), 100u);
  const std::uint64_t step = long_run() ? 1 : part;
  for (std::uint64_t at = 1 + options.seed % step; at <= run.operations(); at += step) {
    run.crash_at(at);
    if (testing::Test::HasFailure()) return;
  }
  std::printf("[          ] %llu crashes recovered from\n",
              static_cast<unsigned long long>(run.recovered()));
}

TEST(DatabaseCrash, MixedWorkload) {
  crash_everywhere({.database = small_database(), .seed = 1}, 17);
}

TEST(DatabaseCrash, CommitsByCheckpoint) {
  WorkloadOptions options{.database = small_database(), .seed = 2};
  options.database.writer.log_budget_bytes = 800;
  crash_everywhere(options, 17);
}

TEST(DatabaseCrash, ArchivedLogAndSpills) {
  WorkloadOptions options{.database = small_database(), .seed = 3, .long_txn = 200};
  options.database.writer.archive = true;
  options.database.writer.log_budget_bytes = 1000;
  options.database.writer.private_bytes = 8 << 10;
  crash_everywhere(options, 17);
}

TEST(DatabaseCrash, LargerPagesAndOtherSeeds) {
  WorkloadOptions options{.database = small_database(), .seed = 4, .transactions = 40};
  options.database.page_size = 4096;
  crash_everywhere(options, 17);
  const std::uint64_t last = long_run() ? 9 : 6;
  for (options.seed = 5; options.seed <= last && !testing::Test::HasFailure(); ++options.seed) {
    options.database.page_size = 1024;
    options.database.writer.log_budget_bytes = options.seed % 2 == 0 ? 1500 : 64 << 20;
    crash_everywhere(options, 41);
  }
}

}  // namespace
}  // namespace quire
