#include "tools/bench/vector/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace quire::bench {
namespace {

// Said, because the end of a pipe would not be seen: processes that were made later have it too.
constexpr const char* kEnd = "end\n";

void serve(const std::function<LineHandler()>& make_handler, std::FILE* in, std::FILE* out) {
  LineHandler handle;
  char line[256];
  while (std::fgets(line, sizeof line, in) != nullptr) {
    if (std::string_view(line) == kEnd) return;
    std::string answer;
    try {
      if (!handle) handle = make_handler();
      answer = handle(line);
    } catch (const std::exception& error) {
      answer = "error: " + std::string(error.what());
    }
    std::fprintf(out, "%s\n", answer.c_str());
    std::fflush(out);
  }
}

}  // namespace

Process::Process(const std::function<LineHandler()>& make_handler) {
  int to[2];
  int from[2];
  if (::pipe(to) != 0 || ::pipe(from) != 0) throw std::runtime_error("no pipe for a process");
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("no process can be made");
  if (pid_ == 0) {
    ::close(to[1]);
    ::close(from[0]);
    serve(make_handler, ::fdopen(to[0], "r"), ::fdopen(from[1], "w"));
    ::_exit(0);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = to[1];
  from_ = from[0];
}

Process::~Process() {
  if (pid_ < 0) return;
  (void)!::write(to_, kEnd, std::char_traits<char>::length(kEnd));
  ::close(to_);
  ::close(from_);
  ::waitpid(pid_, nullptr, 0);
}

void Process::send(const std::string& line) {
  const std::string sent = line + "\n";
  if (::write(to_, sent.data(), sent.size()) != static_cast<ssize_t>(sent.size()))
    throw std::runtime_error("a measured process has ended");
}

std::string Process::receive() {
  std::string answer;
  for (char letter = 0; ::read(from_, &letter, 1) == 1;) {
    if (letter == '\n') {
      if (answer.starts_with("error: ")) throw std::runtime_error(answer.substr(7));
      return answer;
    }
    answer += letter;
  }
  throw std::runtime_error("a measured process has ended");
}

void Process::kill() {
  ::kill(pid_, SIGKILL);
  ::close(to_);
  ::close(from_);
  ::waitpid(std::exchange(pid_, -1), nullptr, 0);
}

}  // namespace quire::bench
