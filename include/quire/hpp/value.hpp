// Part of <quire/quire.hpp>: values of fields, borrowed and owned, and arrays.
#ifndef QUIRE_HPP_VALUE_HPP
#define QUIRE_HPP_VALUE_HPP

#include <quire/hpp/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quire {
inline namespace api1 {

using Value = quire_value;

namespace detail {

inline Value value_of_type(quire_type type) {
  Value value{};
  value.type = type;
  return value;
}
inline Value value_of_bytes(quire_type type, std::string_view bytes) {
  Value value = value_of_type(type);
  value.as.bytes = {bytes.data(), bytes.size()};
  return value;
}

}  // namespace detail

inline Value null_value() { return detail::value_of_type(QUIRE_TYPE_NULL); }
// What the field has by default.
inline Value default_value() { return detail::value_of_type(QUIRE_TYPE_DEFAULT); }
inline Value bool_value(bool boolean) {
  Value value = detail::value_of_type(QUIRE_TYPE_BOOL);
  value.as.boolean = boolean ? 1 : 0;
  return value;
}
inline Value i64_value(std::int64_t number) {
  Value value = detail::value_of_type(QUIRE_TYPE_I64);
  value.as.i64 = number;
  return value;
}
inline Value f64_value(double number) {
  Value value = detail::value_of_type(QUIRE_TYPE_F64);
  value.as.f64 = number;
  return value;
}
// Microseconds since 1970 UTC.
inline Value timestamp_value(std::int64_t micros) {
  Value value = detail::value_of_type(QUIRE_TYPE_TIMESTAMP);
  value.as.i64 = micros;
  return value;
}
// These borrow: the memory must outlive the value.
inline Value text_value(std::string_view text) {
  return detail::value_of_bytes(QUIRE_TYPE_TEXT, text);
}
inline Value bytes_value(std::string_view bytes) {
  return detail::value_of_bytes(QUIRE_TYPE_BYTES, bytes);
}
// The text of a document.
inline Value json_value(std::string_view document) {
  return detail::value_of_bytes(QUIRE_TYPE_JSON, document);
}
// Of any type of vector: `elements` as that type has them.
inline Value vector_value(quire_type type, std::uint32_t dimension, const void* elements) {
  Value value = detail::value_of_type(type);
  value.dimension = dimension;
  value.as.elements = elements;
  return value;
}
inline Value vector_value(std::span<const float> vector) {
  return vector_value(QUIRE_TYPE_VECTOR_F32, static_cast<std::uint32_t>(vector.size()),
                      vector.data());
}
inline Value vector_value(std::span<const std::int8_t> vector) {
  return vector_value(QUIRE_TYPE_VECTOR_I8, static_cast<std::uint32_t>(vector.size()),
                      vector.data());
}

inline bool is_null(const Value& value) { return value.type == QUIRE_TYPE_NULL; }
inline std::string_view as_view(const quire_slice& slice) {
  return {static_cast<const char*>(slice.data), slice.size};
}
// Of a TEXT, BYTES or JSON value; of an array its bytes.
inline std::string_view as_text(const Value& value) { return as_view(value.as.bytes); }
// Of a VECTOR_F32.
inline std::span<const float> as_vector(const Value& value) {
  return {value.as.vector, value.dimension};
}

// The memory that a value borrows; empty where it borrows none.
inline std::string_view borrowed_bytes(const Value& value) {
  const std::size_t dimension = value.dimension;
  const auto elements = [&](std::size_t size) {
    return std::string_view(static_cast<const char*>(value.as.elements), size);
  };
  switch (value.type) {
    case QUIRE_TYPE_TEXT:
    case QUIRE_TYPE_BYTES:
    case QUIRE_TYPE_JSON:
    case QUIRE_TYPE_ARRAY_BOOL:
    case QUIRE_TYPE_ARRAY_I64:
    case QUIRE_TYPE_ARRAY_F64:
    case QUIRE_TYPE_ARRAY_TEXT:
    case QUIRE_TYPE_ARRAY_BYTES:
    case QUIRE_TYPE_ARRAY_TIMESTAMP:
      return as_text(value);
    case QUIRE_TYPE_VECTOR_F32:
      return elements(dimension * sizeof(float));
    case QUIRE_TYPE_VECTOR_F16:
      return elements(dimension * 2);
    case QUIRE_TYPE_VECTOR_I8:
      return elements(dimension);
    case QUIRE_TYPE_VECTOR_BITS:
      return elements((dimension + 7) / 8);
    default:
      return {};
  }
}

// A value with memory of its own: a copy of what it was made from, and good as long as it lives.
class OwnedValue {
 public:
  OwnedValue() = default;  // null
  OwnedValue(const Value& value) : value_(value) {
    const std::string_view bytes = borrowed_bytes(value);
    bytes_.assign(bytes.begin(), bytes.end());
    borrow_own();
  }
  OwnedValue(const OwnedValue& other) : value_(other.value_), bytes_(other.bytes_) { borrow_own(); }
  OwnedValue(OwnedValue&& other) noexcept
      : value_(std::exchange(other.value_, Value{})), bytes_(std::move(other.bytes_)) {
    borrow_own();
  }
  OwnedValue& operator=(OwnedValue other) noexcept {
    value_ = other.value_;
    bytes_.swap(other.bytes_);
    borrow_own();
    return *this;
  }
  ~OwnedValue() = default;

  // Borrows from this.
  const Value& get() const noexcept { return value_; }
  operator const Value&() const noexcept { return value_; }

  // The same type and the same bits: NaN is itself, and 0.0 is not -0.0.
  friend bool operator==(const OwnedValue& a, const OwnedValue& b) {
    if (a.value_.type != b.value_.type || a.value_.dimension != b.value_.dimension) return false;
    if (a.borrows()) return a.bytes_ == b.bytes_;
    if (a.value_.type == QUIRE_TYPE_BOOL) return a.value_.as.boolean == b.value_.as.boolean;
    return !a.is_number() || std::memcmp(&a.value_.as, &b.value_.as, sizeof(std::int64_t)) == 0;
  }

 private:
  bool is_number() const noexcept {
    return value_.type == QUIRE_TYPE_I64 || value_.type == QUIRE_TYPE_F64 ||
           value_.type == QUIRE_TYPE_TIMESTAMP;
  }
  bool is_vector() const noexcept {
    return value_.type >= QUIRE_TYPE_VECTOR_F32 && value_.type <= QUIRE_TYPE_VECTOR_BITS;
  }
  bool borrows() const noexcept {
    return is_vector() || (value_.type >= QUIRE_TYPE_TEXT && value_.type != QUIRE_TYPE_TIMESTAMP &&
                           value_.type != QUIRE_TYPE_DEFAULT);
  }
  void borrow_own() noexcept {
    const void* const memory = bytes_.empty() ? "" : static_cast<const void*>(bytes_.data());
    if (is_vector()) {
      value_.as.elements = memory;
    } else if (borrows()) {
      value_.as.bytes = {memory, bytes_.size()};
    }
  }

  Value value_{};
  std::vector<char> bytes_;  // not a string, which may keep few bytes where floats can't lie
};

// An array of these elements, all of the type's element type. type: QUIRE_TYPE_ARRAY_*.
inline OwnedValue array_value(quire_type type, std::span<const Value> elements) {
  std::string buffer(64, '\0');
  for (;;) {
    std::size_t size = buffer.size();
    Value array{};
    const int code =
        quire_array_make(type, elements.data(), elements.size(), buffer.data(), &size, &array);
    if (require_or(code, QUIRE_ERR_VALUE_SIZE)) return array;
    buffer.resize(size);
  }
}
// The elements of an array; they borrow what it borrows.
inline std::vector<Value> array_elements(const Value& array) {
  std::uint64_t count = 0;
  require(quire_array_count(&array, &count));
  std::vector<Value> elements(count);
  std::size_t filled = 0;
  require(quire_array_elements(&array, 0, elements.data(), elements.size(), &filled));
  elements.resize(filled);
  return elements;
}

// The values of a key, one for each key field in their order: an array of them, or just the one of
// a key with one field. Borrows.
class Key {
 public:
  Key() = default;
  Key(const Value& value) : values_(&value, 1) {}
  Key(const OwnedValue& value) : Key(value.get()) {}
  Key(std::span<const Value> values) : values_(values) {}
  Key(const std::vector<Value>& values) : values_(values) {}
  template <std::size_t N>
  Key(const std::array<Value, N>& values) : values_(values) {}

  const Value* data() const noexcept { return values_.data(); }
  std::size_t size() const noexcept { return values_.size(); }

 private:
  std::span<const Value> values_;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_VALUE_HPP
