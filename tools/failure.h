// How a verb ends early. main() prints the message, with "quire: " before it, to standard error and
// exits with the code.
#pragma once

#include <stdexcept>
#include <string>

namespace quire::tools {

// Exit codes: part of the interface, see docs/cli.md.
inline constexpr int kDone = 0;
inline constexpr int kNegative = 1;       // not found, damage found
inline constexpr int kFailed = 2;         // wrong use or failure
inline constexpr int kInterrupted = 130;  // SIGINT, as shells have it

class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& message, int exit_code = kFailed)
      : std::runtime_error(message), exit_code_(exit_code) {}

  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// The reader of our standard output has gone away, as `head` does: nothing to say, nothing wrong.
class OutputClosed : public std::exception {};

}  // namespace quire::tools
