// One workload cut at its operations: the power is lost, or the process dies, at each in turn; what
// is found is recovered, also while recovery itself is cut off, and while the recovery from that
// is.
//
// After every recovery: the state is that of one commit, whole, no older than what was promised,
// and `check` finds nothing: every structure agrees with its records, and the free map and the
// pages in use are all the pages there are.
#pragma once

#include <stdexcept>

#include "tests/db/workload.h"

namespace quire::test {

// What a campaign found; the words say what to run to see it again.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What a crash leaves, and by which chance.
struct Outcome {
  io::Survival survival;
  std::uint64_t seed;
};
inline constexpr Outcome kOutcomes[] = {{io::Survival::kNothing, 1},
                                        {io::Survival::kEverything, 1},
                                        {io::Survival::kRandom, 1},
                                        {io::Survival::kRandom, 2}};

class CrashRun {
 public:
  // With `deep`, recovery is cut at each of its operations; else at about three of them.
  CrashRun(const WorkloadOptions& options, bool deep) : options_(options), deep_(deep) {
    const auto disk = new_disk();
    Workload workload(*disk, options);
    workload.keep_history();
    const Status done = workload.run();
    expect(done.has_value(), "the workload itself: " + words_of(done));
    operations_ = disk->operations();
    looks_ = disk->looks();
    history_ = workload.history();
  }

  std::uint64_t operations() const { return operations_; }
  std::uint64_t looks() const { return looks_; }
  std::size_t commits() const { return history_.size() - 1; }
  // Crashes after which the database was opened and found as it should be, so far.
  std::uint64_t recovered() const { return recovered_; }

  // Throws Failed.
  void crash_at(std::uint64_t operation) {
    at_ = operation;
    const auto disk = new_disk();
    disk->set_crash_at(operation);
    Promises promises;
    {
      Workload workload(*disk, options_);
      expect(!workload.run(), "the workload did not notice");
      promises = workload.promises();
    }
    for (const Outcome& outcome : kOutcomes) {
      outcome_ = outcome;
      crashes_ = 1;
      recover(*disk, promises);
      recover_with_crashes(*disk, promises);
    }
  }

 private:
  using Disk = io::SimulatedDisk;

  void expect(bool holds, const std::string& words) const {
    if (holds) return;
    throw Failed("workload " + std::to_string(options_.seed) + ", crash at operation " +
                 std::to_string(at_) + " of " + std::to_string(operations_) + ", survival " +
                 std::to_string(static_cast<int>(outcome_.survival)) + ", chance " +
                 std::to_string(outcome_.seed) + ", crash number " + std::to_string(crashes_) +
                 ": " + words);
  }

  std::unique_ptr<Disk> new_disk() const {
    auto disk = std::make_unique<Disk>(options_.seed);
    disk->set_overlap(options_.overlap);
    return disk;
  }
  std::unique_ptr<Disk> survivor(Disk& disk) const {
    return disk.after_crash(at_ * 31 + outcome_.seed, outcome_.survival);
  }
  std::size_t least(const Promises& promises) const {
    return outcome_.survival == io::Survival::kEverything ? promises.written : promises.durable;
  }

  std::unique_ptr<Database> open(Disk& disk) const {
    auto database = Database::open(disk, kDatabasePath, options_.database);
    expect(database.has_value(), "open: " + words_of(database));
    return std::move(*database);
  }

  State read(Database& database) const {
    const auto snapshot = database.begin_read();
    expect(snapshot.has_value(), "begin_read: " + words_of(snapshot));
    auto found = read_everything(**snapshot);
    expect(found.has_value(), "reading everything: " + words_of(found));
    return std::move(*found);
  }
  void expect_state(const State& found, std::size_t commit) const {
    const std::string words = difference(history_[commit], found);
    expect(words.empty(), "not the state of commit " + std::to_string(commit) + ": " + words);
  }
  void expect_undamaged(Database& database) const {
    const std::string damage = damages(database);
    expect(damage.empty(), damage);
  }

  // The state is that of one commit from `least` to `most`. Returns which.
  std::size_t judge(Database& database, std::size_t least, std::size_t most) {
    const State found = read(database);
    const std::size_t commit = commit_of(found);
    expect(least <= commit && commit <= most && commit < history_.size(),
           "commit " + std::to_string(commit) + " is found, promised are " + std::to_string(least) +
               " to " + std::to_string(most));
    expect_state(found, commit);
    expect_undamaged(database);
    ++recovered_;
    return commit;
  }

  // Recovers, commits, loses power at its worst, recovers, and ends in order.
  void recover(Disk& crashed, const Promises& promises) {
    const auto disk = survivor(crashed);
    auto database = open(*disk);
    const std::size_t commit = judge(*database, least(promises), promises.attempted);
    put_afterwards(*database);
    database->crash();
    const auto again = disk->after_crash(at_, io::Survival::kNothing);
    database = open(*again);
    expect_afterwards(*database, commit);
    ++recovered_;
    const Status closed = database->close();
    expect(closed.has_value(), "close: " + words_of(closed));
    database = open(*again);
    expect_afterwards(*database, commit);
    database->crash();
  }

  void put_afterwards(Database& database) const {
    auto txn = must(database.begin_write(true));
    const StructureId id = must(txn->create_keyspace("afterwards"));
    must(txn->put(id, as_bytes("key"), as_bytes("value"), TreeWriter::PutMode::kInsert));
    const auto lsn = database.writer()->commit(*txn, Durability::kAlways);
    expect(lsn.has_value(), "the first commit after recovery: " + words_of(lsn));
  }
  void expect_afterwards(Database& database, std::size_t commit) const {
    State found = read(database);
    const Keys keys = {{"key", "value"}};
    expect(found["afterwards"] == keys, "the first commit after recovery is not there");
    found.erase("afterwards");
    expect_state(found, commit);
    expect_undamaged(database);
  }

  // Recovery is cut off, and so is the recovery from that.
  void recover_with_crashes(Disk& crashed, const Promises& promises) {
    std::uint64_t needed = 0;
    {
      const auto disk = survivor(crashed);
      const std::uint64_t before = disk->operations();
      open(*disk)->crash();
      needed = disk->operations() - before;
    }
    const std::uint64_t step = deep_ ? 1 : 1 + needed / 3;
    for (std::uint64_t n = 1 + at_ % step; n <= needed; n += step) {
      const auto disk = survivor(crashed);
      crash_recovery(*disk, n, promises);
    }
  }

  void crash_recovery(Disk& disk, std::uint64_t n, const Promises& promises) {
    crashes_ = 2;
    crash_while_opening(disk, n);
    for (const io::Survival survival :
         {io::Survival::kNothing, io::Survival::kEverything, io::Survival::kRandom}) {
      crashes_ = 3;
      const auto found = disk.after_crash(at_ + n, survival);
      crash_while_opening(*found, 1 + (at_ + n) % 7);
      const auto last = found->after_crash(at_ + n, survival);
      const auto recovered = open(*last);
      // Only a process's death, each time, keeps what was never synced.
      const std::size_t kept = survival == io::Survival::kEverything
                                   ? least(promises)
                                   : std::min(least(promises), promises.durable);
      judge(*recovered, kept, promises.attempted);
      recovered->crash();
    }
  }

  void crash_while_opening(Disk& disk, std::uint64_t operation) const {
    disk.set_crash_at(disk.operations() + operation);
    const auto database = Database::open(disk, kDatabasePath, options_.database);
    if (database) (*database)->crash();
  }

  const WorkloadOptions options_;
  const bool deep_;
  std::uint64_t operations_ = 0;
  std::uint64_t looks_ = 0;  // of the workload, uncut
  std::vector<State> history_;
  std::uint64_t at_ = 0;
  std::uint64_t recovered_ = 0;
  int crashes_ = 0;
  Outcome outcome_{};
};

}  // namespace quire::test
