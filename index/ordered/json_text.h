// Texts as JSON writes them: for options that are described, and for keys in paths.
#pragma once

#include <string>
#include <string_view>

namespace quire {

// Appends the text, which is UTF-8, in quotes.
inline void append_json_string(std::string_view text, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += '"';
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (code < 0x20) {
      out += "\\u00";
      out += kDigits[code >> 4];
      out += kDigits[code & 15];
    } else {
      out += letter;
    }
  }
  out += '"';
}

}  // namespace quire
