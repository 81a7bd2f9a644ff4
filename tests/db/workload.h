// A mixed workload for the tests of crashes and failures: a fixed list of things to do, made from a
// seed, that is carried out as far as the disk allows, with a record of what was promised on the
// way.
#pragma once

#include "engine/io/simulated_disk.h"
#include "tests/db/subjects.h"

namespace quire::test {

// Each transaction writes its number here, so that a state tells which commit it is of.
inline constexpr const char* kLedger = "ledger";

inline std::size_t commit_of(const State& state) {
  const auto ledger = state.find(kLedger);
  if (ledger == state.end()) return 0;
  const auto number = ledger->second.find("n");
  return number == ledger->second.end() ? 0 : std::stoul(number->second);
}

// What an application knows of its database: how far it came, and what it was promised.
struct Promises {
  std::size_t attempted = 0;  // number of the last transaction that went into commit()
  std::size_t committed = 0;  // acknowledged, in whatever mode
  std::size_t written = 0;    // survives the death of the process
  std::size_t durable = 0;    // survives a power loss
  void all_durable() { durable = written = committed; }
};

struct WorkloadOptions {
  DatabaseOptions database;
  std::uint64_t seed = 1;
  int transactions = 60;
  int long_txn = 60;  // operations of one transaction in twelve
  io::Overlap overlap = io::Overlap::kBetween;
};

inline DatabaseOptions small_database() {
  DatabaseOptions options;
  options.page_size = 512;
  options.log_segment_bytes_min = 4096;
  options.log_segment_bytes_max = 16384;
  options.writer.durability = Durability::kBatch;
  options.writer.background = false;
  options.index_kinds = known_kinds();
  return options;
}

inline constexpr const char* kDatabasePath = "/shop.quire";
inline const std::string kData = std::string(kDatabasePath) + "/data";

// Another mixture for each seed: page and log sizes, commits by checkpoint, spills, archives.
inline WorkloadOptions workload_of(std::uint64_t seed) {
  Random random(seed);
  const auto one_of = [&random](auto... values) {
    const std::array all = {values...};
    return all[random() % all.size()];
  };
  WorkloadOptions options{.database = small_database(), .seed = seed};
  options.database.page_size = one_of(512u, 512u, 512u, 1024u, 4096u);
  options.database.log_segment_bytes_max = one_of(4096u, 16384u, 65536u);
  options.database.writer.log_budget_bytes = one_of(64u << 20, 64u << 20, 800u, 1500u);
  options.database.writer.private_bytes = one_of(256u << 20, 256u << 20, 8u << 10);
  options.database.writer.archive = random() % 4 == 0;
  options.transactions = one_of(30, 45, 60);
  options.long_txn = one_of(60, 60, 200);
  options.overlap =
      one_of(io::Overlap::kBeforeWrite, io::Overlap::kBetween, io::Overlap::kAfterSync);
  return options;
}

class Workload {
 public:
  Workload(io::Disk& disk, const WorkloadOptions& options)
      : disk_(disk), options_(options), random_(options.seed) {}
  ~Workload() { let_go(); }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  // From the opening to the close; ends with the first error.
  Status run() {
    QUIRE_CHECK(open());
    for (int i = 0; i < options_.transactions; ++i) QUIRE_CHECK(round());
    return close();
  }

  // --- the same in pieces, for who goes on after errors ---
  Status open() {
    QUIRE_TRY(database_, Database::open(disk_, kDatabasePath, options_.database));
    return {};
  }
  Status round() {
    QUIRE_CHECK(transaction());
    return between();
  }
  Status close() {
    reader_.reset();
    auto closed = database_->close();
    database_.reset();
    if (closed) promises_.all_durable();
    return closed;
  }
  // As the process's death.
  void let_go() {
    txn_.reset();
    reader_.reset();
    if (database_) database_->crash();
    database_.reset();
  }

  bool is_open() const { return database_ != nullptr; }
  Database& database() { return *database_; }
  const Promises& promises() const { return promises_; }
  Promises& promises() { return promises_; }
  // What each commit, by its number, makes of the database. Kept only if asked for.
  void keep_history() { keeps_history_ = true; }
  const std::vector<State>& history() const { return history_; }

  // A transaction's operations and its commit, or now and then its abort.
  Status transaction() {
    auto done = try_transaction();
    txn_.reset();
    return done;
  }

 private:
  Status try_transaction() {
    QUIRE_TRY(txn_, database_->begin_write(true));
    savepoints_ = 0;
    const bool is_long = random_() % 12 == 0;
    const int length = is_long ? options_.long_txn : 1 + static_cast<int>(random_() % 8);
    for (int i = 0; i < length; ++i) QUIRE_CHECK(operation());
    if (random_() % 10 == 0) return {};
    QUIRE_TRY(const StructureId ledger, keyspace_of(*txn_, kLedger));
    const std::string number = std::to_string(promises_.attempted + 1);
    QUIRE_CHECK(txn_->put(ledger, as_bytes("n"), as_bytes(number), TreeWriter::PutMode::kUpsert));
    return commit();
  }

  Status commit() {
    static constexpr Durability kModes[] = {Durability::kAlways, Durability::kBatch,
                                            Durability::kOs, Durability::kNone};
    const Durability durability = kModes[random_() % 4];
    if (keeps_history_) {
      QUIRE_TRY(State state, read_everything(*txn_));
      history_.resize(promises_.attempted + 1);  // what never happened is not in it
      history_.push_back(std::move(state));
    }
    ++promises_.attempted;
    QUIRE_CHECK(database_->writer()->commit(*txn_, durability));
    promises_.committed = promises_.attempted;
    if (keeps_history_) {
      QUIRE_TRY(const auto snapshot, database_->begin_read());
      QUIRE_TRY(const State state, read_everything(*snapshot));
      const std::string words = difference(history_.back(), state);
      if (!words.empty())
        return fail(ErrorCode::kCorrupt, "commit %zu shows: %s", promises_.committed,
                    words.c_str());
    }
    if (durability != Durability::kNone) promises_.written = promises_.committed;
    if (durability == Durability::kAlways) promises_.durable = promises_.committed;
    return {};
  }

  // Checkpoints, syncs, a reader that comes and goes, new lives of the process.
  Status between() {
    const std::uint64_t what = random_() % 24;
    if (what < 2) {
      QUIRE_CHECK(database_->checkpoint());
      promises_.all_durable();
    } else if (what == 2) {
      QUIRE_CHECK(database_->sync());
      promises_.all_durable();
    } else if (what < 6) {
      QUIRE_CHECK(end_reader());
      if (what < 5) {
        QUIRE_TRY(reader_, database_->begin_read());
        reader_commit_ = promises_.committed;
      }
    } else if (what == 6) {
      QUIRE_CHECK(close());
      QUIRE_CHECK(open());
    } else if (what == 7 && promises_.written == promises_.committed) {
      let_go();
      QUIRE_CHECK(open());
      promises_.all_durable();
    } else if (what < 11) {
      // What indexes have put off; of another state than before it may not be.
      QUIRE_CHECK(database_->maintenance()->flush());
    }
    return {};
  }

  // What a reader sees has not changed since it began.
  Status end_reader() {
    if (reader_ != nullptr && keeps_history_) {
      QUIRE_TRY(const State state, read_everything(*reader_));
      const std::string words = difference(history_[reader_commit_], state);
      if (!words.empty())
        return fail(ErrorCode::kCorrupt, "a reader since commit %zu sees: %s", reader_commit_,
                    words.c_str());
    }
    reader_.reset();
    return {};
  }

  Status operation() {
    if (random_() % 8 == 0) return savepoint();
    return change_something(*txn_, random_);
  }

  Status savepoint() {
    const std::uint64_t what = random_() % 4;
    if (what < 2 || savepoints_ == 0) {
      QUIRE_CHECK(txn_->savepoint());
      ++savepoints_;
      return {};
    }
    const std::size_t number = random_() % savepoints_;
    if (what == 2) {
      savepoints_ = number + 1;
      return txn_->rollback_to(number);
    }
    savepoints_ = number;
    return txn_->release(number);
  }

  io::Disk& disk_;
  const WorkloadOptions options_;
  Random random_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<WriteTxn> txn_;
  std::unique_ptr<Snapshot> reader_;
  std::size_t reader_commit_ = 0;  // it began after
  std::size_t savepoints_ = 0;
  Promises promises_;
  bool keeps_history_ = false;
  std::vector<State> history_ = std::vector<State>(1);
};

// Whether this run is the long one.
inline bool long_run() { return std::getenv("QUIRE_TEST_LONG") != nullptr; }

}  // namespace quire::test
