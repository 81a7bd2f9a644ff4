// The tree of a filter or an expression: what the parser makes of a text, and what is known of each
// node once its types are. Public, so that a planner can look at it.
//
//   node        children
//   kAnd, kOr   two or more conditions, none of the same kind as the node
//   kNot        a condition
//   kCompare    two values, and how they are compared
//   kBetween    a value, the lowest, the highest; both belong to the range
//   kIn         a value, then what it may be: one or more, or one parameter that is an array
//   kLike       a text, a pattern and, where one was given, the escape (a constant)
//   kMatches    a text, a regular expression
//   kIsNull     anything
//   kHas        an array, then elements, as with kIn
//   kField, kJsonPath, kConstant, kParameter, kNow
//   kArithmetic two numbers or times
//   kNegate     a number
//   kFunction   a value
//
// `is not null`, `not in` and their like are kNot over the node without it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/record/owned_value.h"
#include "index/filter/step.h"

namespace quire::filter {

// Bytes of a text, and how deep its tree and its parentheses may be: what reads, types, prints and
// evaluates a tree may therefore go down into it.
inline constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;
inline constexpr std::uint32_t kMaxDepth = 200;
inline constexpr std::uint32_t kMaxParameters = 1000;

enum class Kind : std::uint8_t {
  kAnd,
  kOr,
  kNot,
  kCompare,
  kBetween,
  kIn,
  kLike,
  kMatches,
  kIsNull,
  kHas,
  kField,
  kJsonPath,
  kConstant,
  kParameter,
  kNow,
  kArithmetic,
  kNegate,
  kFunction,
};

enum class CompareOp : std::uint8_t {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual
};
enum class ArithmeticOp : std::uint8_t { kAdd, kSubtract, kMultiply, kDivide, kRemainder };
enum class Function : std::uint8_t { kLength, kLower, kUpper };

// Types that a value may have: a bit for each FieldType.
using Types = std::uint32_t;
constexpr Types types_of(FieldType type) noexcept {
  return Types{1} << static_cast<unsigned>(type);
}

inline constexpr std::uint32_t kNone = UINT32_MAX;

struct Node {
  Kind kind = Kind::kConstant;
  CompareOp compare = CompareOp::kEqual;
  ArithmeticOp arithmetic = ArithmeticOp::kAdd;
  Function function = Function::kLength;
  bool fold_case = false;      // of kLike: `ilike`
  bool every = false;          // of kHas: `has all`
  bool list = false;           // of kIn and kHas: the only item is an array
  std::uint32_t position = 0;  // byte of the text: of an operator, or of what has none
  std::uint32_t height = 1;    // of the tree below, this node included

  // What it is when it is not null. More than one where only the row (JSON) or the parameter tells;
  // 0 for what is always null.
  Types types = 0;

  std::uint32_t field = kNone;      // of kField and kJsonPath, in the schema
  std::uint32_t parameter = kNone;  // of kParameter, among those of the filter
  // Where a bound filter has its value: of every node that no field is below; else kNone.
  std::uint32_t slot = kNone;
  // Where it has what was made of its items or pattern (kIn, kHas, kLike, kMatches); else kNone.
  std::uint32_t compiled = kNone;

  std::string name;         // of a field or a parameter
  std::vector<Step> steps;  // of kJsonPath; none: the document
  OwnedValue constant;
  std::vector<Node> children;

  // The one type that it has when it is not null; kNull where that is not known before.
  FieldType type() const noexcept;
};

// Whether two trees mean the same: positions aside.
bool equal_trees(const Node& a, const Node& b) noexcept;

// Symbols and words as they are written: "<=", "+", "lower".
const char* symbol(CompareOp op) noexcept;
const char* symbol(ArithmeticOp op) noexcept;
const char* word(Function function) noexcept;

}  // namespace quire::filter
