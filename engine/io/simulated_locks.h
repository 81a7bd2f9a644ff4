// The books of the locks on one simulated file: which open file holds which range.
//
// Invariant: the ranges of one owner do not overlap each other.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/io/disk.h"

namespace quire::io {

class SimulatedLocks {
 public:
  // As fcntl: what the owner holds of the range already takes the new mode.
  bool try_lock(std::uint64_t owner, std::uint64_t begin, std::uint64_t end, LockMode mode);
  void unlock(std::uint64_t owner, std::uint64_t begin, std::uint64_t end);
  // Whether somebody else holds a lock that conflicts with one of this mode.
  bool conflicts(std::uint64_t owner, std::uint64_t begin, std::uint64_t end, LockMode mode) const;

 private:
  struct Held {
    std::uint64_t owner;
    std::uint64_t begin;
    std::uint64_t end;
    LockMode mode;
  };
  std::vector<Held> held_;
};

}  // namespace quire::io
