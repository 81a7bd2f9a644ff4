// Lines that a person types, or standard input has. libedit is known to line_editor.cc only;
// without it a terminal has neither history nor completion.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

// What the word that stands at the end of `line` may become.
using Complete =
    std::function<std::vector<std::string>(std::string_view line, std::string_view word)>;

// One at a time in a process.
class LineEditor {
 public:
  // Reads the history of earlier sessions, where there is a terminal.
  explicit LineEditor(Complete complete);
  // Writes it.
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  bool interactive() const { return interactive_; }
  // Nothing at the end of the input.
  std::optional<std::string> read(const std::string& prompt);

 private:
  bool interactive_;
  std::string history_file_;
};

}  // namespace quire::tools
