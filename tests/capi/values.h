// Values for the tests of the C API, in one word each.
#pragma once

#include <quire/hpp/value.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace quire::test {

inline quire_value none() { return null_value(); }
inline quire_value by_default() { return default_value(); }
inline quire_value of_bool(bool given) { return bool_value(given); }
inline quire_value of_i64(std::int64_t given, std::uint32_t type = QUIRE_TYPE_I64) {
  quire_value value = i64_value(given);
  value.type = type;
  return value;
}
inline quire_value of_f64(double given) { return f64_value(given); }
// What it borrows is kept, so that it may be made of anything.
inline quire_value of_text(const std::string& given, std::uint32_t type = QUIRE_TYPE_TEXT) {
  static std::set<std::string> kept;
  quire_value value = text_value(*kept.insert(given).first);
  value.type = type;
  return value;
}
// Borrows.
inline quire_value of_vector(const std::vector<float>& given) { return vector_value(given); }

}  // namespace quire::test
