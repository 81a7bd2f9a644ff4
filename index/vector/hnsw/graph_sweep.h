// What only a look at all of a graph tells: which lists name certain nodes, and which nodes no walk
// comes to. Maintenance looks now and then, a check always.
#pragma once

#include <functional>
#include <vector>

#include "index/vector/hnsw/graph.h"

namespace quire::hnsw {

// A list, by its level and node.
struct ListOf {
  unsigned level = 0;
  Place place = kNoPlace;
  bool operator==(const ListOf&) const = default;
};

// The lists that name a place for which `gone` says so. O(nodes * m), in order of places.
Result<std::vector<ListOf>> find_naming(GraphView& view, const std::function<bool(Place)>& gone);

// Live nodes that can't be come to from the entry, by all levels: searches never find them. They
// come of lists that were full, and of deletes. O(nodes * m) at random.
Result<std::vector<Place>> find_unreachable(GraphView& view);

}  // namespace quire::hnsw
