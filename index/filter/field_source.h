// Where an evaluation gets the fields of a record from: its row, or the fields that an index
// covers.
#pragma once

#include "engine/record/row_codec.h"

namespace quire {

class FieldSource {
 public:
  virtual ~FieldSource() = default;
  // Of a field of the schema that the filter was prepared for. It has the field's type or is null,
  // and what it borrows is good until the evaluation ends. Only fields that the filter names are
  // asked for (Filter::fields).
  virtual Value value(std::size_t field) const noexcept = 0;
};

class RowSource final : public FieldSource {
 public:
  explicit RowSource(const RowView& row) noexcept : row_(row) {}
  Value value(std::size_t field) const noexcept override { return row_.value(field); }

 private:
  const RowView& row_;
};

// Never asked: what is evaluated has no fields.
class NoFields final : public FieldSource {
 public:
  Value value(std::size_t /*field*/) const noexcept override { return Value::null(); }
};

}  // namespace quire
