// A worker (worker.cc) as the tests drive it: a child process that is told one line and answers
// one.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

extern char** environ;

namespace quire::test {

inline constexpr int kAnswerMs = 120'000;  // generous: machines are shared

class Worker {
 public:
  // `before`: a command that runs the worker, as strace does.
  explicit Worker(std::vector<std::string> before = {}) {
    const char* program = getenv("QUIRE_PROCESS_WORKER");
    if (program == nullptr) program = QUIRE_PROCESS_WORKER;
    before.emplace_back(program);
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
  void kill_now() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    kill(pid_, SIGCONT);
    wait();
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
  pid_t pid_ = -1;
  int to_ = -1;
  int from_ = -1;
  std::string read_;
};

// What must be answered.
#define EXPECT_ASK(worker, line, answer) EXPECT_EQ((worker).ask(line), answer) << (line)
#define ASSERT_ASK(worker, line, answer) ASSERT_EQ((worker).ask(line), answer) << (line)
// The code, whatever the sentence.
#define EXPECT_ASK_CODE(worker, line, code)                                    \
  do {                                                                         \
    const std::string said = (worker).ask(line);                               \
    EXPECT_EQ(said.substr(0, said.find(' ')), code) << (line) << ": " << said; \
  } while (false)

class Processes : public ::testing::Test {
 protected:
  Processes() {
    std::string name = (std::filesystem::temp_directory_path() / "quire-proc-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    directory = name;
    std::filesystem::permissions(directory, std::filesystem::perms::all);
    path = directory + "/t.quire";
  }
  ~Processes() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  // "name=value" of a stat line.
  static std::map<std::string, std::uint64_t> stat(Worker& worker) {
    std::istringstream words(worker.ask("stat"));
    std::map<std::string, std::uint64_t> found;
    std::string word;
    words >> word;
    EXPECT_EQ(word, "ok");
    while (words >> word) {
      const std::size_t equals = word.find('=');
      found[word.substr(0, equals)] = std::stoull(word.substr(equals + 1));
    }
    return found;
  }
  static std::uint64_t number_in(const std::string& answer) {
    const std::size_t space = answer.find(' ');
    EXPECT_EQ(answer.substr(0, space), "ok") << answer;
    return space == std::string::npos ? 0 : std::stoull(answer.substr(space + 1));
  }
  void make(Worker& worker, const std::string& options = "") const {
    ASSERT_EQ(worker.ask("open " + path + " c " + options), "ok");
  }
  // Whole transactions of a worker.
  static void commit_put(Worker& worker, const std::string& key, const std::string& value,
                         int durability = 0) {
    ASSERT_EQ(worker.ask("begin w w"), "ok");
    ASSERT_EQ(worker.ask("put w " + key + " " + value), "ok");
    ASSERT_EQ(worker.ask("commit w " + std::to_string(durability)), "ok");
  }
  static std::string read_get(Worker& worker, const std::string& key) {
    EXPECT_EQ(worker.ask("begin g r"), "ok");
    const std::string found = worker.ask("get g " + key);
    EXPECT_EQ(worker.ask("abort g"), "ok");
    return found;
  }

  std::string directory;
  std::string path;
};

inline bool long_run() { return getenv("QUIRE_TEST_LONG") != nullptr; }

}  // namespace quire::test
