// Where the parts of a JSON text lie in it, so that they can be kept as they were written.
#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace quire::tools {

// Steps over the values of a text that has been parsed before and is known to be good.
class JsonScanner {
 public:
  explicit JsonScanner(std::string_view text) : text_(text) {}

  // The next character that is no blank; NUL at the end.
  char peek() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
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
      while (at_ < text_.size() && !ends_scalar(text_[at_])) ++at_;
    }
    return text_.substr(begin, at_ - begin);
  }

 private:
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
  static bool ends_scalar(char c) { return c == ',' || c == ']' || c == '}' || is_blank(c); }

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

// Calls visit(element) for each element of an array, until it returns false. Returns whether all
// were visited.
template <class Visit>
bool for_each_json_element(std::string_view array, Visit visit) {
  JsonScanner scanner(array);
  if (scanner.peek() == '[') scanner.skip();
  while (scanner.peek() != ']' && scanner.peek() != '\0') {
    if (!visit(scanner.value())) return false;
    if (scanner.peek() == ',') scanner.skip();
  }
  return true;
}

// The values of an object's members, or an array's elements, in their order, without blanks around
// them. The text has been parsed before and is known to be good.
std::vector<std::string_view> json_members(std::string_view object);
std::vector<std::string_view> json_elements(std::string_view array);

}  // namespace quire::tools
