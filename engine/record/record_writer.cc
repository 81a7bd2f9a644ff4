#include "engine/record/record_writer.h"

#include "engine/record/numbers.h"
#include "engine/record/record_change.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

using Places = std::vector<std::uint32_t>;  // among the vector fields

Status key_for(WriteTxn& txn, const Collection& collection, const Value& value, EncodedKey& key) {
  return make_key(collection, value, max_key_size(txn.reader().page_size()), key);
}

std::unexpected<Error> no_record(const Collection& collection, Bytes key) {
  return collection.failure(
      ErrorCode::kNotFound,
      "there is no record with the key " + describe_key(collection.schema().key_field(), key));
}

// Places of the vectors that a record has.
Places vectors_in(const Schema& schema, std::span<const Value> values) {
  Places places;
  for (std::uint32_t i = 0; i < schema.vectors().size(); ++i)
    if (!values[schema.vectors()[i]].is_null()) places.push_back(i);
  return places;
}

// Of these, those that the record does not have already: writing the same again would copy a block.
Result<Places> changed_vectors(WriteTxn& txn, const Collection& collection, const RowView& old,
                               std::span<const Value> values) {
  const Schema& schema = collection.schema();
  Places changed;
  for (const std::uint32_t i : vectors_in(schema, values)) {
    const std::uint32_t field = schema.vectors()[i];
    if (!old.is_null(field)) {
      QUIRE_TRY(ArrayWriter * array, txn.array(collection.definition().vectors[i]));
      if (old.number() >= array->root().size)
        return collection.field_failure(
            ErrorCode::kCorrupt, field,
            "there is no vector of record " + std::to_string(old.number()));
      QUIRE_TRY(const Bytes now, array->get(old.number()));
      if (equal_bytes(now, values[field].vector_bytes())) continue;
    }
    changed.push_back(i);
  }
  return changed;
}

bool same_vectors_present(const Schema& schema, const RowView& old,
                          std::span<const Value> values) noexcept {
  for (const std::uint32_t field : schema.vectors())
    if (old.is_null(field) != values[field].is_null()) return false;
  return true;
}

Status insert_new(WriteTxn& txn, const Collection& collection, Bytes key,
                  std::span<const Value> values) {
  const Schema& schema = collection.schema();
  QUIRE_TRY(const RecordNumber number, choose_number(txn, collection));
  const ByteVector payload = encode_put(schema, number, values, vectors_in(schema, values));
  return change_put(txn, collection, key, payload, PutKind::kNew);
}

Status replace(WriteTxn& txn, const Collection& collection, Bytes key, const RowView& old,
               std::span<const Value> values, std::span<const std::uint32_t> changed) {
  const Schema& schema = collection.schema();
  const PutKind kind =
      same_vectors_present(schema, old, values) ? PutKind::kSameVectors : PutKind::kOtherVectors;
  const ByteVector payload = encode_put(schema, old.number(), values, changed);
  return change_put(txn, collection, key, payload, kind);
}

Status check_update(const Collection& collection, Bytes key, std::span<const std::uint32_t> fields,
                    std::span<const Value> values) {
  if (fields.size() != values.size())
    return collection.failure(ErrorCode::kInvalid, "an update of " + std::to_string(fields.size()) +
                                                       " fields has " +
                                                       std::to_string(values.size()) + " values");
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] >= collection.schema().size())
      return collection.failure(ErrorCode::kInvalid,
                                "there is no field " + std::to_string(fields[i]));
    QUIRE_CHECK(check_value(collection, fields[i], values[i]));
    if (fields[i] != collection.schema().key()) continue;
    EncodedKey other;
    encode_key(values[i], other);
    if (!equal_bytes(bytes_of(other), key))
      return collection.field_failure(ErrorCode::kInvalid, fields[i],
                                      "the key of a record can't be changed");
  }
  return {};
}

}  // namespace

Status insert_record(WriteTxn& txn, const Collection& collection, std::span<const Value> values) {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(check_values(collection, values));
  EncodedKey key;
  QUIRE_CHECK(key_for(txn, collection, values[collection.schema().key()], key));
  return insert_new(txn, collection, bytes_of(key), values);
}

Status upsert_record(WriteTxn& txn, const Collection& collection, std::span<const Value> values) {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(check_values(collection, values));
  EncodedKey key;
  QUIRE_CHECK(key_for(txn, collection, values[collection.schema().key()], key));
  QUIRE_TRY(const std::optional<RowView> old, find_row(txn, collection, bytes_of(key)));
  if (!old) return insert_new(txn, collection, bytes_of(key), values);
  QUIRE_TRY(const Places changed, changed_vectors(txn, collection, *old, values));
  return replace(txn, collection, bytes_of(key), *old, values, changed);
}

Status update_record(WriteTxn& txn, const Collection& collection, const Value& key_value,
                     std::span<const std::uint32_t> fields, std::span<const Value> values) {
  QUIRE_CHECK(txn.usable());
  EncodedKey key;
  QUIRE_CHECK(key_for(txn, collection, key_value, key));
  QUIRE_CHECK(check_update(collection, bytes_of(key), fields, values));
  QUIRE_TRY(const std::optional<RowView> old, find_row(txn, collection, bytes_of(key)));
  if (!old) return no_record(collection, bytes_of(key));
  const Schema& schema = collection.schema();
  std::vector<Value> merged(schema.size());
  for (std::size_t i = 0; i < schema.size(); ++i) merged[i] = old->value(i);
  for (std::size_t i = 0; i < fields.size(); ++i) merged[fields[i]] = values[i];
  if (row_size_bound(schema, merged) > kMaxValueSize)
    return collection.failure(ErrorCode::kValueSize, "the changed record is too large");
  Places changed;
  for (std::uint32_t i = 0; i < schema.vectors().size(); ++i) {
    const Value& vector = merged[schema.vectors()[i]];
    // One that comes from the row has no elements: it stays as it is.
    if (!vector.is_null() && vector.vector != nullptr) changed.push_back(i);
  }
  return replace(txn, collection, bytes_of(key), *old, merged, changed);
}

Status erase_record(WriteTxn& txn, const Collection& collection, const Value& key_value) {
  QUIRE_CHECK(txn.usable());
  EncodedKey key;
  QUIRE_CHECK(key_for(txn, collection, key_value, key));
  QUIRE_TRY(const bool erased, change_erase(txn, collection, bytes_of(key)));
  if (!erased) return no_record(collection, bytes_of(key));
  return {};
}

}  // namespace quire
