// Calculation on values. What has no answer is null: one side is null or of a type that can't be
// calculated with, an i64 or a timestamp would overflow, something is divided by 0.
#pragma once

#include "engine/record/value.h"
#include "index/filter/tree.h"

namespace quire::filter {

// i64 with i64 is i64, division toward 0, the remainder with the sign of the left side. i64 with
// f64, and f64 with f64, are f64, which may become infinite. A timestamp and an i64, which counts
// microseconds, are added, and the i64 taken from the timestamp; of two timestamps the difference
// is an i64.
Value calculate(ArithmeticOp op, const Value& a, const Value& b) noexcept;
Value negative(const Value& value) noexcept;

}  // namespace quire::filter
