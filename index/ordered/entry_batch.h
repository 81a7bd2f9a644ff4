// Entries collected to be sorted: what a build holds in memory.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base/bytes.h"

namespace quire {

// Invariants: until sort(), entries are in the order in which they were added; keys are not empty.
class EntryBatch {
 public:
  // Copies both.
  void add(Bytes key, Bytes value);
  // By key. O(n log n) comparisons of two words for each eight bytes that many keys share.
  void sort();
  // Forgets the entries, keeps one block of memory.
  void clear() noexcept;

  std::size_t size() const noexcept { return places_.size(); }
  Bytes key(std::size_t i) const noexcept { return key_at(places_[i].at); }
  Bytes value(std::size_t i) const noexcept;
  // What it holds, with what it is going to need for sorting.
  std::uint64_t memory_bytes() const noexcept {
    return blocks_bytes_ + places_.capacity() * sizeof(Place);
  }

 private:
  // In a block: u32 size of the key, u32 size of the value, both.
  struct Place {
    std::uint64_t head;  // eight bytes of the key that it is sorted by, big-endian
    const std::byte* at;
  };
  static Bytes key_at(const std::byte* at) noexcept { return {at + 8, load_le<std::uint32_t>(at)}; }
  std::byte* room_for(std::size_t size);
  void note_shared(Bytes key) noexcept;
  static void sort_from(std::span<Place> places, std::size_t begin);

  struct Block {
    std::unique_ptr<std::byte[]> bytes;  // NOLINT: not filled with zeros first
    std::size_t size = 0;
  };
  std::vector<Block> blocks_;
  std::size_t used_ = 0;  // of the last block
  std::uint64_t blocks_bytes_ = 0;
  std::vector<Place> places_;
  std::size_t shared_ = 0;  // bytes that all keys begin with
};

}  // namespace quire
