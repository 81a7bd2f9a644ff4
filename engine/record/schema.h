// The fields of a collection's records, and where each lies in a row.
//
// As stored (varints are LEB128):
//
//   u8 format (1), varint schema version, varint index of the key field, varint number of fields,
//   then each field: varint size and name, u8 type, u8 flags (1: nullable), and for a vector its
//   varint dimension
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/record/value.h"

namespace quire {

inline constexpr std::size_t kMaxFields = 1024;
inline constexpr std::uint32_t kMaxDimension = 65535;

struct Field {
  std::string name;
  FieldType type = FieldType::kNull;
  bool nullable = false;
  std::uint32_t dimension = 0;  // of a vector
  bool operator==(const Field&) const = default;
};

// Immutable. Invariants: 1 to kMaxFields fields with valid, unique names; the key field is a scalar
// and not nullable; each vector has 1 to kMaxDimension elements.
class Schema {
 public:
  // kInvalid, naming the field and the rule.
  static Result<Schema> make(std::vector<Field> fields, std::size_t key);
  // From bytes that may be damaged: kCorrupt; kVersion for a format of a later library.
  static Result<Schema> decode(Bytes bytes);
  void encode(ByteVector& out) const;

  // Grows with every change of the schema; each row says which one it was written with.
  std::uint32_t version() const noexcept { return version_; }
  std::size_t size() const noexcept { return fields_.size(); }
  const Field& field(std::size_t i) const noexcept { return fields_[i]; }
  std::span<const Field> fields() const noexcept { return fields_; }
  std::size_t key() const noexcept { return key_; }
  const Field& key_field() const noexcept { return fields_[key_]; }
  // size() when there is none.
  std::size_t find(std::string_view name) const noexcept;

  // Where field i lies in its part of a row (row_codec.h): the offset of a scalar of fixed size
  // among these, the number of a text or bytes field among those, the number of a vector among the
  // vectors.
  std::uint32_t place(std::size_t i) const noexcept { return places_[i]; }
  std::size_t null_bytes() const noexcept { return required_.size(); }
  std::size_t fixed_bytes() const noexcept { return fixed_bytes_; }
  std::size_t variable_count() const noexcept { return variable_count_; }
  // Indexes of the vector fields, in order.
  std::span<const std::uint32_t> vectors() const noexcept { return vectors_; }
  // Bit i % 8 of byte i / 8 is set where field i can't be null, or does not exist.
  Bytes required() const noexcept { return required_; }

 private:
  Schema() = default;
  Status validate() const;
  Status validate_field(std::size_t i) const;
  void lay_out();

  std::vector<Field> fields_;
  std::size_t key_ = 0;
  std::uint32_t version_ = 1;
  std::vector<std::uint32_t> places_;
  std::vector<std::uint32_t> vectors_;
  ByteVector required_;
  std::size_t fixed_bytes_ = 0;
  std::size_t variable_count_ = 0;
};

}  // namespace quire
