// A process of its own that is told what to do, a line at a time: so that what is measured shares
// no memory with what measures, and can be killed.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace quire::bench {

// Carries out a line and answers with one; what it throws is thrown in ask().
using LineHandler = std::function<std::string(const std::string& line)>;

// Made by fork: whoever makes one has no database open. Throws std::runtime_error.
class Process {
 public:
  // `make_handler` is called in the new process.
  explicit Process(const std::function<LineHandler()>& make_handler);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  std::string ask(const std::string& line) {
    send(line);
    return receive();
  }
  // In two steps, so that several processes work at the same time.
  void send(const std::string& line);
  std::string receive();
  // At once, whatever it does.
  void kill();

 private:
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
};

}  // namespace quire::bench
