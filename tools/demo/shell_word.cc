#include "tools/demo/shell_word.h"

namespace quire::demo {

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:@%,=";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(text);
  }
  std::string word = "'";
  for (const char c : text) {
    if (c == '\'') {
      word += "'\\''";  // nothing but its end can be written inside single quotes
    } else {
      word += c;
    }
  }
  return word + "'";
}

}  // namespace quire::demo
