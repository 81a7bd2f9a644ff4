// The records that searches are narrowed to, and what an index has made of them.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/array/array.h"
#include "engine/record/numbers.h"
#include "index/vector/hnsw/place_set.h"

namespace quire {

// Immutable but for what it remembers; any thread. Of one state of a collection.
class RecordFilter {
 public:
  // `steady`: of a snapshot, whose pages stay as they are. Else nothing is remembered.
  explicit RecordFilter(NumberSet numbers, bool steady = false)
      : numbers_(std::move(numbers)), count_(numbers_.count()), steady_(steady) {}

  const NumberSet& numbers() const noexcept { return numbers_; }
  std::uint64_t count() const noexcept { return count_; }
  bool has(RecordNumber number) const noexcept {
    return number < numbers_.size && numbers_.has(number);
  }
  std::size_t bytes() const noexcept { return numbers_.words.capacity() * 8; }

  // Where its records are in a graph, as the array of places with this root says.
  using Places = std::shared_ptr<const hnsw::PlaceSet>;
  Places find_places(const ArrayRoot& root) const;
  void keep_places(const ArrayRoot& root, Places places) const;

 private:
  // Maintenance makes new ones while snapshots of before are open.
  static constexpr std::size_t kKept = 2;
  struct Kept {
    std::uint32_t array;
    PagePtr root;
    Places places;
  };
  const NumberSet numbers_;
  const std::uint64_t count_;
  const bool steady_;
  mutable std::mutex mutex_;
  mutable std::vector<Kept> kept_;  // the newest last
};

}  // namespace quire
