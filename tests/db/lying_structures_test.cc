// Each operation there is, on structures that lie: pages that are right, with wrong content, which
// is what a bug would leave, not a disk. It works, or says what is wrong; `check` finds it; all
// that is sound can be salvaged.
#include <gtest/gtest.h>

#include "engine/db/salvage.h"
#include "tests/db/damaged_world.h"

namespace quire::test::damaging {
namespace {

// Each is committed; then the operations meet it.
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

// --- what a lie is made with ---

using Tell = std::function<Status(WriteTxn&)>;
using Mode = TreeWriter::PutMode;

Tell number_entry(RecordNumber number, std::optional<ByteVector> value) {
  return [number, value](WriteTxn& txn) {
    return change_tree(txn, definition_of(txn, "books").numbers, NumberKey(number),
                       value ? std::optional(Bytes(*value)) : std::nullopt);
  };
}
Tell freed_entry(ByteVector key, bool there) {
  return [key, there](WriteTxn& txn) {
    return change_tree(txn, definition_of(txn, "books").freed, key,
                       there ? std::optional(Bytes()) : std::nullopt);
  };
}
Tell row(int i, std::optional<ByteVector> value) {
  return [i, value](WriteTxn& txn) {
    return change_tree(txn, must(books(txn)).id(), row_key(i),
                       value ? std::optional(Bytes(*value)) : std::nullopt);
  };
}
Tell definition(const std::function<void(CollectionDefinition&)>& change) {
  return [change](WriteTxn& txn) {
    CollectionDefinition changed = definition_of(txn, "books");
    change(changed);
    return replace_definition(txn, "books", changed);
  };
}
Tell entry(const std::function<void(WriteTxn&, CatalogEntry&)>& change,
           StructureId (*id)(WriteTxn&)) {
  return [change, id](WriteTxn& txn) {
    CatalogEntry changed = entry_of(txn, id(txn));
    change(txn, changed);
    return replace_entry(txn, id(txn), changed);
  };
}
StructureId id_of_goods(WriteTxn& txn) { return must(goods(txn)); }
StructureId id_of_numbers(WriteTxn& txn) { return definition_of(txn, "books").numbers; }
StructureId id_of_vectors(WriteTxn& txn) { return definition_of(txn, "books").vectors[0]; }
void as_array(WriteTxn&, CatalogEntry& changed) {
  changed.kind = StructureKind::kArray;
  changed.element_size = 16;
  changed.block_pages = 1;
  changed.first_block_pages = 1;
  changed.elements = 3;
  changed.height = 0;
}
void as_tree(WriteTxn&, CatalogEntry& changed) {
  changed.kind = StructureKind::kTree;
  changed.height = 1;
}

// --- the lies ---

std::vector<Lie> lies_of_numbers() {
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
  };
}
std::vector<Lie> lies_of_rows() {
  return {
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
  };
}
std::vector<Lie> lies_of_definitions() {
  return {
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
  };
}
std::vector<Lie> lies_of_entries() {
  return {
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
  };
}
std::vector<Lie> lies_of_names() {
  return {
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
std::vector<Lie> all_lies() {
  std::vector<Lie> all;
  for (const auto& some : {lies_of_numbers(), lies_of_rows(), lies_of_definitions(),
                           lies_of_entries(), lies_of_names()})
    all.insert(all.end(), some.begin(), some.end());
  return all;
}

TEST(DamagedOperations, OnStructuresThatLieSayWhatIsWrong) {
  int refused = 0;
  for (const Lie& lie : all_lies()) {
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
    for (const Operation& operation : all_operations()) {
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

}  // namespace
}  // namespace quire::test::damaging
