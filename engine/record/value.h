// A value of a field and the types there are.
#pragma once

#include <cstdint>
#include <string_view>

#include "engine/base/bytes.h"

namespace quire {

// Values are those of quire_type in quire.h and are stored in files: never renumbered.
enum class FieldType : std::uint8_t {
  kNull = 0,  // a value only: no field has this type
  kBool = 1,
  kI64 = 2,
  kF64 = 3,
  kText = 4,  // UTF-8
  kBytes = 5,
  kTimestamp = 6,  // i64, microseconds since 1970 UTC
  kJson = 7,       // the text of a JSON document (RFC 8259), UTF-8, as it was given
  kArrayBool = 8,  // arrays of scalars: see ArrayReader (array_value.h)
  kArrayI64 = 9,
  kArrayF64 = 10,
  kArrayText = 11,
  kArrayBytes = 12,
  kArrayTimestamp = 13,
  kVectorF32 = 16,  // vectors: elements one after the other, as they lie in memory
  kVectorF16 = 17,  // IEEE 754 binary16
  kVectorI8 = 18,
  kVectorBits = 19,  // eight a byte, lowest first; the bits past the last are 0
  kDefault = 255,    // a value only, of a change: what the field has by default
};

constexpr bool is_known_type(std::uint8_t type) noexcept {
  return (type >= 1 && type <= 13) || (type >= 16 && type <= 19);
}
constexpr bool is_vector(FieldType type) noexcept {
  return type >= FieldType::kVectorF32 && type <= FieldType::kVectorBits;
}
constexpr bool is_array(FieldType type) noexcept {
  return type >= FieldType::kArrayBool && type <= FieldType::kArrayTimestamp;
}
// What one value is: the types that keys and elements of arrays have.
constexpr bool is_scalar(FieldType type) noexcept {
  return type >= FieldType::kBool && type <= FieldType::kTimestamp;
}
constexpr FieldType element_type(FieldType array) noexcept {
  return static_cast<FieldType>(static_cast<unsigned>(array) - 7);
}
constexpr FieldType array_of(FieldType scalar) noexcept {
  return static_cast<FieldType>(static_cast<unsigned>(scalar) + 7);
}

// "i64", "text", "array of i64", "vector f32" ...; "unknown type" for what is none.
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
    case FieldType::kJson:
      return "json";
    case FieldType::kArrayBool:
      return "array of bool";
    case FieldType::kArrayI64:
      return "array of i64";
    case FieldType::kArrayF64:
      return "array of f64";
    case FieldType::kArrayText:
      return "array of text";
    case FieldType::kArrayBytes:
      return "array of bytes";
    case FieldType::kArrayTimestamp:
      return "array of timestamp";
    case FieldType::kVectorF32:
      return "vector f32";
    case FieldType::kVectorF16:
      return "vector f16";
    case FieldType::kVectorI8:
      return "vector i8";
    case FieldType::kVectorBits:
      return "vector bits";
    case FieldType::kDefault:
      return "default";
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
// Types whose values are bytes in the heap of a row.
constexpr bool is_variable(FieldType type) noexcept {
  return type == FieldType::kText || type == FieldType::kBytes || type == FieldType::kJson ||
         is_array(type);
}
// Bytes of a vector; 0 for what is none.
constexpr std::uint32_t vector_size(FieldType type, std::uint32_t dimension) noexcept {
  switch (type) {
    case FieldType::kVectorF32:
      return 4 * dimension;
    case FieldType::kVectorF16:
      return 2 * dimension;
    case FieldType::kVectorI8:
      return dimension;
    case FieldType::kVectorBits:
      return (dimension + 7) / 8;
    default:
      return 0;
  }
}

// Borrows what it points to. Cheap to copy.
struct Value {
  FieldType type = FieldType::kNull;
  std::uint32_t dimension = 0;  // of a vector
  union {
    bool boolean;
    std::int64_t i64;  // also a timestamp
    double f64;
    Bytes bytes;              // text, bytes, json, arrays
    const std::byte* vector;  // its elements; nullptr where they are not at hand
  };

  Value() noexcept : i64(0) {}
  static Value null() noexcept { return {}; }
  static Value by_default() noexcept {
    Value value;
    value.type = FieldType::kDefault;
    return value;
  }
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
  static Value of_json(std::string_view text) noexcept {
    Value value = of_text(text);
    value.type = FieldType::kJson;
    return value;
  }
  // `encoded`: see array_value.h.
  static Value of_array(FieldType type, Bytes encoded) noexcept {
    Value value = of_bytes(encoded);
    value.type = type;
    return value;
  }
  static Value of_vector(FieldType type, const std::byte* elements,
                         std::uint32_t dimension) noexcept {
    Value value;
    value.type = type;
    value.dimension = dimension;
    value.vector = elements;
    return value;
  }
  static Value of_vector(const float* elements, std::uint32_t dimension) noexcept {
    return of_vector(FieldType::kVectorF32,
                     static_cast<const std::byte*>(static_cast<const void*>(elements)), dimension);
  }

  bool is_null() const noexcept { return type == FieldType::kNull; }
  std::string_view text() const noexcept { return as_text(bytes); }
  // Of a vector of f32.
  const float* floats() const noexcept {
    return static_cast<const float*>(static_cast<const void*>(vector));
  }
  Bytes vector_bytes() const noexcept { return {vector, vector_size(type, dimension)}; }
};

// The elements of a vector of f32 as they lie in an array or a message.
inline const float* as_floats(const std::byte* bytes) noexcept {
  return static_cast<const float*>(static_cast<const void*>(bytes));
}

}  // namespace quire
