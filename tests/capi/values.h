// Values for the tests of the C API, in one word each.
#pragma once

#include <quire/quire.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace quire::test {

inline quire_value none() { return quire_value{}; }
inline quire_value by_default() {
  quire_value value{};
  value.type = QUIRE_TYPE_DEFAULT;
  return value;
}
inline quire_value of_bool(bool given) {
  quire_value value{};
  value.type = QUIRE_TYPE_BOOL;
  value.as.boolean = given ? 1 : 0;
  return value;
}
inline quire_value of_i64(std::int64_t given, std::uint32_t type = QUIRE_TYPE_I64) {
  quire_value value{};
  value.type = type;
  value.as.i64 = given;
  return value;
}
inline quire_value of_f64(double given) {
  quire_value value{};
  value.type = QUIRE_TYPE_F64;
  value.as.f64 = given;
  return value;
}
// What it borrows is kept, so that it may be made of anything.
inline quire_value of_text(const std::string& given, std::uint32_t type = QUIRE_TYPE_TEXT) {
  static std::set<std::string> kept;
  const std::string& bytes = *kept.insert(given).first;
  quire_value value{};
  value.type = type;
  value.as.bytes = {bytes.data(), bytes.size()};
  return value;
}
// Borrows.
inline quire_value of_vector(const std::vector<float>& given) {
  quire_value value{};
  value.type = QUIRE_TYPE_VECTOR_F32;
  value.dimension = static_cast<std::uint32_t>(given.size());
  value.as.vector = given.data();
  return value;
}

}  // namespace quire::test
