#include "engine/record/record_writer.h"

#include <boost/container/small_vector.hpp>

#include "engine/record/defaults.h"
#include "engine/record/numbers.h"
#include "engine/record/record_change.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

using Places = std::vector<std::uint32_t>;  // among the vector fields

Status key_for(WriteTxn& txn, const Collection& collection, KeyValues values, EncodedKey& key) {
  return make_key(collection, values, max_key_size(txn.reader().page_size()), key);
}

// The key of a record's values.
Status key_of(WriteTxn& txn, const Collection& collection, std::span<const Value> values,
              EncodedKey& key) {
  boost::container::small_vector<Value, 4> parts;
  for (const std::uint32_t field : collection.schema().key()) parts.push_back(values[field]);
  return key_for(txn, collection, std::span<const Value>(parts.data(), parts.size()), key);
}

std::unexpected<Error> no_record(const Collection& collection, Bytes key) {
  return collection.failure(ErrorCode::kNotFound, "there is no record with the key " +
                                                      describe_key(collection.schema(), key));
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
      QUIRE_TRY(const Bytes now, stored_vector(txn, collection, old, i));
      if (equal_bytes(now, values[field].vector_bytes())) continue;
    }
    changed.push_back(i);
  }
  return changed;
}

Status insert_new(WriteTxn& txn, const Collection& collection, Bytes key,
                  std::span<const Value> values) {
  const Schema& schema = collection.schema();
  QUIRE_TRY(const RecordNumber number, choose_number(txn, collection));
  const ByteVector payload = encode_put(schema, number, values, vectors_in(schema, values));
  return change_put(txn, collection, key, payload, nullptr);
}

Status replace(WriteTxn& txn, const Collection& collection, Bytes key, const RowView& old,
               std::span<const Value> values, std::span<const std::uint32_t> changed) {
  const Schema& schema = collection.schema();
  const ByteVector payload = encode_put(schema, old.number(), values, changed);
  return change_put(txn, collection, key, payload, &old);
}

// The key of a record can't be changed: one that is given is what it was.
Status check_same_key(const Collection& collection, Bytes key, const RowView& old,
                      std::span<const Value> merged, std::uint32_t field) {
  if (!collection.schema().is_key(field)) return {};
  EncodedKey other;
  encode_key_of(collection.schema(), merged, other);
  if (equal_bytes(bytes_of(other), key)) return {};
  return collection.field_failure(
      ErrorCode::kInvalid, field,
      "the key of a record can't be changed from " + describe_value(old.value(field)));
}

Status check_update(const Collection& collection, std::span<const std::uint32_t> fields,
                    std::span<const Value> values) {
  if (fields.size() != values.size())
    return collection.failure(ErrorCode::kInvalid, "an update of " + std::to_string(fields.size()) +
                                                       " fields has " +
                                                       std::to_string(values.size()) + " values");
  for (const std::uint32_t field : fields) {
    if (field >= collection.schema().size())
      return collection.failure(ErrorCode::kInvalid, "there is no field " + std::to_string(field));
  }
  return {};
}

}  // namespace

Status insert_record(WriteTxn& txn, const Collection& collection, std::span<const Value> given,
                     EncodedKey* made) {
  QUIRE_CHECK(txn.usable());
  Defaults defaults;
  QUIRE_TRY(const std::span<const Value> values, defaults.resolve(txn, collection, given));
  QUIRE_CHECK(check_values(collection, values));
  EncodedKey key;
  QUIRE_CHECK(key_of(txn, collection, values, key));
  QUIRE_CHECK(insert_new(txn, collection, bytes_of(key), values));
  if (made != nullptr) *made = std::move(key);
  return {};
}

Status upsert_record(WriteTxn& txn, const Collection& collection, std::span<const Value> given,
                     EncodedKey* made, const ChangeTerms& terms) {
  QUIRE_CHECK(txn.usable());
  Defaults defaults;
  QUIRE_TRY(std::span<const Value> values, defaults.resolve(txn, collection, given));
  QUIRE_CHECK(check_values(collection, values));
  QUIRE_CHECK(check_expected(collection, terms.expected));
  EncodedKey key;
  QUIRE_CHECK(key_of(txn, collection, values, key));
  QUIRE_TRY(const std::optional<RowView> old, find_row(txn, collection, bytes_of(key)));
  const RowView* const row = old ? &*old : nullptr;
  if (!terms.keep_versions) QUIRE_CHECK(check_versions(collection, bytes_of(key), row, given));
  QUIRE_CHECK(check_conditions(txn, collection, bytes_of(key), row, terms.expected));
  if (old) {
    if (!terms.keep_versions) {
      QUIRE_TRY(values, defaults.advance(collection, *old, values));
    }
    QUIRE_TRY(const Places changed, changed_vectors(txn, collection, *old, values));
    QUIRE_CHECK(replace(txn, collection, bytes_of(key), *old, values, changed));
  } else {
    QUIRE_CHECK(insert_new(txn, collection, bytes_of(key), values));
  }
  if (made != nullptr) *made = std::move(key);
  return {};
}

Status update_record(WriteTxn& txn, const Collection& collection, KeyValues key_values,
                     std::span<const std::uint32_t> fields, std::span<const Value> values,
                     const ChangeTerms& terms) {
  QUIRE_CHECK(txn.usable());
  EncodedKey key;
  QUIRE_CHECK(key_for(txn, collection, key_values, key));
  QUIRE_CHECK(check_update(collection, fields, values));
  QUIRE_CHECK(check_expected(collection, terms.expected));
  QUIRE_TRY(const std::optional<RowView> old, find_row(txn, collection, bytes_of(key)));
  if (!old) return no_record(collection, bytes_of(key));
  QUIRE_CHECK(check_conditions(txn, collection, bytes_of(key), &*old, terms.expected));
  const Schema& schema = collection.schema();
  boost::container::small_vector<Value, 16> merged(schema.size());
  for (std::size_t i = 0; i < schema.size(); ++i) merged[i] = old->value(i);
  for (std::size_t i = 0; i < fields.size(); ++i) merged[fields[i]] = values[i];
  const std::span<const Value> given(merged.data(), merged.size());
  QUIRE_CHECK(check_versions(collection, bytes_of(key), &*old, given));
  Defaults defaults;
  QUIRE_TRY(std::span<const Value> resolved, defaults.resolve(txn, collection, given));
  QUIRE_TRY(resolved, defaults.advance(collection, *old, resolved));
  for (const std::uint32_t field : fields) {
    QUIRE_CHECK(check_value(collection, field, resolved[field]));
    QUIRE_CHECK(check_same_key(collection, bytes_of(key), *old, resolved, field));
  }
  if (row_size_bound(schema, resolved) > kMaxValueSize)
    return collection.failure(ErrorCode::kValueSize, "the changed record is too large");
  Places changed;
  for (std::uint32_t i = 0; i < schema.vectors().size(); ++i) {
    const Value& vector = resolved[schema.vectors()[i]];
    // One that comes from the row has no elements: it stays as it is.
    if (!vector.is_null() && vector.vector != nullptr) changed.push_back(i);
  }
  return replace(txn, collection, bytes_of(key), *old, resolved, changed);
}

Status erase_record(WriteTxn& txn, const Collection& collection, KeyValues key_values,
                    const ChangeTerms& terms) {
  QUIRE_CHECK(txn.usable());
  EncodedKey key;
  QUIRE_CHECK(key_for(txn, collection, key_values, key));
  if (!terms.expected.empty()) {
    QUIRE_CHECK(check_expected(collection, terms.expected));
    QUIRE_TRY(const std::optional<RowView> old, find_row(txn, collection, bytes_of(key)));
    if (!old) return no_record(collection, bytes_of(key));
    QUIRE_CHECK(check_conditions(txn, collection, bytes_of(key), &*old, terms.expected));
  }
  QUIRE_TRY(const bool erased, change_erase(txn, collection, bytes_of(key)));
  if (!erased) return no_record(collection, bytes_of(key));
  return {};
}

}  // namespace quire
