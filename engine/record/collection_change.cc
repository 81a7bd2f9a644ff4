#include "engine/record/collection_change.h"

#include <algorithm>

#include "engine/record/counters.h"
#include "engine/record/defaults.h"
#include "engine/record/key_codec.h"
#include "engine/record/record_log.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

constexpr std::uint64_t kBuildMemory = std::uint64_t{256} << 20;  // when a log is replayed
constexpr std::uint64_t kProgressEvery = 4096;                    // records

using PutMode = TreeWriter::PutMode;

// Carries out the step from one definition of a collection to another. In the new one, what is to
// be made has no structures yet: arrays of new vectors are 0, new or rebuilt indexes have none.
class Step {
 public:
  Step(WriteTxn& txn, const Collection& from, CollectionDefinition to, IndexKinds kinds,
       std::uint64_t memory_bytes, const ReportProgress& progress)
      : txn_(txn),
        from_(from),
        to_(std::move(to)),
        kinds_(kinds),
        memory_bytes_(memory_bytes),
        progress_(progress) {}

  Result<Collection> run() {
    QUIRE_CHECK(move_name());
    QUIRE_CHECK(make_arrays());
    QUIRE_CHECK(make_counters());
    QUIRE_CHECK(drop_indexes());
    QUIRE_TRY(const std::vector<std::size_t> made, make_indexes());
    QUIRE_TRY(Collection collection, from_.redefined(to_, kinds_));
    QUIRE_CHECK(erase_definition(txn_, from_.id()));
    QUIRE_CHECK(store_definition(txn_, from_.id(), to_.encode()));
    if (to_.schema.layouts().front().version() > old().schema.layouts().front().version())
      QUIRE_CHECK(rewrite_rows(collection));
    for (const std::size_t index : made)
      QUIRE_CHECK(collection.indexes()[index]->build(txn_, collection, memory_bytes_, progress_));
    return collection;
  }

 private:
  const CollectionDefinition& old() const noexcept { return from_.definition(); }

  Status move_name() {
    if (to_.name == old().name) return {};
    const NameEntry entry{NameKind::kCollection, from_.id()};
    QUIRE_CHECK(txn_.erase_catalog(name_key(old().name)));
    return txn_.put_catalog(name_key(to_.name), entry.encode(), PutMode::kInsert);
  }

  // Of each vector field the array it had, or a new one; those of fields that are gone go.
  Status make_arrays() {
    const Schema& schema = to_.schema;
    to_.vectors.clear();
    for (const std::uint32_t field : schema.vectors()) {
      const std::size_t before = old().schema.find_id(schema.field(field).id);
      if (before != old().schema.size()) {
        to_.vectors.push_back(old().vectors[old().schema.vector_place(before)]);
        continue;
      }
      QUIRE_TRY(to_.vectors.emplace_back(), txn_.create_array(schema.field(field).vector_bytes()));
    }
    for (const StructureId array : old().vectors)
      if (std::ranges::find(to_.vectors, array) == to_.vectors.end())
        QUIRE_CHECK(txn_.drop_structure(array));
    return {};
  }

  // A field that is counted from now on counts from the greatest number that is there.
  Status make_counters() {
    const Schema& schema = to_.schema;
    to_.counters = old().counters;
    if (to_.counters == 0 && !schema.counted().empty()) {
      QUIRE_TRY(to_.counters, txn_.create_tree());
    }
    for (const std::uint32_t field : old().schema.counted()) {
      const FieldId id = old().schema.field(field).id;
      const std::size_t now = schema.find_id(id);
      if (now == schema.size() || schema.field(now).rules.default_kind != DefaultKind::kNext)
        QUIRE_CHECK(forget_counter(txn_, to_.counters, id));
    }
    for (const std::uint32_t field : schema.counted()) {
      const std::size_t before = old().schema.find_id(schema.field(field).id);
      const bool counted = before != old().schema.size() &&
                           old().schema.field(before).rules.default_kind == DefaultKind::kNext;
      if (!counted && before != old().schema.size()) QUIRE_CHECK(start_counter(field, before));
    }
    return {};
  }

  Status start_counter(std::size_t field, std::size_t before) {
    QUIRE_TRY(const Collection collection, from_.redefined(to_, {}));
    std::int64_t greatest = 0;
    TreeCursor cursor;
    QUIRE_TRY(const TreeRoot primary, txn_.tree_root(from_.id()));
    cursor.reset(&txn_.reader(), primary);
    QUIRE_CHECK(cursor.first());
    while (cursor.valid()) {
      QUIRE_TRY(const Bytes bytes, cursor.value());
      QUIRE_TRY(const RowView row, RowView::parse(old().schema, bytes));
      if (!row.is_null(before)) greatest = std::max(greatest, row.value(before).i64);
      QUIRE_CHECK(cursor.next());
    }
    return raise_counter(txn_, collection, field, greatest);
  }

  Status drop_indexes() {
    for (const IndexDefinition& index : old().indexes) {
      const auto now = std::ranges::find(to_.indexes, index.id, &IndexDefinition::id);
      if (now != to_.indexes.end() && now->structures == index.structures) continue;
      for (const StructureId structure : index.structures)
        QUIRE_CHECK(txn_.drop_structure(structure));
    }
    return {};
  }

  // Their places.
  Result<std::vector<std::size_t>> make_indexes() {
    std::vector<std::size_t> made;
    for (std::size_t i = 0; i < to_.indexes.size(); ++i) {
      IndexDefinition& index = to_.indexes[i];
      if (!index.structures.empty()) continue;
      const IndexKind* kind = find_kind(kinds_, index.kind);
      if (kind == nullptr)
        return from_.failure(ErrorCode::kNotSupported, "index '" + index.name + "': the kind '" +
                                                           index.kind +
                                                           "' is not known to this library");
      QUIRE_TRY(index.structures, kind->create(txn_, to_.schema, index.options));
      made.push_back(i);
    }
    return made;
  }

  // Rows of versions that are to go get the newest.
  Status rewrite_rows(const Collection& collection) {
    QUIRE_TRY(const TreeRoot primary, txn_.tree_root(from_.id()));
    const std::uint64_t total = primary.count();
    std::vector<std::pair<ByteVector, ByteVector>> batch;
    std::optional<ByteVector> from;
    std::uint64_t done = 0;  // records that were read, whether they had to be written or not
    for (;;) {
      if (progress_ && !progress_(done, total))
        return fail(ErrorCode::kCancelled, "the rewriting of rows was stopped");
      batch.clear();
      QUIRE_TRY(const bool more, read_batch(collection, from, batch, done));
      QUIRE_TRY(TreeWriter * tree, txn_.tree(from_.id()));
      for (const auto& [key, row] : batch) QUIRE_CHECK(tree->put(key, row, PutMode::kUpdate));
      QUIRE_CHECK(txn_.settle());
      if (!more) return {};
    }
  }

  // Old rows, written anew, of the next so many records behind `from`, which moves on. Whether
  // there are more. `done` grows by those that were read.
  Result<bool> read_batch(const Collection& collection, std::optional<ByteVector>& from,
                          std::vector<std::pair<ByteVector, ByteVector>>& batch,
                          std::uint64_t& done) {
    QUIRE_TRY(const TreeRoot primary, txn_.tree_root(from_.id()));
    TreeCursor cursor(&txn_.reader(), primary);
    QUIRE_CHECK(from ? cursor.seek(*from) : cursor.first());
    if (from && cursor.valid() && equal_bytes(cursor.key(), *from)) QUIRE_CHECK(cursor.next());
    std::vector<Value> values(collection.schema().size());
    for (std::uint64_t read = 0; cursor.valid(); ++read, ++done) {
      if (read == kProgressEvery) return true;
      QUIRE_TRY(const Bytes bytes, cursor.value());
      QUIRE_TRY(const RowView row, RowView::parse(old().schema, bytes));
      from = to_vector(cursor.key());
      if (row.version() != collection.schema().version()) {
        for (std::size_t i = 0; i < values.size(); ++i) values[i] = row.value(i);
        encode_row(collection.schema(), row.number(), values,
                   batch.emplace_back(*from, ByteVector()).second);
      }
      QUIRE_CHECK(cursor.next());
    }
    return false;
  }

  WriteTxn& txn_;
  const Collection& from_;
  CollectionDefinition to_;
  IndexKinds kinds_;
  std::uint64_t memory_bytes_;
  const ReportProgress& progress_;
};

// Errors of the caller that a step may find on its way: they undo it.
bool is_refusal(ErrorCode code) noexcept {
  return code == ErrorCode::kUnique || code == ErrorCode::kKeySize ||
         code == ErrorCode::kCancelled || code == ErrorCode::kNotSupported;
}

Result<Collection> redefine(WriteTxn& txn, const Collection& from, CollectionDefinition to,
                            IndexKinds kinds, const ReportProgress& progress,
                            std::uint64_t memory_bytes = kBuildMemory) {
  QUIRE_TRY(const std::size_t before, txn.savepoint());
  auto made = Step(txn, from, std::move(to), kinds, memory_bytes, progress).run();
  if (!made) {
    Error error = std::move(made).error();
    if (!is_refusal(error.code())) {
      if (!WriteTxn::breaks(error.code()))
        error = from.failure(ErrorCode::kCorrupt, error.message()).error();
      return txn.break_with(std::move(error));
    }
    if (txn.usable()) {
      QUIRE_CHECK(txn.rollback_to(before));
      QUIRE_CHECK(txn.release(before));
    }
    return std::unexpected(std::move(error));
  }
  QUIRE_CHECK(txn.release(before));
  const ByteVector bytes = made->definition().encode();
  QUIRE_CHECK(txn.log({.code = kChangeCollection, .id = from.id(), .value = bytes}));
  QUIRE_CHECK(txn.settle());
  return made;
}

// ---------------------------------------------------------------- fields

// What has to be looked at in each record before a schema becomes another.
class FieldCheck {
 public:
  FieldCheck(const Collection& from, const Schema& to) : from_(from), to_(to) {
    for (std::size_t i = 0; i < to.size(); ++i) {
      const std::size_t before = from.schema().find_id(to.field(i).id);
      if (before != from.schema().size() && is_stricter(from.schema().field(before), to.field(i)))
        pairs_.emplace_back(before, i);
    }
  }

  Status run(WriteTxn& txn, const ReportProgress& progress) const {
    if (pairs_.empty()) return {};
    QUIRE_TRY(const TreeRoot primary, txn.tree_root(from_.id()));
    TreeCursor cursor(&txn.reader(), primary);
    QUIRE_CHECK(cursor.first());
    for (std::uint64_t done = 0; cursor.valid(); ++done) {
      if (done % kProgressEvery == 0 && progress && !progress(done, primary.count()))
        return fail(ErrorCode::kCancelled, "the change of the schema was stopped");
      QUIRE_TRY(const Bytes bytes, cursor.value());
      QUIRE_TRY(const RowView row, RowView::parse(from_.schema(), bytes));
      for (const auto& [before, now] : pairs_) QUIRE_CHECK(check(row, before, to_.field(now)));
      QUIRE_CHECK(cursor.next());
    }
    return {};
  }

 private:
  static bool is_stricter(const Field& before, const Field& now) {
    FieldRules rules = now.rules;
    rules.default_kind = before.rules.default_kind;
    rules.default_value = before.rules.default_value;
    return (before.nullable && !now.nullable) || rules != before.rules ||
           (before.type == FieldType::kI64 && now.type == FieldType::kF64);
  }

  Status check(const RowView& row, std::size_t before, const Field& now) const {
    const Value value = row.value(before);
    std::optional<std::string> wrong;
    if (value.is_null()) {
      if (!now.nullable) wrong = "is null";
    } else if (!is_vector(now.type)) {
      const Value as_now = widened(value, now.type);
      wrong = broken_rule(now, as_now);
      // 2^63 is what the greatest integers round to, and is none itself.
      if (now.type == FieldType::kF64 && value.type == FieldType::kI64 &&
          (as_now.f64 >= 0x1p63 || static_cast<std::int64_t>(as_now.f64) != value.i64))
        wrong = "is " + describe_value(value) + ", which no f64 is";
    }
    if (!wrong) return {};
    EncodedKey key;
    encode_key_of(row, key);
    return from_.field_failure(
        ErrorCode::kSchema, before,
        *wrong + " in the record " + describe_key(from_.schema(), bytes_of(key)));
  }

  const Collection& from_;
  const Schema& to_;
  std::vector<std::pair<std::size_t, std::size_t>> pairs_;
};

// What new fields are in the records that are there.
Status fill_before(WriteTxn& txn, const Collection& collection, std::vector<Field>& fields) {
  QUIRE_TRY(const std::uint64_t records, collection.count(txn));
  for (Field& field : fields) {
    if (field.id != 0) continue;
    field.before = {};
    const FieldRules& rules = field.rules;
    if (rules.default_kind == DefaultKind::kValue) field.before = rules.default_value;
    if (rules.default_kind == DefaultKind::kNow)
      field.before = OwnedValue(Value::of_timestamp(now_us()));
    if (rules.default_kind == DefaultKind::kVersion) field.before = OwnedValue(Value::of_i64(1));
    if (field.before.is_null() && !field.nullable && records != 0)
      return collection.failure(
          ErrorCode::kSchema,
          "the new field '" + field.name +
              "' can't be null and has no constant default: the records that are there would have "
              "nothing in it");
  }
  return {};
}

Status check_indexes_of_dropped(const Collection& collection, const Schema& to) {
  for (std::size_t i = 0; i < collection.schema().size(); ++i) {
    const std::size_t now = to.find_id(collection.schema().field(i).id);
    if (now != to.size()) continue;
    for (std::size_t n = 0; n < collection.indexes().size(); ++n) {
      const Index* index = collection.indexes()[n].get();
      if (index == nullptr || index->covers(i))
        return collection.field_failure(
            ErrorCode::kInvalid, i,
            "can't go while the index '" + collection.definition().indexes[n].name + "' uses it");
    }
  }
  return {};
}

// A filter may compare a field with what it could be compared with before alone.
Status check_indexes_fit(const Collection& collection, const Schema& to, IndexKinds kinds) {
  for (const IndexDefinition& index : collection.definition().indexes) {
    const IndexKind* kind = find_kind(kinds, index.kind);
    if (kind == nullptr) continue;
    const auto bound = kind->bind(to, index);
    if (!bound)
      return collection.failure(ErrorCode::kInvalid,
                                "the index '" + index.name +
                                    "' can't be one of these fields: " + bound.error().message());
  }
  return {};
}

// Indexes on fields whose values are others now are to be made again.
void rebuild_changed(const Collection& collection, const Schema& to,
                     std::vector<IndexDefinition>& indexes) {
  for (std::size_t i = 0; i < collection.schema().size(); ++i) {
    const Field& before = collection.schema().field(i);
    const std::size_t now = to.find_id(before.id);
    if (now == to.size() || to.field(now).type == before.type) continue;
    for (std::size_t n = 0; n < indexes.size(); ++n) {
      const Index* index = collection.indexes()[n].get();
      if (index == nullptr || index->covers(i)) indexes[n].structures.clear();
    }
  }
}

std::unexpected<Error> no_index(const Collection& collection, std::string_view name) {
  return collection.failure(ErrorCode::kNotFound, "there is no index '" + std::string(name) + "'");
}

Status check_index_name(const Collection& collection, std::string_view name) {
  QUIRE_CHECK(check_name(name, "index"));
  if (collection.definition().find_index(name) != collection.definition().indexes.size())
    return collection.failure(ErrorCode::kExists,
                              "there is an index '" + std::string(name) + "' already");
  return {};
}

}  // namespace

Result<Collection> rename_collection(WriteTxn& txn, const Collection& collection,
                                     std::string_view name, IndexKinds kinds) {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(check_name(name, "collection"));
  if (name == collection.name()) return collection;
  QUIRE_TRY(const auto taken, txn.find_name(name));
  if (taken)
    return collection.failure(ErrorCode::kExists, "the name '" + std::string(name) + "' is taken");
  CollectionDefinition to = collection.definition();
  to.name = name;
  return redefine(txn, collection, std::move(to), kinds, {});
}

Result<Collection> change_fields(WriteTxn& txn, const Collection& collection,
                                 std::vector<Field> fields, IndexKinds kinds,
                                 const ReportProgress& progress) {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(fill_before(txn, collection, fields));
  auto schema = collection.schema().changed(std::move(fields));
  if (!schema) return collection.failure(schema.error().code(), schema.error().message());
  QUIRE_CHECK(check_indexes_of_dropped(collection, *schema));
  QUIRE_CHECK(check_indexes_fit(collection, *schema, kinds));
  QUIRE_CHECK(FieldCheck(collection, *schema).run(txn, progress));
  CollectionDefinition to = collection.definition();
  rebuild_changed(collection, *schema, to.indexes);
  to.schema = *std::move(schema);
  return redefine(txn, collection, std::move(to), kinds, progress);
}

Result<Collection> adopt_schema(WriteTxn& txn, const Collection& collection, const Schema& schema) {
  QUIRE_CHECK(txn.usable());
  CollectionDefinition to = collection.definition();
  to.schema = schema;
  return redefine(txn, collection, std::move(to), {}, {});
}

Result<Collection> rewrite_rows(WriteTxn& txn, const Collection& collection, IndexKinds kinds,
                                const ReportProgress& progress) {
  QUIRE_CHECK(txn.usable());
  if (collection.schema().layouts().size() == 1) return collection;
  CollectionDefinition to = collection.definition();
  to.schema = to.schema.settled();
  return redefine(txn, collection, std::move(to), kinds, progress);
}

Result<Collection> create_index(WriteTxn& txn, const Collection& collection,
                                const IndexRequest& request, IndexKinds kinds,
                                const ReportProgress& progress) {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(check_index_name(collection, request.name));
  const IndexKind* kind = find_kind(kinds, request.kind);
  if (kind == nullptr)
    return collection.failure(ErrorCode::kNotSupported,
                              "there is no kind of index '" + std::string(request.kind) + "'");
  if (collection.definition().indexes.size() >= kMaxIndexes)
    return collection.failure(ErrorCode::kTooLarge, "has " + std::to_string(kMaxIndexes) +
                                                        " indexes, the most there are");
  auto options = kind->resolve(collection.schema(), request.options);
  if (!options)
    return collection.failure(options.error().code(), "index '" + std::string(request.name) +
                                                          "': " + options.error().message());
  CollectionDefinition to = collection.definition();
  to.indexes.push_back({.id = to.next_index++,
                        .name = std::string(request.name),
                        .kind = std::string(request.kind),
                        .options = *std::move(options),
                        .structures = {}});
  return redefine(txn, collection, std::move(to), kinds, progress, request.memory_bytes);
}

Result<Collection> drop_index(WriteTxn& txn, const Collection& collection, std::string_view name,
                              IndexKinds kinds) {
  QUIRE_CHECK(txn.usable());
  CollectionDefinition to = collection.definition();
  const std::size_t index = to.find_index(name);
  if (index == to.indexes.size()) return no_index(collection, name);
  to.indexes.erase(to.indexes.begin() + static_cast<std::ptrdiff_t>(index));
  return redefine(txn, collection, std::move(to), kinds, {});
}

Result<Collection> rename_index(WriteTxn& txn, const Collection& collection, std::string_view name,
                                std::string_view new_name, IndexKinds kinds) {
  QUIRE_CHECK(txn.usable());
  CollectionDefinition to = collection.definition();
  const std::size_t index = to.find_index(name);
  if (index == to.indexes.size()) return no_index(collection, name);
  if (name == new_name) return collection;
  QUIRE_CHECK(check_index_name(collection, new_name));
  to.indexes[index].name = new_name;
  return redefine(txn, collection, std::move(to), kinds, {});
}

Result<Collection> rebuild_index(WriteTxn& txn, const Collection& collection, std::string_view name,
                                 IndexKinds kinds, const ReportProgress& progress) {
  QUIRE_CHECK(txn.usable());
  CollectionDefinition to = collection.definition();
  const std::size_t index = to.find_index(name);
  if (index == to.indexes.size()) return no_index(collection, name);
  to.indexes[index].structures.clear();
  return redefine(txn, collection, std::move(to), kinds, progress);
}

Status replay_redefinition(WriteTxn& txn, const Collection& collection, Bytes bytes,
                           IndexKinds kinds) {
  QUIRE_TRY(const CollectionDefinition wanted,
            CollectionDefinition::decode(bytes, collection.id()));
  CollectionDefinition to = wanted;
  for (IndexDefinition& index : to.indexes) {
    const auto now =
        std::ranges::find(collection.definition().indexes, index.id, &IndexDefinition::id);
    if (now == collection.definition().indexes.end() || now->structures != index.structures)
      index.structures.clear();
  }
  QUIRE_TRY(const Collection made, redefine(txn, collection, std::move(to), kinds, {}));
  if (made.definition() == wanted) return {};
  return collection.failure(ErrorCode::kCorrupt,
                            "log: a change of it can't be made again as it was");
}

}  // namespace quire
