// The loop of `quire shell`: verbs without DB, and commands that begin with a dot.
//
// The database stays open from the first line to the last: a verb opens it for itself as ever, and
// the library gives it another handle on what is open in the process already. For reading only,
// unless it is asked for: then no other process writes meanwhile.
#pragma once

#include <quire/quire.hpp>

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
  void open();
  // After a line that failed: opens the database anew where nothing goes on with what is open.
  void mend();
  bool is_usable() const;

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
  Database kept_;
  std::string mode_ = "table";
  bool timing_ = false;
  bool ended_ = false;
};

}  // namespace quire::tools
