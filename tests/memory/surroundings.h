// What a run must leave as it was, and another process beside it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "library_calls.h"

#include "../capi/capi_world.h"

namespace quire::test {

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// Whether anybody has a lock on the database: the first bytes of those that stand for rights are
// the writer's and the opener's, the others stand for attached processes.
inline bool locked(const std::string& path, bool by_readers_too) {
  const int file = ::open((path + "/data").c_str(), O_RDWR | O_CLOEXEC);
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = off_t{1} << 62;
  range.l_len = by_readers_too ? 1 << 12 : 16;
  const int rc = ::fcntl(file, F_OFD_GETLK, &range);
  ::close(file);
  return rc != 0 || range.l_type != F_UNLCK;
}

// A process that has the database open for reading for as long as this lives.
class OtherReader {
 public:
  explicit OtherReader(const std::string& path) {
    int ready[2];
    int stay[2];
    if (::pipe2(ready, O_CLOEXEC) != 0 || ::pipe2(stay, O_CLOEXEC) != 0) abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::close(stay[1]);
      quire_db* db = nullptr;
      const auto options = open_options(QUIRE_OPEN_READ_ONLY);
      char c = quire_open(path.c_str(), &options, &db) == QUIRE_OK ? '+' : '-';
      if (::write(ready[1], &c, 1) == 1) (void)!::read(stay[0], &c, 1);  // until the other end goes
      ::_exit(0);
    }
    ::close(ready[1]);
    ::close(stay[0]);
    char c = '-';
    opened = ::read(ready[0], &c, 1) == 1 && c == '+';
    ::close(ready[0]);
    stay_ = stay[1];
  }
  ~OtherReader() {
    ::close(stay_);
    ::waitpid(child_, nullptr, 0);
  }
  OtherReader(const OtherReader&) = delete;
  OtherReader& operator=(const OtherReader&) = delete;
  bool opened = false;

 private:
  pid_t child_ = -1;
  int stay_ = -1;
};

}  // namespace quire::test
