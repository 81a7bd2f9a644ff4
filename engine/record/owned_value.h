// A scalar value that keeps its own memory: defaults and bounds of a schema, parameters of a
// filter.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/record/value.h"

namespace quire {

// Any value but a vector.
class OwnedValue {
 public:
  OwnedValue() = default;
  // Copies what the value borrows.
  explicit OwnedValue(const Value& value);
  // Another value, in the memory that is there where that suffices.
  void assign(const Value& value);

  FieldType type() const noexcept { return fixed_.type; }
  bool is_null() const noexcept { return fixed_.is_null(); }
  // Borrows from this.
  Value view() const noexcept;
  // By type and value; NaN equals itself.
  bool operator==(const OwnedValue& other) const noexcept;

  // u8 type, then a scalar of fixed size little-endian, another with its varint size.
  void encode(ByteWriter& writer) const;
  // kCorrupt.
  static Result<OwnedValue> decode(ByteReader& reader);

 private:
  Value fixed_;  // its type, and its value where that has a fixed size
  std::string bytes_;
};

// For messages, shortened: 'text', 42, 0x0102, [1, 2, ...], null.
std::string describe_value(const Value& value);

// Order of two values of one scalar type: negative, 0 or positive; text and bytes as by memcmp; NaN
// before all other numbers, and -0.0 equal to 0.0.
int compare_scalars(const Value& a, const Value& b) noexcept;

}  // namespace quire
