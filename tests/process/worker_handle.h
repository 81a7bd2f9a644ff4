// A worker (worker.cc) as tests and campaigns drive it: a child process that is told one line and
// answers one.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

extern char** environ;

namespace quire::test {

inline constexpr int kAnswerMs = 120'000;  // generous: machines are shared

class Worker {
 public:
  // `before`: a command that runs the worker, as strace does. `after`: the worker's arguments.
  explicit Worker(std::vector<std::string> before = {}, const std::vector<std::string>& after = {},
                  const std::string& program = usual_program()) {
    before.push_back(program);
    before.insert(before.end(), after.begin(), after.end());
    std::vector<char*> arguments;
    for (std::string& argument : before) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    int to[2];
    int from[2];
    if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    if (posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ) != 0)
      abort();
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    to_ = to[1];
    from_ = from[0];
  }
  ~Worker() {
    kill_now();
    close_pipes();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  pid_t pid() const { return pid_; }

  void tell(const std::string& line) {
    const std::string with_end = line + "\n";
    // A dead worker is found out by its silence.
    signal(SIGPIPE, SIG_IGN);
    (void)!write(to_, with_end.data(), with_end.size());
  }
  // The next line; "<dead>" at the end of its output, "<silent>" after the time.
  std::string listen(int timeout_ms = kAnswerMs) {
    for (;;) {
      const std::size_t end = read_.find('\n');
      if (end != std::string::npos) {
        std::string line = read_.substr(0, end);
        read_.erase(0, end + 1);
        return line;
      }
      pollfd input = {from_, POLLIN, 0};
      if (poll(&input, 1, timeout_ms) <= 0) return "<silent>";
      char buffer[4096];
      const ssize_t got = read(from_, buffer, sizeof buffer);
      if (got <= 0) return "<dead>";
      read_.append(buffer, static_cast<std::size_t>(got));
    }
  }
  std::string ask(const std::string& line) {
    tell(line);
    return listen();
  }
  // Everything it has said until it died.
  std::vector<std::string> rest() {
    std::vector<std::string> lines;
    for (std::string line = listen(); line != "<dead>" && line != "<silent>"; line = listen())
      lines.push_back(line);
    return lines;
  }

  void signal_with(int number) const { kill(pid_, number); }
  // Returns the status it ended with.
  int kill_now() {
    if (pid_ <= 0) return 0;
    kill(pid_, SIGKILL);
    kill(pid_, SIGCONT);
    return wait();
  }
  // The status it ended with.
  int wait() {
    int status = 0;
    if (pid_ > 0) waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  void close_pipes() {
    if (to_ >= 0) close(to_);
    if (from_ >= 0) close(from_);
    to_ = from_ = -1;
  }

 private:
  static std::string usual_program() {
    const char* const program = getenv("QUIRE_PROCESS_WORKER");
    return program != nullptr ? program : QUIRE_PROCESS_WORKER;
  }

  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string read_;
};

}  // namespace quire::test
