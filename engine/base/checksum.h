// XXH3-64 (https://xxhash.com), the one checksum of every file.
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace quire {

// XXH3-64 of the bytes with a seed.
std::uint64_t checksum64(Bytes bytes, std::uint64_t seed = 0) noexcept;

// The checksum that a page pointer carries. 0 means "not computed yet" in a pointer, so a page
// whose hash is 0 is said to have 1.
inline std::uint64_t page_checksum_of(std::uint64_t hash) noexcept { return hash == 0 ? 1 : hash; }
inline std::uint64_t page_checksum(Bytes page) noexcept {
  return page_checksum_of(checksum64(page));
}

// The same hash (seed 0) of bytes that come in pieces.
class Checksum {
 public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum&) = delete;
  Checksum& operator=(const Checksum&) = delete;
  void update(Bytes bytes) noexcept;
  std::uint64_t digest() const noexcept;

 private:
  void* state_;
};

}  // namespace quire
