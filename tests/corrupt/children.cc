#include "tests/corrupt/children.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace quire::test {
namespace {

// Waits for a child; false: it did not end by itself, or not well.
bool wait_for(pid_t child, const volatile Place& place, int hang_seconds) {
  std::uint64_t moves = place.moves;
  int still = 0;  // hundredths of a second
  for (;;) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child)
      return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    const timespec pause{0, 10'000'000};
    ::nanosleep(&pause, nullptr);
    still = place.moves == moves ? still + 1 : 0;
    moves = place.moves;
    if (still < hang_seconds * 100) continue;
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    return false;
  }
}

}  // namespace

void judge_in_children(Place& place, std::uint64_t cases, int hang_seconds,
                       const std::function<void(std::uint64_t)>& judge,
                       const std::function<void(std::uint64_t)>& died) {
  place.next = 0;
  while (place.next < cases) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      for (; place.next < cases; ++place.next) judge(place.next);
      std::fflush(nullptr);
      std::_Exit(0);
    }
    if (child < 0 || wait_for(child, place, hang_seconds)) return;
    died(place.next);
    ++place.next;
  }
}

}  // namespace quire::test
