// The fields of a collection's records, and where each lies in a row.
//
// A schema changes; rows are not written again for it. Each row says which version of the schema it
// was written with, and the schema knows, for each version that a row may have, which fields its
// rows have and of which type: its layout. A field that a row is too old for is what the schema
// says (Field::before); one whose type was widened is converted where it is read.
//
// schema_codec.h has how it is stored.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "engine/base/result.h"
#include "engine/record/field.h"

namespace quire {

inline constexpr std::size_t kMaxFields = 1024;
inline constexpr std::uint32_t kMaxDimension = 65535;
inline constexpr std::size_t kMaxKeyFields = 16;
// Vector fields that a collection may have over its life: a bit each in 254 bytes (numbers.h).
inline constexpr VectorSlot kMaxVectorSlots = 254 * 8;
// Versions that rows may have at a time.
inline constexpr std::size_t kMaxLayouts = 255;

// What rows of one version have, in their order.
struct Column {
  FieldId field = 0;
  FieldType type = FieldType::kNull;
  bool operator==(const Column&) const = default;
};

// Where the fields of a schema lie in rows of one version.
class Layout {
 public:
  struct Place {
    // The offset of a scalar of fixed size among these, or the number of a variable one among
    // those.
    std::uint32_t at = 0;
    std::uint16_t column = 0;           // whose bit says that it is null
    FieldType type = FieldType::kNull;  // as it is in the row; kNull: these rows don't have it
  };

  // Every id occurs once and has a type that can become its field's.
  Layout(std::uint32_t version, std::vector<Column> columns, std::span<const Field> fields);

  std::uint32_t version() const noexcept { return version_; }
  std::span<const Column> columns() const noexcept { return columns_; }
  const Place& place(std::size_t field) const noexcept { return places_[field]; }
  std::size_t null_bytes() const noexcept { return required_.size(); }
  std::size_t fixed_bytes() const noexcept { return fixed_bytes_; }
  std::size_t variable_count() const noexcept { return variable_count_; }
  // Bit i % 8 of byte i / 8 is set where column i can't be null, or does not exist.
  Bytes required() const noexcept { return required_; }

 private:
  std::uint32_t version_;
  std::vector<Column> columns_;
  std::vector<Place> places_;  // one a field
  ByteVector required_;
  std::size_t fixed_bytes_ = 0;
  std::size_t variable_count_ = 0;
};

// Whether values of one type can be read as the other: the same, bool as i64 or f64, i64 as f64,
// text as bytes. What can in two steps can in one: rows may be as old as the first.
bool widens(FieldType from, FieldType to) noexcept;
// A value, not of a vector, as one of the wider type.
Value widened(const Value& value, FieldType to) noexcept;

// Immutable. Invariants: 1 to kMaxFields fields with valid, unique names and ids; 1 to
// kMaxKeyFields key fields, different scalars, not nullable; each vector has 1 to kMaxDimension
// elements and a slot of its own; at most one field has `ttl`, which is a timestamp.
class Schema {
 public:
  // Of a new collection: gives ids and slots. kInvalid, naming the field and the rule.
  static Result<Schema> make(std::vector<Field> fields, std::span<const std::size_t> key);
  static Result<Schema> make(std::vector<Field> fields, std::size_t key);
  // The schema that a change makes of this one. Fields with an id are those of this one, and may
  // have another name, a wider type, other rules, another nullability, another order, and `ttl` or
  // not; those without are new; those left out are dropped. kInvalid.
  Result<Schema> changed(std::vector<Field> fields) const;

  // The same for rows of the newest version alone.
  Schema settled() const;

  // Of rows that are written now; grows when what rows have changes.
  std::uint32_t version() const noexcept { return layouts_.back().version(); }
  std::size_t size() const noexcept { return fields_.size(); }
  const Field& field(std::size_t i) const noexcept { return fields_[i]; }
  std::span<const Field> fields() const noexcept { return fields_; }
  // Indexes of the key fields, in the order of the key.
  std::span<const std::uint32_t> key() const noexcept { return key_; }
  bool is_key(std::size_t field) const noexcept;
  // size() when there is none.
  std::size_t find(std::string_view name) const noexcept;
  std::size_t find_id(FieldId id) const noexcept;

  // Indexes of the vector fields, in order, and the place of a vector field in it.
  std::span<const std::uint32_t> vectors() const noexcept { return vectors_; }
  std::size_t vector_place(std::size_t field) const noexcept;
  // Indexes of the fields that have the next number by default.
  std::span<const std::uint32_t> counted() const noexcept { return counted_; }
  // Index of the field that says when a record's time is over; size() when there is none.
  std::size_t ttl() const noexcept { return ttl_; }

  // Of rows that are written now.
  const Layout& layout() const noexcept { return layouts_.back(); }
  // In order of versions.
  std::span<const Layout> layouts() const noexcept { return layouts_; }
  // nullptr when no row can have this version.
  const Layout* find_layout(std::uint32_t version) const noexcept;

  bool operator==(const Schema& other) const noexcept;

 private:
  friend class SchemaCodec;
  Schema() = default;
  Status validate() const;
  Status validate_count() const;
  Status validate_field(std::size_t i) const;
  Status validate_key() const;
  Status validate_ttl() const;
  Status give_ids();
  void derive(std::vector<std::vector<Column>> old_columns, std::vector<std::uint32_t> versions);

  std::vector<Field> fields_;
  std::vector<std::uint32_t> key_;
  FieldId next_id_ = 1;
  VectorSlot next_slot_ = 0;
  std::vector<Layout> layouts_;
  // Derived.
  std::vector<std::uint32_t> vectors_;
  std::vector<std::uint32_t> counted_;
  std::size_t ttl_ = 0;
};

}  // namespace quire
