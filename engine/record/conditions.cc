#include "engine/record/conditions.h"

#include <string>

#include "engine/record/key_codec.h"
#include "engine/record/record_change.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

std::unexpected<Error> conflict(const Collection& collection, std::size_t field, Bytes key,
                                const Value& expected, const RowView* row) {
  const std::string record = "the record with the key " + describe_key(collection.schema(), key);
  if (row == nullptr)
    return collection.field_failure(
        ErrorCode::kConflict, field,
        "expected " + describe_value(expected) + ", but " + record + " does not exist");
  const Value found = row->value(field);
  const bool vectors = is_vector(expected.type) && is_vector(found.type);
  return collection.field_failure(ErrorCode::kConflict, field,
                                  vectors ? record + " has another vector than expected"
                                          : "expected " + describe_value(expected) + ", but " +
                                                record + " has " + describe_value(found));
}

// Of one type, neither null.
Result<bool> has_value(WriteTxn& txn, const Collection& collection, const RowView& row,
                       std::size_t field, const Value& expected) {
  if (is_vector(expected.type)) {
    QUIRE_TRY(const Bytes now,
              stored_vector(txn, collection, row, collection.schema().vector_place(field)));
    return equal_bytes(now, expected.vector_bytes());
  }
  const Value now = row.value(field);
  if (is_variable(expected.type)) return equal_bytes(now.bytes, expected.bytes);
  return compare_scalars(now, expected) == 0;
}

Result<bool> holds(WriteTxn& txn, const Collection& collection, const RowView& row,
                   const Expected& one) {
  const bool is_null = row.is_null(one.field);
  if (is_null || one.value.is_null()) return is_null && one.value.is_null();
  return has_value(txn, collection, row, one.field, one.value);
}

}  // namespace

Status check_expected(const Collection& collection, std::span<const Expected> expected) {
  for (const Expected& one : expected) {
    if (one.field >= collection.schema().size())
      return collection.failure(
          ErrorCode::kInvalid,
          "a condition on field " + std::to_string(one.field) + ", which does not exist");
    QUIRE_CHECK(check_type(collection, one.field, one.value));
  }
  return {};
}

Status check_conditions(WriteTxn& txn, const Collection& collection, Bytes key, const RowView* row,
                        std::span<const Expected> expected) {
  for (const Expected& one : expected) {
    if (row == nullptr) return conflict(collection, one.field, key, one.value, row);
    QUIRE_TRY(const bool held, holds(txn, collection, *row, one));
    if (!held) return conflict(collection, one.field, key, one.value, row);
  }
  return {};
}

Status check_versions(const Collection& collection, Bytes key, const RowView* row,
                      std::span<const Value> given) {
  for (std::size_t i = 0; i < collection.schema().size(); ++i) {
    if (collection.schema().field(i).rules.default_kind != DefaultKind::kVersion) continue;
    if (given[i].type == FieldType::kDefault) continue;
    QUIRE_CHECK(check_type(collection, i, given[i]));
    if (row == nullptr || row->value(i).i64 != given[i].i64)
      return conflict(collection, i, key, given[i], row);
  }
  return {};
}

}  // namespace quire
