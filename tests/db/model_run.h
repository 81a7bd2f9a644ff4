// Random transactions on a database, compared with a std::map model and with LMDB on the way.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/db/cursor_model.h"
#include "tests/db/lmdb_oracle.h"
#include "tests/db/state.h"

namespace quire::test {

struct ModelSettings {
  const char* name;
  std::uint32_t page_size = 4096;
  std::uint64_t log_budget_bytes = 64 << 20;
  std::uint64_t private_bytes = 256 << 20;
  bool archive = false;
  bool background = false;
  bool real_disk = false;
  bool oracle = false;
  bool durable_only = false;    // no commits that a crash may take back
  bool alone = false;           // no reading processes, more snapshots: pages stay private for long
  std::uint32_t keys = 1500;    // of each keyspace, about
  std::uint32_t long_txn = 60;  // operations of one in ten transactions
  std::uint64_t part = 10;      // of all operations, in hundredths
};

inline const std::vector<std::string> kSpaces = {"alpha", "beta", "gamma", "delta", "epsilon"};

// A directory of the machine, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    char path[] = "/tmp/quire-model-XXXXXX";
    if (::mkdtemp(path) == nullptr) std::abort();
    path_ = path;
  }
  ~TemporaryDirectory() { (void)std::system(("rm -rf " + path_).c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A snapshot that is held, with what it must show for as long as it is.
struct Frozen {
  std::shared_ptr<Database> database;  // null: the writer's
  std::unique_ptr<Snapshot> snapshot;
  std::shared_ptr<const State> state;
  std::optional<CursorPair> cursor;
  std::vector<std::pair<Bytes, std::string>> borrowed;  // memory of the snapshot, and what is there
};

class ModelRun {
 public:
  ModelRun(const ModelSettings& settings, std::uint64_t seed)
      : settings_(settings), random_(seed), simulated_(seed) {
    if (settings.oracle) oracle_ = std::make_unique<LmdbOracle>(kSpaces);
    options_.page_size = settings.page_size;
    options_.log_segment_bytes_min = 8192;
    options_.log_segment_bytes_max = 65536;
    WriterOptions& writer = options_.writer;
    writer.durability = Durability::kBatch;
    writer.log_budget_bytes = settings.log_budget_bytes;
    writer.private_bytes = settings.private_bytes;
    writer.checkpoint_bytes = 1 << 20;
    writer.archive = settings.archive;
    writer.background = settings.background;
    path_ = (settings.real_disk ? directory_.path() : "") + "/model.quire";
    open();
  }
  ~ModelRun() {
    frozen_.clear();
    txn_.reset();
    if (database_) database_->crash();
  }

  void run(std::uint64_t operations) {
    while (done_ < operations && !failed()) {
      transaction();
      if (!failed()) between();
    }
    if (failed()) return;
    compare_everything();
    frozen_.clear();
    EXPECT_EQ(words_of(database_->close()), "");
  }
  std::uint64_t done() const { return done_; }

 private:
  bool failed() const { return testing::Test::HasFailure(); }
  void expect(bool holds, const std::string& words) {
    if (!holds) ADD_FAILURE() << settings_.name << ", operation " << done_ << ": " << words;
  }
  bool chance(std::uint64_t of) { return random_() % of == 0; }
  io::Disk& disk() {
    return settings_.real_disk ? io::real_disk() : static_cast<io::Disk&>(simulated_);
  }
  void open() { database_ = must(Database::open(disk(), path_, options_)); }

  // --- one transaction ---

  void transaction();
  void abort();
  void commit();
  void operation();
  void create_or_drop();
  void change(const std::string& space, std::uint64_t what);
  void put(const std::string& space, std::uint64_t what);
  void erase(const std::string& space);
  void erase_range(const std::string& space);

  // --- savepoints ---

  void savepoint();

  // --- reading ---

  void get(View& view, const State& state, const std::string& space);
  void rank(View& view, const State& state, const std::string& space);
  void move_cursor(View& view, const State& state, std::optional<CursorPair>& pair);
  void new_cursor(View& view, const State& state, std::optional<CursorPair>& pair);

  // --- snapshots ---

  void look_at_frozen();
  std::shared_ptr<const State> committed() const;
  // A new snapshot sees what is committed, not what the open transaction has done. One in three is
  // that of another process.
  void freeze();
  // What is lent stays where it is, as it is, for as long as the snapshot is open.
  void borrow(Frozen& frozen);
  void renew(Frozen& frozen);
  void compare(View& view, const State& expected, const char* when);

  // --- between transactions ---

  void between();
  void compare_everything();
  // Ends in order or dies, and comes back: with every commit, or, after a death, without some of
  // those that were promised nothing.
  void new_life();

  // --- chances ---

  StructureId id_of(View& view, const std::string& space);
  const std::string& some_space() { return some_space(model_.state()); }
  const std::string& some_space(const State& state);
  // One in three is there. Keys share prefixes, have any bytes and lengths up to the limit.
  std::string some_key(const Keys& keys);
  std::string fresh_key();
  // LMDB's keys end at 511 bytes.
  std::size_t longest_key() const;
  static std::string key_behind(const Keys& keys);
  std::string some_value();

  const ModelSettings settings_;
  Random random_;
  TemporaryDirectory directory_;
  io::SimulatedDisk simulated_;
  std::string path_;
  DatabaseOptions options_;
  std::unique_ptr<LmdbOracle> oracle_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<WriteTxn> txn_;
  std::optional<CursorPair> cursor_;  // of txn_
  std::vector<std::size_t> savepoints_;
  Model model_;
  std::size_t begin_ = 0;                   // mark of the open transaction
  std::vector<std::size_t> loose_commits_;  // marks where commits began that a crash may take
  std::vector<Frozen> frozen_;
  std::uint64_t done_ = 0;
};

}  // namespace quire::test
