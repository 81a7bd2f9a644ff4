// Whether a graph is one.
#pragma once

#include <functional>

#include "index/vector/hnsw/graph.h"

namespace quire::hnsw {

// What a check counts beside damage.
struct GraphFigures {
  std::uint64_t nodes = 0;    // live ones
  std::uint64_t dead = 0;     // and those that are not
  std::uint64_t free = 0;     // places
  std::uint64_t edges = 0;    // at level 0
  std::uint64_t one_way = 0;  // of these, those that the other end does not have
  // Live nodes that no walk from the entry comes to: searches can't find them. They come of lists
  // that were full; no damage.
  std::uint64_t unreachable = 0;
};

// Reads every list of every level: neighbours that are there, have the level, are not the node
// itself nor named twice, with zeros behind the last; an entry of the highest level that a live
// node has; free places that nothing names. Whose the nodes are, and that the free places are a
// chain, is not looked at. Reports each damage and goes on. O(nodes * m^2).
Result<GraphFigures> check_graph(GraphView& view, const std::function<void(const Error&)>& report);

}  // namespace quire::hnsw
