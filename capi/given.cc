#include "capi/given.h"

#include "engine/record/value_check.h"

namespace quire::capi {

Result<Values> values_of(const quire_value* given, size_t count) {
  if (given == nullptr && count != 0) return fail(ErrorCode::kInvalid, "values is NULL");
  Values values(count);
  for (size_t i = 0; i < count; ++i) {
    QUIRE_TRY(values[i], value_of(given[i]));
  }
  return values;
}

Result<Values> key_of(const Collection& collection, const quire_value* given, size_t count) {
  if (given == nullptr) return fail(ErrorCode::kInvalid, "the key is NULL");
  QUIRE_CHECK(check_key_count(collection, count));
  return values_of(given, count);
}

Result<Values> bound_of(const Collection& collection, const quire_value* given, size_t count) {
  if (given == nullptr && count != 0) return fail(ErrorCode::kInvalid, "a bound is NULL");
  QUIRE_CHECK(check_key_prefix_count(collection, count));
  return values_of(given, count);
}

Result<Conditions> conditions_of(const quire_expected* given, size_t count) {
  if (given == nullptr && count != 0) return fail(ErrorCode::kInvalid, "expected is NULL");
  Conditions conditions(count);
  for (size_t i = 0; i < count; ++i) {
    if (given[i].reserved != 0) return fail(ErrorCode::kInvalid, "expected: reserved is not 0");
    conditions[i].field = given[i].field;
    QUIRE_TRY(conditions[i].value, value_of(given[i].value));
  }
  return conditions;
}

Status fill_made_key(quire_txn* txn, const Collection& collection, Values& values) {
  const std::span<const std::uint32_t> key = collection.schema().key();
  if (key.size() != 1 || key[0] >= values.size() || values[key[0]].type != FieldType::kDefault)
    return {};
  KeyFunction make;
  {
    SharedDatabase& shared = *txn->db->shared;
    const std::scoped_lock lock(shared.key_mutex);
    const auto found = shared.key_functions.find(collection.name());
    if (found != shared.key_functions.end()) make = found->second;
  }
  if (make.function == nullptr) return {};
  quire_value made{};
  if (make.function(make.context, &made) != 0)
    return collection.failure(ErrorCode::kCancelled, "the function that makes keys refused");
  QUIRE_TRY(values[key[0]], value_of(made));
  return {};
}

}  // namespace quire::capi
