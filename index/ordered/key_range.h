// Ranges of a sorted index as bytes: from values, for a scan.
//
// A range pins the first parts to values, and may bound the next one. It is all that a scan needs:
// collation, direction and nulls are in it.
#pragma once

#include <optional>
#include <span>

#include "index/ordered/range_scan.h"
#include "index/ordered/sorted_form.h"

namespace quire {

struct KeyBound {
  Value value;  // not null
  bool inclusive = true;
};

// Values of a part of JSON are of its scalars; of any other, of its type: kType, naming the part's
// place. kInvalid where there are more values than parts.

// All entries whose first parts are these values; null is a value here.
Result<KeyRange> equal_range(const SortedForm& form, std::span<const Value> equal);
// Of these the ones whose next part is not null.
Result<KeyRange> not_null_range(const SortedForm& form, std::span<const Value> equal);
// Of these the ones whose next part is between bounds, in the order of the values, whatever the
// direction of the part. No bound is an end of all values: in JSON also of those of other types,
// and below all numbers of an f64 lies NaN.
Result<KeyRange> bounded_range(const SortedForm& form, std::span<const Value> equal,
                               const std::optional<KeyBound>& low,
                               const std::optional<KeyBound>& high);
// The ones whose next part, of text or bytes or in JSON, begins with `text`, as it is folded.
Result<KeyRange> begins_range(const SortedForm& form, std::span<const Value> equal,
                              const Value& text);

}  // namespace quire
