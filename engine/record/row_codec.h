// Rows: all of a record but its vectors, as one value of the primary tree.
//
//   u8      bits 0-1: log2 of the bytes of an end (0, 1 or 2); the others are 0
//   varint  version of the schema it was written with
//   varint  number of the record
//   bytes   one bit a field, lowest first: set where the field is null; bits past the last are 0
//   bytes   the scalars of fixed size, in order of the fields, little-endian; zeros where null
//   ends    of each text and bytes field, from the start of the heap, little-endian; a null one is
//           empty
//   bytes   the heap: these fields one after the other, to the end of the row
//
// Which fields these are, and their order, is the layout of the version (schema.h).
//
// The key fields are in the row too, so that a row tells all of its record: reading one borrows
// nothing but the row, and a salvage needs no tree.
#pragma once

#include <span>

#include "engine/base/result.h"
#include "engine/record/schema.h"

namespace quire {

// Dense numbers from 0 within a collection.
using RecordNumber = std::uint64_t;

// Appends the row of values that fit the schema; a vector counts only by being null or not.
void encode_row(const Schema& schema, RecordNumber number, std::span<const Value> values,
                ByteVector& out);
// Bytes that a row can take at most, for values that fit the schema.
std::uint64_t row_size_bound(const Schema& schema, std::span<const Value> values) noexcept;

// A row in place. Borrows the row and the schema.
class RowView {
 public:
  // Checks everything that a read relies on: kCorrupt. Not whether text is UTF-8.
  static Result<RowView> parse(const Schema& schema, Bytes row);

  RecordNumber number() const noexcept { return number_; }
  Bytes bytes() const noexcept { return row_; }
  // Of the schema that it was written with.
  std::uint32_t version() const noexcept { return layout_->version(); }
  const Schema& schema() const noexcept { return *schema_; }
  bool is_null(std::size_t field) const noexcept {
    const Layout::Place& place = layout_->place(field);
    if (place.type == FieldType::kNull) [[unlikely]]
      return schema_->field(field).before.is_null();
    return (static_cast<unsigned>(nulls_[place.column / 8]) >> (place.column % 8) & 1) != 0;
  }
  // The value of a field, as its type is now; of a vector that is not null, its type and dimension
  // alone.
  Value value(std::size_t field) const noexcept;

 private:
  RowView() = default;
  Value stored_value(const Layout::Place& place) const noexcept;
  std::uint32_t end_of(std::size_t place) const noexcept;
  Status check_ends() const;

  const Schema* schema_ = nullptr;
  const Layout* layout_ = nullptr;
  Bytes row_;
  const std::byte* nulls_ = nullptr;
  const std::byte* fixed_ = nullptr;
  const std::byte* ends_ = nullptr;
  Bytes heap_;
  RecordNumber number_ = 0;
  unsigned end_shift_ = 0;
};

}  // namespace quire
