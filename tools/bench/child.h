// Child processes that run this program again, with a line-by-line conversation over two pipes.
//
// They are started afresh (posix_spawn of /proc/self/exe), never forked with a store open: no store
// allows that. Their standard error is the parent's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tools/bench/rows.h"

namespace quire::bench {

class Child {
 public:
  explicit Child(const std::vector<std::string>& arguments);
  ~Child();  // closes the pipes, on which the child ends, and waits for it
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void send(const std::string& line);
  // Waits for a line; throws when the child ends instead.
  std::string receive();

 private:
  pid_t pid_ = -1;
  int to_child_ = -1;
  int from_child_ = -1;
};

// What the children do; each is a hidden verb of the program.
struct ChildTask {
  std::string store;
  std::string directory;
  std::uint64_t keys = 0;
  KeyForm key_form = KeyForm::kDecimal;
  std::uint64_t seed = 0;
};

// The arguments that make a child run `verb` on this task.
std::vector<std::string> child_arguments(const std::string& verb, const ChildTask& task);

// Answers "open" with "ready" when the store is open for reading and warm, and "go SECONDS" with
// the number of gets made, each in its own transaction.
int run_reader_child(const ChildTask& task);
// Opens the store, gets one key, prints "OPEN_SECONDS GET_SECONDS ANONYMOUS_BYTES".
int run_probe_child(const ChildTask& task);

}  // namespace quire::bench
