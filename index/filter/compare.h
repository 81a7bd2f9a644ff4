// How values compare: exactly, and in one total order.
//
// Numbers compare by what they are, an i64 with an f64 too: neither is rounded to the other's type.
// NaN is before all other numbers and equal to itself, -0.0 equal to 0.0, as compare_scalars has
// it; so no comparison of two numbers is unknown. Values of different kinds (bool, number, text,
// bytes, timestamp; what is inside JSON may be any of the first three) are never equal, and which
// is less is unknown.
#pragma once

#include <vector>

#include "engine/record/value.h"
#include "index/filter/tree.h"

namespace quire::filter {

enum class Truth : std::uint8_t { kFalse = 0, kTrue = 1, kUnknown = 2 };

constexpr Truth truth_of(bool holds) noexcept { return holds ? Truth::kTrue : Truth::kFalse; }
constexpr Truth negated(Truth truth) noexcept {
  return truth == Truth::kUnknown ? truth : truth_of(truth == Truth::kFalse);
}

// Negative, 0 or positive.
int compare_numbers(std::int64_t a, double b) noexcept;
// Of all values but null; by kind first, so that sets of values of many kinds can be sorted. JSON
// and arrays come last, and equal.
int total_order(const Value& a, const Value& b) noexcept;

// Whether an operator holds for an order.
constexpr bool holds(CompareOp op, int order) noexcept {
  switch (op) {
    case CompareOp::kEqual:
      return order == 0;
    case CompareOp::kNotEqual:
      return order != 0;
    case CompareOp::kLess:
      return order < 0;
    case CompareOp::kLessEqual:
      return order <= 0;
    case CompareOp::kGreater:
      return order > 0;
    case CompareOp::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

// Unknown where one is null.
Truth compare_values(CompareOp op, const Value& a, const Value& b) noexcept;

// Values to be found among, in O(log n). Borrows what they borrow.
class ValueSet {
 public:
  ValueSet() = default;
  explicit ValueSet(std::vector<Value> values);

  // As `value in (...)` has it.
  Truth contains(const Value& value) const noexcept;
  // The place among values(), or its size.
  std::size_t find(const Value& value) const noexcept;

  // Sorted, each once, no null.
  const std::vector<Value>& values() const noexcept { return values_; }
  bool has_null() const noexcept { return has_null_; }

 private:
  std::vector<Value> values_;
  bool has_null_ = false;
};

}  // namespace quire::filter
