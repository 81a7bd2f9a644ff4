// A value with the memory it borrows.
#pragma once

#include <quire/quire.hpp>

#include <string>
#include <vector>

namespace quire::tools {

// Not movable once filled: the value points into it.
struct OwnedValue {
  Value value{};
  std::string bytes;
  std::vector<float> numbers;
};

inline bool is_array(std::uint32_t type) {
  return type >= QUIRE_TYPE_ARRAY_BOOL && type <= QUIRE_TYPE_ARRAY_TIMESTAMP;
}
inline bool is_vector(std::uint32_t type) {
  return type >= QUIRE_TYPE_VECTOR_F32 && type <= QUIRE_TYPE_VECTOR_BITS;
}
// Of an array.
inline quire_type element_type(std::uint32_t array) {
  return array == QUIRE_TYPE_ARRAY_TIMESTAMP
             ? QUIRE_TYPE_TIMESTAMP
             : static_cast<quire_type>(array - QUIRE_TYPE_ARRAY_BOOL + QUIRE_TYPE_BOOL);
}
// Whether a value of the type borrows bytes.
inline bool has_bytes(std::uint32_t type) {
  return type == QUIRE_TYPE_TEXT || type == QUIRE_TYPE_BYTES || type == QUIRE_TYPE_JSON ||
         is_array(type);
}

// A value of a type that has_bytes.
inline Value value_of_bytes(std::uint32_t type, std::string_view bytes) {
  Value value{};
  value.type = type;
  value.as.bytes = {bytes.data(), bytes.size()};
  return value;
}

inline Value default_value() {
  Value value{};
  value.type = QUIRE_TYPE_DEFAULT;
  return value;
}

// A copy of anything but a vector.
inline void copy_value(const Value& value, OwnedValue* owned) {
  owned->value = value;
  if (!has_bytes(value.type)) return;
  owned->bytes.assign(as_text(value));
  owned->value = value_of_bytes(value.type, owned->bytes);
}

}  // namespace quire::tools
