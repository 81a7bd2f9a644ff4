#include "index/filter/term.h"

#include <cmath>
#include <limits>

namespace quire::filter {
namespace {

bool is_below(CompareOp op) noexcept {
  return op == CompareOp::kLess || op == CompareOp::kLessEqual;
}

Term always(bool is) noexcept { return {.what = is ? Term::What::kNotNull : Term::What::kNever}; }

Term comparison(CompareOp op, const Value& value) noexcept {
  return {Term::What::kCompare, op, value};
}

// The constant lies between two values of the field's type that are next to each other.
Term between(CompareOp op, const Value& under, const Value& over) noexcept {
  if (op == CompareOp::kEqual || op == CompareOp::kNotEqual) return always(op != CompareOp::kEqual);
  return is_below(op) ? comparison(CompareOp::kLessEqual, under)
                      : comparison(CompareOp::kGreaterEqual, over);
}

Term integer_term(CompareOp op, double constant) noexcept {
  // The order of any i64 to what no i64 is.
  const int order = compare_numbers(0, constant);
  if (std::isnan(constant) || constant >= 0x1p63 || constant < -0x1p63)
    return always(holds(op, order));
  const double floor = std::floor(constant);
  const auto under = static_cast<std::int64_t>(floor);
  if (floor == constant) return comparison(op, Value::of_i64(under));
  // A double with a fraction is far from the ends of i64.
  return between(op, Value::of_i64(under), Value::of_i64(under + 1));
}

Term real_term(CompareOp op, std::int64_t constant) noexcept {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto rounded = static_cast<double>(constant);
  const int order = compare_numbers(constant, rounded);
  if (order == 0) return comparison(op, Value::of_f64(rounded));
  const double under = order < 0 ? std::nextafter(rounded, -kInfinity) : rounded;
  const double over = order < 0 ? rounded : std::nextafter(rounded, kInfinity);
  return between(op, Value::of_f64(under), Value::of_f64(over));
}

}  // namespace

Term term_for(FieldType field, CompareOp op, const Value& constant) noexcept {
  if (constant.is_null()) return always(false);
  if (constant.type == field) return comparison(op, constant);
  if (field == FieldType::kI64 && constant.type == FieldType::kF64)
    return integer_term(op, constant.f64);
  if (field == FieldType::kF64 && constant.type == FieldType::kI64)
    return real_term(op, constant.i64);
  return always(op == CompareOp::kNotEqual);
}

}  // namespace quire::filter
