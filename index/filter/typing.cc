#include "index/filter/typing.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "index/filter/evaluate.h"
#include "index/filter/fold.h"
#include "index/filter/lexer.h"
#include "index/filter/time_text.h"

namespace quire::filter {
namespace {

constexpr Types kBool = types_of(FieldType::kBool);
constexpr Types kI64 = types_of(FieldType::kI64);
constexpr Types kF64 = types_of(FieldType::kF64);
constexpr Types kText = types_of(FieldType::kText);
constexpr Types kBytes = types_of(FieldType::kBytes);
constexpr Types kTimestamp = types_of(FieldType::kTimestamp);
constexpr Types kJson = types_of(FieldType::kJson);

static_assert(types_of(array_of(FieldType::kBool)) == kBool << 7);

constexpr Types arrays_of(Types scalars) noexcept { return (scalars & kScalarTypes) << 7; }
constexpr Types elements_of(Types arrays) noexcept { return (arrays & kArrayTypes) >> 7; }

// What an operator gives for operands that have one of these types each.
Types types_of_result(ArithmeticOp op, Types left, Types right) noexcept {
  Types result = 0;
  if ((left & kI64) != 0 && (right & kI64) != 0) result |= kI64;
  if ((left & kNumberTypes) != 0 && (right & kNumberTypes) != 0 && ((left | right) & kF64) != 0)
    result |= kF64;
  const bool add = op == ArithmeticOp::kAdd;
  if (!add && op != ArithmeticOp::kSubtract) return result;
  if ((left & kTimestamp) != 0 && (right & kI64) != 0) result |= kTimestamp;
  if (add && (left & kI64) != 0 && (right & kTimestamp) != 0) result |= kTimestamp;
  if (!add && (left & right & kTimestamp) != 0) result |= kI64;
  return result;
}

Status check_pattern(bool like, std::string_view pattern, std::string_view escape) {
  if (like)
    QUIRE_CHECK(LikePattern::compile(pattern, escape, false));
  else
    QUIRE_CHECK(Pattern::compile(pattern));
  return {};
}

class Typing {
 public:
  Typing(const Schema& schema, Typed& typed) : schema_(schema), typed_(typed) {}

  // Bottom up; a node whose children are constants becomes one.
  Status visit(Node& node) {
    for (Node& child : node.children) QUIRE_CHECK(visit(child));
    QUIRE_CHECK(give_type(node));
    fold(node);
    return {};
  }

  Status need_condition(Node& node) {
    QUIRE_CHECK(narrow(node, kBool));
    const Types types = types_of_node(node);
    if (types == 0 || (types & kBool) != 0) return {};
    return fail_at(ErrorCode::kType, node.position, "expected a condition, but this is %s",
                   describe_types(types).c_str());
  }

  // Last of all: parameters get what all their places left.
  void settle(Node& node) {
    if (node.kind == Kind::kParameter) node.types = types_of_node(node);
    for (Node& child : node.children) settle(child);
  }

 private:
  Types types_of_node(const Node& node) const noexcept {
    return node.kind == Kind::kParameter ? typed_.parameters[node.parameter].types : node.types;
  }

  Status give_type(Node& node) {
    switch (node.kind) {
      case Kind::kField:
      case Kind::kJsonPath:
        return field(node);
      case Kind::kArithmetic:
        return arithmetic(node);
      case Kind::kNegate:
        return negate(node);
      case Kind::kFunction:
        return function(node);
      case Kind::kConstant:
      case Kind::kParameter:
      case Kind::kNow:
        return {};
      default:
        node.types = kBool;
        return test(node);
    }
  }

  Status test(Node& node) {
    switch (node.kind) {
      case Kind::kCompare:
        return pair(node, node.children[0], node.children[1]);
      case Kind::kBetween:
        return pair_all(node);
      case Kind::kIn:
        return member(node);
      case Kind::kLike:
      case Kind::kMatches:
        return pattern(node);
      case Kind::kHas:
        return has(node);
      case Kind::kIsNull:
        return {};
      default:
        for (Node& child : node.children) QUIRE_CHECK(need_condition(child));
        return {};
    }
  }

  Status field(Node& node) {
    const std::size_t place = schema_.find(node.name);
    if (place == schema_.size())
      return fail_at(ErrorCode::kNotFound, node.position, "there is no field '%s'",
                     node.name.c_str());
    const FieldType type = schema_.field(place).type;
    node.field = static_cast<std::uint32_t>(place);
    node.types = filter::types_of(type);
    if (type == FieldType::kJson) {
      node.kind = Kind::kJsonPath;
      node.types = kJsonTypes;
    } else if (node.kind == Kind::kJsonPath) {
      return fail_at(ErrorCode::kType, node.position, "'%s' is %s: only json has paths",
                     node.name.c_str(), describe_types(node.types).c_str());
    }
    return {};
  }

  // ---- parameters and constants fit themselves to what is beside them ----

  // Leaves a parameter, and those that a calculation is made of, only types that are allowed.
  Status narrow(Node& node, Types allowed) {
    if (node.kind == Kind::kArithmetic) return narrow_arithmetic(node, allowed);
    if (node.kind != Kind::kParameter) return {};
    TypedParameter& parameter = typed_.parameters[node.parameter];
    if ((parameter.types & allowed) == 0)
      return fail_at(ErrorCode::kType, node.position,
                     "parameter $%s can't be %s here and %s elsewhere", parameter.name.c_str(),
                     describe_types(allowed).c_str(), describe_types(parameter.types).c_str());
    parameter.types &= allowed;
    return {};
  }

  // A sum is a time where one side is; which, a parameter may not know yet.
  Status narrow_arithmetic(Node& node, Types allowed) {
    Node& left = node.children[0];
    Node& right = node.children[1];
    const bool add = node.arithmetic == ArithmeticOp::kAdd;
    const bool left_time = (types_of_node(left) & kTimestamp) != 0;
    const bool right_time = (types_of_node(right) & kTimestamp) != 0;
    const bool only_time = (allowed & (kNumberTypes | kTimestamp)) == kTimestamp;
    if (only_time && left_time && (!add || !right_time)) {
      QUIRE_CHECK(narrow(left, kTimestamp));
      QUIRE_CHECK(narrow(right, kI64));
    } else if (only_time && add && right_time && !left_time) {
      QUIRE_CHECK(narrow(left, kI64));
      QUIRE_CHECK(narrow(right, kTimestamp));
    } else if ((allowed & kTimestamp) == 0 && (add || !left_time || !right_time)) {
      QUIRE_CHECK(narrow(left, kNumberTypes));
      QUIRE_CHECK(narrow(right, kNumberTypes));
    }
    node.types = types_of_result(node.arithmetic, types_of_node(left), types_of_node(right));
    return {};
  }

  // A text beside a timestamp is one.
  static Status read_time(Node& node, Types beside) {
    if (node.kind != Kind::kConstant || node.types != kText ||
        (beside & kScalarTypes) != kTimestamp)
      return {};
    const Result<Value> time = read_timestamp(node.constant.view().text());
    if (!time)
      return fail_at(ErrorCode::kInvalid, node.position, "this text is no timestamp: %s",
                     time.error().message().c_str());
    set_constant(node, *time);
    return {};
  }

  // A number that has an exact counterpart of the type beside it becomes that.
  static void convert_number(Node& node, Types beside) {
    if (node.kind != Kind::kConstant) return;
    const Value value = node.constant.view();
    if (node.types == kI64 && beside == kF64) {
      const auto real = static_cast<double>(value.i64);
      if (compare_numbers(value.i64, real) == 0) set_constant(node, Value::of_f64(real));
    } else if (node.types == kF64 && beside == kI64 && std::fabs(value.f64) < 0x1p63) {
      const auto integer = static_cast<std::int64_t>(value.f64);
      if (compare_numbers(integer, value.f64) == 0) set_constant(node, Value::of_i64(integer));
    }
  }

  std::unexpected<Error> not_comparable(const Node& at, Types left, Types right) const {
    return fail_at(ErrorCode::kType, at.position, "%s can't be compared with %s",
                   describe_types(left).c_str(), describe_types(right).c_str());
  }

  // Fits one side to the types of the other.
  Status fit(Node& node, Types beside) {
    QUIRE_CHECK(read_time(node, beside));
    if (beside != 0) QUIRE_CHECK(narrow(node, with_all_numbers(beside) & kScalarTypes));
    convert_number(node, beside);
    return {};
  }

  // Two values that are compared; the left one may be as it has to be.
  Status pair(const Node& at, Node& left, Node& right, bool left_fixed = false) {
    if (!left_fixed) QUIRE_CHECK(read_time(left, types_of_node(right)));
    QUIRE_CHECK(read_time(right, types_of_node(left)));
    for (const Node* node : {&left, &right}) {
      const Types types = types_of_node(*node);
      if (types != 0 && (types & kScalarTypes) == 0)
        return not_comparable(at, types_of_node(left), types_of_node(right));
    }
    QUIRE_CHECK(fit(right, types_of_node(left)));
    if (!left_fixed) QUIRE_CHECK(fit(left, types_of_node(right)));
    const Types of_left = types_of_node(left);
    const Types of_right = types_of_node(right);
    const Types common = with_all_numbers(of_left) & with_all_numbers(of_right) & kScalarTypes;
    if (common != 0 || of_left == 0 || of_right == 0) return {};
    return not_comparable(at, of_left, of_right);
  }

  // The first child with each of the others. A constant fits itself to those that are none (the
  // second time finds what the last of them made wrong for the others), and then other constants
  // to it: so the outcome is the same when it is typed again.
  Status pair_all(Node& node) {
    Node& first = node.children[0];
    for (const bool constants : {false, false, true}) {
      for (std::size_t i = 1; i < node.children.size(); ++i) {
        if ((node.children[i].kind == Kind::kConstant) != constants) continue;
        const bool fixed = constants && first.kind == Kind::kConstant;
        QUIRE_CHECK(pair(node, first, node.children[i], fixed));
      }
    }
    return {};
  }

  // ---- the kinds of nodes ----

  Status member(Node& node) {
    Node& left = node.children[0];
    return node.list ? list(node, types_of_node(left)) : pair_all(node);
  }

  // One parameter that is an array of what may be compared with `elements`.
  Status list(Node& node, Types elements) {
    if (elements != 0 && (elements & kScalarTypes) == 0)
      return fail_at(ErrorCode::kType, node.position, "%s can't be in a list",
                     describe_types(elements).c_str());
    const Types scalars = elements == 0 ? kScalarTypes : with_all_numbers(elements);
    return narrow(node.children[1], arrays_of(scalars));
  }

  Status has(Node& node) {
    const Node& array = node.children[0];
    const bool json = array.kind == Kind::kJsonPath;
    if (!json && (array.kind != Kind::kField || (array.types & kArrayTypes) == 0))
      return fail_at(ErrorCode::kType, node.position, "'has' needs an array, but this is %s",
                     describe_types(types_of_node(array)).c_str());
    const Types elements = json ? kJsonTypes : elements_of(array.types);
    if (node.list) return list(node, elements);
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      Node& item = node.children[i];
      QUIRE_CHECK(read_time(item, elements));
      const Types types = types_of_node(item);
      if (types != 0 && (with_all_numbers(types) & with_all_numbers(elements) & kScalarTypes) == 0)
        return fail_at(ErrorCode::kType, item.position, "%s can't be an element of %s",
                       describe_types(types).c_str(), describe_types(array.types).c_str());
      QUIRE_CHECK(fit(item, elements));
    }
    return {};
  }

  Status need_text(Node& node, const char* what) {
    QUIRE_CHECK(narrow(node, kText));
    const Types types = types_of_node(node);
    if (types == 0 || (types & kText) != 0) return {};
    return fail_at(ErrorCode::kType, node.position, "%s needs text, but this is %s", what,
                   describe_types(types).c_str());
  }

  Status pattern(Node& node) {
    const bool like = node.kind == Kind::kLike;
    const char* const what = like ? "'like'" : "'matches'";
    QUIRE_CHECK(need_text(node.children[0], what));
    Node& pattern = node.children[1];
    QUIRE_CHECK(need_text(pattern, what));
    if (depends_on_row(pattern))
      return fail_at(ErrorCode::kType, pattern.position,
                     "the pattern of %s can't depend on a field", what);
    // Also without a constant pattern, the escape is checked now.
    const bool constant = pattern.kind == Kind::kConstant && pattern.types == kText;
    const std::string_view text = constant ? pattern.constant.view().text() : std::string_view();
    const std::string_view escape =
        node.children.size() > 2 ? node.children[2].constant.view().text() : std::string_view();
    if (node.children.size() > 2 && (escape.empty() || !check_pattern(true, "", escape)))
      return fail_at(ErrorCode::kInvalid, node.children[2].position,
                     "the escape of a pattern is one character");
    const Status compiled = check_pattern(like, text, escape);
    if (!compiled)
      return fail_at(compiled.error().code(), pattern.position, "%s",
                     compiled.error().message().c_str());
    return {};
  }

  Status arithmetic(Node& node) {
    Node& left = node.children[0];
    Node& right = node.children[1];
    const bool sum =
        node.arithmetic == ArithmeticOp::kAdd || node.arithmetic == ArithmeticOp::kSubtract;
    const Types allowed = sum ? kNumberTypes | kTimestamp : kNumberTypes;
    QUIRE_CHECK(narrow(left, allowed));
    QUIRE_CHECK(narrow(right, allowed));
    // What a time goes with; what has a fraction goes with no time.
    if (sum && types_of_node(left) == kTimestamp)
      QUIRE_CHECK(narrow(right, node.arithmetic == ArithmeticOp::kAdd ? kI64 : kI64 | kTimestamp));
    if (sum && types_of_node(right) == kTimestamp)
      QUIRE_CHECK(narrow(left, node.arithmetic == ArithmeticOp::kAdd ? kI64 : kTimestamp));
    if (types_of_node(left) == kF64) QUIRE_CHECK(narrow(right, kNumberTypes));
    if (types_of_node(right) == kF64) QUIRE_CHECK(narrow(left, kNumberTypes));
    const Types of_left = types_of_node(left);
    const Types of_right = types_of_node(right);
    node.types = types_of_result(node.arithmetic, of_left, of_right);
    // Beside null there has to be something that can be calculated with.
    const Types any = allowed;
    const bool null = (of_left == 0 || of_right == 0) && (of_left == 0 || (of_left & any) != 0) &&
                      (of_right == 0 || (of_right & any) != 0);
    if (node.types != 0 || null) return {};
    return fail_at(ErrorCode::kType, node.position, "'%s' has no meaning for %s and %s",
                   symbol(node.arithmetic), describe_types(of_left).c_str(),
                   describe_types(of_right).c_str());
  }

  Status negate(Node& node) {
    Node& child = node.children[0];
    QUIRE_CHECK(narrow(child, kNumberTypes));
    const Types types = types_of_node(child);
    node.types = types & kNumberTypes;
    if (types == 0 || node.types != 0) return {};
    return fail_at(ErrorCode::kType, node.position, "'-' has no meaning for %s",
                   describe_types(types).c_str());
  }

  Status function(Node& node) {
    Node& child = node.children[0];
    if (node.function != Function::kLength) {
      node.types = kText;
      return need_text(child, node.function == Function::kLower ? "lower()" : "upper()");
    }
    node.types = kI64;
    constexpr Types kWithLength = kText | kBytes | kArrayTypes | kJson;
    QUIRE_CHECK(narrow(child, kWithLength));
    const Types types = types_of_node(child);
    if (types == 0 || (types & kWithLength) != 0) return {};
    return fail_at(ErrorCode::kType, child.position, "length() has no meaning for %s",
                   describe_types(types).c_str());
  }

  const Schema& schema_;
  Typed& typed_;
};

}  // namespace

std::string describe_types(Types types) {
  if (types == 0) return "null";
  if (std::has_single_bit(types))
    return std::string(type_name(static_cast<FieldType>(std::countr_zero(types))));
  if (types == kNumberTypes) return "a number";
  if ((types & kJson) != 0 || types == (kJsonTypes & ~kJson)) return "json";
  if ((types & ~kArrayTypes) == 0 && std::popcount(types) > 2) return "an array";
  if ((types & kArrayTypes) != 0 && (types & kScalarTypes) != 0) return "a parameter";
  std::string list;
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((types >> bit & 1) == 0) continue;
    list += list.empty() ? "" : " or ";
    list += type_name(static_cast<FieldType>(bit));
  }
  return list;
}

Result<Typed> give_types(Syntax syntax, const Schema& schema, bool condition) {
  Typed typed;
  typed.root = std::move(syntax.root);
  typed.numbered = syntax.numbered;
  for (std::string& name : syntax.parameters) typed.parameters.push_back({std::move(name)});
  Typing typing(schema, typed);
  QUIRE_CHECK(typing.visit(typed.root));
  if (condition) QUIRE_CHECK(typing.need_condition(typed.root));
  typing.settle(typed.root);
  return typed;
}

}  // namespace quire::filter
