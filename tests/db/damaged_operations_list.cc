// The list of what can be done with a database.
#include "engine/txn/range_cursor.h"
#include "tests/db/damaged_world.h"

namespace quire::test::damaging {
namespace {

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
    {"walk goods back",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto snapshot, database.begin_read());
       QUIRE_TRY(const StructureId id, goods(*snapshot));
       RangeCursor cursor(*snapshot, id, {});
       QUIRE_TRY(bool there, cursor.last());
       while (there) {
         QUIRE_TRY(there, cursor.previous());
       }
       return {};
     }},
    {"walk goods by rank",
     [](Database& database) -> Status {
       QUIRE_TRY(const auto snapshot, database.begin_read());
       QUIRE_TRY(const StructureId id, goods(*snapshot));
       RangeCursor cursor(*snapshot, id, {to_vector(as_bytes(key_of(3))), std::nullopt});
       for (std::uint64_t rank = kKeys; rank > 0; rank -= 10) QUIRE_CHECK(cursor.seek_rank(rank));
       QUIRE_CHECK(cursor.seek_rank(UINT64_MAX));
       RangeCursor high(*snapshot, id, {std::nullopt, to_vector(as_bytes(key_of(80)))});
       QUIRE_CHECK(high.last());
       return {};
     }},
    {"walk goods while they change",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         QUIRE_TRY(const StructureId id, goods(txn));
         RangeCursor cursor(txn, id, {});
         QUIRE_TRY(bool there, cursor.seek(as_bytes(key_of(70))));
         for (int i = 0; i < 30 && there; ++i) {
           const ByteVector key = to_vector(cursor.key());
           QUIRE_CHECK(txn.erase(id, key));
           QUIRE_CHECK(cursor.current());
           if (i % 2 == 0) {
             QUIRE_TRY(there, cursor.previous());
           } else {
             QUIRE_TRY(there, cursor.next());
           }
         }
         return {};
       });
     }},
    {"insert large vectors",
     [](Database& database) {
       return write_in(database, [](WriteTxn& txn) -> Status {
         // Open, and not changed.
         QUIRE_TRY(const Collection collection, books(txn));
         QUIRE_CHECK(txn.array_root(collection.definition().vectors[0]));
         QUIRE_CHECK(txn.tree_root(collection.definition().numbers));
         const Schema schema = must(
             Schema::make({{"id", FieldType::kI64}, {"v", FieldType::kVectorF32, false, 300}}, 0));
         QUIRE_TRY(const Collection large, Collection::create(txn, "large", schema));
         std::vector<float> vector(300, 1);
         for (int i = 0; i < 70; ++i) {
           vector[0] = static_cast<float>(i);
           const std::array<Value, 2> values = {Value::of_i64(i),
                                                Value::of_vector(vector.data(), 300)};
           QUIRE_CHECK(insert_record(txn, large, values));
         }
         return {};
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

}  // namespace

std::span<const Operation> all_operations() { return kOperations; }

}  // namespace quire::test::damaging
