// Each operation there is, on a database of which one page is damaged, for every page in turn; and
// with every operation of the disk under it failing once. It does what it should, or says what is
// wrong; then the transaction refuses to go on or has changed nothing, and the next one can begin.
#include <gtest/gtest.h>

#include "engine/txn/range_cursor.h"
#include "tests/db/workload.h"

namespace quire::test {
namespace {

using io::SimulatedDisk;
using io::Survival;

const std::string kData = std::string(kDatabasePath) + "/data";
constexpr std::uint64_t kPage = 512;
constexpr int kKeys = 150;
constexpr int kRecords = 90;
constexpr int kNames = 25;

std::string key_of(int i) { return "key" + std::to_string(1000 + i); }
std::string value_of(int i) { return std::string(i % 50 == 7 ? 1400 : 30, 'v'); }

// Three vectors: one that every record has, one that some have, one that none has.
Schema schema_of_books() {
  return must(Schema::make({{"id", FieldType::kText},
                            {"title", FieldType::kText, true},
                            {"place", FieldType::kVectorF32, false, 4},
                            {"other", FieldType::kVectorF32, true, 6},
                            {"third", FieldType::kVectorF32, true, 2}},
                           0));
}
// Its definition needs several leaves.
Schema wide_schema() {
  std::vector<Field> fields = {{"id", FieldType::kI64}};
  for (int i = 0; i < 60; ++i)
    fields.push_back({"a field with a long name " + std::to_string(i), FieldType::kI64, true});
  return must(Schema::make(std::move(fields), 0));
}

struct Book {
  explicit Book(int i, bool other, float x)
      : id(key_of(i)), place{x, 1, 2, static_cast<float>(i)}, others{x, 1, 2, 3, 4, 5} {
    values = {Value::of_text(id), Value::of_text(title), Value::of_vector(place.data(), 4),
              other ? Value::of_vector(others.data(), 6) : Value::null(), Value::null()};
  }
  std::string id;
  std::string title = "a title";
  std::array<float, 4> place;
  std::array<float, 6> others;
  std::array<Value, 5> values;
};

Result<Collection> books(View& view) { return Collection::open(view, "books"); }
Result<StructureId> goods(View& view) {
  QUIRE_TRY(const auto entry, view.find_name("goods"));
  if (!entry) return fail(ErrorCode::kNotFound, "there is no keyspace goods");
  return entry->id;
}

// Closed in order, with record numbers that are free to be used again.
std::unique_ptr<SimulatedDisk> make() {
  auto disk = std::make_unique<SimulatedDisk>(1);
  const auto database = must(Database::open(*disk, kDatabasePath, small_database()));
  const auto commit = [&](const std::function<Status(WriteTxn&)>& change) {
    const auto txn = must(database->begin_write(true));
    must(change(*txn));
    must(database->writer()->commit(*txn, Durability::kBatch));
  };
  commit([](WriteTxn& txn) -> Status {
    const StructureId id = must(txn.create_keyspace("goods"));
    for (int i = 0; i < kKeys; ++i)
      must(txn.put(id, as_bytes(key_of(i)), as_bytes(value_of(i)), TreeWriter::PutMode::kUpsert));
    for (int i = 0; i < kNames; ++i)
      must(txn.create_keyspace("a keyspace with a long name " + std::to_string(i)));
    const Collection made = must(Collection::create(txn, "books", schema_of_books()));
    for (int i = 0; i < kRecords; ++i)
      must(insert_record(txn, made, Book(i, i % 2 == 0, 0).values));
    const Collection wide = must(Collection::create(txn, "wide", wide_schema()));
    std::vector<Value> values(61, Value::null());
    values[0] = Value::of_i64(1);
    return insert_record(txn, wide, values);
  });
  commit([](WriteTxn& txn) -> Status {
    for (int i = 0; i < kRecords; i += 5)
      QUIRE_CHECK(erase_record(txn, must(books(txn)), Book(i, false, 0).values[0]));
    return {};
  });
  must(database->close());
  return disk;
}

// --- what is done ---

Status write_in(Database& database, const std::function<Status(WriteTxn&)>& change) {
  QUIRE_TRY(const auto txn, database.begin_write(true));
  if (const Status done = change(*txn); !done) {
    // It refuses to go on only where something was half done; what only read leaves it usable.
    const bool usable = txn->usable().has_value();
    EXPECT_TRUE(usable || WriteTxn::breaks(done.error().code())) << done.error().message();
    return done;
  }
  QUIRE_CHECK(database.writer()->commit(*txn, Durability::kAlways));
  return {};
}

Status walk(View& view, RangeCursor cursor) {
  QUIRE_TRY(bool there, cursor.first());
  while (there) {
    QUIRE_CHECK(cursor.value());
    QUIRE_TRY(there, cursor.next());
  }
  QUIRE_TRY(there, cursor.last());
  for (int i = 0; i < 20 && there; ++i) {
    QUIRE_TRY(there, cursor.previous());
  }
  QUIRE_CHECK(cursor.seek(as_bytes(key_of(77))));
  QUIRE_CHECK(cursor.seek_rank(12));
  return view.find_name("goods") ? Status() : Status();
}

Status read_books(View& view) {
  QUIRE_TRY(const Collection collection, books(view));
  RecordReader reader(view, collection);
  std::array<Value, 5> values;
  QUIRE_CHECK(reader.get(Value::of_text(key_of(41)), values));
  const Value low = Value::of_text(key_of(10));
  const Value high = Value::of_text(key_of(80));
  QUIRE_TRY(RecordScan scan, RecordScan::open(reader, &low, &high));
  for (;;) {
    QUIRE_TRY(const bool there, scan.next(values));
    if (!there) return {};
  }
}

struct Operation {
  const char* name;
  Status (*run)(Database&);
};
const Operation kOperations[] = {
    {"list",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto snapshot, database.begin_read());
       QUIRE_TRY(const auto all, Collection::list(*snapshot));
       for (const CollectionInfo& info : all) {
         QUIRE_TRY(const Collection opened, Collection::open(*snapshot, info.id));
         QUIRE_CHECK(opened.count(*snapshot));
         QUIRE_CHECK(Collection::open(*snapshot, info.name));
       }
       return {};
     }},
    {"read books",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto snapshot, database.begin_read());
       return read_books(*snapshot);
     }},
    {"read books in a write transaction",
     [](Database& database) {
       return write_in(database, [](WriteTxn& t) { return read_books(t); });
     }},
    {"numbers with vectors",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto snapshot, database.begin_read());
       QUIRE_TRY(const Collection collection, books(*snapshot));
       for (const std::size_t vector : {0, 1, 2})
         QUIRE_CHECK(numbers_with_vector(*snapshot, collection, vector));
       return {};
     }},
    {"walk goods",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto snapshot, database.begin_read());
       QUIRE_TRY(const StructureId id, goods(*snapshot));
       return walk(*snapshot, RangeCursor(*snapshot, id, {}));
     }},
    {"walk a part of goods in a write transaction",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const StructureId id, goods(txn));
         return walk(
             txn, RangeCursor(txn, id,
                              {to_vector(as_bytes(key_of(3))), to_vector(as_bytes(key_of(60)))}));
       });
     }},
    {"create collections",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection more, Collection::create(txn, "more books", schema_of_books()));
         QUIRE_CHECK(insert_record(txn, more, Book(1, true, 3).values));
         QUIRE_CHECK(Collection::create(txn, "wider", wide_schema()));
         return {};
       });
     }},
    {"drop books",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection collection, books(txn));
         return collection.drop(txn);
       });
     }},
    {"drop wide",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection collection, Collection::open(txn, "wide"));
         return collection.drop(txn);
       });
     }},
    {"create and drop keyspaces",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_CHECK(txn.create_keyspace("new"));
         QUIRE_TRY(const StructureId id, goods(txn));
         return txn.drop_keyspace(id);
       });
     }},
    {"insert books",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection collection, books(txn));
         for (int i = 100; i < 125; ++i)
           QUIRE_CHECK(insert_record(txn, collection, Book(i, i % 3 == 0, 1).values));
         return {};
       });
     }},
    {"upsert books",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection collection, books(txn));
         for (int i = 0; i < kRecords; i += 7)
           QUIRE_CHECK(upsert_record(txn, collection, Book(i, i % 3 == 0, 2).values));
         return {};
       });
     }},
    {"update books",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection collection, books(txn));
         const std::uint32_t fields[] = {1, 3};
         for (int i = 1; i < kRecords; i += 5) {
           const Book book(i, true, 4);
           const Value values[] = {Value::of_text("another title"), book.values[3]};
           QUIRE_CHECK(update_record(txn, collection, book.values[0], fields, values));
         }
         return {};
       });
     }},
    {"erase books",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const Collection collection, books(txn));
         for (int i = 1; i < kRecords; i += 5)
           QUIRE_CHECK(erase_record(txn, collection, Value::of_text(key_of(i))));
         return {};
       });
     }},
    {"put goods",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const StructureId id, goods(txn));
         for (int i = 0; i < kKeys + 10; i += 3)
           QUIRE_CHECK(txn.put(id, as_bytes(key_of(i) + "x"), as_bytes(value_of(i)),
                               TreeWriter::PutMode::kUpsert));
         return {};
       });
     }},
    {"erase goods",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const StructureId id, goods(txn));
         for (int i = 0; i < kKeys; i += 2) QUIRE_CHECK(txn.erase(id, as_bytes(key_of(i))));
         const std::string low = key_of(21);
         const std::string high = key_of(99);
         QUIRE_CHECK(txn.erase_range(id, as_bytes(low), as_bytes(high)));
         QUIRE_CHECK(txn.erase_range(id, as_bytes(high), std::nullopt));
         QUIRE_CHECK(txn.erase_range(id, std::nullopt, std::nullopt));
         return {};
       });
     }},
    {"savepoints",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const StructureId id, goods(txn));
         QUIRE_CHECK(txn.put(id, as_bytes("a"), as_bytes("1"), TreeWriter::PutMode::kUpsert));
         QUIRE_TRY(const std::size_t outer, txn.savepoint());
         QUIRE_CHECK(txn.erase_range(id, std::nullopt, as_bytes(key_of(30))));
         QUIRE_TRY(const Collection collection, books(txn));
         QUIRE_CHECK(erase_record(txn, collection, Value::of_text(key_of(1))));
         QUIRE_TRY(const std::size_t inner, txn.savepoint());
         QUIRE_CHECK(collection.drop(txn));
         QUIRE_CHECK(txn.rollback_to(inner));
         QUIRE_CHECK(txn.release(inner));
         QUIRE_CHECK(insert_record(txn, collection, Book(1, false, 9).values));
         QUIRE_CHECK(txn.rollback_to(outer));
         QUIRE_CHECK(txn.put(id, as_bytes("b"), as_bytes("2"), TreeWriter::PutMode::kUpsert));
         return {};
       });
     }},
    {"a change that is aborted",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto txn, database.begin_write(true));
       QUIRE_TRY(const StructureId id, goods(*txn));
       QUIRE_CHECK(txn->erase_range(id, as_bytes(key_of(3)), std::nullopt));
       return {};
     }},
    {"stat",
     [](Database& database) -> Status {
       QUIRE_CHECK(database.stat());
       return {};
     }},
    {"check", [](Database& database) { return database.check(nullptr); }},
    {"checkpoint",
     [](Database& database) -> Status {
       const auto put_one = [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const StructureId id, goods(txn));
         QUIRE_CHECK(txn.put(id, as_bytes("c"), as_bytes("3"), TreeWriter::PutMode::kUpsert));
         return {};
       };
       QUIRE_CHECK(write_in(database, put_one));
       QUIRE_CHECK(database.sync());
       return database.checkpoint();
     }},
};

// --- on what ---

void expect_told(const Status& status, bool damaged, const std::string& where) {
  if (status) return;
  const ErrorCode code = status.error().code();
  const bool fits =
      damaged ? code == ErrorCode::kCorrupt
              : code == ErrorCode::kIo || code == ErrorCode::kFull || code == ErrorCode::kPoisoned;
  EXPECT_TRUE(fits) << where << ": " << error_name(code) << ": " << status.error().message();
}

// Small changes, changes that spill, and changes that commit by checkpoint.
DatabaseOptions options_of(int kind) {
  DatabaseOptions options = small_database();
  options.create = false;
  if (kind == 1) options.writer.private_bytes = 8 << 10;
  if (kind == 2) options.writer.log_budget_bytes = 600;
  return options;
}

TEST(DamagedOperations, OnEachPageDoTheirWorkOrSayWhatIsDamaged) {
  const auto disk = make();
  const std::uint64_t pages = must(must(disk->open(kData, io::OpenMode::kRead))->size()) / kPage;
  ASSERT_GT(pages, 90u);
  std::map<std::string, int> failed;
  for (std::uint64_t page = kFirstPage; page < pages; ++page) {
    const auto damaged = disk->survivor(page, Survival::kEverything);
    const auto file = must(damaged->open(kData, io::OpenMode::kReadWrite));
    must(file->write(page * kPage + page * 37 % (kPage - 3), as_bytes(std::string_view("???"))));
    for (const Operation& operation : kOperations) {
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
  for (const Operation& operation : kOperations) {
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
    for (const Operation& operation : kOperations) {
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

}  // namespace
}  // namespace quire::test
