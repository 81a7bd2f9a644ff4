// quire: the command line. See docs/cli.md.
#include <string>
#include <vector>

#include "tools/dispatch.h"
#include "tools/signals.h"

int main(int argc, char** argv) {
  quire::tools::prepare_standard_streams();
  return quire::tools::run_command_line(std::vector<std::string>(argv + 1, argv + argc));
}
