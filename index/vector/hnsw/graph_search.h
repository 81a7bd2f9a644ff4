// Finding the nodes nearest to a code: the walk that searches and insertions share.
#pragma once

#include <span>
#include <vector>

#include "index/kernels/top_k.h"
#include "index/vector/hnsw/graph.h"

namespace quire::hnsw {

// The nearest so far, in order, each expanded or not. Not thread-safe.
//
// Invariants: entries_ is sorted by nearer() of (distance, place), at most limit_ long; all before
// next_ are expanded.
class SearchPool {
 public:
  void clear(std::size_t limit) {
    entries_.clear();
    entries_.reserve(limit);
    limit_ = limit;
    next_ = 0;
  }
  // Whether it came in.
  bool offer(float distance, Place place);
  // The nearest that is not expanded, now expanded; kNoPlace when there is none.
  Place expand() noexcept;
  // The one that expand() would give; changes nothing.
  Place peek() const noexcept { return next_ < entries_.size() ? entries_[next_].id : kNoPlace; }
  std::size_t size() const noexcept { return entries_.size(); }
  // Nearest first. Good until the next change.
  std::span<const Neighbour<Place>> sorted();

 private:
  static constexpr Place kExpanded = kEndOfPlaces;  // a bit that no place has
  void find_next() noexcept {
    while (next_ < entries_.size() && (entries_[next_].id & kExpanded) != 0) ++next_;
  }

  std::vector<Neighbour<Place>> entries_;
  std::size_t limit_ = 0;
  std::size_t next_ = 0;
};

// Places that were seen: a bit each, and what was set, so that forgetting costs what was seen.
class VisitedPlaces {
 public:
  void forget(Place end);
  bool has(Place place) const noexcept { return (words_[place / 64] >> (place % 64) & 1) != 0; }
  // Whether it was not yet.
  bool visit(Place place) {
    const std::uint64_t bit = std::uint64_t{1} << (place % 64);
    std::uint64_t& word = words_[place / 64];
    if ((word & bit) != 0) return false;
    word |= bit;
    seen_.push_back(place);
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
  std::vector<Place> seen_;
};

// Memory of searches, kept from one to the next. One thread. A reader is a GraphReader, or one of a
// graph in memory (graph_memory.h).
template <class Reader>
class GraphSearchOf {
 public:
  // The `ef` nearest nodes to a code that the walk finds, nearest first; fewer where it reaches
  // fewer. `entry` kNoPlace: none. kInvalid for an ef of 0 or over kMostEf; kCorrupt. Good until
  // the next call. Expected O(ef * 2m * dimension).
  Result<std::span<const Neighbour<Place>>> run(Reader& reader, const CodeMetric& metric,
                                                const void* query, Place entry, std::size_t ef);

  // The same in steps: begin() at the entry; walk() at a level, from what the step before found.
  Status begin(Reader& reader, const CodeMetric& metric, const void* query, Place entry);
  // begin(), and the walks above level 0. kInvalid and kCorrupt as run().
  Status descend(Reader& reader, const CodeMetric& metric, const void* query, Place entry);
  Status walk(unsigned level, std::size_t ef);
  std::span<const Neighbour<Place>> found() { return pool_.sorted(); }
  // From now on the walks do as if this node were not there; kNoPlace: all are. It must not be the
  // entry.
  void leave_out(Place place) noexcept { left_out_ = place; }
  // Distances since begin().
  std::uint64_t measured() const noexcept { return measured_; }

 private:
  // At level 0 two nodes at a time, so that one's list and codes come from memory while the other's
  // do: 12% off a search at ef 113 with 128 dimensions, with hardly more distances.
  static constexpr int kExpandedAtOnce = 2;
  // Neighbours that are measured together.
  struct Batch {
    std::size_t count = 0;
    Place places[kExpandedAtOnce * kMostNeighbours];
    const void* codes[kExpandedAtOnce * kMostNeighbours];
  };

  Status gather(unsigned level, Place place, Batch& batch);
  template <class NeighbourAt>
  bool visit(std::uint32_t count, const NeighbourAt& neighbour_at, Batch& batch);
  void measure(unsigned level, const Batch& batch);
  void prefetch_code(const std::byte* code) const noexcept;

  Reader* reader_ = nullptr;
  CodeMetric metric_;
  const void* query_ = nullptr;
  SearchPool pool_;
  VisitedPlaces visited_;
  Place end_ = 1;
  Place left_out_ = kNoPlace;
  std::vector<Neighbour<Place>> starts_;
  std::uint64_t measured_ = 0;
};
using GraphSearch = GraphSearchOf<GraphReader>;

}  // namespace quire::hnsw
