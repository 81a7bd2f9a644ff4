// A forked child that reports through a pipe, and ends when the parent lets go of it.
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace quire::demo {

// Nanoseconds of the clock that all processes of a machine share.
std::int64_t now_ns();

enum class EventKind : std::uint32_t {
  kReady,    // writer: the database is there, empty
  kCommit,   // writer: a durable commit was acknowledged
  kSeen,     // watcher: a new commit can be seen
  kSearch,   // watcher: a search was answered
  kProblem,  // either: `text` says what is wrong
};

// One report. Smaller than PIPE_BUF, so it is written and read whole or not at all.
struct Event {
  EventKind kind = EventKind::kProblem;
  std::uint32_t batch = 0;    // how many batches are in the database
  std::uint64_t records = 0;  // how many records
  std::int64_t time_ns = 0;   // when it happened
  double milliseconds = 0;    // how long it took
  std::array<char, 160> text{};

  void set_text(const std::string& sentence);
};

// The child's side of the pipes.
class Link {
 public:
  Link(int reports, int control) : reports_(reports), control_(control) {}
  void report(const Event& event) const;
  void report_problem(const std::string& sentence) const;
  // Waits for the parent's word to start; false when it let go instead.
  bool wait_for_start() const;
  bool parent_let_go() const;

 private:
  int reports_;
  int control_;
};

class ChildProcess {
 public:
  // Forks. The child runs `body` and exits with what it returns; what it throws becomes a problem.
  // The calling process must have one thread and no database open.
  explicit ChildProcess(const std::function<int(const Link&)>& body);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  int descriptor() const { return reports_; }  // to poll
  void start() const;
  // The next report; nothing when the child has ended and all was read.
  std::optional<Event> receive() const;
  void kill() const;
  void let_go();
  // Waits for its end; returns waitpid's status.
  int wait();

 private:
  pid_t pid_ = -1;
  int reports_ = -1;
  int control_ = -1;
};

}  // namespace quire::demo
