#include "index/filter/lexer.h"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>

#include "index/filter/ascii.h"

namespace quire::filter {
namespace {

constexpr std::string_view kReserved[] = {"and",  "between", "false", "has",  "ilike", "in",  "is",
                                          "like", "matches", "not",   "null", "or",    "true"};
// Words that mean something at some places only: printed between quotes, so that nobody has to ask
// which places these are.
constexpr std::string_view kContextual[] = {"all", "any",       "date",   "escape",
                                            "f64", "interval",  "length", "lower",
                                            "now", "timestamp", "upper"};

struct Symbol {
  std::string_view written;
  std::string_view means;
};
// Longer ones first.
constexpr Symbol kSymbols[] = {{"<>", "<>"}, {"!=", "<>"}, {"<=", "<="}, {">=", ">="}, {"<", "<"},
                               {">", ">"},   {"=", "="},   {"(", "("},   {")", ")"},   {",", ","},
                               {"+", "+"},   {"-", "-"},   {"*", "*"},   {"/", "/"},   {"%", "%"},
                               {".", "."},   {"[", "["},   {"]", "]"}};

bool begins_word(char c) noexcept {
  return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool continues_word(char c) noexcept { return begins_word(c) || is_digit(c); }

int hex_digit(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char lower = to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

bool Token::is_word(std::string_view lower) const noexcept {
  return kind == TokenKind::kWord &&
         std::ranges::equal(source, lower, [](char a, char b) { return to_lower(a) == b; });
}

std::unexpected<Error> fail_at(ErrorCode code, std::uint32_t position, const char* format,
                               ...) noexcept {
  std::array<char, 512> sentence;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(sentence.data(), sentence.size(), format, arguments);
  va_end(arguments);
  return fail(code, "at %u: %s", position, sentence.data());
}

std::string describe_token(const Token& token) {
  constexpr std::size_t kShown = 32;
  if (token.kind == TokenKind::kEnd) return "the end";
  if (token.kind == TokenKind::kText) return "a text";
  if (token.source.size() > kShown) return "what is there";
  return "'" + std::string(token.source) + "'";
}

bool is_reserved(std::string_view word) noexcept {
  return std::ranges::find(kReserved, lower_text(word)) != std::end(kReserved);
}

bool is_word(std::string_view name) noexcept {
  return !name.empty() && begins_word(name[0]) && std::ranges::all_of(name, continues_word);
}

bool is_plain_name(std::string_view name) noexcept {
  return is_word(name) && !is_reserved(name) &&
         std::ranges::find(kContextual, lower_text(name)) == std::end(kContextual);
}

Result<Token> Lexer::finish(TokenKind kind, std::size_t begin, std::string value) const {
  return Token{kind, static_cast<std::uint32_t>(begin), text_.substr(begin, at_ - begin),
               std::move(value)};
}

Result<Token> Lexer::next() {
  while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  const std::size_t begin = at_;
  if (at_ == text_.size()) return finish(TokenKind::kEnd, begin);
  const char c = peek();
  if (is_digit(c)) return number();
  if (c == '$') return parameter();
  if ((c == 'x' || c == 'X') && peek(1) == '\'') return bytes(begin);
  if (c == '\'' || c == '"') {
    QUIRE_TRY(std::string value, quoted(begin, c == '"' ? "the name" : "the text"));
    if (c == '"' && value.empty())
      return fail_at(ErrorCode::kInvalid, static_cast<std::uint32_t>(begin), "a name is empty");
    return finish(c == '"' ? TokenKind::kName : TokenKind::kText, begin, std::move(value));
  }
  if (!begins_word(c)) return symbol();
  while (continues_word(peek())) ++at_;
  return finish(TokenKind::kWord, begin);
}

Result<Token> Lexer::number() {
  const std::size_t begin = at_;
  TokenKind kind = TokenKind::kInteger;
  while (is_digit(peek())) ++at_;
  if (peek() == '.' && is_digit(peek(1))) {
    kind = TokenKind::kFloat;
    ++at_;
    while (is_digit(peek())) ++at_;
  }
  const std::size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
  if ((peek() == 'e' || peek() == 'E') && is_digit(peek(1 + sign))) {
    kind = TokenKind::kFloat;
    at_ += 1 + sign;
    while (is_digit(peek())) ++at_;
  }
  if (continues_word(peek()))
    return fail_at(ErrorCode::kInvalid, static_cast<std::uint32_t>(at_),
                   "a number ends in what is no digit");
  return finish(kind, begin);
}

Result<std::string> Lexer::quoted(std::size_t begin, const char* what) {
  const char quote = peek();
  std::string value;
  for (++at_; at_ < text_.size(); ++at_) {
    if (text_[at_] == quote) {
      ++at_;
      if (peek() != quote) return value;
    }
    value += text_[at_];
  }
  return fail_at(ErrorCode::kInvalid, static_cast<std::uint32_t>(begin),
                 "%s that begins here has no end: expected %c", what, quote);
}

Result<Token> Lexer::bytes(std::size_t begin) {
  ++at_;
  QUIRE_TRY(const std::string digits, quoted(begin, "the bytes literal"));
  const auto position = static_cast<std::uint32_t>(begin);
  if (digits.size() % 2 != 0)
    return fail_at(ErrorCode::kInvalid, position, "expected two hexadecimal digits for each byte");
  std::string value;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0)
      return fail_at(ErrorCode::kInvalid, position, "expected hexadecimal digits between x' and '");
    value += static_cast<char>(high * 16 + low);
  }
  return finish(TokenKind::kBytes, begin, std::move(value));
}

Result<Token> Lexer::parameter() {
  const std::size_t begin = at_++;
  while (continues_word(peek())) ++at_;
  std::string name(text_.substr(begin + 1, at_ - begin - 1));
  const auto position = static_cast<std::uint32_t>(begin);
  if (name.empty())
    return fail_at(ErrorCode::kInvalid, position, "expected a number or a name after '$'");
  if (is_digit(name[0]) && !std::ranges::all_of(name, is_digit))
    return fail_at(ErrorCode::kInvalid, position, "a parameter is $ and a number, or $ and a name");
  return finish(TokenKind::kParameter, begin, std::move(name));
}

Result<Token> Lexer::symbol() {
  const std::size_t begin = at_;
  for (const Symbol& symbol : kSymbols) {
    if (!text_.substr(at_).starts_with(symbol.written)) continue;
    at_ += symbol.written.size();
    return Token{TokenKind::kSymbol, static_cast<std::uint32_t>(begin), symbol.means, {}};
  }
  const auto c = static_cast<unsigned char>(peek());
  const auto position = static_cast<std::uint32_t>(begin);
  if (c > ' ' && c < 0x7F)
    return fail_at(ErrorCode::kInvalid, position, "'%c' means nothing here", c);
  return fail_at(ErrorCode::kInvalid, position, "byte 0x%02x means nothing here", c);
}

}  // namespace quire::filter
