#include "index/filter/compare.h"

#include <algorithm>
#include <cmath>

#include "engine/record/owned_value.h"

namespace quire::filter {
namespace {

// In the order that docs/records.md gives what is inside JSON.
enum class Family : std::uint8_t { kNull, kBool, kNumber, kText, kBytes, kTimestamp, kComposite };

Family family_of(FieldType type) noexcept {
  switch (type) {
    case FieldType::kNull:
      return Family::kNull;
    case FieldType::kBool:
      return Family::kBool;
    case FieldType::kI64:
    case FieldType::kF64:
      return Family::kNumber;
    case FieldType::kText:
      return Family::kText;
    case FieldType::kBytes:
      return Family::kBytes;
    case FieldType::kTimestamp:
      return Family::kTimestamp;
    default:
      return Family::kComposite;
  }
}

// Of two values of one family, not composite.
int order_in_family(const Value& a, const Value& b) noexcept {
  if (a.type == b.type) return compare_scalars(a, b);
  if (a.type == FieldType::kI64) return compare_numbers(a.i64, b.f64);
  return -compare_numbers(b.i64, a.f64);
}

}  // namespace

int compare_numbers(std::int64_t a, double b) noexcept {
  if (std::isnan(b)) return 1;
  // 2^63 is the first double past every i64, and -2^63 the first i64.
  if (b >= 0x1p63) return -1;
  if (b < -0x1p63) return 1;
  const double whole = std::trunc(b);
  const auto integer = static_cast<std::int64_t>(whole);
  if (a != integer) return a < integer ? -1 : 1;
  return int{b < whole} - int{b > whole};
}

int total_order(const Value& a, const Value& b) noexcept {
  const Family family = family_of(a.type);
  const Family other = family_of(b.type);
  if (family != other) return family < other ? -1 : 1;
  return family == Family::kComposite ? 0 : order_in_family(a, b);
}

Truth compare_values(CompareOp op, const Value& a, const Value& b) noexcept {
  const bool whole = a.type == FieldType::kI64 || a.type == FieldType::kTimestamp;
  if (a.type == b.type && whole) [[likely]]
    return truth_of(holds(op, int{a.i64 > b.i64} - int{a.i64 < b.i64}));
  const Family family = family_of(a.type);
  const Family other = family_of(b.type);
  if (family == Family::kNull || other == Family::kNull) return Truth::kUnknown;
  if (family != other) {
    if (op == CompareOp::kEqual) return Truth::kFalse;
    return op == CompareOp::kNotEqual ? Truth::kTrue : Truth::kUnknown;
  }
  if (family == Family::kComposite) return Truth::kUnknown;
  return truth_of(holds(op, order_in_family(a, b)));
}

ValueSet::ValueSet(std::vector<Value> values) : values_(std::move(values)) {
  const auto nulls = std::ranges::remove_if(values_, &Value::is_null);
  has_null_ = !nulls.empty();
  values_.erase(nulls.begin(), nulls.end());
  std::ranges::sort(values_, [](const Value& a, const Value& b) { return total_order(a, b) < 0; });
  const auto twice = std::ranges::unique(
      values_, [](const Value& a, const Value& b) { return total_order(a, b) == 0; });
  values_.erase(twice.begin(), twice.end());
}

std::size_t ValueSet::find(const Value& value) const noexcept {
  const auto place = std::ranges::lower_bound(
      values_, value, [](const Value& a, const Value& b) { return total_order(a, b) < 0; });
  if (place == values_.end() || total_order(*place, value) != 0) return values_.size();
  return static_cast<std::size_t>(place - values_.begin());
}

Truth ValueSet::contains(const Value& value) const noexcept {
  if (values_.empty() && !has_null_) return Truth::kFalse;
  if (value.is_null()) return Truth::kUnknown;
  if (find(value) != values_.size()) return Truth::kTrue;
  return has_null_ ? Truth::kUnknown : Truth::kFalse;
}

}  // namespace quire::filter
