// Linking nodes and taking dead ones out: worked out over a view that stays as it is, without
// changing a page, and then applied in one go.
#pragma once

#include <functional>

#include "index/vector/hnsw/graph_search.h"

namespace quire::hnsw {

// Where a plan is applied: the arrays of one write transaction.
struct GraphWriters {
  ArrayWriter* lists = nullptr;
  ArrayWriter* upper = nullptr;
  ArrayWriter* codes = nullptr;  // `records` are the caller's to write
};

// New nodes, nodes to be forgotten, and the lists that these change. Nodes of one plan find each
// other. One thread. The same calls in the same order make the same graph. No list is made to name
// a node that is dead in the view.
//
// After an error, or std::bad_alloc, a plan must be dropped where nothing else is said: lists may
// be half changed in it. Nothing of the arrays is.
class GraphPlan {
 public:
  // The view outlives the plan.
  GraphPlan(GraphView& view, const CodeMetric& metric);

  // Links a new node with this code, in a place that is free in the view and was not given to this
  // plan before, or in the next one. kInvalid for a code of another size, kTooLarge where all
  // places are taken (both change nothing); kCorrupt. Expected O(ef_construction * 2m * dimension).
  Result<Place> insert(Bytes code, Place free = kNoPlace);
  // Links a live node anew, as if it had come now: for one that nothing names.
  Status relink(Place place);
  // Takes a dead node out: whoever is found to name it gets others of its neighbours in its stead
  // (IP-DiskANN: Xu, Manohar, Bernstein et al., "In-Place Updates of a Graph Index for Streaming
  // Approximate Nearest Neighbor Search", 2025), and its own lists are emptied. Where it was the
  // entry, another is. Some may still name it: forget().
  Status repair(Place place);
  // Takes out of one list all the places for which `gone` says so.
  Status forget(Place from, unsigned level, const std::function<bool(Place)>& gone);
  // Empties the lists of a place that is to be free: others may have been linked to it after it was
  // taken out, through some that still named it.
  Status clear(Place place);

  const GraphState& state() const noexcept { return state_; }
  // At the end; those in free places are not counted.
  std::size_t new_nodes() const noexcept {
    return overlay_.codes.size() / view_->shape().code_bytes;
  }
  bool empty() const noexcept { return overlay_.lists.empty(); }
  std::size_t changed_lists() const noexcept { return overlay_.lists.size(); }
  const GraphOverlay& overlay() const noexcept { return overlay_; }

  // Writes it, and gives the state from then on. `now`: the state of the arrays: kConflict,
  // and nothing is written, when another plan was applied since the view. Any other error: the
  // transaction has to be undone.
  Result<GraphState> apply(const GraphWriters& writers, const GraphState& now) const;

 private:
  using Found = std::vector<Neighbour<Place>>;
  // Live nodes that others are measured against.
  struct Some {
    std::vector<Place> places;
    std::vector<const void*> codes;
    std::vector<float> distances;
  };

  Status link(Place place, const std::byte* code);
  Status walk_to_live(unsigned level);
  Status link_level(Place place, unsigned level);
  Status link_to(Place from, std::span<const Place> more, unsigned level);
  Result<std::vector<Place>> select(std::span<const Neighbour<Place>> sorted, std::uint32_t most);
  Result<bool> is_live(Place place);
  Result<const std::byte*> code_of(Place place);
  Result<Found> measured(const std::byte* code, std::span<const Place> places);
  Result<Some> some_of(std::span<const Place> places);
  Result<std::vector<Place>> nearest_of(Some& some, Place to);
  Status repair_level(Place place, const Found& found, unsigned level);
  Status fill(Place from, std::span<const Place> more, unsigned level);
  Status replace(Place from, Place gone, std::span<const Place> by, unsigned level);
  Status leave_dead_entry();
  Status choose_entry(Place gone);
  Result<bool> becomes_entry(Place place);
  Result<std::vector<Place>*> list_to_change(Place place, unsigned level);

  GraphView* view_;
  CodeMetric metric_;
  GraphState state_;
  GraphOverlay overlay_;
  GraphSearch search_;
};

}  // namespace quire::hnsw
