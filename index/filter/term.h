// Comparisons as an index can answer them: with a constant of the field's own type.
#pragma once

#include "index/filter/compare.h"

namespace quire::filter {

// What a comparison of a field with a constant amounts to.
struct Term {
  enum class What : std::uint8_t {
    kNever,    // true for no record
    kNotNull,  // for each whose field is not null
    kCompare,  // for those that `op` and `value` say
  };
  What what = What::kNever;
  CompareOp op = CompareOp::kEqual;
  Value value;  // of the field's type
};

// Exactly as compare_values has it: an i64 field under 5.5 is one up to 5, and never 0.5. `field`:
// a scalar.
Term term_for(FieldType field, CompareOp op, const Value& constant) noexcept;

}  // namespace quire::filter
