// Which nodes are above level 0, and where their lists there are: by arithmetic, from the place.
//
// Places are seen in groups of 16^level: 0 to 15, 16 to 31 ... for level 1. Of each group of level
// 1 one place, picked by a hash, is at that level; of each group of level 2, which is 16 of those,
// one of their 16 is at level 2 too, and so on. So a group has one list at its level, and lists
// need no table and no allocation.
#pragma once

#include <cstdint>

namespace quire::hnsw {

// A node's number. 0 is none, so that zeros are an empty list.
using Place = std::uint32_t;
inline constexpr Place kNoPlace = 0;
inline constexpr Place kEndOfPlaces = 1U << 31;  // all are below

inline constexpr unsigned kTopLevel = 7;  // groups of 2^28 places
inline constexpr unsigned kGroupBits = 4;

constexpr Place group_of(unsigned level, Place place) noexcept {
  return place >> (kGroupBits * level);
}

// Finalizer of MurmurHash3 (Appleby, public domain): every bit of the result depends on every one
// of the input.
constexpr std::uint64_t mix_bits(std::uint64_t x) noexcept {
  x ^= x >> 33;
  x *= 0xFF51AFD7ED558CCDULL;
  x ^= x >> 33;
  x *= 0xC4CEB9FE1A85EC53ULL;
  return x ^ (x >> 33);
}

// The highest level of a place.
constexpr unsigned level_of(Place place, std::uint32_t seed) noexcept {
  unsigned level = 0;
  for (; level < kTopLevel; ++level) {
    const std::uint64_t group = group_of(level + 1, place);
    const std::uint64_t picked = mix_bits(group << 32 | (seed ^ (level + 1) * 0x9E3779B9U));
    if ((picked & 15) != (group_of(level, place) & 15)) break;
  }
  return level;
}

// The place that is at a level of those in a group of it; it may be higher too.
constexpr Place place_of(unsigned level, Place group, std::uint32_t seed) noexcept {
  Place place = group;
  for (unsigned at = level; at > 0; --at) {
    const std::uint64_t picked = mix_bits(std::uint64_t{place} << 32 | (seed ^ at * 0x9E3779B9U));
    place = place << kGroupBits | static_cast<Place>(picked & 15);
  }
  return place;
}

// The element of the array of upper lists that has the list of a place at a level from 1 to
// kTopLevel. In the order in which groups are complete: so the array grows with the places.
constexpr std::uint64_t upper_slot(unsigned level, Place place) noexcept {
  std::uint64_t below = 0;  // lists of one group of the level, its own not counted
  for (unsigned i = 1; i < level; ++i) below = (below + 1) << kGroupBits;
  const std::uint64_t group = group_of(level, place);
  std::uint64_t slot = group * (below + 1) + below;
  for (unsigned above = level + 1; above <= kTopLevel; ++above)
    slot += group >> (kGroupBits * (above - level));
  return slot;
}

}  // namespace quire::hnsw
