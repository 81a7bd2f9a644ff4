// Chance that is the same on every machine: the standard's generator without its distributions,
// which each library draws in its own way.
#pragma once

#include <cstdint>
#include <random>

namespace quire::io {

class SimulatedRandom {
 public:
  explicit SimulatedRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() { return engine_(); }
  // In [0, bound); bound > 0. The bias of the remainder does not matter to a test.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  // In [low, high].
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return low == 0 && high == UINT64_MAX ? next() : low + below(high - low + 1);
  }
  bool chance(std::uint64_t of, std::uint64_t in) { return below(in) < of; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace quire::io
