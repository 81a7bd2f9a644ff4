#include "tools/demo/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <stdexcept>

namespace quire::demo {
namespace {

constexpr int kExitProblem = 3;

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

// Never returns: the child must not run the parent's destructors.
[[noreturn]] void run_child(const Link& link, const std::function<int(const Link&)>& body) {
  int code = kExitProblem;
  try {
    code = body(link);
  } catch (const std::exception& error) {
    link.report_problem(error.what());
  }
  std::fflush(nullptr);
  _exit(code);
}

}  // namespace

std::int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

void Event::set_text(const std::string& sentence) {
  const std::size_t size = std::min(sentence.size(), text.size() - 1);
  std::memcpy(text.data(), sentence.data(), size);
  text[size] = '\0';
}

void Link::report(const Event& event) const {
  // Without a parent there is nobody to report to, and nothing left to do.
  if (write(reports_, &event, sizeof event) != ssize_t{sizeof event}) _exit(kExitProblem);
}

void Link::report_problem(const std::string& sentence) const {
  Event event;
  event.time_ns = now_ns();
  event.set_text(sentence);
  report(event);
}

bool Link::wait_for_start() const {
  char word = 0;
  return read(control_, &word, 1) == 1;
}

bool Link::parent_let_go() const {
  pollfd control = {control_, POLLIN, 0};
  return poll(&control, 1, 0) > 0;
}

ChildProcess::ChildProcess(const std::function<int(const Link&)>& body) {
  std::signal(SIGPIPE, SIG_IGN);
  int up[2];
  int down[2];
  if (pipe2(up, O_CLOEXEC) != 0 || pipe2(down, O_CLOEXEC) != 0) fail("pipe");
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // no child outlives a demo that was interrupted
    if (getppid() != parent) _exit(kExitProblem);
    close(up[0]);
    close(down[1]);
    run_child(Link(up[1], down[0]), body);
  }
  close(up[1]);
  close(down[0]);
  reports_ = up[0];
  control_ = down[1];
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  let_go();
  close(reports_);
}

void ChildProcess::start() const {
  if (write(control_, "s", 1) != 1) fail("a child process has ended early");
}

std::optional<Event> ChildProcess::receive() const {
  Event event;
  ssize_t size = 0;
  do {
    size = read(reports_, &event, sizeof event);
  } while (size < 0 && errno == EINTR);
  if (size != ssize_t{sizeof event}) return std::nullopt;
  return event;
}

void ChildProcess::kill() const { ::kill(pid_, SIGKILL); }

void ChildProcess::let_go() {
  if (control_ >= 0) close(control_);
  control_ = -1;
}

int ChildProcess::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

}  // namespace quire::demo
