// Records as examples of what a search shall find, and shall not.
#pragma once

#include <span>
#include <vector>

#include "engine/record/record_reader.h"
#include "index/kernels/distance.h"

namespace quire {

struct Example {
  RecordNumber number = 0;
  const std::byte* vector = nullptr;  // of the field, borrowed from the view
};

// kNotFound (no such record), kInvalid (it has no vector there), naming the field; and those of a
// key that does not fit. O(log n).
Result<Example> find_example(RecordReader& reader, std::size_t field, KeyValues key);

// A vector that is near to some and away from others: the mean of `like`, and with
// `unlike` as far again from their mean as from there to that of `like` (Rocchio's feedback, 1971:
// 2 * mean(like) - mean(unlike)); for cosine of vectors brought to length 1. Cut to what an element
// can be; over i8 rounded; a bit is set where that is over a half. `like` has one at least.
ByteVector query_like(ElementType type, std::uint32_t dimension, Metric metric,
                      std::span<const Example> like, std::span<const Example> unlike);

}  // namespace quire
