// The lists of a whole graph in memory, which several threads read and change at once: what a bulk
// build links in. Its codes lie in an array and stay as they are.
//
// Why readers need no lock. An element of a list is read and written as a whole, a place is stored
// with release and loaded with acquire, and a node is named by others only after its own lists were
// set: so who finds a place finds its lists too. A list that is being changed may read as partly
// the old and partly the new one, with one neighbour twice, or cut short: each element is a
// neighbour of the node all the same, and a walk that misses one for once is still a walk. Writers
// of one node's lists take turns by a bit of that node, and hold it for a copy of the list, never
// for a measurement.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/zeroed_array.h"
#include "index/vector/hnsw/graph.h"

namespace quire::hnsw {

// Thread safety: as each function says.
class GraphMemory {
 public:
  // What a graph with places below `end` takes.
  static std::uint64_t bytes(const GraphShape& shape, std::uint64_t end) noexcept;

  // Without edges; every place is of a live node. std::bad_alloc.
  GraphMemory(const GraphShape& shape, Place end);
  // The lists of a graph that has at most as many places; places of it that are dead or free are
  // not live. One thread. kCorrupt.
  Status load(GraphView& view);
  // A place of the loaded graph that was free is a node again. One thread.
  void revive(Place place) noexcept { not_live_[place] = false; }

  const GraphShape& shape() const noexcept { return shape_; }
  Place end() const noexcept { return end_; }
  bool is_live(Place place) const noexcept { return !not_live_[place]; }

  // --- any thread; the place has the level ---
  void read(unsigned level, Place place, Neighbours& neighbours) const noexcept;
  // Of level 0.
  void prefetch(Place place) const noexcept;
  // Of a list that nobody else changes yet.
  void set(unsigned level, Place place, std::span<const Place> neighbours) noexcept;
  // Adds one; false where the list is full.
  bool append(unsigned level, Place place, Place neighbour) noexcept;
  // False, and nothing is done, where the list is not `before` any more.
  bool replace(unsigned level, Place place, const Neighbours& before,
               std::span<const Place> neighbours) noexcept;

  // Calls visit(level, place, bytes) for each list that was changed since it was made or loaded, in
  // order of place at level 0, then in order of upper_slot(). One thread.
  Status for_each_changed(
      const std::function<Status(unsigned level, Place place, Bytes list)>& visit) const;

 private:
  class Turn;
  Place* list(unsigned level, Place place) const noexcept;
  void store(unsigned level, Place* list, std::span<const Place> neighbours) noexcept;
  void note_changed(unsigned level, Place place) noexcept;

  GraphShape shape_;
  Place end_;
  std::size_t first_upper_[kTopLevel + 1] = {};  // of the lists of each level above 0
  ZeroedArray<Place> lists_;
  ZeroedArray<Place> upper_;
  std::unique_ptr<std::atomic<std::uint8_t>[]> turns_;  // by place: taken; lists that were changed
  std::vector<bool> not_live_;
};

// Looks at every block of an array: then copies of the view may be read by any thread, and reading
// one asks nobody. kCorrupt.
Status look_at_all(ArrayView& array);

// Codes by place, which stay as they are: of an array all of which was looked at, or in memory, one
// after the other. One thread; copies are independent.
class MemoryCodes {
 public:
  explicit MemoryCodes(ArrayView array) noexcept : array_(std::move(array)) {}
  MemoryCodes(const std::byte* first, std::uint32_t code_bytes) noexcept
      : first_(first), code_bytes_(code_bytes) {}
  const std::byte* at(Place place) noexcept {
    return first_ != nullptr ? first_ + std::size_t{place} * code_bytes_ : array_.at(place);
  }
  Error take_error() { return array_.take_error(); }

 private:
  const std::byte* first_ = nullptr;
  std::uint32_t code_bytes_ = 0;
  ArrayView array_;
};

// What a search reads of a graph in memory. One thread.
class MemoryReader {
 public:
  MemoryReader(GraphMemory& memory, MemoryCodes codes) noexcept
      : memory_(&memory), codes_(std::move(codes)) {}

  GraphMemory& memory() noexcept { return *memory_; }
  const GraphShape& shape() const noexcept { return memory_->shape(); }
  Place end() const noexcept { return memory_->end(); }
  const std::byte* stored_list(unsigned /*level*/, Place /*place*/) const noexcept {
    return nullptr;
  }
  bool read(unsigned level, Place place, Neighbours& neighbours) const noexcept {
    memory_->read(level, place, neighbours);
    return true;
  }
  const std::byte* code(Place place) noexcept { return codes_.at(place); }
  void prefetch_list(Place place) const noexcept { memory_->prefetch(place); }
  Error take_error() { return codes_.take_error(); }

 private:
  GraphMemory* memory_;
  MemoryCodes codes_;
};

}  // namespace quire::hnsw
