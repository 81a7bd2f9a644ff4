// Arrays of scalars as values: the bytes that a row has of one.
//
//   varint  number of elements
//   then    of fixed size: the elements, little-endian (a bool is one byte, 0 or 1)
//           text and bytes: of each its varint size and its bytes
//
// No element is null. So an array is read where it lies, and two arrays are equal where their
// bytes are (but for 0.0 and -0.0, and NaN).
#pragma once

#include <span>

#include "engine/base/result.h"
#include "engine/record/value.h"

namespace quire {

// Elements at most: what a value can hold of bools.
inline constexpr std::uint64_t kMaxArrayElements = std::uint64_t{1} << 31;

// Walks the elements of an array, O(1) each; ends early where the bytes make no sense, which
// check_array tells. Borrows it.
class ArrayReader {
 public:
  // `array`: a value of an array type, not null.
  explicit ArrayReader(const Value& array) noexcept;
  std::uint64_t size() const noexcept { return size_; }
  // False at the end.
  bool next(Value& element) noexcept;

 private:
  FieldType element_;
  std::uint64_t size_ = 0;
  std::uint64_t left_ = 0;
  ByteReader reader_;
};

// Whether bytes are an array of this type: kSchema, naming the element ("element 3 is ..."). UTF-8
// of texts included.
Status check_array(FieldType array, Bytes bytes);

// Appends the encoding of elements that are all of the array's element type.
void encode_array(std::span<const Value> elements, ByteVector& out);

}  // namespace quire
