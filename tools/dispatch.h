// A command line, carried out: verbs, messages, exit codes.
#pragma once

#include <string>
#include <vector>

namespace quire::tools {

// The words behind the program's name. Reports what goes wrong; returns the exit code.
int run_command_line(const std::vector<std::string>& words);

// All verbs, as they are written.
std::vector<std::string> verb_names();

}  // namespace quire::tools
