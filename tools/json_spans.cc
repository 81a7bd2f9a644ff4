#include "tools/json_spans.h"

#include <algorithm>

namespace quire::tools {
namespace {

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // The next character that is no blank; NUL at the end.
  char peek() {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  void skip() { ++at_; }

  std::string_view value() {
    const char first = peek();
    const std::size_t begin = at_;
    if (first == '"') {
      skip_text();
    } else if (first == '{' || first == '[') {
      skip_nested();
    } else {
      at_ = std::min(text_.find_first_of(",]} \t\r\n", at_), text_.size());
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  void skip_text() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }
  void skip_nested() {
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        skip_text();
        continue;
      }
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string_view> json_members(std::string_view object) {
  std::vector<std::string_view> values;
  Scanner scanner(object);
  if (scanner.peek() == '{') scanner.skip();
  while (scanner.peek() == '"') {
    scanner.value();  // the name
    if (scanner.peek() == ':') scanner.skip();
    values.push_back(scanner.value());
    if (scanner.peek() == ',') scanner.skip();
  }
  return values;
}

std::vector<std::string_view> json_elements(std::string_view array) {
  std::vector<std::string_view> values;
  Scanner scanner(array);
  if (scanner.peek() == '[') scanner.skip();
  while (scanner.peek() != ']' && scanner.peek() != '\0') {
    values.push_back(scanner.value());
    if (scanner.peek() == ',') scanner.skip();
  }
  return values;
}

}  // namespace quire::tools
