#include "index/filter/tree.h"

#include <algorithm>
#include <bit>

namespace quire::filter {

FieldType Node::type() const noexcept {
  if (!std::has_single_bit(types)) return FieldType::kNull;
  return static_cast<FieldType>(std::countr_zero(types));
}

bool equal_trees(const Node& a, const Node& b) noexcept {
  return a.kind == b.kind && a.compare == b.compare && a.arithmetic == b.arithmetic &&
         a.function == b.function && a.fold_case == b.fold_case && a.every == b.every &&
         a.list == b.list && a.types == b.types && a.field == b.field &&
         a.parameter == b.parameter && a.name == b.name && a.steps == b.steps &&
         a.constant == b.constant && std::ranges::equal(a.children, b.children, equal_trees);
}

const char* symbol(CompareOp op) noexcept {
  switch (op) {
    case CompareOp::kEqual:
      return "=";
    case CompareOp::kNotEqual:
      return "<>";
    case CompareOp::kLess:
      return "<";
    case CompareOp::kLessEqual:
      return "<=";
    case CompareOp::kGreater:
      return ">";
    case CompareOp::kGreaterEqual:
      return ">=";
  }
  return "?";
}

const char* symbol(ArithmeticOp op) noexcept {
  switch (op) {
    case ArithmeticOp::kAdd:
      return "+";
    case ArithmeticOp::kSubtract:
      return "-";
    case ArithmeticOp::kMultiply:
      return "*";
    case ArithmeticOp::kDivide:
      return "/";
    case ArithmeticOp::kRemainder:
      return "%";
  }
  return "?";
}

const char* word(Function function) noexcept {
  switch (function) {
    case Function::kLength:
      return "length";
    case Function::kLower:
      return "lower";
    case Function::kUpper:
      return "upper";
  }
  return "?";
}

}  // namespace quire::filter
