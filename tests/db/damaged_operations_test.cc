// Each operation there is, on a database of which one page is damaged, for every page in turn; and
// with every operation of the disk under it failing once. It does what it should, or says what is
// wrong; then the transaction refuses to go on or has changed nothing, and the next one can begin.
#include <gtest/gtest.h>

#include "engine/db/salvage.h"
#include "engine/record/record_log.h"
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

// --- structures that lie ---

// Right pages with wrong content: what a bug would leave, not a disk. Each is committed; then the
// operations meet it.
struct Lie {
  const char* name;
  std::function<Status(WriteTxn&)> tell;
  bool harmless = false;  // to `check`
};

Status change_tree(WriteTxn& txn, StructureId id, Bytes key, std::optional<Bytes> value) {
  QUIRE_TRY(TreeWriter * tree, txn.tree(id));
  if (!value) {
    QUIRE_CHECK(tree->erase(key));
    return {};
  }
  QUIRE_CHECK(tree->put(key, *value, TreeWriter::PutMode::kUpsert));
  return {};
}
CollectionDefinition definition_of(WriteTxn& txn, const char* name) {
  return must(Collection::open(txn, name)).definition();
}
ByteVector bytes_of_hex(std::initializer_list<int> numbers) {
  ByteVector bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return bytes;
}
// Key of a row in the primary tree.
ByteVector row_key(int i) {
  EncodedKey key;
  encode_key(Value::of_text(key_of(i)), key);
  return to_vector(bytes_of(key));
}
Status replace_definition(WriteTxn& txn, const char* name, const CollectionDefinition& definition) {
  const StructureId id = must(Collection::open(txn, name)).id();
  QUIRE_CHECK(erase_definition(txn, id));
  return store_definition(txn, id, definition.encode());
}
Status replace_entry(WriteTxn& txn, StructureId id, const CatalogEntry& entry) {
  return txn.put_catalog(structure_key(id), entry.encode(), TreeWriter::PutMode::kUpdate);
}
CatalogEntry entry_of(WriteTxn& txn, StructureId id) {
  const auto bytes = must(tree_get(txn.reader(), txn.catalog_root(), structure_key(id)));
  return must(CatalogEntry::decode(*bytes, id));
}

std::vector<Lie> lies() {
  using Mode = TreeWriter::PutMode;
  const auto number_entry = [](RecordNumber number, std::optional<ByteVector> value) {
    return [number, value](WriteTxn& txn) {
      return change_tree(txn, definition_of(txn, "books").numbers, NumberKey(number),
                         value ? std::optional(Bytes(*value)) : std::nullopt);
    };
  };
  const auto freed_entry = [](ByteVector key, bool there) {
    return [key, there](WriteTxn& txn) {
      return change_tree(txn, definition_of(txn, "books").freed, key,
                         there ? std::optional(Bytes()) : std::nullopt);
    };
  };
  const auto row = [](int i, std::optional<ByteVector> value) {
    return [i, value](WriteTxn& txn) {
      return change_tree(txn, must(books(txn)).id(), row_key(i),
                         value ? std::optional(Bytes(*value)) : std::nullopt);
    };
  };
  const auto definition = [](const std::function<void(CollectionDefinition&)>& change) {
    return [change](WriteTxn& txn) {
      CollectionDefinition changed = definition_of(txn, "books");
      change(changed);
      return replace_definition(txn, "books", changed);
    };
  };
  const auto entry = [](const std::function<void(WriteTxn&, CatalogEntry&)>& change,
                        StructureId (*id)(WriteTxn&)) {
    return [change, id](WriteTxn& txn) {
      CatalogEntry changed = entry_of(txn, id(txn));
      change(txn, changed);
      return replace_entry(txn, id(txn), changed);
    };
  };
  const auto id_of_goods = [](WriteTxn& txn) { return must(goods(txn)); };
  const auto id_of_numbers = [](WriteTxn& txn) { return definition_of(txn, "books").numbers; };
  const auto id_of_vectors = [](WriteTxn& txn) { return definition_of(txn, "books").vectors[0]; };
  const auto as_array = [](WriteTxn&, CatalogEntry& changed) {
    changed.kind = StructureKind::kArray;
    changed.element_size = 16;
    changed.block_pages = 1;
    changed.first_block_pages = 1;
    changed.elements = 3;
    changed.height = 0;
  };
  const auto as_tree = [](WriteTxn&, CatalogEntry& changed) {
    changed.kind = StructureKind::kTree;
    changed.height = 1;
  };
  FreedKey far(1, 100'000);
  FreedKey used(1, 3);
  return {
      {"a number without an entry's bytes", number_entry(3, ByteVector())},
      {"a number whose free entry is short", number_entry(3, bytes_of_hex({0, 1}))},
      {"a number whose entry is shorter than it says", number_entry(3, bytes_of_hex({9, 1}))},
      {"a number of another record", number_entry(3, bytes_of_hex({2, 1, 2, 'x'}))},
      {"a number that was freed at another time",
       number_entry(0, bytes_of_hex({0, 1, 0, 0, 0, 0, 0, 0, 0}))},
      {"a number that is missing", number_entry(3, std::nullopt)},
      {"the last number is missing", number_entry(kRecords - 1, std::nullopt)},
      {"a number behind a gap", number_entry(5000, bytes_of_hex({2, 1, 2, 'x'}))},
      {"a key of another kind among the numbers",
       [](WriteTxn& txn) {
         return change_tree(txn, definition_of(txn, "books").numbers, as_bytes("nine bytes"),
                            as_bytes("x"));
       }},
      {"a free number's key is short", freed_entry(bytes_of_hex({1, 2, 3}), true)},
      {"a free number that was never given", freed_entry(to_vector(Bytes(far)), true)},
      {"a free number that is in use", freed_entry(to_vector(Bytes(used)), true)},
      {"no number is free",
       [](WriteTxn& txn) -> Status {
         QUIRE_TRY(TreeWriter * tree, txn.tree(definition_of(txn, "books").freed));
         return tree->clear();
       }},
      {"a row is empty", row(1, ByteVector())},
      {"a row is cut", row(1, bytes_of_hex({0, 1, 1, 0}))},
      {"a row is missing", row(1, std::nullopt)},
      {"a row of another record",
       [](WriteTxn& txn) -> Status {
         const StructureId id = must(books(txn)).id();
         QUIRE_TRY(const TreeRoot root, txn.tree_root(id));
         QUIRE_TRY(const auto other, tree_get(txn.reader(), root, row_key(2)));
         const ByteVector copy = to_vector(*other);
         return change_tree(txn, id, row_key(1), Bytes(copy));
       }},
      {"a row under no key of the field",
       [](WriteTxn& txn) {
         return change_tree(txn, must(books(txn)).id(), as_bytes("no tag"), as_bytes("no row"));
       }},
      {"text that is none",
       [](WriteTxn& txn) -> Status {
         const StructureId id = must(books(txn)).id();
         QUIRE_TRY(const TreeRoot root, txn.tree_root(id));
         QUIRE_TRY(const auto row_bytes, tree_get(txn.reader(), root, row_key(1)));
         ByteVector copy = to_vector(*row_bytes);
         copy.back() = std::byte{0xFF};
         return change_tree(txn, id, row_key(1), Bytes(copy));
       }},
      {"a vector that is not finite",
       [](WriteTxn& txn) -> Status {
         QUIRE_TRY(ArrayWriter * array, txn.array(definition_of(txn, "books").vectors[0]));
         const ByteVector bytes(16, std::byte{0xFF});
         return array->set(1, bytes);
       }},
      {"fewer vectors than numbers",
       [](WriteTxn& txn) -> Status {
         QUIRE_TRY(ArrayWriter * array, txn.array(definition_of(txn, "books").vectors[0]));
         return array->truncate(4);
       }},
      {"a definition that is missing",
       [](WriteTxn& txn) { return erase_definition(txn, must(books(txn)).id()); }},
      {"a definition of three bytes",
       [](WriteTxn& txn) {
         return txn.put_catalog(definition_key(must(books(txn)).id()), as_bytes("abc"),
                                Mode::kUpdate);
       }},
      {"a definition that says another size",
       [](WriteTxn& txn) {
         const ByteVector bytes = bytes_of_hex({200, 0, 0, 0, 1, 2, 3});
         return txn.put_catalog(definition_key(must(books(txn)).id()), bytes, Mode::kUpdate);
       }},
      {"a definition without its second part",
       [](WriteTxn& txn) {
         ByteVector key =
             to_vector(Bytes(definition_key(must(Collection::open(txn, "wide")).id())));
         key.push_back(std::byte{0});
         key.push_back(std::byte{1});
         return txn.erase_catalog(key);
       }},
      {"a definition with another collection's numbers",
       definition([](CollectionDefinition& d) { d.numbers = 2; })},
      {"a definition with numbers that do not exist",
       definition([](CollectionDefinition& d) { d.numbers = 4000; })},
      {"a definition with free numbers that do not exist",
       definition([](CollectionDefinition& d) { d.freed = 4000; })},
      {"a definition with vectors that do not exist",
       definition([](CollectionDefinition& d) { d.vectors[0] = 4000; })},
      {"a definition with vectors that are a tree",
       definition([](CollectionDefinition& d) { d.vectors[0] = d.numbers; })},
      {"a definition with its vectors mixed up",
       definition([](CollectionDefinition& d) { std::swap(d.vectors[0], d.vectors[1]); })},
      {"a definition of another name",
       definition([](CollectionDefinition& d) { d.name = "papers"; }), true},
      {"a definition without a name", definition([](CollectionDefinition& d) { d.name = ""; })},
      {"a structure that is an array", entry(as_array, id_of_goods)},
      {"numbers that are an array", entry(as_array, id_of_numbers)},
      {"vectors that are a tree", entry(as_tree, id_of_vectors)},
      {"a keyspace that is none to its flags",
       entry([](WriteTxn&, CatalogEntry& e) { e.flags = 0; }, id_of_goods)},
      {"numbers that are a keyspace to their flags",
       entry([](WriteTxn&, CatalogEntry& e) { e.flags = CatalogEntry::kKeyspace; }, id_of_numbers)},
      {"a keyspace with another's pages",
       entry(
           [](WriteTxn& txn, CatalogEntry& e) {
             e.root = entry_of(txn, definition_of(txn, "books").numbers).root;
           },
           id_of_goods)},
      {"a keyspace whose root lies past the end",
       entry([](WriteTxn&, CatalogEntry& e) { e.root.page = 1'000'000; }, id_of_goods)},
      {"a keyspace whose root is of the future",
       entry([](WriteTxn&, CatalogEntry& e) { e.root.birth = 1'000'000; }, id_of_goods)},
      {"a keyspace that is higher than it is",
       entry([](WriteTxn&, CatalogEntry& e) { ++e.height; }, id_of_goods)},
      {"a keyspace that counts wrong",
       entry([](WriteTxn&, CatalogEntry& e) { e.root.count += 7; }, id_of_goods)},
      {"vectors of another size",
       entry([](WriteTxn&, CatalogEntry& e) { e.element_size = 24; }, id_of_vectors)},
      {"vectors that are fewer than there are",
       entry([](WriteTxn&, CatalogEntry& e) { e.elements = 40; }, id_of_vectors)},
      {"vectors that are all holes", entry(
                                         [](WriteTxn&, CatalogEntry& e) {
                                           e.root = {};
                                           e.height = 0;
                                         },
                                         id_of_vectors)},
      {"vectors with a hole behind them",
       [](WriteTxn& txn) -> Status {
         QUIRE_TRY(ArrayWriter * array, txn.array(definition_of(txn, "books").vectors[0]));
         return array->set(400, ByteVector(16));
       },
       true},
      {"vectors that are more than there are",
       entry([](WriteTxn&, CatalogEntry& e) { e.elements += 1000; }, id_of_vectors)},
      {"a structure that nothing names",
       [](WriteTxn& txn) -> Status {
         QUIRE_CHECK(txn.create_tree());
         return {};
       },
       true},
      {"a name that leads nowhere",
       [](WriteTxn& txn) {
         const NameEntry nowhere{NameKind::kCollection, 4000};
         return txn.put_catalog(name_key("nowhere"), nowhere.encode(), Mode::kInsert);
       }},
      {"a name of a keyspace that leads to a collection",
       [](WriteTxn& txn) {
         const NameEntry wrong{NameKind::kKeyspace, must(books(txn)).id()};
         return txn.put_catalog(name_key("wrong"), wrong.encode(), Mode::kInsert);
       }},
      {"a name of a collection that leads to a keyspace",
       [](WriteTxn& txn) {
         const NameEntry wrong{NameKind::kCollection, must(goods(txn))};
         return txn.put_catalog(name_key("wrong"), wrong.encode(), Mode::kInsert);
       }},
      {"a name that is none",
       [](WriteTxn& txn) {
         return txn.put_catalog(name_key("a keyspace with"), as_bytes("xyz"), Mode::kInsert);
       }},
      {"a keyspace without a name",
       [](WriteTxn& txn) { return txn.erase_catalog(name_key("goods")); }},
      {"an entry of the catalog that is none",
       [](WriteTxn& txn) { return txn.put_catalog(as_bytes("?"), as_bytes("?"), Mode::kInsert); },
       true},
  };
}

TEST(DamagedOperations, OnStructuresThatLieSayWhatIsWrong) {
  int refused = 0;
  for (const Lie& lie : lies()) {
    SCOPED_TRACE(lie.name);
    const auto disk = make();
    {
      DatabaseOptions options = options_of(0);
      const auto database = must(Database::open(*disk, kDatabasePath, options));
      const auto txn = must(database->begin_write(true));
      const auto tell = [&]() -> Status {
        QUIRE_CHECK(lie.tell(*txn));
        QUIRE_TRY(const StructureId id, txn->create_keyspace("so that there is something to log"));
        QUIRE_CHECK(txn->put(id, as_bytes("k"), {}, TreeWriter::PutMode::kInsert));
        QUIRE_CHECK(database->writer()->commit(*txn, Durability::kNone));
        return database->close();
      };
      if (const Status told = tell(); !told) {  // the writer itself does not believe it
        EXPECT_EQ(code_of(told), ErrorCode::kCorrupt) << words_of(told);
        ++refused;
        continue;
      }
    }
    bool found = false;
    for (const Operation& operation : kOperations) {
      const auto copy = disk->survivor(1, Survival::kEverything);
      const auto database = must(Database::open(*copy, kDatabasePath, options_of(0)));
      const Status done = operation.run(*database);
      if (std::string_view(operation.name) == "check") found = !done.has_value();
      if (done) continue;
      const ErrorCode code = code_of(done);
      EXPECT_TRUE(code == ErrorCode::kCorrupt || code == ErrorCode::kNotFound ||
                  code == ErrorCode::kType || code == ErrorCode::kPoisoned ||
                  code == ErrorCode::kTooLarge)
          << operation.name << ": " << error_name(code) << ": " << words_of(done);
      if (HasFailure()) return;
    }
    EXPECT_EQ(found, !lie.harmless) << "check";
    // All that is sound can be had.
    SalvageOptions options;
    options.database = small_database();
    const auto saved = salvage(*disk, kDatabasePath, "/saved.quire", options, {});
    EXPECT_TRUE(saved.has_value()) << words_of(saved);
    const auto database = must(Database::open(*disk, "/saved.quire", options_of(0)));
    EXPECT_EQ(damages(*database), "");
  }
  EXPECT_LT(refused, 8);
}

// --- a log that lies ---

// Records with right checksums that say what nobody asked for. They can't be carried out: recovery
// says so, and changes nothing; salvage takes what came before.
// The engine's operation, not one of this file.
using Logged = quire::Operation;

TEST(DamagedOperations, ALogThatLiesIsRefusedAndSalvagedUpToThere) {
  const ByteVector garbage = bytes_of_hex({0xFF, 0xFF, 0xFF, 0x7F, 1, 2, 3});
  const ByteVector no_key;
  const std::string long_name(300, 'n');
  const std::string long_key(2000, 'k');
  const auto code = [](int number) { return static_cast<OpCode>(number); };
  const Bytes garbage_bytes(garbage);
  const std::vector<std::pair<const char*, Logged>> lies = {
      {"an operation that is none", {.code = code(40), .id = 1}},
      {"an operation on records that is none", {.code = code(99), .id = 0, .value = garbage_bytes}},
      {"a release without a savepoint", {.code = OpCode::kRelease, .id = 3}},
      {"a rollback without a savepoint", {.code = OpCode::kRollback, .id = 3}},
      {"a put without a key",
       {.code = OpCode::kPut, .id = 0, .key = no_key, .value = garbage_bytes}},
      {"a put under a key that is too long",
       {.code = OpCode::kPut, .id = 0, .key = as_bytes(long_key)}},
      {"an erasure of what is not there",
       {.code = OpCode::kErase, .id = 0, .key = as_bytes("nothing")}},
      {"a put into a keyspace that is not there",
       {.code = OpCode::kPut, .id = 4000, .key = as_bytes("k")}},
      {"a keyspace whose name is too long",
       {.code = OpCode::kCreateKeyspace, .id = 4000, .key = as_bytes(long_name)}},
      {"a keyspace whose name is taken",
       {.code = OpCode::kCreateKeyspace, .id = 4000, .key = as_bytes("goods")}},
      {"a keyspace that is dropped and not there", {.code = OpCode::kDropKeyspace, .id = 4000}},
      {"a collection that makes no sense",
       {.code = kCreateCollection, .id = 4000, .value = garbage_bytes}},
      {"a record that makes no sense", {.code = kPutRecord, .id = 1, .value = garbage_bytes}},
      {"a record that is erased and not there",
       {.code = kEraseRecord, .id = 1, .value = as_bytes("x")}},
      {"a collection that is dropped and not there", {.code = kDropCollection, .id = 4000}},
  };
  for (const auto& [name, lie] : lies) {
    SCOPED_TRACE(name);
    const auto disk = make();
    {
      const auto database = must(Database::open(*disk, kDatabasePath, options_of(0)));
      auto txn = must(database->begin_write(true));
      must(txn->put(must(goods(*txn)), as_bytes("before"), {}, TreeWriter::PutMode::kUpsert));
      must(database->writer()->commit(*txn, Durability::kAlways));
      txn = must(database->begin_write(true));
      must(txn->put(must(goods(*txn)), as_bytes("beside"), {}, TreeWriter::PutMode::kUpsert));
      Logged logged = lie;
      if (logged.id == 0 && logged.code != OpCode::kRelease)
        logged.id =
            logged.code >= OpCode::kFirstOfRecords ? must(books(*txn)).id() : must(goods(*txn));
      if (logged.id == 1 && logged.code >= OpCode::kFirstOfRecords)
        logged.id = must(books(*txn)).id();
      must(txn->log(logged));
      must(database->writer()->commit(*txn, Durability::kAlways));
      database->crash();
    }
    const auto refused =
        Database::open(*disk->survivor(1, Survival::kEverything), kDatabasePath, options_of(0));
    EXPECT_EQ(error_name(code_of(refused)), error_name(ErrorCode::kCorrupt)) << words_of(refused);
    SalvageOptions options;
    options.database = small_database();
    const auto saved = salvage(*disk, kDatabasePath, "/saved.quire", options, {});
    ASSERT_TRUE(saved.has_value()) << words_of(saved);
    const auto database = must(Database::open(*disk, "/saved.quire", options_of(0)));
    EXPECT_EQ(damages(*database), "");
    const auto snapshot = must(database->begin_read());
    const TreeRoot root = must(snapshot->keyspace_root(must(goods(*snapshot))));
    EXPECT_TRUE(must(tree_get(snapshot->reader(), root, as_bytes("before"))).has_value());
  }
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
}  // namespace quire::test
