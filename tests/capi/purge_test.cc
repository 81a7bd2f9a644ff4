// The field that says when a record's time is over, and purges: in a transaction, over the
// database, in the background.
#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "accounts.h"

namespace quire::test {
namespace {

quire_value of_time(std::int64_t us) {
  quire_value value = of_i64(us);
  value.type = QUIRE_TYPE_TIMESTAMP;
  return value;
}

class Purges : public World {
 protected:
  enum Field : std::uint32_t { kId, kEnds, kNote, kFields };
  using Fields = std::array<quire_field, kFields>;

  static Fields fields() {
    return {{{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
             {"ends", QUIRE_TYPE_TIMESTAMP, QUIRE_FIELD_NULLABLE | QUIRE_FIELD_TTL, 0, 0, nullptr},
             {"note", QUIRE_TYPE_TIMESTAMP, QUIRE_FIELD_NULLABLE, 0, 0, nullptr}}};
  }
  void SetUp() override {
    World::SetUp();
    quire_txn* txn = write();
    ASSERT_OK(create(txn, fields(), "sessions", sessions_));
    ASSERT_OK(quire_commit(txn));
  }
  static int create(quire_txn* txn, const Fields& given, const char* name, quire_collection& id) {
    return quire_collection_create(txn, name, given.data(), given.size(), &id);
  }
  static int insert(quire_txn* txn, quire_collection collection, std::int64_t id,
                    const quire_value& ends) {
    const std::array values = {of_i64(id), ends, none()};
    return quire_record_insert(txn, collection, values.data(), values.size());
  }
  // So many records, "id" 0 on, that end at 0, 1, 2 ...; the last one never.
  void fill(std::int64_t count) {
    quire_txn* txn = write();
    for (std::int64_t i = 0; i < count; ++i)
      ASSERT_OK(insert(txn, sessions_, i, i + 1 == count ? none() : of_time(i)));
    ASSERT_OK(quire_commit(txn));
  }
  // One whose time is just over, and one that has an hour left.
  void fill_later() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
    quire_txn* txn = write();
    ASSERT_OK(insert(txn, sessions_, 5000, of_time(us)));
    ASSERT_OK(insert(txn, sessions_, 5001, of_time(us + 3'600'000'000)));
    ASSERT_OK(quire_commit(txn));
  }
  static std::uint64_t count(quire_txn* txn, quire_collection collection) {
    std::uint64_t records = 0;
    EXPECT_OK(quire_collection_count(txn, collection, &records));
    return records;
  }
  std::uint64_t count() {
    quire_txn* txn = read();
    const std::uint64_t records = count(txn, sessions_);
    quire_abort(txn);
    return records;
  }
  quire_stat stat() {
    quire_stat found{};
    found.size = sizeof found;
    EXPECT_OK(quire_get_stat(db, &found));
    return found;
  }
  // Until it is so; half a minute, for a machine that is busy.
  static bool wait_for(const std::function<bool()>& what) {
    for (int i = 0; i < 3000; ++i) {
      if (what()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  void open_with_purges(std::uint32_t purge_ms = 5) {
    quire_open_options options = open_options();
    options.purge_ms = purge_ms;
    reopen(options);
  }

  quire_collection sessions_ = 0;
};

// ------------------------------------------------------------------ schema

TEST_F(Purges, TheFieldComesBackWithItsFlag) {
  quire_txn* txn = read();
  for (std::size_t i = 0; i < kFields; ++i) {
    quire_field field{};
    ASSERT_OK(quire_collection_field(txn, sessions_, i, &field));
    EXPECT_EQ(field.flags, fields()[i].flags) << i;
  }
  quire_abort(txn);
}

TEST_F(Purges, FieldsThatCantBeItAreRefusedByName) {
  quire_txn* txn = write();
  quire_collection id = 0;
  Fields given = fields();
  given[kNote].flags |= QUIRE_FIELD_TTL;
  EXPECT_ERROR(create(txn, given, "c", id), QUIRE_ERR_INVALID,
               "'note': says when a record's time is over, as 'ends' does already");
  given = fields();
  given[kEnds].type = QUIRE_TYPE_I64;
  EXPECT_ERROR(create(txn, given, "c", id), QUIRE_ERR_INVALID,
               "'ends': says when a record's time is over and is i64, must be a timestamp");
  given = fields();
  given[kEnds].flags |= 8;
  EXPECT_ERROR(create(txn, given, "c", id), QUIRE_ERR_INVALID, "'ends': unknown flags");
  EXPECT_OK(create(txn, fields(), "c", id));
  quire_abort(txn);
}

TEST_F(Purges, AChangeSetsUnsetsAndMovesIt) {
  quire_txn* txn = write();
  Fields given = fields();
  for (std::size_t i = 0; i < kFields; ++i)
    ASSERT_OK(quire_collection_field(txn, sessions_, i, &given[i]));
  // The library's names are gone with the first change.
  for (std::size_t i = 0; i < kFields; ++i) given[i].name = fields()[i].name;
  ASSERT_OK(insert(txn, sessions_, 1, of_time(10)));
  const auto change = [&](std::size_t count) {
    return quire_collection_change(txn, sessions_, given.data(), count, nullptr, nullptr);
  };
  std::uint64_t purged = 7;
  given[kEnds].name = "until";
  ASSERT_OK(change(kFields));
  EXPECT_OK(quire_purge(txn, sessions_, 5, UINT64_MAX, &purged));
  EXPECT_EQ(purged, 0u);
  given[kEnds].flags = QUIRE_FIELD_NULLABLE;
  ASSERT_OK(change(kFields));
  EXPECT_ERROR(quire_purge(txn, sessions_, 50, UINT64_MAX, &purged), QUIRE_ERR_INVALID,
               "'sessions': has no field that says when");
  given[kNote].flags |= QUIRE_FIELD_TTL;
  ASSERT_OK(change(kFields));
  EXPECT_OK(quire_purge(txn, sessions_, 50, UINT64_MAX, &purged));
  EXPECT_EQ(purged, 0u) << "the note is null";
  ASSERT_OK(change(kFields - 1));  // it goes, and with it what it said
  EXPECT_CODE(quire_purge(txn, sessions_, 50, UINT64_MAX, &purged), QUIRE_ERR_INVALID);
  given[kEnds].flags |= QUIRE_FIELD_TTL;
  ASSERT_OK(change(kFields - 1));
  EXPECT_OK(quire_purge(txn, sessions_, 50, UINT64_MAX, &purged));
  EXPECT_EQ(purged, 1u);
  ASSERT_OK(quire_commit(txn));
}

TEST_F(Purges, AnApplicationThatExpectsAnotherIsTold) {
  quire_txn* txn = read();
  Fields given = fields();
  EXPECT_OK(quire_collection_expect(txn, sessions_, given.data(), given.size()));
  given[kEnds].flags = QUIRE_FIELD_NULLABLE;
  EXPECT_ERROR(quire_collection_expect(txn, sessions_, given.data(), given.size()),
               QUIRE_ERR_SCHEMA,
               "ends: expected timestamp, may be null, is timestamp, may be null, when the "
               "record's time is over");
  quire_abort(txn);
}

// ----------------------------------------------------------- in transactions

TEST_F(Purges, InATransactionIsUndoneWithIt) {
  fill(10);
  quire_txn* txn = write();
  std::uint64_t purged = 0;
  ASSERT_OK(quire_purge(txn, sessions_, 4, UINT64_MAX, &purged));
  EXPECT_EQ(purged, 5u);
  EXPECT_EQ(count(txn, sessions_), 5u);
  quire_abort(txn);
  EXPECT_EQ(count(), 10u);
  txn = write();
  ASSERT_OK(quire_purge(txn, sessions_, QUIRE_NOW, 3, nullptr));
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(count(), 7u);
  reopen();
  EXPECT_EQ(count(), 7u);
}

TEST_F(Purges, MovesEveryIndexInTheSameCommit) {
  fill(50);
  quire_txn* txn = write();
  quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
  options.options = R"({"fields": ["ends"], "where": "ends is not null"})";
  ASSERT_OK(quire_index_create(txn, sessions_, "ends", &options));
  options.options = R"({"fields": ["-id"], "unique": true})";
  ASSERT_OK(quire_index_create(txn, sessions_, "ids", &options));
  ASSERT_OK(quire_commit(txn));
  txn = write();
  std::uint64_t purged = 0;
  ASSERT_OK(quire_purge(txn, sessions_, 29, UINT64_MAX, &purged));
  EXPECT_EQ(purged, 30u);
  std::array<std::uint64_t, 3> entries{};
  const auto visit = [](void* context, const quire_index_info* info) {
    auto& all = *static_cast<std::array<std::uint64_t, 3>*>(context);
    all.at(++all[0]) = info->entries;
    return 0;
  };
  ASSERT_OK(quire_index_list(txn, sessions_, visit, &entries));
  EXPECT_EQ(entries[1], 19u);
  EXPECT_EQ(entries[2], 20u);
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(Purges, WrongArgumentsAreTold) {
  fill(3);
  quire_txn* txn = write();
  std::uint64_t purged = 7;
  EXPECT_ERROR(quire_purge(txn, sessions_, 1, 0, &purged), QUIRE_ERR_INVALID, "the limit is 0");
  EXPECT_EQ(purged, 0u);
  EXPECT_CODE(quire_purge(txn, 4711, 1, 1, &purged), QUIRE_ERR_NOT_FOUND);
  EXPECT_CODE(quire_purge(txn, keys, 1, 1, &purged), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_purge(nullptr, sessions_, 1, 1, &purged), QUIRE_ERR_INVALID);
  quire_abort(txn);
  txn = read();
  EXPECT_CODE(quire_purge(txn, sessions_, 1, 1, &purged), QUIRE_ERR_READ_ONLY);
  quire_abort(txn);
}

// ---------------------------------------------------------- of the database

TEST_F(Purges, OfTheDatabaseTakesAllCollectionsPieceByPiece) {
  fill(1000);
  quire_txn* txn = write();
  quire_collection other = 0;
  quire_collection plain = 0;
  ASSERT_OK(create(txn, fields(), "another", other));
  Fields given = fields();
  given[kEnds].flags = QUIRE_FIELD_NULLABLE;
  ASSERT_OK(create(txn, given, "plain", plain));
  ASSERT_OK(insert(txn, other, 1, of_time(5)));
  ASSERT_OK(insert(txn, plain, 1, of_time(5)));
  ASSERT_OK(quire_commit(txn));
  std::uint64_t before = 0;
  std::uint64_t after = 0;
  ASSERT_OK(quire_latest(db, &before, nullptr));
  std::uint64_t purged = 0;
  ASSERT_OK(quire_purge_database(db, nullptr, &purged));
  EXPECT_EQ(purged, 1000u);
  ASSERT_OK(quire_latest(db, &after, nullptr));
  EXPECT_EQ(after - before, 1u + 4u) << "256 records a transaction";
  EXPECT_EQ(count(), 1u);
  txn = read();
  EXPECT_EQ(count(txn, other), 0u);
  EXPECT_EQ(count(txn, plain), 1u);
  quire_abort(txn);
}

TEST_F(Purges, OfTheDatabaseDoesAsItsOptionsSay) {
  fill(100);
  quire_purge_options options = QUIRE_PURGE_OPTIONS_INIT;
  options.collection = "sessions";
  options.now_us = 49;
  options.limit = 15;
  options.batch = 10;
  options.durability = QUIRE_DURABILITY_ALWAYS;
  std::vector<std::uint64_t> told;
  options.context = &told;
  options.progress = [](void* context, std::uint64_t done, std::uint64_t total) {
    EXPECT_EQ(total, 15u);
    static_cast<std::vector<std::uint64_t>*>(context)->push_back(done);
    return 0;
  };
  std::uint64_t purged = 0;
  ASSERT_OK(quire_purge_database(db, &options, &purged));
  EXPECT_EQ(purged, 15u);
  EXPECT_EQ(told, (std::vector<std::uint64_t>{0, 10}));
  options.limit = UINT64_MAX;
  options.progress = [](void*, std::uint64_t done, std::uint64_t) { return done < 10 ? 0 : 1; };
  EXPECT_CODE(quire_purge_database(db, &options, &purged), QUIRE_ERR_CANCELLED);
  EXPECT_EQ(purged, 10u) << "what was deleted stays, and is told";
  EXPECT_EQ(count(), 75u);
}

TEST_F(Purges, OfTheDatabaseNamesWhatIsWrong) {
  quire_txn* txn = write();
  Fields given = fields();
  given[kEnds].flags = QUIRE_FIELD_NULLABLE;
  quire_collection plain = 0;
  ASSERT_OK(create(txn, given, "plain", plain));
  ASSERT_OK(quire_commit(txn));
  std::uint64_t purged = 7;
  const auto refused = [&](quire_purge_options options) {
    purged = 7;
    const int code = quire_purge_database(db, &options, &purged);
    EXPECT_EQ(purged, 0u);
    return code;
  };
  quire_purge_options options = QUIRE_PURGE_OPTIONS_INIT;
  options.size = 3;
  EXPECT_ERROR(refused(options), QUIRE_ERR_INVALID, "size");
  options = QUIRE_PURGE_OPTIONS_INIT;
  options.limit = 0;
  EXPECT_ERROR(refused(options), QUIRE_ERR_INVALID, "limit is 0");
  options = QUIRE_PURGE_OPTIONS_INIT;
  options.batch = 1'000'001;
  EXPECT_ERROR(refused(options), QUIRE_ERR_INVALID, "batch is 1000001");
  options = QUIRE_PURGE_OPTIONS_INIT;
  options.durability = 5;
  EXPECT_ERROR(refused(options), QUIRE_ERR_INVALID, "durability");
  options = QUIRE_PURGE_OPTIONS_INIT;
  options.collection = "nothing";
  EXPECT_ERROR(refused(options), QUIRE_ERR_NOT_FOUND, "'nothing'");
  options.collection = "keys";
  EXPECT_ERROR(refused(options), QUIRE_ERR_TYPE, "'keys'");
  options.collection = "plain";
  EXPECT_ERROR(refused(options), QUIRE_ERR_INVALID, "'plain': has no field that says when");
  EXPECT_CODE(quire_purge_database(nullptr, nullptr, nullptr), QUIRE_ERR_INVALID);
  quire_db* reader = nullptr;
  const quire_open_options read_only = open_options(QUIRE_OPEN_READ_ONLY);
  ASSERT_OK(quire_open(path().c_str(), &read_only, &reader));
  EXPECT_CODE(quire_purge_database(reader, nullptr, nullptr), QUIRE_ERR_READ_ONLY);
  EXPECT_OK(quire_close(reader));
}

// ---------------------------------------------------------- in the background

TEST_F(Purges, InTheBackgroundIsOffUnlessAskedFor) {
  fill(10);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(count(), 10u);
  const quire_stat found = stat();
  EXPECT_EQ(found.purge_ms, 0u);
  EXPECT_EQ(found.purge_rounds, 0u);
  EXPECT_EQ(found.purged, 0u);
}

TEST_F(Purges, InTheBackgroundTakesWhatIsOverAndSaysSo) {
  fill(1000);
  open_with_purges();
  EXPECT_TRUE(wait_for([this] { return stat().purged == 999; }));
  EXPECT_EQ(count(), 1u);
  fill_later();
  EXPECT_TRUE(wait_for([this] { return stat().purged == 1000; }));
  const quire_stat found = stat();
  EXPECT_EQ(found.purge_ms, 5u);
  EXPECT_EQ(found.purge_error, QUIRE_OK);
  EXPECT_GE(found.purge_rounds, 1u);
  EXPECT_EQ(count(), 2u) << "one has an hour left";
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(Purges, InTheBackgroundWaitsForTheTurnAndIsNotInTheWay) {
  fill(600);
  open_with_purges();
  // Whatever it has begun: within a transaction nothing goes.
  quire_txn* txn = write();
  const std::uint64_t before = count(txn, sessions_);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(count(txn, sessions_), before);
  ASSERT_OK(quire_commit(txn));
  for (int i = 0; i < 20; ++i) commit_put("key" + std::to_string(i), "value");
  EXPECT_TRUE(wait_for([this] { return count() == 1; }));
}

// It waits for the turn that the handle's transaction has, which the close ends.
TEST_F(Purges, InTheBackgroundEndsWithTheCloseAlsoOfAnOpenTransaction) {
  fill(600);
  open_with_purges(1);
  (void)write();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_OK(quire_close(db));
  db = nullptr;
  open();
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(Purges, InTheBackgroundGoesOnUntilTheLastHandleIsClosed) {
  open_with_purges();
  quire_db* second = nullptr;
  ASSERT_OK(quire_open(path().c_str(), nullptr, &second));
  ASSERT_OK(quire_close(db));
  db = second;
  fill(10);
  EXPECT_TRUE(wait_for([this] { return count() == 1; }));
}

// An hour is longer than any test; the thread has to end all the same.
TEST_F(Purges, InTheBackgroundSleepsBetweenRounds) {
  fill(10);
  open_with_purges(3'600'000);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(stat().purge_rounds, 0u);
  EXPECT_EQ(count(), 10u);
}

}  // namespace
}  // namespace quire::test
