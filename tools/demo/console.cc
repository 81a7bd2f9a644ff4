#include "tools/demo/console.h"

#include <cstdarg>
#include <cstdio>

namespace quire::demo {

std::string format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, pattern, arguments);
  std::string text(static_cast<std::size_t>(size), '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  va_end(arguments);
  return text;
}

void Console::step(std::string_view title) {
  ++steps_;
  if (says_steps()) text(format("\n%d. %s\n", steps_, std::string(title).c_str()));
}

void Console::line(std::string_view line) { text("   " + std::string(line) + "\n"); }

void Console::text(std::string_view block) {
  if (!says_steps()) return;
  std::fwrite(block.data(), 1, block.size(), stdout);
  std::fflush(stdout);  // children must not inherit unwritten output
}

void Console::check(const std::string& name, bool holds, const std::string& detail) {
  ++checks_;
  if (!holds) ++failed_;
  document_["checks"].push_back({{"name", name}, {"holds", holds}, {"detail", detail}});
  const std::string sentence = name + (detail.empty() ? "" : ": " + detail);
  if (holds) {
    line("[ok] " + sentence);
  } else {
    std::fprintf(stderr, "   [FAILED] %s\n", sentence.c_str());
  }
}

int Console::finish(const std::string& directory) {
  document_["directory"] = directory;
  document_["passed"] = failed_ == 0;
  if (json_) {
    std::printf("%s\n", document_.dump(2).c_str());
  } else {
    std::printf("%s%d of %d checks hold. The database is in %s\n", quiet_ ? "" : "\n",
                checks_ - failed_, checks_, directory.c_str());
  }
  return failed_ == 0 ? 0 : 1;
}

}  // namespace quire::demo
