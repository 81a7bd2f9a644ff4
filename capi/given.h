// What callers give for records: values, keys, conditions; as the engine takes them. All borrow.
#pragma once

#include <boost/container/small_vector.hpp>

#include "capi/handles.h"
#include "engine/record/conditions.h"

namespace quire::capi {

using Values = boost::container::small_vector<Value, 16>;
using Conditions = boost::container::small_vector<Expected, 4>;

inline std::span<const Value> span_of(const Values& values) noexcept {
  return {values.data(), values.size()};
}
inline std::span<const Expected> span_of(const Conditions& conditions) noexcept {
  return {conditions.data(), conditions.size()};
}

// Each of these has kInvalid for NULL, and kType for what is no type of a value.
Result<Values> values_of(const quire_value* given, size_t count);
// A value for each key field. kInvalid for another count, before anything is read.
Result<Values> key_of(const Collection& collection, const quire_value* given, size_t count);
// A value for each of the first key fields; none is no bound. kInvalid likewise.
Result<Values> bound_of(const Collection& collection, const quire_value* given, size_t count);
Result<Conditions> conditions_of(const quire_expected* given, size_t count);

// The key of a new record from the caller's function for keys, where there is one and the key is to
// be the default.
Status fill_made_key(quire_txn* txn, const Collection& collection, Values& values);

}  // namespace quire::capi
