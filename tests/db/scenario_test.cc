// Courses of events that a review of the design, or a bug, has singled out.
#include <gtest/gtest.h>

#include "tests/db/shop.h"

namespace quire {
namespace {

using namespace test;
using io::FaultKind;
using io::SimulatedDisk;
using io::Survival;

// The data of a bulk commit is written, then its meta page: between the two there is the state
// before, after them the state behind, and nothing else at any operation.
TEST(Scenario, BulkCommitIsKilledBetweenItsDataAndItsMeta) {
  int before = 0;
  int after = 0;
  const DatabaseOptions options = with_budget(1000);
  for (std::uint64_t at = 1;; ++at) {
    SimulatedDisk disk(at);
    Shop shop(disk, options);
    must(shop.put(0, 20, "old"));
    disk.set_crash_at(disk.operations() + at);
    const auto committed = shop.put(0, 300, "new");
    shop.crash();
    if (committed) break;
    for (const Survival survival : kSurvivals) {
      const auto found = disk.after_crash(at, survival);
      Shop again(*found, options);
      const State state = again.state();
      const bool is_old = state == goods(20, "old");
      EXPECT_TRUE(is_old || state == goods(300, "new")) << "operation " << at;
      (is_old ? before : after) += 1;
      EXPECT_EQ(damages(again.database()), "");
      // The log goes on from either.
      must(again.put(0, 300, "newer"));
      again.crash();
      const auto last = found->after_crash(at, Survival::kNothing);
      EXPECT_EQ(difference(goods(300, "newer"), Shop(*last, options).state()), "");
    }
  }
  EXPECT_GT(before, 6);
  EXPECT_GT(after, 0);
}

// The checkpoint's meta page named the place behind the marker of a bulk commit, which nobody had
// synced: after a power loss the log did not go that far, and the database did not open.
TEST(Scenario, CheckpointBehindTheMarkerOfABulkCommit) {
  const DatabaseOptions options = with_budget(1000);
  for (const bool bulk_again : {false, true}) {
    SimulatedDisk disk(1);
    Shop shop(disk, options);
    must(shop.put(0, 300, "bulk"));
    if (bulk_again) {
      must(shop.put(0, 300, "more"));
    } else {
      must(shop.database().checkpoint());
    }
    const auto found = disk.survivor(1, Survival::kNothing);
    Shop again(*found, options);
    EXPECT_EQ(difference(goods(300, bulk_again ? "more" : "bulk"), again.state()), "");
    EXPECT_EQ(damages(again.database()), "");
  }
}

// A database whose maker died before it had synced the directory's name was opened by the next
// process, which promised commits in it and lost them with the name.
TEST(Scenario, MakerOfTheDatabaseDiesBeforeItsNamesAreDurable) {
  for (std::uint64_t at = 1;; ++at) {
    SimulatedDisk disk(at);
    disk.set_crash_at(at);
    const bool made = Database::open(disk, kDatabasePath, small_database()).has_value();
    if (made) break;
    const auto found = disk.after_crash(at, Survival::kEverything);
    Shop shop(*found);
    must(shop.put(0, 5, "promised"));
    const auto last = found->survivor(at, Survival::kNothing);
    EXPECT_EQ(difference(goods(5, "promised"), Shop(*last).state()), "") << "operation " << at;
  }
}

// Commits that were written together and not yet synced survive as a prefix, however the sectors
// of the write come out.
TEST(Scenario, InFlightGroupWriteIsTornInAnyOrder) {
  SimulatedDisk disk(1);
  Shop shop(disk);
  must(shop.put(0, 1, "base"));
  std::vector<State> prefixes = {goods(1, "base")};
  for (int commit = 0; commit < 8; ++commit) {
    const std::string text(60, static_cast<char>('a' + commit));
    must(shop.put(commit * 3, 3, text, Durability::kNone));
    prefixes.push_back(shop.state());
  }
  must(shop.database().writer()->log()->write(shop.database().writer()->tip().lsn));
  std::map<std::size_t, int> seen;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto found = disk.survivor(seed, Survival::kRandom);
    Shop again(*found);
    const State state = again.state();
    const auto prefix = std::ranges::find(prefixes, state);
    ASSERT_NE(prefix, prefixes.end()) << "seed " << seed;
    ++seen[static_cast<std::size_t>(prefix - prefixes.begin())];
  }
  EXPECT_GT(seen.size(), 2u);
}

// The kernel takes what it could not write for clean; the reopened database must not believe it.
TEST(Scenario, PoisonedWriterIsReopenedAndLosesPower) {
  for (std::uint64_t at = 1; at < 40; ++at) {
    SimulatedDisk disk(at);
    Shop shop(disk);
    must(shop.put(0, 50, "promised"));
    disk.fail_at(disk.operations() + at, FaultKind::kSyncFailure);
    Status status;
    const char* const texts[] = {"first", "second", "third"};
    std::vector<State> possible = {goods(50, "promised")};
    for (const char* text : texts) {
      if (!status) break;
      possible.push_back(goods(50, text));
      const auto lsn = shop.put(0, 50, text);
      if (lsn) possible.erase(possible.begin(), possible.end() - 1);
      status = lsn ? shop.database().checkpoint() : Status(std::unexpected(lsn.error()));
    }
    // What came after a checkpoint's end leaves more than needed, nothing else.
    if (status || shop.database().writer()->health()) continue;
    EXPECT_EQ(code_of(shop.put(0, 1, "refused")), ErrorCode::kPoisoned);
    // The old handle, and a snapshot of it, are still there when the database is opened anew.
    const auto held = must(shop.database().begin_read());
    const State before = must(read_everything(*held));
    Shop again(disk);
    const State recovered = again.state();
    EXPECT_NE(std::ranges::find(possible, recovered), possible.end()) << "operation " << at;
    EXPECT_EQ(damages(again.database()), "");
    const auto lost = disk.survivor(at, Survival::kNothing);
    EXPECT_EQ(difference(recovered, Shop(*lost).state()), "") << "operation " << at;
    for (int i = 0; i < 10; ++i) must(again.put(0, 50, "after" + std::to_string(i)));
    EXPECT_EQ(difference(before, must(read_everything(*held))), "") << "operation " << at;
    const auto late = disk.survivor(at, Survival::kNothing);
    EXPECT_EQ(difference(goods(50, "after9"), Shop(*late).state()), "") << "operation " << at;
  }
}

// A part of a commit is in the log, its end is not: it never happened, and the log goes on.
TEST(Scenario, LogEndsWithAnIncompleteCommit) {
  DatabaseOptions options = with_budget(1000);
  options.writer.archive = true;
  for (const Survival survival : kSurvivals) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      SimulatedDisk disk(seed);
      Shop shop(disk, options);
      must(shop.put(0, 20, "whole"));
      std::unique_ptr<SimulatedDisk> found;
      {
        const auto txn = must(shop.database().begin_write(true));
        must(Shop::put_in(*txn, 0, 200, "half"));
        wal::LogWriter& log = *shop.database().writer()->log();
        EXPECT_GT(log.appended(), shop.database().writer()->tip().lsn);
        must(log.sync(log.appended()));
        found = disk.survivor(seed, survival);
      }
      Shop again(*found, options);
      EXPECT_EQ(difference(goods(20, "whole"), again.state()), "");
      must(again.put(0, 200, "next"));
      again.crash();
      const auto last = found->after_crash(seed, Survival::kNothing);
      EXPECT_EQ(difference(goods(200, "next"), Shop(*last, options).state()), "");
      // The one that gave up goes on as well.
      must(shop.put(0, 30, "later"));
      const auto other = disk.survivor(seed, Survival::kNothing);
      EXPECT_EQ(difference(goods(30, "later"), Shop(*other, options).state()), "");
    }
  }
}

class Books {
 public:
  explicit Books(Shop& shop) : shop_(shop) {}
  void commit(const std::function<void(WriteTxn&, const Collection&)>& change) {
    const auto txn = must(shop_.database().begin_write(true));
    change(*txn, must(books_of(*txn)));
    must(shop_.database().writer()->commit(*txn, Durability::kAlways));
  }
  static void insert(WriteTxn& txn, const Collection& books, const std::string& id) {
    const std::array<float, kDimension> place = {1, 2, 3, static_cast<float>(id.size())};
    const std::string title = "title of " + id;
    const std::array<Value, 4> values = {Value::of_text(id), Value::of_text(title),
                                         Value::of_vector(place.data(), kDimension), Value::null()};
    must(insert_record(txn, books, values));
  }
  static void erase(WriteTxn& txn, const Collection& books, const std::string& id) {
    must(erase_record(txn, books, Value::of_text(id)));
  }

 private:
  Shop& shop_;
};

// A number is given again once its freeing is in a checkpoint, and recovery gives each record the
// number that it had.
TEST(Scenario, RecordNumberIsDeletedReusedAndReplayed) {
  SimulatedDisk disk(1);
  Shop shop(disk);
  Books books(shop);
  books.commit([](WriteTxn& txn, const Collection& c) {
    for (const char* id : {"a", "b", "c"}) Books::insert(txn, c, id);
  });
  books.commit([](WriteTxn& txn, const Collection& c) { Books::erase(txn, c, "b"); });
  books.commit([](WriteTxn& txn, const Collection& c) { Books::insert(txn, c, "too early"); });
  Keys numbers = shop.state()["#books/numbers"];
  EXPECT_EQ(numbers.size(), 3u);
  const auto number_of = [&numbers](const std::string& id) {
    for (const auto& [number, key] : numbers) {
      if (key.find(id) != std::string::npos) return number;
    }
    return std::string("none");
  };
  EXPECT_EQ(number_of("too early"), "3");
  must(shop.database().checkpoint());
  books.commit([](WriteTxn& txn, const Collection& c) { Books::insert(txn, c, "again"); });
  numbers = shop.state()["#books/numbers"];
  EXPECT_EQ(number_of("again"), "1");  // that of "b"
  books.commit([](WriteTxn& txn, const Collection& c) {
    Books::erase(txn, c, "again");
    Books::insert(txn, c, "once more");
  });
  const State expected = shop.state();
  EXPECT_EQ(expected.at("#books").size(), 4u);
  for (const Survival survival : kSurvivals) {
    const auto found = disk.survivor(1, survival);
    Shop again(*found);
    EXPECT_EQ(difference(expected, again.state()), "");
    EXPECT_EQ(damages(again.database()), "");
    // And from the state that recovery made.
    const auto last = found->survivor(1, survival);
    EXPECT_EQ(difference(expected, Shop(*last).state()), "");
  }
}

// A poisoned writer that had nothing to write said that its checkpoint was made.
TEST(Scenario, PoisonedWriterMakesNoCheckpoint) {
  SimulatedDisk disk(1);
  must(Shop(disk).database().close());
  for (std::uint64_t at = 1; at < 30; ++at) {
    const auto copy = disk.survivor(1, Survival::kEverything);
    copy->fail_at(copy->operations() + at, FaultKind::kIo);
    Shop shop(*copy);
    const auto lsn = shop.put(0, 1, "text");
    if (lsn || shop.database().writer()->health()) continue;
    EXPECT_EQ(code_of(shop.database().checkpoint()), ErrorCode::kPoisoned);
  }
}

struct Overwriting {
  int stride;  // 1: in order; prime to the number of keys: all over the place
  bool reader;
};
void PrintTo(const Overwriting& overwriting, std::ostream* out) {
  *out << "stride " << overwriting.stride << (overwriting.reader ? ", beside a reader" : "");
}

// A reader that stays open pins its own snapshot and nothing that came and went since: the file
// stays within two and a half times the live data. Without one it needs room for two states.
class FileSize : public testing::TestWithParam<Overwriting> {};

TEST_P(FileSize, StaysBoundedOverFiveRoundsOfOverwritingEveryKey) {
  constexpr int kCount = 20'000;
  const auto [stride, reader] = GetParam();
  SimulatedDisk disk(1);
  DatabaseOptions options;
  options.writer.background = false;
  options.writer.durability = Durability::kOs;
  Shop shop(disk, options);
  must(shop.put(0, 1, "first"));
  const auto overwrite = [&](const std::string& text) {
    constexpr int kInTransaction = 50;
    for (int first = 0; first < kCount; first += kInTransaction) {
      const auto txn = must(shop.database().begin_write(true));
      for (int i = first; i < first + kInTransaction; ++i) {
        const int number = static_cast<int>(std::int64_t{i} * stride % kCount);
        must(Shop::put_in(*txn, number, 1, text));
      }
      must(shop.database().writer()->commit(*txn, Durability::kOs));
      // What the background thread does when it is told.
      if (shop.database().writer()->checkpoint_wanted()) must(shop.database().checkpoint());
    }
  };
  overwrite(std::string(200, 'a'));
  must(shop.database().checkpoint());
  DatabaseStat stat = must(shop.database().stat());
  const std::uint64_t live = (stat.pages_total - stat.pages_free - stat.pages_pinned) * 4096;
  EXPECT_GT(live, std::uint64_t{kCount} * 200);
  std::unique_ptr<Snapshot> held;
  if (reader) held = must(shop.database().begin_read());
  for (char round = 'b'; round <= 'f'; ++round) {
    overwrite(std::string(200, round));
    stat = must(shop.database().stat());
    EXPECT_LE(stat.file_bytes, live * (reader ? 10 : 9) / 4) << "round " << round;
  }
  if (reader) {
    EXPECT_EQ(difference(goods(kCount, std::string(200, 'a')), must(read_everything(*held))), "");
  }
  EXPECT_EQ(difference(goods(kCount, std::string(200, 'f')), shop.state()), "");
  EXPECT_EQ(damages(shop.database()), "");
}

INSTANTIATE_TEST_SUITE_P(Orders, FileSize,
                         testing::Values(Overwriting{1, true}, Overwriting{7919, true},
                                         Overwriting{1, false}, Overwriting{7919, false}));

// A payload between the budget and the budget with its last operation's own bytes went to the log
// as a part of a commit, although what outgrows the budget commits by checkpoint. Recovery from
// that checkpoint then met operations on what the transaction itself had dropped, and refused to
// open.
TEST(CommitByCheckpoint, LeavesNoPartOfItselfInTheLog) {
  for (std::size_t size = 760; size <= 800; ++size) {
    SimulatedDisk disk;
    DatabaseOptions options = small_database();
    options.writer.log_budget_bytes = 800;
    auto database = must(Database::open(disk, kDatabasePath, options));
    const auto commit = [&](WriteTxn& txn) {
      must(database->writer()->commit(txn, Durability::kAlways));
    };
    auto txn = must(database->begin_write(true));
    const StructureId goods = must(txn->create_keyspace("goods"));
    const StructureId dropped = must(txn->create_keyspace("dropped"));
    commit(*txn);
    const auto put = [&](StructureId id, std::size_t bytes) {
      const std::string value(bytes, 'v');
      must(txn->put(id, as_bytes("key"), as_bytes(value), TreeWriter::PutMode::kUpsert));
    };
    txn = must(database->begin_write(true));
    put(dropped, size);
    must(txn->drop_keyspace(dropped));
    put(goods, 900);
    commit(*txn);
    txn = must(database->begin_write(true));
    put(goods, 10);
    commit(*txn);
    txn.reset();
    database->crash();
    database = must(Database::open(disk, kDatabasePath, options));
    const auto snapshot = must(database->begin_read());
    const State expected = {{"goods", {{"key", std::string(10, 'v')}}}};
    EXPECT_EQ(difference(expected, must(read_everything(*snapshot))), "");
  }
}

// With an archive a long transaction is logged in parts. Aborted, they stayed behind the place
// where the last checkpoint said that the log ends: a database that was closed like that, with a
// segment begun among the parts, was refused as damaged; and check took the parts for lost commits.
class LongTransaction : public testing::Test {
 protected:
  // One commit, and behind it in the log parts, in several segments, of a transaction that is open.
  LongTransaction() {
    options.writer.archive = true;
    options.writer.log_budget_bytes = 1000;
    database = must(Database::open(disk, kDatabasePath, options));
    txn = must(database->begin_write(true));
    goods = must(txn->create_keyspace("goods"));
    must(database->writer()->commit(*txn, Durability::kNone));
    txn = must(database->begin_write(true));
    for (int i = 0; i < 100; ++i) put("key" + std::to_string(i), std::string(200, 'v'));
    must(database->sync());  // the commit, and what is in memory behind it
  }
  ~LongTransaction() override {
    txn.reset();
    if (database) database->crash();
  }
  // The process dies; the next one recovers and commits.
  void die_and_go_on() {
    txn.reset();
    database->crash();
    database = must(Database::open(disk, kDatabasePath, options));
    txn = must(database->begin_write(true));
    put("key", "value");
    must(database->writer()->commit(*txn, Durability::kAlways));
    txn.reset();
  }
  void put(const std::string& key, const std::string& value) {
    must(txn->put(goods, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
  }

  SimulatedDisk disk;
  DatabaseOptions options = small_database();
  std::unique_ptr<Database> database;
  std::unique_ptr<WriteTxn> txn;
  StructureId goods = 0;
};

TEST_F(LongTransaction, ThatIsAbortedLeavesNoDamageInAnArchive) {
  EXPECT_EQ(damages(*database), "");
  txn.reset();
  EXPECT_EQ(damages(*database), "");
  must(database->close());
  database = must(Database::open(disk, kDatabasePath, options));
  EXPECT_EQ(damages(*database), "");
  const auto snapshot = must(database->begin_read());
  EXPECT_EQ(difference({{"goods", {}}}, must(read_everything(*snapshot))), "");
}

// After the process's death the next log goes on behind the last commit, in a segment numbered
// above those with the parts. Once the database was closed in order, such a segment, which begins
// with a record that was never reached again, was taken for a newer history.
TEST_F(LongTransaction, ThatDiesWithItsProcessLeavesNoDamageInAnArchive) {
  die_and_go_on();
  must(database->close());
  database = must(Database::open(disk, kDatabasePath, options));
  EXPECT_EQ(damages(*database), "");
  const auto snapshot = must(database->begin_read());
  EXPECT_EQ(difference({{"goods", {{"key", "value"}}}}, must(read_everything(*snapshot))), "");
}

// A checkpoint lies behind the parts of a transaction that was aborted, those of the next one
// behind it, and then the process dies: its successor goes on between the two. Who read the kept
// log from its beginning looked for one that goes on behind a commit, found none, and took the log
// for damaged.
TEST_F(LongTransaction, ThatIsAbortedBeforeOneThatDiesLeavesNoDamageInAnArchive) {
  txn.reset();
  must(database->checkpoint());
  txn = must(database->begin_write(true));
  // More than the log keeps in memory.
  for (int i = 0; i < 180; ++i) put("long" + std::to_string(i), std::string(100'000, 'v'));
  die_and_go_on();
  must(database->checkpoint());
  EXPECT_EQ(damages(*database), "");
}

// A sync of the log fails, and the system takes what it could not write for clean. Recovery read it
// from the cache, and its own sync of that segment did nothing: with a new segment behind it and
// the power lost before the checkpoint, the log had a hole, and the database was refused as
// damaged.
TEST(FailedSync, OfTheLogLeavesNoHoleWhereRecoveryIsCut) {
  bool whole = false;
  for (std::uint64_t n = 1; !whole; ++n) {
    SCOPED_TRACE("recovery cut at operation " + std::to_string(n));
    SimulatedDisk disk;
    Shop shop(disk);
    must(shop.put(0, 3, "first"));
    const std::uint64_t before = disk.operations();
    disk.fail_at(before + 2, FaultKind::kSyncFailure);  // the log's write, then its sync
    EXPECT_FALSE(shop.put(0, 3, "second"));
    shop.crash();
    disk.set_crash_at(disk.operations() + n);
    auto recovered = Database::open(disk, kDatabasePath, small_database());
    whole = recovered.has_value();
    if (whole) (*recovered)->crash();
    recovered = {};
    const auto found = disk.after_crash(n, Survival::kNothing);
    Shop again(*found);
    const State state = again.state();
    EXPECT_TRUE(difference(goods(3, "first"), state).empty() ||
                difference(goods(3, "second"), state).empty());
    EXPECT_EQ(damages(again.database()), "");
  }
}

}  // namespace
}  // namespace quire
