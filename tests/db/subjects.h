// What the campaigns put into a database and change there. A new kind of structure joins all of
// them (crashes, faults, corruption) by one entry in kSubjects: how it is changed at random, and
// how everything in it is read.
#pragma once

#include <array>

#include "engine/record/array_value.h"
#include "engine/record/collection_change.h"
#include "engine/record/numbers.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "index/ordered/purge.h"
#include "index/ordered/sorted_kind.h"
#include "tests/db/state.h"
#include "tests/db/vector_subject.h"

namespace quire::test {

struct Subject {
  unsigned weight;  // how often it is changed, beside the others
  // One change by chance; errors that an application may make are part of it.
  Status (*change)(WriteTxn& txn, Random& random);
  // Adds everything that is there, and fails where one view of it does not agree with another.
  Status (*read)(View& view, State& state);
};

// Errors of the caller are part of a workload.
template <class T>
Status forgiven(const Result<T>& result) {
  if (result || !WriteTxn::breaks(result.error().code())) return {};
  return std::unexpected(result.error());
}

// Short for the most part; now and then too long for a page.
inline std::string some_value(Random& random) {
  const std::uint64_t kind = random() % 24;
  std::string value(kind == 0 ? random() % 2500 : random() % 40, 'v');
  for (char& c : value) c = static_cast<char>(random());
  return value;
}

// ---------------------------------------------------------------- keyspaces

inline Result<StructureId> keyspace_of(WriteTxn& txn, const std::string& name) {
  QUIRE_TRY(const auto entry, txn.find_name(name));
  if (entry) return entry->id;
  return txn.create_keyspace(name);
}

inline Status change_keyspaces(WriteTxn& txn, Random& random) {
  const std::string name = "space" + std::to_string(random() % 3);
  const std::uint64_t what = random() % 48;
  if (what < 3) {
    QUIRE_TRY(const auto entry, txn.find_name(name));
    if (entry) return txn.drop_keyspace(entry->id);
    return forgiven(txn.create_keyspace(name));
  }
  QUIRE_TRY(const StructureId id, keyspace_of(txn, name));
  // The file grows and shrinks.
  if (what == 3) return forgiven(txn.erase_range(id, std::nullopt, std::nullopt));
  const std::string key = "key" + std::to_string(random() % 120);
  if (what < 36) {
    const std::string value = some_value(random);
    return forgiven(txn.put(id, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
  }
  if (what < 44) return forgiven(txn.erase(id, as_bytes(key)));
  const std::string high = key + "5";
  return forgiven(txn.erase_range(id, as_bytes(key), as_bytes(high)));
}

inline Status read_keyspaces(View& view, State& state) {
  QUIRE_TRY(State keyspaces, read_all(view));
  state.merge(keyspaces);
  return {};
}

// -------------------------------------------------------------- collections

inline constexpr std::uint32_t kDimension = 4;

inline Result<Collection> books_of(WriteTxn& txn) {
  QUIRE_TRY(const auto entry, txn.find_name("books"));
  if (entry) return Collection::open(txn, entry->id);
  QUIRE_TRY(const Schema schema, Schema::make({{"id", FieldType::kText},
                                               {"title", FieldType::kText, true},
                                               {"place", FieldType::kVectorF32, false, kDimension},
                                               {"other", FieldType::kVectorF32, true, 2}},
                                              0));
  return Collection::create(txn, "books", schema);
}

inline Status change_collections(WriteTxn& txn, Random& random) {
  QUIRE_TRY(const Collection collection, books_of(txn));
  const std::string id = "book" + std::to_string(random() % 40);
  std::string title = some_value(random);
  for (char& c : title) c = static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
  std::array<float, kDimension> place;
  for (float& element : place) element = static_cast<float>(random() % 100);
  const std::array<Value, 4> values = {
      Value::of_text(id), random() % 4 == 0 ? Value::null() : Value::of_text(title),
      Value::of_vector(place.data(), kDimension),
      random() % 3 == 0 ? Value::null() : Value::of_vector(place.data() + 1, 2)};
  switch (random() % 8) {
    case 0:
    case 1:
    case 2:
      return forgiven(upsert_record(txn, collection, values));
    case 3:
      return forgiven(insert_record(txn, collection, values));
    case 4: {
      const std::uint32_t field[] = {1 + static_cast<std::uint32_t>(random() % 3)};
      return forgiven(update_record(txn, collection, values[0], field, {&values[field[0]], 1}));
    }
    case 5:
      if (random() % 8 == 0) return collection.drop(txn);
      [[fallthrough]];
    default:
      return forgiven(erase_record(txn, collection, values[0]));
  }
}

// The records as "#name", and which record has which number as "#name/numbers".
inline Status read_collections(View& view, State& state) {
  QUIRE_TRY(const auto collections, Collection::list(view));
  for (const CollectionInfo& info : collections) {
    // Fields of their own: read_goods, read_spots.
    if (info.name.starts_with("goods") || info.name.starts_with("spots")) continue;
    QUIRE_TRY(const Collection collection, Collection::open(view, info.id));
    Keys& records = state["#" + info.name];
    Keys& numbers = state["#" + info.name + "/numbers"];
    RecordReader reader(view, collection);
    QUIRE_TRY(RecordScan scan, RecordScan::open(reader, nullptr, nullptr));
    std::array<Value, 4> values;
    for (;;) {
      QUIRE_TRY(const bool there, scan.next(values));
      if (!there) break;
      std::string text(values[1].is_null() ? "(null)" : as_text(values[1].bytes));
      text += as_text(values[2].vector_bytes());
      text += values[3].is_null() ? "(null)" : as_text(values[3].vector_bytes());
      records.emplace(as_text(values[0].bytes), text);
    }
    QUIRE_TRY(const TreeRoot root, view.tree_root(collection.definition().numbers));
    for (RecordNumber number = 0; number < root.count(); ++number) {
      QUIRE_TRY(const NumberEntry entry, read_number(view, collection, number));
      if (entry.in_use) numbers.emplace(std::to_string(number), as_text(entry.key));
    }
    QUIRE_TRY(const std::uint64_t count, collection.count(view));
    if (count != records.size() || count != numbers.size())
      return fail(ErrorCode::kCorrupt, "collection %s: %llu records counted, %zu read, %zu numbers",
                  info.name.c_str(), static_cast<unsigned long long>(count), records.size(),
                  numbers.size());
  }
  return {};
}

// ------------------------------------- indexes, and schemas that change

// What the databases of the campaigns know.
inline IndexKinds known_kinds() {
  static const std::array<const IndexKind*, 2> kinds = {&sorted_index_kind(), &hnsw_index_kind()};
  return kinds;
}

struct IndexOfGoods {
  const char* name;
  const char* options;
};
inline constexpr IndexOfGoods kIndexesOfGoods[] = {
    {"names", R"({"fields": ["name"], "unique": true})"},
    {"sizes", R"({"fields": ["-size", "name"], "covering": ["tags"], "where": "size >= 10"})"},
    {"tags", R"({"fields": ["tags[]", "id"], "collation": "ascii_nocase"})"},
    {"ends", R"({"fields": ["ends"], "where": "ends is not null"})"},
};
// Of the fields that it has at first; `ends` says when the time of a record is over, or not.
inline constexpr std::size_t kFieldsOfGoods = 5;

inline Result<Collection> goods_of(WriteTxn& txn) {
  static CollectionCache cache(known_kinds());
  QUIRE_TRY(const auto entry, txn.find_name("goods"));
  if (entry) return Collection::open(txn, entry->id, &cache);
  Field id{.name = "id", .type = FieldType::kI64};
  id.rules.default_kind = DefaultKind::kNext;
  QUIRE_TRY(
      const Schema schema,
      Schema::make({id,
                    {"name", FieldType::kText, true},
                    {"size", FieldType::kI64, true},
                    {"tags", FieldType::kArrayText, true},
                    {.name = "ends", .type = FieldType::kTimestamp, .nullable = true, .ttl = true}},
                   0));
  return Collection::create(txn, "goods", schema, known_kinds());
}

// An index is made, rebuilt, renamed or dropped; a field comes or goes; rows are written anew.
inline Status redefine_goods(WriteTxn& txn, const Collection& goods, Random& random) {
  const IndexOfGoods& index = kIndexesOfGoods[random() % std::size(kIndexesOfGoods)];
  const auto& indexes = goods.definition().indexes;
  const bool there = goods.definition().find_index(index.name) != indexes.size();
  const std::uint64_t what = random() % 13;
  if (what == 0) return forgiven(rewrite_rows(txn, goods, known_kinds()));
  if (what == 1) return forgiven(rebuild_index(txn, goods, index.name, known_kinds()));
  if (what < 5 || what == 12) {
    std::vector<Field> fields(goods.schema().fields().begin(), goods.schema().fields().end());
    if (what == 12)
      fields[4].ttl = !fields[4].ttl;
    else if (fields.size() > kFieldsOfGoods)
      fields.pop_back();
    else
      fields.push_back(
          {.name = "extra", .type = FieldType::kVectorI8, .nullable = true, .dimension = 3});
    return forgiven(change_fields(txn, goods, std::move(fields), known_kinds()));
  }
  if (there && what < 8) return forgiven(drop_index(txn, goods, index.name, known_kinds()));
  return forgiven(create_index(
      txn, goods, {.name = index.name, .kind = "sorted", .options = index.options}, known_kinds()));
}

inline Status change_goods(WriteTxn& txn, Random& random) {
  QUIRE_TRY(const Collection goods, goods_of(txn));
  if (random() % 10 == 0) return redefine_goods(txn, goods, random);
  if (random() % 24 == 0)
    return forgiven(purge_records(txn, goods, static_cast<std::int64_t>(random() % 60),
                                  random() % 2 == 0 ? UINT64_MAX : 1 + random() % 4));
  const Value id = Value::of_i64(static_cast<std::int64_t>(1 + random() % 40));
  const std::string name = "name" + std::to_string(random() % 60);
  ByteVector tags;
  std::array<Value, 3> elements;
  for (Value& element : elements)
    element = Value::of_text(std::string_view("abcABCdeDE").substr(random() % 10, 1));
  encode_array(std::span(elements).first(random() % 4), tags);
  const std::array<std::byte, 3> extra = {std::byte{1}, std::byte{2},
                                          static_cast<std::byte>(random())};
  std::vector<Value> values = {
      random() % 3 == 0 ? Value::by_default() : id,
      random() % 8 == 0 ? Value::null() : Value::of_text(name),
      random() % 6 == 0 ? Value::null() : Value::of_i64(static_cast<std::int64_t>(random() % 50)),
      random() % 6 == 0 ? Value::null() : Value::of_array(FieldType::kArrayText, tags),
      random() % 3 == 0 ? Value::null()
                        : Value::of_timestamp(static_cast<std::int64_t>(random() % 80))};
  if (goods.schema().size() > kFieldsOfGoods)
    values.push_back(random() % 2 == 0 ? Value::null()
                                       : Value::of_vector(FieldType::kVectorI8, extra.data(), 3));
  switch (random() % 8) {
    case 0:
      return forgiven(erase_record(txn, goods, id));
    case 1: {
      const std::uint32_t field[] = {1 + static_cast<std::uint32_t>(random() % 4)};
      return forgiven(update_record(txn, goods, id, field, {&values[field[0]], 1}));
    }
    case 2:
      if (random() % 20 == 0) return goods.drop(txn);
      [[fallthrough]];
    case 3:
    case 4:
      return forgiven(insert_record(txn, goods, values));
    default:
      return forgiven(upsert_record(txn, goods, values));
  }
}

// The records as "#goods"; and as "#goods/INDEX/numbers" the entries of each index, which have the
// records' numbers in them.
inline Status read_goods_of(View& view, const CollectionInfo& info, State& state) {
  QUIRE_TRY(const Collection goods, Collection::open(view, info.id));
  Keys& records = state["#" + info.name];
  // Kept where a salvage does not look: the mark goes with a definition that is lost.
  state["#" + info.name + "/ends/numbers"]["ttl"] = std::to_string(goods.schema().ttl());
  RecordReader reader(view, goods);
  QUIRE_TRY(RecordScan scan, RecordScan::open(reader, nullptr, nullptr));
  std::vector<Value> values(goods.schema().size());
  for (;;) {
    QUIRE_TRY(const bool there, scan.next(values));
    if (!there) break;
    std::string text;
    for (const Value& value : values)
      text += is_vector(value.type) ? std::string(as_text(value.vector_bytes()))
                                    : describe_value(value) + "|";
    records.emplace(std::to_string(values[0].i64), text);
  }
  for (const IndexDefinition& index : goods.definition().indexes) {
    Keys& entries = state["#" + info.name + "/" + index.name + "/numbers"];
    QUIRE_TRY(const TreeRoot tree, view.tree_root(index.structures.at(0)));
    TreeCursor cursor(&view.reader(), tree);
    QUIRE_CHECK(cursor.first());
    while (cursor.valid()) {
      QUIRE_TRY(const Bytes value, cursor.value());
      entries.emplace(as_text(cursor.key()), as_text(value));
      QUIRE_CHECK(cursor.next());
    }
  }
  return {};
}

// A salvage may have given them another name.
inline Status read_goods(View& view, State& state) {
  QUIRE_TRY(const auto collections, Collection::list(view));
  for (const CollectionInfo& info : collections)
    if (info.name.starts_with("goods")) QUIRE_CHECK(read_goods_of(view, info, state));
  return {};
}

// ------------------------------------------------------------------ vectors

inline Status change_spots(WriteTxn& txn, Random& random) {
  return change_spots_of(txn, random, known_kinds());
}
inline Status read_spots(View& view, State& state) {
  return read_spots_of(view, state, known_kinds());
}

// ---------------------------------------------------------------------- all

inline constexpr Subject kSubjects[] = {
    {.weight = 13, .change = change_keyspaces, .read = read_keyspaces},
    {.weight = 8, .change = change_collections, .read = read_collections},
    {.weight = 6, .change = change_goods, .read = read_goods},
    {.weight = 6, .change = change_spots, .read = read_spots},
};

// A change to one of them.
inline Status change_something(WriteTxn& txn, Random& random) {
  unsigned weights = 0;
  for (const Subject& subject : kSubjects) weights += subject.weight;
  std::uint64_t chosen = random() % weights;
  for (const Subject& subject : kSubjects) {
    if (chosen < subject.weight) return subject.change(txn, random);
    chosen -= subject.weight;
  }
  return {};
}

inline Result<State> read_everything(View& view) {
  State state;
  for (const Subject& subject : kSubjects) QUIRE_CHECK(subject.read(view, state));
  return state;
}

}  // namespace quire::test
