#include "index/filter/arithmetic.h"

#include <cmath>

namespace quire::filter {
namespace {

Value of_integers(ArithmeticOp op, std::int64_t a, std::int64_t b) noexcept {
  std::int64_t result = 0;
  bool fits = false;
  switch (op) {
    case ArithmeticOp::kAdd:
      fits = !__builtin_add_overflow(a, b, &result);
      break;
    case ArithmeticOp::kSubtract:
      fits = !__builtin_sub_overflow(a, b, &result);
      break;
    case ArithmeticOp::kMultiply:
      fits = !__builtin_mul_overflow(a, b, &result);
      break;
    case ArithmeticOp::kDivide:
      // The processor faults where the lowest i64 is divided by -1.
      if (b == -1) return of_integers(ArithmeticOp::kSubtract, 0, a);
      fits = b != 0;
      if (fits) result = a / b;
      break;
    case ArithmeticOp::kRemainder:
      fits = b != 0;
      if (fits && b != -1) result = a % b;
      break;
  }
  return fits ? Value::of_i64(result) : Value::null();
}

Value of_reals(ArithmeticOp op, double a, double b) noexcept {
  switch (op) {
    case ArithmeticOp::kAdd:
      return Value::of_f64(a + b);
    case ArithmeticOp::kSubtract:
      return Value::of_f64(a - b);
    case ArithmeticOp::kMultiply:
      return Value::of_f64(a * b);
    case ArithmeticOp::kDivide:
      return b == 0 ? Value::null() : Value::of_f64(a / b);
    case ArithmeticOp::kRemainder:
      return b == 0 ? Value::null() : Value::of_f64(std::fmod(a, b));
  }
  return Value::null();
}

Value of_times(ArithmeticOp op, const Value& a, const Value& b) noexcept {
  const bool both = a.type == b.type;
  const bool subtract = op == ArithmeticOp::kSubtract;
  if (!subtract && (op != ArithmeticOp::kAdd || both)) return Value::null();
  if (subtract && a.type != FieldType::kTimestamp) return Value::null();
  if (!both && a.type != FieldType::kI64 && b.type != FieldType::kI64) return Value::null();
  Value result = of_integers(op, a.i64, b.i64);
  if (!both && !result.is_null()) result.type = FieldType::kTimestamp;
  return result;
}

bool is_number(const Value& value) noexcept {
  return value.type == FieldType::kI64 || value.type == FieldType::kF64;
}
double as_real(const Value& value) noexcept {
  return value.type == FieldType::kI64 ? static_cast<double>(value.i64) : value.f64;
}

}  // namespace

Value calculate(ArithmeticOp op, const Value& a, const Value& b) noexcept {
  if (a.type == FieldType::kI64 && b.type == FieldType::kI64) return of_integers(op, a.i64, b.i64);
  if (is_number(a) && is_number(b)) return of_reals(op, as_real(a), as_real(b));
  if (a.type == FieldType::kTimestamp || b.type == FieldType::kTimestamp) return of_times(op, a, b);
  return Value::null();
}

Value negative(const Value& value) noexcept {
  if (value.type == FieldType::kF64) return Value::of_f64(-value.f64);
  if (value.type != FieldType::kI64) return Value::null();
  return of_integers(ArithmeticOp::kSubtract, 0, value.i64);
}

}  // namespace quire::filter
