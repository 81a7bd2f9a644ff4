// One workload in which one operation of the disk fails while the process lives on. Whatever fails
// and wherever: a transaction is there whole or not at all, what was promised is kept, also over a
// crash after it, and the database says what is wrong and goes on or, once poisoned, refuses, and
// is well again after it was reopened.
#pragma once

#include "tests/db/crash_run.h"

namespace quire::test {

// One that changes something fails in one of four ways; one that only looks has one way.
struct Fault {
  std::uint64_t at;
  std::optional<io::FaultKind> kind;  // none: the look with that number fails
};

class FaultRun {
 public:
  FaultRun(const WorkloadOptions& options, const Fault& fault)
      : options_(options), fault_(fault), disk_(options.seed), workload_(disk_, options) {
    workload_.keep_history();
    disk_.set_overlap(options.overlap);
    if (fault.kind) {
      disk_.fail_at(fault.at, *fault.kind);
    } else {
      disk_.fail_look_at(fault.at);
    }
  }

  // Throws Failed.
  void run() {
    open();
    for (int i = 0; i < options_.transactions; ++i) {
      if (const Status status = workload_.round(); !status) after(status.error());
    }
    expect_survivors();
    if (!workload_.close()) {
      open();
      expect_ok(workload_.close(), "second close");
    }
    open();
    judge(workload_.promises().committed, workload_.promises().committed);
  }
  // What the fault led to; neither, when no transaction failed for it.
  bool poisoned() const { return poisoned_; }
  bool survived() const { return survived_; }
  // Crashes after the fault from which was recovered.
  std::uint64_t recovered() const { return recovered_; }

 private:
  using Survival = io::Survival;

  void expect(bool holds, const std::string& words) const {
    if (holds) return;
    const std::string what =
        fault_.kind ? "fault " + std::to_string(static_cast<int>(*fault_.kind)) + " at operation "
                    : "a fault at look ";
    throw Failed("workload " + std::to_string(options_.seed) + ", " + what +
                 std::to_string(fault_.at) + ": " + words);
  }
  void expect_ok(const Status& status, const char* what) const {
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
      const bool full =
          fault_.kind == io::FaultKind::kFull || fault_.kind == io::FaultKind::kShortWrite;
      expect(error.code() == (full ? ErrorCode::kFull : ErrorCode::kIo),
             "code " + std::string(error_name(error.code())) + ": " + error.message());
      // Rolled back whole.
      judge(workload_.promises().committed, workload_.promises().committed);
      expect_survivors();
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
      const Promises& promises = workload_.promises();
      judge_survivor(survival,
                     survival == Survival::kEverything ? promises.written : promises.durable,
                     promises.attempted);
    }
  }
  void judge_survivor(Survival survival, std::size_t least, std::size_t most) {
    const auto disk = disk_.survivor(fault_.at, survival);
    const auto database = Database::open(*disk, kDatabasePath, options_.database);
    expect(database.has_value(), "open after a crash: " + words_of(database));
    judge_one(**database, least, most, true);
    (*database)->crash();
    ++recovered_;
  }

  // What it finds is durable then.
  void reopen() {
    Promises& promises = workload_.promises();
    workload_.let_go();
    open();
    promises.committed = judge(promises.written, promises.attempted);
    promises.all_durable();
    judge_survivor(Survival::kNothing, promises.committed, promises.committed);
  }

  std::size_t judge(std::size_t least, std::size_t most, bool check = true) {
    return judge_one(workload_.database(), least, most, check);
  }
  std::size_t judge_one(Database& database, std::size_t least, std::size_t most, bool check) const {
    const auto snapshot = must(database.begin_read());
    const auto found = read_everything(*snapshot);
    expect(found.has_value(), words_of(found));
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
  const Fault fault_;
  io::SimulatedDisk disk_;
  Workload workload_;
  bool poisoned_ = false;
  bool survived_ = false;
  std::uint64_t recovered_ = 0;
};

}  // namespace quire::test
