// What the `where` of a partial index is to it: the seam to a language of filters, which is given
// to the kind when it is made (sorted_kind.h).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/record/row_codec.h"

namespace quire {

namespace filter {
struct Node;
}

// A filter bound to a schema. Thread-safe. What it says of a record depends on the row alone; where
// it can't tell (unknown, a division by zero), the record is not in the index.
class PartialFilter {
 public:
  virtual ~PartialFilter() = default;
  virtual bool matches(const RowView& row) const = 0;
  // Whether it reads this field.
  virtual bool covers(std::size_t field) const noexcept = 0;
  // Its tree, with the names of the schema; nullptr where its language has none.
  virtual const filter::Node* tree() const noexcept { return nullptr; }
};

class FilterLanguage {
 public:
  virtual ~FilterLanguage() = default;
  // A filter as it is stored: fields by id, and the same for texts that mean the same to a reader
  // (spaces, brackets). kInvalid, saying where and what.
  virtual Result<ByteVector> resolve(const Schema& schema, std::string_view text) const = 0;
  // Back to text, with the names of this schema.
  virtual std::string describe(const Schema& schema, Bytes stored) const = 0;
  // kCorrupt where what is stored makes no sense for the schema.
  virtual Result<std::unique_ptr<const PartialFilter>> bind(const Schema& schema,
                                                            Bytes stored) const = 0;
};

}  // namespace quire
