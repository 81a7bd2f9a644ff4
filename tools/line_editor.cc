#include "tools/line_editor.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

#if QUIRE_HAS_LIBEDIT
#include <editline/readline.h>
#endif

namespace quire::tools {
namespace {

#if QUIRE_HAS_LIBEDIT
constexpr int kHistoryLines = 1000;

Complete completer;  // NOLINT: libedit calls a plain function
std::vector<std::string> found;

char* next_found(const char*, int state) {
  const auto at = static_cast<std::size_t>(state);
  return at < found.size() ? ::strdup(found[at].c_str()) : nullptr;
}

char** complete_word(const char* word, int start, int) {
  rl_attempted_completion_over = 1;  // no names of files
  const std::string_view line(rl_line_buffer);
  try {
    found = completer(
        line.substr(0, std::min<std::size_t>(line.size(), static_cast<std::size_t>(start))), word);
  } catch (...) {
    found.clear();  // no exception may cross libedit
  }
  return found.empty() ? nullptr : rl_completion_matches(word, next_found);
}

// $XDG_STATE_HOME/quire/history; empty where there is no place for it.
std::string history_file() {
  const char* const state = std::getenv("XDG_STATE_HOME");
  const char* const home = std::getenv("HOME");
  std::filesystem::path folder;
  if (state != nullptr && state[0] == '/') {
    folder = state;
  } else if (home != nullptr && home[0] == '/') {
    folder = std::filesystem::path(home) / ".local" / "state";
  } else {
    return "";
  }
  folder /= "quire";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  return error ? "" : folder / "history";
}
#endif

std::optional<std::string> read_plain() {
  std::string line;
  if (!std::getline(std::cin, line)) return std::nullopt;
  return line;
}

}  // namespace

LineEditor::LineEditor(Complete complete)
    : interactive_(::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
#if QUIRE_HAS_LIBEDIT
  if (!interactive_) return;
  completer = std::move(complete);
  rl_readline_name = "quire";
  rl_initialize();
  static char breaks[] = " \t\n\"'(),=<>";
  rl_completer_word_break_characters = breaks;
  rl_attempted_completion_function = complete_word;
  history_file_ = history_file();
  stifle_history(kHistoryLines);
  if (!history_file_.empty()) read_history(history_file_.c_str());
#else
  (void)complete;
#endif
}

LineEditor::~LineEditor() {
#if QUIRE_HAS_LIBEDIT
  if (history_file_.empty()) return;
  // What was typed may have values in it that are nobody else's business.
  const mode_t before = ::umask(0077);
  write_history(history_file_.c_str());
  ::umask(before);
#endif
}

std::optional<std::string> LineEditor::read(const std::string& prompt) {
  if (!interactive_) return read_plain();
#if QUIRE_HAS_LIBEDIT
  char* const typed = ::readline(prompt.c_str());
  if (typed == nullptr) return std::nullopt;
  std::string line = typed;
  std::free(typed);
  if (!line.empty()) add_history(line.c_str());
  return line;
#else
  std::fputs(prompt.c_str(), stdout);
  std::fflush(stdout);
  return read_plain();
#endif
}

}  // namespace quire::tools
