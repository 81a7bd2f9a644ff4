// The walk of a search that is narrowed to a set of places: only these are results. Instead of a
// neighbour that does not match it goes on to the neighbours of that which do, as far as it takes
// for a node to lead to as many matches as it has neighbours: one hop where all match, two where
// few do (after NaviX, "A Native Vector Index Design for Graph DBMSs With Robust Predicate-Agnostic
// Search Performance", 2025, which has three modes by the share of matching neighbours, and in one
// measures those that do not match too: here that took a third more distances for the same recall).
// What was looked through once is not again.
#pragma once

#include "index/vector/hnsw/graph_search.h"
#include "index/vector/hnsw/place_set.h"

namespace quire::hnsw {

enum class Hops : std::uint8_t { kOne, kTwo };

// Memory of walks, kept from one to the next. One thread.
class FilteredWalk {
 public:
  // The `ef` nearest of `matching` that it finds at level 0, nearest first. It begins at what an
  // unfiltered search found near the query, whether that matches or not, and at some of the set, in
  // case that nothing near there does. kCorrupt. Good until the next call.
  Result<std::span<const Neighbour<Place>>> run(GraphView& view, const CodeMetric& metric,
                                                const void* query,
                                                std::span<const Neighbour<Place>> starts,
                                                const PlaceSet& matching, std::size_t ef,
                                                Hops hops = Hops::kTwo);
  // What share of a place's neighbours, and of those of some of them, match. kCorrupt. About 500
  // places.
  Result<double> share_near(GraphView& view, Place place, const PlaceSet& matching);
  // Of the last run.
  std::uint64_t measured() const noexcept { return measured_; }
  std::uint64_t lists() const noexcept { return lists_; }  // that were looked through

 private:
  // To be measured together; offered to the pool unless they only lead on.
  struct Batch {
    std::size_t size = 0;
    Place places[kMostNeighbours];
    const void* codes[kMostNeighbours];
    float distances[kMostNeighbours];
  };

  Status add(Place place, Batch& batch);
  Status add_match(Place place, Batch& batch);
  void measure(Batch& batch);
  void offer_all(Batch& batch);
  Status offer_sample();
  Status offer_starts(std::span<const Neighbour<Place>> starts);
  Status expand(Place place);
  Result<std::uint32_t> look_through(Place bridge, Batch& batch);
  template <class Visit>
  bool each_neighbour(const std::byte* list, Visit&& visit) const;
  std::unexpected<Error> failure(Place place);

  GraphView* view_ = nullptr;
  CodeMetric metric_;
  const void* query_ = nullptr;
  const PlaceSet* matching_ = nullptr;
  Hops hops_ = Hops::kTwo;
  SearchPool pool_;
  VisitedPlaces measured_matches_;
  VisitedPlaces looked_through_;
  std::uint64_t measured_ = 0;
  std::uint64_t lists_ = 0;
};

}  // namespace quire::hnsw
