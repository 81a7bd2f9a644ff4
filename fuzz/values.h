// For targets on records: bytes in memory of their own, and whether two values are the same.
#pragma once

#include <algorithm>
#include <bit>
#include <memory>

#include "engine/record/value.h"

namespace quire::fuzz {

// Bytes of a size of their own, so that a read past them is seen.
struct Exact {
  explicit Exact(Bytes bytes) : memory(new std::byte[bytes.size()]), size(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), memory.get());
  }
  Bytes bytes() const { return {memory.get(), size}; }
  std::unique_ptr<std::byte[]> memory;
  std::size_t size;
};

inline bool same_number(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

inline bool same(const Value& a, const Value& b) {
  if (a.type != b.type) return false;
  switch (a.type) {
    case FieldType::kNull:
      return true;
    case FieldType::kBool:
      return a.boolean == b.boolean;
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return a.i64 == b.i64;
    case FieldType::kF64:
      return same_number(a.f64, b.f64);
    case FieldType::kText:
    case FieldType::kBytes:
      return equal_bytes(a.bytes, b.bytes);
    default:
      // A row knows no more of a vector.
      return is_vector(a.type) ? a.dimension == b.dimension : equal_bytes(a.bytes, b.bytes);
  }
}

}  // namespace quire::fuzz
