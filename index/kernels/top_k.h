// The k nearest of a stream of (distance, id).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace quire {

template <class Id>
struct Neighbour {
  float distance;
  Id id;
  bool operator==(const Neighbour&) const = default;
};

// The one order of results: by distance, then by id, so that an answer does not depend on the order
// in which candidates came. NaN (two infinite components can make one) comes after everything, so
// that it costs nobody a place, and k results come back whenever there are k candidates.
template <class Id>
bool nearer(const Neighbour<Id>& a, const Neighbour<Id>& b) noexcept {
  if (a.distance < b.distance) return true;
  if (b.distance < a.distance) return false;
  const bool a_nan = std::isnan(a.distance);
  const bool b_nan = std::isnan(b.distance);
  if (a_nan != b_nan) return b_nan;
  return a.id < b.id;
}

// Keeps the k nearest candidates that it was offered. O(1) for one that is too far, O(log k) for
// one that is kept. Ids are offered once each. Allocates only in the constructor and reset (for a
// larger k). Not thread-safe.
//
// Invariant: entries_ is a heap by nearer(), the farthest kept candidate in front, of at most k_.
template <class Id = std::uint64_t>
class TopK {
 public:
  explicit TopK(std::size_t k) { reset(k); }

  // Empties it and sets how many it keeps.
  void reset(std::size_t k) {
    entries_.clear();
    entries_.reserve(k);
    k_ = k;
  }

  // Whether the candidate is among the k nearest so far, and kept.
  bool offer(float distance, Id id) {
    const Neighbour<Id> candidate{distance, id};
    if (entries_.size() < k_) {
      entries_.push_back(candidate);
      std::push_heap(entries_.begin(), entries_.end(), nearer<Id>);
      return true;
    }
    if (k_ == 0 || !nearer(candidate, entries_.front())) return false;
    std::pop_heap(entries_.begin(), entries_.end(), nearer<Id>);
    entries_.back() = candidate;
    std::push_heap(entries_.begin(), entries_.end(), nearer<Id>);
    return true;
  }

  // A candidate farther than this is not kept: infinity until there are k.
  float bound() const noexcept {
    if (k_ == 0) return -std::numeric_limits<float>::infinity();
    if (!full() || std::isnan(entries_.front().distance))
      return std::numeric_limits<float>::infinity();
    return entries_.front().distance;
  }

  std::size_t size() const noexcept { return entries_.size(); }
  bool full() const noexcept { return entries_.size() == k_; }

  // The kept ones, nearest first; it is empty of order afterwards: reset() before the next offer.
  std::span<const Neighbour<Id>> sorted() {
    std::sort_heap(entries_.begin(), entries_.end(), nearer<Id>);
    return entries_;
  }

 private:
  std::vector<Neighbour<Id>> entries_;
  std::size_t k_ = 0;
};

}  // namespace quire
