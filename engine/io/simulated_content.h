// The contents of one simulated file: the cache, which is a memory file of the system so that it
// can be read, written and mapped like any other, and beside it what the device holds where that
// differs.
//
// Thread safety: none, the disk's mutex guards it. Maps read the memory file past it, as they would
// on a machine. An error of the memory file itself aborts: then the test's machine is broken.
//
// Invariants: 1. A sector that is not in stale_ is the same in the cache and on the device; past
// the end of either, that is zeros. 2. A block that is not in backed_ is zeros in the cache.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/io/simulated_random.h"

namespace quire::io {

inline constexpr std::uint64_t kSectorSize = 512;
inline constexpr std::uint64_t kBlockSize = 4096;

class SimulatedContent {
 public:
  SimulatedContent();
  ~SimulatedContent();
  SimulatedContent(const SimulatedContent&) = delete;
  SimulatedContent& operator=(const SimulatedContent&) = delete;

  int descriptor() const { return descriptor_; }
  std::uint64_t size() const { return size_; }

  std::size_t read_some(std::uint64_t offset, MutableBytes into) const;
  void write(std::uint64_t offset, Bytes bytes);
  void resize(std::uint64_t size);
  // Some sectors of a write that was cut off by a crash: a prefix, or any of them.
  void write_torn(std::uint64_t offset, Bytes bytes, SimulatedRandom& random);

  // The device takes over what the cache holds, except what an earlier sync failed to write.
  void sync();
  // The cache forgets that the device lacks what was written.
  void fail_sync();
  // From now on any sector of the file may change without a call.
  void note_shared_map();

  std::uint64_t backed_bytes() const { return backed_blocks_ * kBlockSize; }
  // How many bytes of the range fit, from its start, when `free_bytes` are left; they are backed by
  // the call.
  std::uint64_t back(std::uint64_t offset, std::uint64_t size, std::uint64_t free_bytes);

  // The same with cache and device as they are.
  std::unique_ptr<SimulatedContent> clone() const;
  // What a power loss leaves of it: of the unsynced nothing, or with `random` by chance.
  std::unique_ptr<SimulatedContent> after_power_loss(SimulatedRandom* random) const;

 private:
  using Sector = std::array<std::byte, kSectorSize>;
  struct Stale {
    Sector on_device;
    bool dirty;  // the next sync writes it
  };

  // Notes what the device holds for the sectors of the range, before they change.
  void make_stale(std::uint64_t offset, std::uint64_t size);
  void set_size(std::uint64_t size);
  void put(std::uint64_t offset, Bytes bytes);
  void copy_cache_to(SimulatedContent& other) const;
  void drop_blocks_from(std::uint64_t size);
  std::uint64_t surviving_size(SimulatedRandom* random) const;

  int descriptor_;
  std::uint64_t size_ = 0;
  std::uint64_t durable_size_ = 0;
  std::uint64_t shortest_ = 0;  // since the last sync
  std::uint64_t longest_ = 0;
  std::map<std::uint64_t, Stale> stale_;  // by sector number; ordered, for the seed's sake
  bool shared_map_ = false;
  std::vector<bool> backed_;  // by block number
  std::uint64_t backed_blocks_ = 0;
};

}  // namespace quire::io
