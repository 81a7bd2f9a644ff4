// Places that a search is narrowed to, of one state of a graph.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "index/vector/hnsw/levels.h"

namespace quire::hnsw {

// Made with add() and finish(); immutable from then on, and read by any thread.
class PlaceSet {
 public:
  // Of places below `end`.
  explicit PlaceSet(Place end) : words_(std::size_t{end} / 64 + 1), end_(end) {}

  void add(Place place) noexcept { words_[place / 64] |= std::uint64_t{1} << (place % 64); }
  // A match that waits in the tail: it has no place.
  void add_waiting() noexcept { ++waiting_; }
  // O(end / 64).
  void finish();

  Place end() const noexcept { return end_; }
  bool has(Place place) const noexcept { return (words_[place / 64] >> (place % 64) & 1) != 0; }
  std::uint64_t count() const noexcept { return count_; }  // of places
  std::uint64_t waiting() const noexcept { return waiting_; }
  // A few of them from everywhere, picked by chance, but always the same.
  std::span<const Place> sample() const noexcept { return sample_; }
  std::size_t bytes() const noexcept { return words_.capacity() * 8 + list_.capacity() * 4; }

  // Goes through them in order.
  class Iterator {
   public:
    explicit Iterator(const PlaceSet& set) : set_(&set), word_(set.words_[0]) {}
    // kNoPlace at the end.
    Place next() noexcept {
      if (!set_->list_.empty()) return at_ < set_->list_.size() ? set_->list_[at_++] : kNoPlace;
      while (word_ == 0) {
        if (++at_ >= set_->words_.size()) return kNoPlace;
        word_ = set_->words_[at_];
      }
      const auto bit = static_cast<Place>(std::countr_zero(word_));
      word_ &= word_ - 1;
      return static_cast<Place>(at_ * 64) + bit;
    }

   private:
    const PlaceSet* set_;
    std::size_t at_ = 0;  // in the list, or of word_
    std::uint64_t word_;
  };

 private:
  static constexpr std::size_t kSample = 32;

  std::vector<std::uint64_t> words_;
  std::vector<Place> list_;  // where they are few: in order
  std::vector<Place> sample_;
  std::uint64_t count_ = 0;
  std::uint64_t waiting_ = 0;
  Place end_;
};

}  // namespace quire::hnsw
