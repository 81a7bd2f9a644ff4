// Linking nodes: worked out over a view that stays as it is, without changing a page, and then
// applied in one go.
#pragma once

#include "index/vector/hnsw/graph_search.h"

namespace quire::hnsw {

// Where a plan is applied: the arrays of one write transaction.
struct GraphWriters {
  ArrayWriter* lists = nullptr;
  ArrayWriter* upper = nullptr;
  ArrayWriter* codes = nullptr;
};

// New nodes, and the lists that they change. Nodes of one plan find each other. One thread. The
// same codes in the same order make the same graph.
//
// After an error, or std::bad_alloc, a plan must be dropped where nothing else is said: lists may
// be half changed in it. Nothing of the arrays is.
class GraphPlan {
 public:
  // The view outlives the plan.
  GraphPlan(GraphView& view, const CodeMetric& metric);

  // Links a new node with this code: the next place. kInvalid for a code of another size,
  // kTooLarge where all places are taken (both change nothing); kCorrupt. Expected
  // O(ef_construction * 2m * dimension).
  Result<Place> insert(Bytes code);

  const GraphState& state() const noexcept { return state_; }
  std::size_t new_nodes() const noexcept {
    return overlay_.codes.size() / view_->shape().code_bytes;
  }
  std::size_t changed_lists() const noexcept { return overlay_.lists.size(); }
  const GraphOverlay& overlay() const noexcept { return overlay_; }

  // Writes it, and gives the state from then on. `now`: the state of the arrays: kConflict,
  // and nothing is written, when another plan was applied since the view. Any other error: the
  // transaction has to be undone.
  Result<GraphState> apply(const GraphWriters& writers, const GraphState& now) const;

 private:
  using Found = std::vector<Neighbour<Place>>;

  Status link(Place place, const std::byte* code);
  Status link_level(Place place, unsigned level);
  Status link_back(Place from, Place to, unsigned level);
  Result<std::vector<Place>> select(std::span<const Neighbour<Place>> sorted, std::uint32_t most);
  Result<std::vector<Place>*> list_to_change(Place place, unsigned level);

  GraphView* view_;
  CodeMetric metric_;
  GraphState state_;
  GraphOverlay overlay_;
  GraphSearch search_;
};

}  // namespace quire::hnsw
