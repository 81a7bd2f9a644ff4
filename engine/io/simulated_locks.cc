#include "engine/io/simulated_locks.h"

namespace quire::io {

bool SimulatedLocks::conflicts(std::uint64_t owner, std::uint64_t begin, std::uint64_t end,
                               LockMode mode) const {
  for (const Held& held : held_) {
    const bool overlaps = held.begin < end && begin < held.end;
    const bool exclusive = mode == LockMode::kExclusive || held.mode == LockMode::kExclusive;
    if (held.owner != owner && overlaps && exclusive) return true;
  }
  return false;
}

bool SimulatedLocks::try_lock(std::uint64_t owner, std::uint64_t begin, std::uint64_t end,
                              LockMode mode) {
  if (conflicts(owner, begin, end, mode)) return false;
  unlock(owner, begin, end);
  held_.push_back({owner, begin, end, mode});
  return true;
}

void SimulatedLocks::unlock(std::uint64_t owner, std::uint64_t begin, std::uint64_t end) {
  std::vector<Held> kept;
  for (const Held& held : held_) {
    if (held.owner != owner || held.end <= begin || end <= held.begin) {
      kept.push_back(held);
      continue;
    }
    if (held.begin < begin) kept.push_back({owner, held.begin, begin, held.mode});
    if (end < held.end) kept.push_back({owner, end, held.end, held.mode});
  }
  held_ = std::move(kept);
}

}  // namespace quire::io
