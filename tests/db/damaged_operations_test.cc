// Each operation there is, on a database of which one page is damaged, for every page in turn; and
// with every operation of the disk under it failing once. It does what it should, or says what is
// wrong; then the transaction refuses to go on or has changed nothing, and the next one can begin.
#include <gtest/gtest.h>

#include "tests/db/damaged_world.h"

namespace quire::test::damaging {
namespace {

TEST(DamagedOperations, OnEachPageDoTheirWorkOrSayWhatIsDamaged) {
  const auto disk = make();
  const std::uint64_t pages = must(must(disk->open(kData, io::OpenMode::kRead))->size()) / kPage;
  ASSERT_GT(pages, 90u);
  std::map<std::string, int> failed;
  for (std::uint64_t page = kFirstPage; page < pages; ++page) {
    const auto damaged = disk->survivor(page, Survival::kEverything);
    const auto file = must(damaged->open(kData, io::OpenMode::kReadWrite));
    must(file->write(page * kPage + page * 37 % (kPage - 3), as_bytes(std::string_view("???"))));
    for (const Operation& operation : all_operations()) {
      const std::string where = std::string(operation.name) + ", page " + std::to_string(page);
      const auto copy = damaged->survivor(page, Survival::kEverything);
      const auto database =
          Database::open(*copy, kDatabasePath, options_of(static_cast<int>(page % 3)));
      if (!database) {  // the page of the free map
        expect_told(std::unexpected(database.error()), true, where);
        break;
      }
      const Status done = operation.run(**database);
      expect_told(done, true, where);
      failed[operation.name] += done ? 0 : 1;
      // Nothing keeps the next one from beginning, and ending.
      const auto txn = (*database)->begin_write(false);
      EXPECT_TRUE(txn.has_value()) << where << ": " << words_of(txn);
      if (HasFailure()) return;
    }
  }
  for (const Operation& operation : all_operations()) {
    const std::string name = operation.name;
    if (name != "stat" && name != "checkpoint") {
      EXPECT_GT(failed[name], 0) << name;
    }
  }
}

// Each way of failing at each operation of the disk, and each look, until the last is passed.
TEST(DamagedOperations, WithEveryOperationOfTheDiskFailingSayWhatFailed) {
  const auto disk = make();
  int failed = 0;
  for (int kind = 0; kind < 3; ++kind) {
    for (const Operation& operation : all_operations()) {
      for (int way = 0; way < 4; ++way) {
        for (std::uint64_t n = 1;; ++n) {
          const auto copy = disk->survivor(n, Survival::kEverything);
          const auto database = must(Database::open(*copy, kDatabasePath, options_of(kind)));
          const std::uint64_t at = (way == 0 ? copy->looks() : copy->operations()) + n;
          constexpr io::FaultKind kWays[] = {io::FaultKind::kIo, io::FaultKind::kFull,
                                             io::FaultKind::kSyncFailure};
          if (way == 0) copy->fail_look_at(at);
          if (way > 0) copy->fail_at(at, kWays[way - 1]);
          const Status done = operation.run(*database);
          if ((way == 0 ? copy->looks() : copy->operations()) < at) break;
          const std::string where = std::string(operation.name) + ", " + std::to_string(n);
          // A page that can't be read is damage to `check`.
          const bool as_damage =
              std::string_view(operation.name) == "check" && code_of(done) == ErrorCode::kCorrupt;
          expect_told(done, as_damage, where);
          failed += done ? 0 : 1;
          // It goes on, or refuses with what failed; and is well when it is opened again.
          if (const auto txn = database->begin_write(false); !txn) {
            EXPECT_EQ(code_of(txn), ErrorCode::kPoisoned) << where << ": " << words_of(txn);
          }
          database->crash();
          const auto again = must(Database::open(*copy, kDatabasePath, options_of(kind)));
          EXPECT_TRUE(again->check(nullptr).has_value()) << where;
          if (HasFailure()) return;
        }
      }
    }
  }
  EXPECT_GT(failed, 50);
}

// --- a large transaction ---

// Its pages are written early, in several batches, and each write of these may fail.
TEST(DamagedOperations, ALargeTransactionWhoseEarlyWritesFailIsUndone) {
  DatabaseOptions options = small_database();
  options.page_size = 4096;
  options.writer.private_bytes = 3 << 20;
  const Schema schema =
      must(Schema::make({{"id", FieldType::kI64}, {"v", FieldType::kVectorF32, false, 300}}, 0));
  const auto large = [&](WriteTxn& txn) -> Status {
    QUIRE_TRY(const Collection vectors, Collection::create(txn, "vectors", schema));
    QUIRE_TRY(const StructureId id, txn.create_keyspace("more"));
    std::vector<float> vector(300, 1);
    const std::string value(900, 'v');
    for (int i = 0; i < 4000; ++i) {
      const std::array<Value, 2> values = {Value::of_i64(i), Value::of_vector(vector.data(), 300)};
      QUIRE_CHECK(insert_record(txn, vectors, values));
      const std::string key = std::to_string(i * 7919 % 4000);
      QUIRE_CHECK(txn.put(id, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
    }
    return {};
  };
  int failed = 0;
  for (std::uint64_t n = 1;; n += 1 + n / 4) {
    SimulatedDisk disk(1);
    const auto database = must(Database::open(disk, kDatabasePath, options));
    must(write_in(*database, [](WriteTxn& txn) -> Status {
      QUIRE_CHECK(txn.create_keyspace("goods"));
      return {};
    }));
    const std::uint64_t at = disk.operations() + n;
    disk.fail_at(at, io::FaultKind::kIo);
    const Status done = write_in(*database, large);
    if (disk.operations() < at) {
      EXPECT_TRUE(done.has_value()) << words_of(done);
      EXPECT_EQ(damages(*database), "");
      break;
    }
    expect_told(done, false, "operation " + std::to_string(n));
    failed += done ? 0 : 1;
    database->crash();
    const auto again = must(Database::open(disk, kDatabasePath, options));
    EXPECT_EQ(damages(*again), "");
    EXPECT_TRUE(must(must(again->begin_read())->find_name("goods")).has_value());
  }
  EXPECT_GT(failed, 8);
}

TEST(DamagedOperations, ErrorsOfTheSystemEndATransactionOthersDoNot) {
  std::vector<ErrorCode> ending;
  for (int code = 0; code <= 40; ++code) {
    if (WriteTxn::breaks(static_cast<ErrorCode>(code)))
      ending.push_back(static_cast<ErrorCode>(code));
  }
  const std::vector<ErrorCode> expected = {
      ErrorCode::kCorrupt,  ErrorCode::kReadOnly, ErrorCode::kPermission,   ErrorCode::kFull,
      ErrorCode::kQuota,    ErrorCode::kIo,       ErrorCode::kTooManyFiles, ErrorCode::kNoMemory,
      ErrorCode::kPoisoned, ErrorCode::kTooLarge};
  EXPECT_EQ(ending, expected);
}

}  // namespace
}  // namespace quire::test::damaging
