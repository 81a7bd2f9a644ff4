// A value of a field and the types there are.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/bytes.h"

namespace quire {

// Values are those of quire_type in quire.h and are stored in files: never renumbered. 7 to 15 are
// left for scalars and arrays, 17 on for other vectors.
enum class FieldType : std::uint8_t {
  kNull = 0,  // a value only: no field has this type
  kBool = 1,
  kI64 = 2,
  kF64 = 3,
  kText = 4,  // UTF-8
  kBytes = 5,
  kTimestamp = 6,  // i64, microseconds since 1970 UTC
  kVectorF32 = 16,
};

inline bool is_known_type(std::uint8_t type) noexcept {
  return (type >= 1 && type <= 6) || type == 16;
}
// "i64", "text", "vector f32" ...; "unknown type" for what is none.
constexpr std::string_view type_name(FieldType type) noexcept {
  switch (type) {
    case FieldType::kNull:
      return "null";
    case FieldType::kBool:
      return "bool";
    case FieldType::kI64:
      return "i64";
    case FieldType::kF64:
      return "f64";
    case FieldType::kText:
      return "text";
    case FieldType::kBytes:
      return "bytes";
    case FieldType::kTimestamp:
      return "timestamp";
    case FieldType::kVectorF32:
      return "vector f32";
  }
  return "unknown type";
}

// Bytes of a scalar that always has as many; 0 for types whose values differ in length, and for
// vectors.
constexpr std::uint32_t fixed_size(FieldType type) noexcept {
  switch (type) {
    case FieldType::kBool:
      return 1;
    case FieldType::kI64:
    case FieldType::kF64:
    case FieldType::kTimestamp:
      return 8;
    default:
      return 0;
  }
}
constexpr bool is_variable(FieldType type) noexcept {
  return type == FieldType::kText || type == FieldType::kBytes;
}

// Borrows what it points to. Cheap to copy.
struct Value {
  FieldType type = FieldType::kNull;
  std::uint32_t dimension = 0;  // of a vector
  union {
    bool boolean;
    std::int64_t i64;  // also a timestamp
    double f64;
    Bytes bytes;  // text, bytes
    const float* vector;
  };

  Value() noexcept : i64(0) {}
  static Value null() noexcept { return {}; }
  static Value of_bool(bool boolean) noexcept {
    Value value;
    value.type = FieldType::kBool;
    value.boolean = boolean;
    return value;
  }
  static Value of_i64(std::int64_t number) noexcept {
    Value value;
    value.type = FieldType::kI64;
    value.i64 = number;
    return value;
  }
  static Value of_timestamp(std::int64_t microseconds) noexcept {
    Value value = of_i64(microseconds);
    value.type = FieldType::kTimestamp;
    return value;
  }
  static Value of_f64(double number) noexcept {
    Value value;
    value.type = FieldType::kF64;
    value.f64 = number;
    return value;
  }
  static Value of_bytes(Bytes bytes) noexcept {
    Value value;
    value.type = FieldType::kBytes;
    value.bytes = bytes;
    return value;
  }
  static Value of_text(std::string_view text) noexcept {
    Value value = of_bytes(as_bytes(text));
    value.type = FieldType::kText;
    return value;
  }
  static Value of_vector(const float* elements, std::uint32_t dimension) noexcept {
    Value value;
    value.type = FieldType::kVectorF32;
    value.dimension = dimension;
    value.vector = elements;
    return value;
  }

  bool is_null() const noexcept { return type == FieldType::kNull; }
  Bytes vector_bytes() const noexcept {
    return as_bytes(vector, std::size_t{dimension} * sizeof(float));
  }
};

// The elements of a vector as they lie in an array or a message.
inline const float* as_floats(const std::byte* bytes) noexcept {
  return static_cast<const float*>(static_cast<const void*>(bytes));
}

}  // namespace quire
