// The loop of `quire shell`: verbs without DB, and commands that begin with a dot.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/arguments.h"

namespace quire::tools {

class Shell {
 public:
  explicit Shell(const Arguments& arguments) : arguments_(arguments) {}

  // Until the end of the input, .quit, or, where nobody types, the first failure. Returns the exit
  // code.
  int run();

 private:
  // Each returns the exit code of the line.
  int carry_out(const std::string& line);
  int run_verb(const std::vector<std::string>& words);
  int run_command(const std::vector<std::string>& words);
  int list_collections();
  int show_schemas(const std::vector<std::string>& words);
  void set_mode(const std::vector<std::string>& words);
  void set_timing(const std::vector<std::string>& words);

  std::vector<std::string> completions(std::string_view line, std::string_view word) const;

  const Arguments& arguments_;
  std::string mode_ = "table";
  bool timing_ = false;
  bool ended_ = false;
};

}  // namespace quire::tools
