// How a worker answers who drives it (worker_handle.h), and looks for the next line.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace quire::test {

inline void say(const std::string& line) {
  const std::string with_end = line + "\n";
  if (::write(STDOUT_FILENO, with_end.data(), with_end.size()) < 0) std::exit(3);
}

inline bool line_waits() {
  pollfd input = {STDIN_FILENO, POLLIN, 0};
  return ::poll(&input, 1, 0) > 0;
}

}  // namespace quire::test
