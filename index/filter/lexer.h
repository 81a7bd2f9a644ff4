// Words, names, literals and symbols of a filter's text.
#pragma once

#include <string>
#include <string_view>

#include "engine/base/result.h"

namespace quire::filter {

enum class TokenKind : std::uint8_t {
  kEnd,
  kWord,       // and, price, date ...
  kName,       // "a name": never a keyword
  kInteger,    // 12
  kFloat,      // 1.5, 2e9
  kText,       // 'it''s'
  kBytes,      // x'00ff'
  kParameter,  // $1, $name
  kSymbol,     // = <> ( , ...
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::uint32_t position = 0;
  std::string_view source;  // as it is written; a symbol by its canonical spelling
  std::string value;        // of kName, kText, kBytes and kParameter: what it stands for

  bool is_symbol(std::string_view symbol) const noexcept {
    return kind == TokenKind::kSymbol && source == symbol;
  }
  // Upper case or lower.
  bool is_word(std::string_view lower) const noexcept;
};

// "at 17: ...": what every error of a text begins with.
[[gnu::format(printf, 3, 4)]] std::unexpected<Error> fail_at(ErrorCode code, std::uint32_t position,
                                                             const char* format, ...) noexcept;
// A token for a message: "found 'x'", "found the end".
std::string describe_token(const Token& token);

// Words that name a field only between double quotes.
bool is_reserved(std::string_view word) noexcept;
// Whether a name is a word, reserved or not.
bool is_word(std::string_view name) noexcept;
// Whether a name can stand without double quotes wherever a name may stand.
bool is_plain_name(std::string_view name) noexcept;

// Borrows the text.
class Lexer {
 public:
  explicit Lexer(std::string_view text) noexcept : text_(text) {}
  // kEnd at the end, again and again. kInvalid.
  Result<Token> next();

 private:
  char peek(std::size_t ahead = 0) const noexcept {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Result<Token> finish(TokenKind kind, std::size_t begin, std::string value = {}) const;
  Result<Token> number();
  Result<Token> bytes(std::size_t begin);
  Result<Token> parameter();
  Result<Token> symbol();
  // From the quote on; a doubled one is one.
  Result<std::string> quoted(std::size_t begin, const char* what);

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace quire::filter
