// A line of the shell as words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

// Between blanks; quotes as in a POSIX shell: '...' as it is, "..." with \" and \\, \ before any
// character. A word that begins with # ends the line. Throws Failure for a quote that is not
// closed.
std::vector<std::string> split_words(std::string_view line);

}  // namespace quire::tools
