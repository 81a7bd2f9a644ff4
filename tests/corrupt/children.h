// Cases judged in child processes, so that a crash or a hang is a finding like any other and the
// rest goes on behind it.
#pragma once

#include <cstdint>
#include <functional>

namespace quire::test {

// Where the children are. Lies in memory that they share with their parent.
struct Place {
  std::uint64_t next = 0;   // case that is being judged
  std::uint64_t moves = 0;  // grows with every case and salvage: whether it hangs
};

// Judges case after case; behind one whose child crashed, or did not move for so long, another
// child goes on, and `died` is told of it in the parent.
void judge_in_children(Place& place, std::uint64_t cases, int hang_seconds,
                       const std::function<void(std::uint64_t)>& judge,
                       const std::function<void(std::uint64_t)>& died);

}  // namespace quire::test
