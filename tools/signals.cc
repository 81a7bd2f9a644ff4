#include "tools/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

namespace quire::tools {
namespace {

volatile std::sig_atomic_t interrupt_seen = 0;

void on_interrupt(int) { interrupt_seen = 1; }

}  // namespace

void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  // No SA_RESTART: a read that waits for input ends. SA_RESETHAND: the next one kills.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
}

bool interrupted() { return interrupt_seen != 0; }

void forget_interrupts() {
  interrupt_seen = 0;
  std::signal(SIGINT, SIG_DFL);
}

void prepare_standard_streams() {
  std::signal(SIGPIPE, SIG_IGN);
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    // open() takes the lowest free descriptor: this one. Read-only, so that writing fails.
    [[maybe_unused]] const int opened = ::open("/dev/null", O_RDONLY);
  }
}

}  // namespace quire::tools
