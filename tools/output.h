// Standard output (data) and standard error (messages): buffering, errors, terminals.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace quire::tools {

// A file that data goes to. Throws OutputClosed when its reader has gone, Failure on other errors.
class Output {
 public:
  // Standard output.
  Output();
  // A file, made anew: written beside it and renamed over it by finish(), so that an export that
  // fails leaves the old one. "-" is standard output.
  explicit Output(const std::string& path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text);
  // To be called when all is written; flushes, and reports what did not reach the file.
  void finish();

 private:
  [[noreturn]] void fail();

  std::FILE* file_;
  std::string path_;       // empty: standard output
  std::string part_path_;  // what is renamed to path_; empty: written directly
};

// "quire: " and the text, on standard error.
void message(std::string_view text);

bool stdout_is_terminal();
bool stderr_is_terminal();
// Of standard output, in columns; 0, no limit, when it is not a terminal.
std::size_t terminal_width();

// A line on standard error that is rewritten: only on a terminal, and only after two seconds.
class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // True when it is time for update(); cheap enough for every record.
  bool due();
  // The same for what is called seldom.
  bool due_now() const;
  void update(std::string_view text);
  // Removes the line, so that a message can be printed.
  void clear();
  double seconds() const;

 private:
  double begin_, next_;
  bool terminal_;
  bool shown_ = false;
  unsigned calls_ = 0;
};

// "1.5 MiB".
std::string format_bytes(double bytes);
// "12,345".
std::string format_count(unsigned long long count);
// "1 record", "12,345 records".
std::string count_of(unsigned long long count, const std::string& thing);

}  // namespace quire::tools
