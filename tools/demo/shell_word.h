// Commands to copy: a word as a shell reads it back.
#pragma once

#include <string>
#include <string_view>

namespace quire::demo {

// As it is where that is safe, else in single quotes.
std::string shell_word(std::string_view text);

}  // namespace quire::demo
