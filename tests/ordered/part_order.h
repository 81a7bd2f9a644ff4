// The order of the values of a part, from the values alone.
#pragma once

#include <limits>
#include <string>

#include "index/ordered/entry_key.h"

namespace quire::test {

inline int sign(int number) { return (number > 0) - (number < 0); }

inline int rank_in_json(const Value& value) {
  if (value.is_null()) return 0;
  if (value.type == FieldType::kBool) return 1;
  return value.type == FieldType::kText ? 3 : 2;
}

inline std::string folded(std::string_view text, Collation collation) {
  std::string result(text);
  if (collation == Collation::kBytes) return result;
  for (char& letter : result)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return result;
}

// Has all integers of 64 bits and all f64.
inline long double exact(const Value& number) {
  static_assert(std::numeric_limits<long double>::digits >= 64);
  return number.type == FieldType::kI64 ? static_cast<long double>(number.i64)
                                        : static_cast<long double>(number.f64);
}

inline int compare_ascending(const PartForm& form, const Value& a, const Value& b) {
  if (a.is_null() || b.is_null()) return int{b.is_null()} - int{a.is_null()};
  if (is_variable(a.type) && is_variable(b.type))
    return sign(folded(a.text(), form.collation).compare(folded(b.text(), form.collation)));
  if (form.type != FieldType::kJson) return sign(compare_scalars(a, b));
  if (rank_in_json(a) != rank_in_json(b)) return sign(rank_in_json(a) - rank_in_json(b));
  if (a.type == FieldType::kBool) return int{a.boolean} - int{b.boolean};
  return int{exact(a) > exact(b)} - int{exact(a) < exact(b)};
}

inline int compare_values(const PartForm& form, const Value& a, const Value& b) {
  const int order = compare_ascending(form, a, b);
  return form.descending ? -order : order;
}

}  // namespace quire::test
