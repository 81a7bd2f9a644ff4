#include "engine/record/record_change.h"

#include <algorithm>
#include <bit>

#include <boost/container/small_vector.hpp>

#include "engine/record/counters.h"
#include "engine/record/key_codec.h"
#include "engine/record/numbers.h"

namespace quire {
namespace {

using PutMode = TreeWriter::PutMode;

// An error in the middle of a change: none of the structures may be used any more. One that is not
// of the system says that they did not fit together.
std::unexpected<Error> break_off(WriteTxn& txn, const Collection& collection, Error error) {
  if (!WriteTxn::breaks(error.code()))
    error = collection.failure(ErrorCode::kCorrupt, error.message()).error();
  return txn.break_with(std::move(error));
}

// Takes a number out of those that are free.
Status claim_number(WriteTxn& txn, const Collection& collection, RecordNumber number) {
  QUIRE_TRY(const NumberEntry entry, read_number(txn, collection, number));
  if (entry.in_use)
    return fail(ErrorCode::kCorrupt, "the record number %llu is in use",
                static_cast<unsigned long long>(number));
  QUIRE_TRY(TreeWriter * freed, txn.tree(collection.definition().freed));
  QUIRE_TRY(const bool erased, freed->erase(FreedKey(entry.freed_at, number)));
  if (!erased)
    return fail(ErrorCode::kCorrupt, "the free record number %llu is not among the free",
                static_cast<unsigned long long>(number));
  return {};
}

Status put_number(WriteTxn& txn, const Collection& collection, Bytes key, const RowView& row,
                  bool is_new) {
  QUIRE_TRY(TreeWriter * numbers, txn.tree(collection.definition().numbers));
  const ByteVector entry = encode_used_number(collection.schema(), row, key);
  const bool append = is_new && row.number() == numbers->root().count();
  if (is_new && !append) QUIRE_CHECK(claim_number(txn, collection, row.number()));
  QUIRE_CHECK(
      numbers->put(NumberKey(row.number()), entry, append ? PutMode::kAppend : PutMode::kUpdate));
  return {};
}

Status put_vectors(WriteTxn& txn, const Collection& collection, const RecordPut& put) {
  for (const VectorChange& change : put.vectors) {
    QUIRE_TRY(ArrayWriter * array, txn.array(collection.definition().vectors[change.vector]));
    QUIRE_CHECK(array->set(put.row.number(), change.elements));
  }
  return {};
}

std::unexpected<Error> exists(const Collection& collection, Bytes key) {
  return collection.failure(
      ErrorCode::kExists,
      "there is a record with the key " + describe_key(collection.schema(), key) + " already");
}

Status free_number(WriteTxn& txn, const Collection& collection, RecordNumber number) {
  QUIRE_TRY(TreeWriter * numbers, txn.tree(collection.definition().numbers));
  QUIRE_CHECK(numbers->put(NumberKey(number), encode_free_number(txn.number()), PutMode::kUpdate));
  QUIRE_TRY(TreeWriter * freed, txn.tree(collection.definition().freed));
  QUIRE_CHECK(freed->put(FreedKey(txn.number(), number), {}, PutMode::kInsert));
  return {};
}

std::unexpected<Error> unknown_kind(const Collection& collection, std::size_t index) {
  const IndexDefinition& definition = collection.definition().indexes[index];
  return collection.failure(ErrorCode::kNotSupported, "its index '" + definition.name +
                                                          "' is of the kind '" + definition.kind +
                                                          "', which this library does not know");
}

// Whether a field has another value than before: also another zero, which compares as the same.
bool differs(const Schema& schema, std::size_t field, const RecordChange& change) noexcept {
  const Value before = change.before->value(field);
  const Value after = change.after->value(field);
  if (before.is_null() || after.is_null()) return before.is_null() != after.is_null();
  if (is_vector(after.type))
    return std::ranges::count(change.vectors, schema.vector_place(field)) != 0;
  if (is_variable(after.type)) return !equal_bytes(before.bytes, after.bytes);
  if (after.type == FieldType::kF64)
    return std::bit_cast<std::uint64_t>(before.f64) != std::bit_cast<std::uint64_t>(after.f64);
  return compare_scalars(before, after) != 0;
}

// The indexes that have to hear of a change, in their order.
using Concerned = boost::container::small_vector<const Index*, 8>;

// Leaves out those that have none of the fields whose values are others now. A field is compared
// once, and only where an index has it.
void leave_out_unconcerned(const Collection& collection, const RecordChange& change,
                           Concerned& indexes) {
  Concerned unsure;
  unsure.swap(indexes);
  const Schema& schema = collection.schema();
  boost::container::small_vector<bool, 8> concerned(unsure.size(), false);
  for (std::size_t field = 0; field < schema.size(); ++field) {
    std::optional<bool> is_other;
    for (std::size_t i = 0; i < unsure.size(); ++i) {
      if (concerned[i] || !unsure[i]->covers(field)) continue;
      if (!is_other) is_other = differs(schema, field, change);
      concerned[i] = *is_other;
    }
  }
  for (std::size_t i = 0; i < unsure.size(); ++i)
    if (concerned[i]) indexes.push_back(unsure[i]);
}

// kNotSupported where there is an index of a kind that is not known here.
Result<Concerned> concerned_by(const Collection& collection, const RecordChange& change) {
  Concerned indexes;
  for (std::size_t i = 0; i < collection.indexes().size(); ++i) {
    if (collection.indexes()[i] == nullptr) return unknown_kind(collection, i);
    indexes.push_back(collection.indexes()[i].get());
  }
  const bool is_update = change.before != nullptr && change.after != nullptr;
  if (is_update && !indexes.empty()) leave_out_unconcerned(collection, change, indexes);
  return indexes;
}

Status admit(WriteTxn& txn, const Collection& collection, const RecordChange& change,
             const Concerned& indexes) {
  Status admitted;
  for (const Index* index : indexes) {
    admitted = index->admit(txn, collection, change);
    if (!admitted) break;
  }
  if (admitted || admitted.error().code() != ErrorCode::kUnique || change.before != nullptr)
    return admitted;
  // A record that is there already stands in its own way, and is better told so.
  QUIRE_TRY(const std::optional<RowView> there, find_row(txn, collection, change.key));
  if (there) return exists(collection, change.key);
  return admitted;
}

Status apply(WriteTxn& txn, const Collection& collection, const RecordChange& change,
             const Concerned& indexes) {
  for (const Index* index : indexes) QUIRE_CHECK(index->apply(txn, collection, change));
  return {};
}

RecordChange change_of(Bytes key, const RowView* before, const RecordPut& put,
                       boost::container::small_vector<std::uint32_t, 4>& vectors) {
  for (const VectorChange& change : put.vectors) vectors.push_back(change.vector);
  return {.number = put.row.number(),
          .key = key,
          .before = before,
          .after = &put.row,
          .vectors = {vectors.data(), vectors.size()}};
}

// Errors of the caller change nothing.
Status store_new_row(WriteTxn& txn, const Collection& collection, Bytes key, const RowView& row) {
  QUIRE_TRY(TreeWriter * primary, txn.tree(collection.id()));
  auto stored = primary->put(key, row.bytes(), PutMode::kInsert);
  if (stored) return {};
  if (stored.error().code() == ErrorCode::kExists) return exists(collection, key);
  return break_off(txn, collection, std::move(stored).error());
}

}  // namespace

Result<std::optional<RowView>> find_row(View& view, const Collection& collection, Bytes key) {
  QUIRE_TRY(const TreeRoot primary, view.tree_root(collection.id()));
  QUIRE_TRY(const std::optional<Bytes> bytes, tree_get(view.reader(), primary, key));
  if (!bytes) return std::nullopt;
  auto row = RowView::parse(collection.schema(), *bytes);
  if (!row) return collection.failure(row.error().code(), row.error().message());
  return *row;
}

Result<Bytes> stored_vector(WriteTxn& txn, const Collection& collection, const RowView& row,
                            std::size_t place) {
  QUIRE_TRY(ArrayWriter * array, txn.array(collection.definition().vectors[place]));
  if (row.number() < array->root().size) return array->get(row.number());
  return collection.field_failure(ErrorCode::kCorrupt, collection.schema().vectors()[place],
                                  "there is no vector of record " + std::to_string(row.number()));
}

bool same_vectors_present(const Schema& schema, const RowView& a, const RowView& b) noexcept {
  for (const std::uint32_t field : schema.vectors())
    if (a.is_null(field) != b.is_null(field)) return false;
  return true;
}

Status change_put(WriteTxn& txn, const Collection& collection, Bytes key, Bytes payload,
                  const RowView* before) {
  QUIRE_TRY(const RecordPut put, decode_put(collection.schema(), payload));
  boost::container::small_vector<std::uint32_t, 4> vectors;
  const RecordChange change = change_of(key, before, put, vectors);
  QUIRE_TRY(const Concerned indexes, concerned_by(collection, change));
  QUIRE_CHECK(admit(txn, collection, change, indexes));
  if (before == nullptr) QUIRE_CHECK(store_new_row(txn, collection, key, put.row));
  const auto store_rest = [&]() -> Status {
    const bool is_new = before == nullptr;
    if (is_new || !same_vectors_present(collection.schema(), *before, put.row))
      QUIRE_CHECK(put_number(txn, collection, key, put.row, is_new));
    QUIRE_CHECK(put_vectors(txn, collection, put));
    QUIRE_CHECK(raise_counters(txn, collection, put.row));
    QUIRE_CHECK(apply(txn, collection, change, indexes));
    if (is_new) return {};
    // The last, because the row before is in the leaf that this changes.
    QUIRE_TRY(TreeWriter * primary, txn.tree(collection.id()));
    QUIRE_CHECK(primary->put(key, put.row.bytes(), PutMode::kUpdate));
    return {};
  };
  if (auto rest = store_rest(); !rest) return break_off(txn, collection, std::move(rest).error());
  QUIRE_CHECK(txn.log({.code = kPutRecord, .id = collection.id(), .value = payload}));
  return txn.settle();
}

Result<bool> change_erase(WriteTxn& txn, const Collection& collection, Bytes key) {
  QUIRE_TRY(const std::optional<RowView> row, find_row(txn, collection, key));
  if (!row) return false;
  const RecordNumber number = row->number();
  const RecordChange change{.number = number, .key = key, .before = &*row};
  QUIRE_TRY(const Concerned indexes, concerned_by(collection, change));
  QUIRE_CHECK(admit(txn, collection, change, indexes));
  const auto erase = [&]() -> Status {
    QUIRE_CHECK(apply(txn, collection, change, indexes));
    QUIRE_TRY(TreeWriter * primary, txn.tree(collection.id()));
    QUIRE_CHECK(primary->erase(key));
    return free_number(txn, collection, number);
  };
  if (auto erased = erase(); !erased) return break_off(txn, collection, std::move(erased).error());
  QUIRE_CHECK(txn.log({.code = kEraseRecord, .id = collection.id(), .value = key}));
  QUIRE_CHECK(txn.settle());
  return true;
}

}  // namespace quire
