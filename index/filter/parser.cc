#include "index/filter/parser.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "engine/txn/catalog.h"
#include "index/filter/lexer.h"
#include "index/filter/time_text.h"

namespace quire::filter {
namespace {

constexpr ErrorCode kWrong = ErrorCode::kInvalid;

// Values of the nodes that a parser makes by the dozen.
Node node_of(Kind kind, std::uint32_t position, std::vector<Node> children = {}) {
  Node node;
  node.kind = kind;
  node.position = position;
  node.children = std::move(children);
  return node;
}

template <class... Children>
Node node_over(Kind kind, std::uint32_t position, Children&&... children) {
  std::vector<Node> all;
  all.reserve(sizeof...(children));
  (all.push_back(std::forward<Children>(children)), ...);
  return node_of(kind, position, std::move(all));
}

Node constant_of(std::uint32_t position, const Value& value) {
  Node node = node_of(Kind::kConstant, position);
  node.constant = OwnedValue(value);
  node.types = value.is_null() ? 0 : types_of(value.type);
  return node;
}

std::optional<CompareOp> compare_op(const Token& token) noexcept {
  if (token.kind != TokenKind::kSymbol) return {};
  if (token.source == "=") return CompareOp::kEqual;
  if (token.source == "<>") return CompareOp::kNotEqual;
  if (token.source == "<") return CompareOp::kLess;
  if (token.source == "<=") return CompareOp::kLessEqual;
  if (token.source == ">") return CompareOp::kGreater;
  if (token.source == ">=") return CompareOp::kGreaterEqual;
  return {};
}

std::optional<ArithmeticOp> arithmetic_op(const Token& token, bool product) noexcept {
  if (token.kind != TokenKind::kSymbol) return {};
  if (!product && token.source == "+") return ArithmeticOp::kAdd;
  if (!product && token.source == "-") return ArithmeticOp::kSubtract;
  if (product && token.source == "*") return ArithmeticOp::kMultiply;
  if (product && token.source == "/") return ArithmeticOp::kDivide;
  if (product && token.source == "%") return ArithmeticOp::kRemainder;
  return {};
}

std::optional<Function> function_of(const Token& token) noexcept {
  if (token.is_word("length")) return Function::kLength;
  if (token.is_word("lower")) return Function::kLower;
  if (token.is_word("upper")) return Function::kUpper;
  return {};
}

bool begins_literal(TokenKind kind) noexcept {
  return kind >= TokenKind::kInteger && kind <= TokenKind::kParameter;
}

// Reads one token ahead, and one more where a word could be a name.
class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Syntax> run() {
    QUIRE_CHECK(advance());
    QUIRE_CHECK(advance());
    QUIRE_TRY(syntax_.root, condition());
    if (token_.kind != TokenKind::kEnd) return expected("'and', 'or' or the end");
    return std::move(syntax_);
  }

 private:
  using Rule = Result<Node> (Parser::*)();

  Status advance() {
    before_ = describe_token(token_);
    token_ = std::move(ahead_);
    QUIRE_TRY(ahead_, lexer_.next());
    return {};
  }
  std::unexpected<Error> expected(const char* what) const {
    const bool first = before_ == "the end";
    return fail_at(kWrong, token_.position, "expected %s%s%s, found %s", what,
                   first ? "" : " after ", first ? "" : before_.c_str(),
                   describe_token(token_).c_str());
  }
  Status expect_symbol(const char* symbol) {
    if (!token_.is_symbol(symbol)) return expected(("'" + std::string(symbol) + "'").c_str());
    return advance();
  }
  Status expect_word(const char* word) {
    if (!token_.is_word(word)) return expected(("'" + std::string(word) + "'").c_str());
    return advance();
  }

  // Every node passes here once its children are known.
  static Result<Node> finish(Node node) {
    std::uint32_t height = 0;
    for (const Node& child : node.children) height = std::max(height, child.height);
    node.height = height + 1;
    if (node.height > kMaxDepth) return too_deep(node.position);
    return node;
  }
  static std::unexpected<Error> too_deep(std::uint32_t position) {
    return fail_at(kWrong, position, "it is nested deeper than %u", kMaxDepth);
  }

  Result<Node> condition() { return joined(Kind::kOr, "or", &Parser::conjunction); }
  Result<Node> conjunction() { return joined(Kind::kAnd, "and", &Parser::negation); }

  Result<Node> joined(Kind kind, const char* word, Rule part) {
    QUIRE_TRY(Node first, (this->*part)());
    if (!token_.is_word(word)) return first;
    Node node = node_of(kind, token_.position);
    take_part(node, std::move(first));
    while (token_.is_word(word)) {
      QUIRE_CHECK(advance());
      QUIRE_TRY(Node next, (this->*part)());
      take_part(node, std::move(next));
    }
    return finish(std::move(node));
  }
  // (a and b) and c is a and b and c.
  static void take_part(Node& node, Node part) {
    if (part.kind != node.kind) return node.children.push_back(std::move(part));
    for (Node& child : part.children) node.children.push_back(std::move(child));
  }

  Result<Node> negation() {
    std::vector<std::uint32_t> nots;
    while (token_.is_word("not")) {
      nots.push_back(token_.position);
      QUIRE_CHECK(advance());
    }
    QUIRE_TRY(Node node, comparison());
    for (; !nots.empty(); nots.pop_back()) {
      QUIRE_TRY(node, finish(node_over(Kind::kNot, nots.back(), std::move(node))));
    }
    return node;
  }

  Result<Node> comparison() {
    QUIRE_TRY(Node left, sum());
    const std::uint32_t position = token_.position;
    if (const auto op = compare_op(token_)) {
      QUIRE_CHECK(advance());
      QUIRE_TRY(Node right, sum());
      Node node = node_over(Kind::kCompare, position, std::move(left), std::move(right));
      node.compare = *op;
      return finish(std::move(node));
    }
    if (token_.is_word("is")) return null_test(std::move(left));
    if (!token_.is_word("not")) return tail(std::move(left), false);
    QUIRE_CHECK(advance());
    QUIRE_TRY(Node node, tail(std::move(left), true));
    return finish(node_over(Kind::kNot, position, std::move(node)));
  }

  Result<Node> null_test(Node left) {
    const std::uint32_t position = token_.position;
    QUIRE_CHECK(advance());
    const bool negated = token_.is_word("not");
    if (negated) QUIRE_CHECK(advance());
    if (!token_.is_word("null")) return expected(negated ? "'null'" : "'null' or 'not null'");
    QUIRE_CHECK(advance());
    QUIRE_TRY(Node node, finish(node_over(Kind::kIsNull, position, std::move(left))));
    if (!negated) return node;
    return finish(node_over(Kind::kNot, position, std::move(node)));
  }

  Result<Node> tail(Node left, bool needed) {
    if (token_.is_word("between")) return between(std::move(left));
    if (token_.is_word("in")) return member(std::move(left));
    if (token_.is_word("like") || token_.is_word("ilike")) return like(std::move(left));
    if (token_.is_word("matches")) return matches(std::move(left));
    if (token_.is_word("has")) return has(std::move(left));
    if (needed) return expected("'between', 'in', 'like', 'ilike', 'matches' or 'has'");
    return left;
  }

  Result<Node> between(Node left) {
    const std::uint32_t position = token_.position;
    QUIRE_CHECK(advance());
    QUIRE_TRY(Node low, sum());
    QUIRE_CHECK(expect_word("and"));
    QUIRE_TRY(Node high, sum());
    return finish(
        node_over(Kind::kBetween, position, std::move(left), std::move(low), std::move(high)));
  }

  Result<Node> member(Node left) {
    Node node = node_over(Kind::kIn, token_.position, std::move(left));
    QUIRE_CHECK(advance());
    QUIRE_CHECK(items(node));
    return finish(std::move(node));
  }

  Result<Node> matches(Node left) {
    const std::uint32_t position = token_.position;
    QUIRE_CHECK(advance());
    QUIRE_TRY(Node pattern, sum());
    return finish(node_over(Kind::kMatches, position, std::move(left), std::move(pattern)));
  }

  Result<Node> like(Node left) {
    Node node = node_over(Kind::kLike, token_.position, std::move(left));
    node.fold_case = token_.is_word("ilike");
    QUIRE_CHECK(advance());
    QUIRE_TRY(Node pattern, sum());
    node.children.push_back(std::move(pattern));
    if (token_.is_word("escape")) {
      QUIRE_CHECK(advance());
      if (token_.kind != TokenKind::kText) return expected("a text of one character");
      node.children.push_back(constant_of(token_.position, Value::of_text(token_.value)));
      QUIRE_CHECK(advance());
    }
    return finish(std::move(node));
  }

  Result<Node> has(Node left) {
    Node node = node_over(Kind::kHas, token_.position, std::move(left));
    QUIRE_CHECK(advance());
    // Else the word is a field's name.
    const bool items_follow = ahead_.is_symbol("(") || begins_literal(ahead_.kind);
    node.every = token_.is_word("all") && items_follow;
    if (node.every || (token_.is_word("any") && items_follow)) {
      QUIRE_CHECK(advance());
      QUIRE_CHECK(items(node));
    } else {
      QUIRE_TRY(Node element, sum());
      node.children.push_back(std::move(element));
    }
    return finish(std::move(node));
  }

  Status items(Node& node) {
    if (token_.kind == TokenKind::kParameter) {
      QUIRE_TRY(Node array, parameter());
      node.children.push_back(std::move(array));
      node.list = true;
      return {};
    }
    if (!token_.is_symbol("(")) return expected("'(' or a parameter");
    return enclosed([&]() -> Status {
      QUIRE_TRY(Node first, condition());
      node.children.push_back(std::move(first));
      while (token_.is_symbol(",")) {
        QUIRE_CHECK(advance());
        QUIRE_TRY(Node next, condition());
        node.children.push_back(std::move(next));
      }
      return {};
    });
  }

  // From a parenthesis to the one that closes it.
  template <class Inside>
  Status enclosed(Inside inside) {
    if (nesting_ == kMaxDepth) return too_deep(token_.position);
    ++nesting_;
    QUIRE_CHECK(advance());
    QUIRE_CHECK(inside());
    --nesting_;
    return expect_symbol(")");
  }

  Result<Node> sum() { return chain(false, &Parser::product); }
  Result<Node> product() { return chain(true, &Parser::unary); }

  Result<Node> chain(bool product, Rule part) {
    QUIRE_TRY(Node left, (this->*part)());
    while (const auto op = arithmetic_op(token_, product)) {
      const std::uint32_t position = token_.position;
      QUIRE_CHECK(advance());
      QUIRE_TRY(Node right, (this->*part)());
      Node node = node_over(Kind::kArithmetic, position, std::move(left), std::move(right));
      node.arithmetic = *op;
      QUIRE_TRY(left, finish(std::move(node)));
    }
    return left;
  }

  Result<Node> unary() {
    std::vector<std::uint32_t> signs;
    while (token_.is_symbol("-")) {
      signs.push_back(token_.position);
      QUIRE_CHECK(advance());
    }
    // The sign belongs to the literal: the lowest i64 has no positive.
    const bool literal = !signs.empty() && token_.kind == TokenKind::kInteger;
    QUIRE_TRY(Node node, literal ? integer(signs.back()) : primary());
    if (literal) signs.pop_back();
    for (; !signs.empty(); signs.pop_back()) {
      QUIRE_TRY(node, finish(node_over(Kind::kNegate, signs.back(), std::move(node))));
    }
    return node;
  }

  Result<Node> primary() {
    switch (token_.kind) {
      case TokenKind::kInteger:
        return integer({});
      case TokenKind::kFloat:
        return real();
      case TokenKind::kText:
        return literal(Value::of_text(token_.value));
      case TokenKind::kBytes:
        return literal(Value::of_bytes(as_bytes(token_.value)));
      case TokenKind::kParameter:
        return parameter();
      case TokenKind::kName:
        return name(token_.value);
      case TokenKind::kWord:
        return word();
      default:
        break;
    }
    if (!token_.is_symbol("(")) return expected("a value");
    Node inside;
    QUIRE_CHECK(enclosed([&]() -> Status {
      QUIRE_TRY(inside, condition());
      return {};
    }));
    return inside;
  }

  Result<Node> literal(const Value& value) {
    Node node = constant_of(token_.position, value);
    QUIRE_CHECK(advance());
    return node;
  }

  Result<Node> integer(std::optional<std::uint32_t> sign) {
    std::string digits(token_.source);
    if (sign) digits.insert(0, "-");
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc())
      return fail_at(kWrong, token_.position, "the number does not fit i64; %s.0 would be an f64",
                     digits.size() > 40 ? "with a fraction it" : digits.c_str());
    return literal(Value::of_i64(number));
  }

  Result<Node> real() {
    double number = 0;
    const std::string_view digits = token_.source;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc())
      return fail_at(kWrong, token_.position, "the number is out of the range of f64");
    return literal(Value::of_f64(number));
  }

  Result<Node> parameter() {
    const bool numbered = token_.value[0] >= '0' && token_.value[0] <= '9';
    std::vector<std::string>& known = syntax_.parameters;
    if (!known.empty() && numbered != syntax_.numbered)
      return fail_at(kWrong, token_.position,
                     "parameters with numbers and parameters with names are mixed");
    syntax_.numbered = numbered;
    QUIRE_TRY(const std::uint32_t place, numbered ? numbered_place() : named_place());
    Node node = node_of(Kind::kParameter, token_.position);
    node.parameter = place;
    node.name = known[place];
    QUIRE_CHECK(advance());
    return node;
  }
  Result<std::uint32_t> numbered_place() {
    const std::string& digits = token_.value;
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || number == 0 || number > kMaxParameters)
      return fail_at(kWrong, token_.position, "parameters have numbers from 1 to %u",
                     kMaxParameters);
    while (syntax_.parameters.size() < number)
      syntax_.parameters.push_back(std::to_string(syntax_.parameters.size() + 1));
    return number - 1;
  }
  Result<std::uint32_t> named_place() {
    std::vector<std::string>& known = syntax_.parameters;
    const auto found = std::ranges::find(known, token_.value);
    const auto place = static_cast<std::uint32_t>(found - known.begin());
    if (found != known.end()) return place;
    if (known.size() == kMaxParameters)
      return fail_at(kWrong, token_.position, "there are more than %u parameters", kMaxParameters);
    known.push_back(token_.value);
    return place;
  }

  Result<Node> word() {
    if (token_.is_word("true")) return literal(Value::of_bool(true));
    if (token_.is_word("false")) return literal(Value::of_bool(false));
    if (token_.is_word("null")) return literal(Value::null());
    if (ahead_.kind == TokenKind::kText) return typed_literal();
    if (ahead_.is_symbol("(")) return call();
    if (is_reserved(token_.source)) return expected("a value");
    return name(std::string(token_.source));
  }

  Result<Node> typed_literal() {
    using ReadText = Result<Value> (*)(std::string_view);
    constexpr std::pair<std::string_view, ReadText> kTypes[] = {{"timestamp", read_timestamp},
                                                                {"date", read_date},
                                                                {"interval", read_interval},
                                                                {"f64", read_special_f64}};
    const auto* const found =
        std::ranges::find_if(kTypes, [&](const auto& type) { return token_.is_word(type.first); });
    if (found == std::end(kTypes)) {
      if (is_reserved(token_.source)) return expected("a value");
      // A name; what is wrong is the text behind it.
      return name(std::string(token_.source));
    }
    const std::uint32_t position = token_.position;
    QUIRE_CHECK(advance());
    const Result<Value> value = found->second(token_.value);
    if (!value) return fail_at(kWrong, token_.position, "%s", value.error().message().c_str());
    Node node = constant_of(position, *value);
    QUIRE_CHECK(advance());
    return node;
  }

  Result<Node> call() {
    const std::uint32_t position = token_.position;
    const auto function = function_of(token_);
    const bool now = token_.is_word("now");
    if (!now && !function) {
      if (is_reserved(token_.source)) return expected("a value");
      return fail_at(kWrong, position, "there is no function '%s'",
                     std::string(token_.source.substr(0, 64)).c_str());
    }
    QUIRE_CHECK(advance());
    Node node = node_of(now ? Kind::kNow : Kind::kFunction, position);
    if (function) node.function = *function;
    if (now) node.types = types_of(FieldType::kTimestamp);
    QUIRE_CHECK(enclosed([&]() -> Status {
      if (now) return {};
      QUIRE_TRY(Node argument, condition());
      node.children.push_back(std::move(argument));
      return {};
    }));
    return finish(std::move(node));
  }

  Result<Node> name(std::string name) {
    Node node = node_of(Kind::kField, token_.position);
    node.name = std::move(name);
    QUIRE_CHECK(advance());
    while (token_.is_symbol(".") || token_.is_symbol("[")) {
      node.kind = Kind::kJsonPath;
      QUIRE_TRY(Step step, token_.is_symbol(".") ? member_step() : bracket_step());
      node.steps.push_back(std::move(step));
    }
    return node;
  }
  Result<Step> member_step() {
    QUIRE_CHECK(advance());
    Step step;
    if (token_.kind == TokenKind::kWord)
      step.name = token_.source;
    else if (token_.kind == TokenKind::kName)
      step.name = token_.value;
    else
      return expected("a name");
    QUIRE_CHECK(advance());
    return step;
  }
  Result<Step> bracket_step() {
    QUIRE_CHECK(advance());
    Step step;
    if (token_.kind == TokenKind::kInteger) {
      const std::string_view digits = token_.source;
      step.is_index = true;
      if (std::from_chars(digits.data(), digits.data() + digits.size(), step.index).ec !=
          std::errc())
        return fail_at(kWrong, token_.position, "the index is too large");
    } else if (token_.kind == TokenKind::kName || token_.kind == TokenKind::kText) {
      step.name = token_.value;
    } else {
      return expected("an index or a name");
    }
    QUIRE_CHECK(advance());
    QUIRE_CHECK(expect_symbol("]"));
    return step;
  }

  Lexer lexer_;
  Token token_;
  Token ahead_;
  std::string before_;  // the token before, for messages
  std::uint32_t nesting_ = 0;
  Syntax syntax_;
};

}  // namespace

Result<Syntax> parse(std::string_view text) {
  if (text.size() > kMaxTextBytes)
    return fail_at(kWrong, kMaxTextBytes, "it is longer than %zu bytes", kMaxTextBytes);
  if (!is_utf8(text)) return fail_at(kWrong, 0, "it is not valid UTF-8");
  return Parser(text).run();
}

}  // namespace quire::filter
