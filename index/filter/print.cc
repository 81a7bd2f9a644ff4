#include "index/filter/print.h"

#include <array>
#include <charconv>
#include <cmath>

#include "index/filter/lexer.h"
#include "index/filter/time_text.h"

namespace quire::filter {
namespace {

// How tightly a node holds together; what is looser than its place asks for gets parentheses.
enum class Level : std::uint8_t { kOr, kAnd, kNot, kComparison, kSum, kProduct, kUnary, kPrimary };

// Whether `not` is written inside the node: "a not in (1)".
bool takes_not(Kind kind) noexcept {
  return kind == Kind::kBetween || kind == Kind::kIn || kind == Kind::kLike ||
         kind == Kind::kMatches || kind == Kind::kHas || kind == Kind::kIsNull;
}

Level level_of(const Node& node) noexcept {
  switch (node.kind) {
    case Kind::kOr:
      return Level::kOr;
    case Kind::kAnd:
      return Level::kAnd;
    case Kind::kNot:
      return takes_not(node.children[0].kind) ? Level::kComparison : Level::kNot;
    case Kind::kArithmetic:
      return node.arithmetic == ArithmeticOp::kAdd || node.arithmetic == ArithmeticOp::kSubtract
                 ? Level::kSum
                 : Level::kProduct;
    case Kind::kNegate:
      return Level::kUnary;
    default:
      return takes_not(node.kind) || node.kind == Kind::kCompare ? Level::kComparison
                                                                 : Level::kPrimary;
  }
}

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out += quote;
    out += c;
  }
  return out + quote;
}

std::string real_text(double number) {
  if (std::isnan(number)) return "f64 'nan'";
  if (std::isinf(number)) return number > 0 ? "f64 'infinity'" : "f64 '-infinity'";
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  std::string text(digits.data(), end);
  // An integer would be read as i64.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string hex_text(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = "x'";
  for (const std::byte byte : bytes) {
    text += kDigits[static_cast<unsigned>(byte) >> 4];
    text += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return text + "'";
}

std::string constant_text(const Value& value) {
  switch (value.type) {
    case FieldType::kBool:
      return value.boolean ? "true" : "false";
    case FieldType::kI64:
      return std::to_string(value.i64);
    case FieldType::kF64:
      return real_text(value.f64);
    case FieldType::kText:
      return in_quotes(value.text(), '\'');
    case FieldType::kBytes:
      return hex_text(value.bytes);
    case FieldType::kTimestamp:
      return "timestamp '" + timestamp_text(value.i64) + "'";
    default:
      return "null";
  }
}

std::string name_text(const std::string& name) {
  return is_plain_name(name) ? name : in_quotes(name, '"');
}

class Printer {
 public:
  std::string out;

  void print(const Node& node, Level least = Level::kOr) {
    const bool loose = level_of(node) < least;
    if (loose) out += '(';
    print_open(node);
    if (loose) out += ')';
  }

 private:
  void print_open(const Node& node) {
    switch (node.kind) {
      case Kind::kAnd:
        return print_list(node, 0, Level::kNot, " and ");
      case Kind::kOr:
        return print_list(node, 0, Level::kAnd, " or ");
      case Kind::kNot:
        return print_not(node.children[0]);
      case Kind::kCompare:
        return print_between(node, symbol(node.compare), Level::kSum, Level::kSum);
      case Kind::kArithmetic:
        return print_arithmetic(node);
      case Kind::kNegate:
        out += '-';
        return print(node.children[0], Level::kUnary);
      case Kind::kFunction:
        out += word(node.function);
        return print_items(node, 0);
      case Kind::kField:
      case Kind::kJsonPath:
        return print_field(node);
      case Kind::kConstant:
        out += constant_text(node.constant.view());
        return;
      case Kind::kParameter:
        out += '$' + node.name;
        return;
      case Kind::kNow:
        out += "now()";
        return;
      default:
        return print_test(node, false);
    }
  }

  void print_not(const Node& child) {
    if (takes_not(child.kind)) return print_test(child, true);
    out += "not ";
    print(child, Level::kNot);
  }

  void print_list(const Node& node, std::size_t from, Level least, const char* between) {
    for (std::size_t i = from; i < node.children.size(); ++i) {
      if (i != from) out += between;
      print(node.children[i], least);
    }
  }
  void print_items(const Node& node, std::size_t from) {
    out += '(';
    print_list(node, from, Level::kOr, ", ");
    out += ')';
  }
  void print_between(const Node& node, const char* symbol, Level left, Level right) {
    print(node.children[0], left);
    out += ' ';
    out += symbol;
    out += ' ';
    print(node.children[1], right);
  }
  void print_arithmetic(const Node& node) {
    const Level level = level_of(node);
    const Level tighter = level == Level::kSum ? Level::kProduct : Level::kUnary;
    print_between(node, symbol(node.arithmetic), level, tighter);
  }

  void print_test(const Node& node, bool inverted) {
    print(node.children[0], Level::kSum);
    if (node.kind == Kind::kIsNull) {
      out += inverted ? " is not null" : " is null";
      return;
    }
    out += inverted ? " not " : " ";
    switch (node.kind) {
      case Kind::kBetween:
        out += "between ";
        return print_list(node, 1, Level::kSum, " and ");
      case Kind::kIn:
        out += "in ";
        return print_set(node);
      case Kind::kHas:
        return print_has(node);
      default:
        out += node.kind == Kind::kMatches ? "matches " : node.fold_case ? "ilike " : "like ";
        return print_list(node, 1, Level::kSum, " escape ");
    }
  }
  void print_set(const Node& node) {
    if (node.list) return print(node.children[1]);
    print_items(node, 1);
  }
  void print_has(const Node& node) {
    out += "has ";
    if (!node.list && !node.every && node.children.size() == 2)
      return print(node.children[1], Level::kSum);
    out += node.every ? "all " : "any ";
    print_set(node);
  }

  void print_field(const Node& node) {
    out += name_text(node.name);
    for (const Step& step : node.steps) {
      if (step.is_index)
        out += '[' + std::to_string(step.index) + ']';
      else if (is_word(step.name))
        out += '.' + step.name;
      else
        out += '[' + in_quotes(step.name, step.name.empty() ? '\'' : '"') + ']';
    }
  }
};

}  // namespace

std::string to_text(const Node& node) {
  Printer printer;
  printer.print(node);
  return std::move(printer.out);
}

}  // namespace quire::filter
