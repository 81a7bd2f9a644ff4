#include "index/vector/hnsw/graph_sweep.h"

#include <algorithm>

namespace quire::hnsw {

Result<std::vector<ListOf>> find_naming(GraphView& view, const std::function<bool(Place)>& gone) {
  GraphReader reader(view);
  std::vector<ListOf> naming;
  for (Place place = 1; place < view.end(); ++place) {
    const unsigned highest = level_of(place, view.shape().seed);
    for (unsigned level = 0; level <= highest; ++level) {
      Neighbours list;
      if (!reader.read(level, place, list)) return std::unexpected(reader.take_error());
      if (std::any_of(list.places, list.places + list.count, gone))
        naming.push_back({level, place});
    }
  }
  return naming;
}

// A search comes to level 0 at a node that it found above, and so does this walk: from all that the
// levels above lead to.
Result<std::vector<Place>> find_unreachable(GraphView& view) {
  GraphReader reader(view);
  std::vector<bool> seen(view.end());
  std::vector<Place> frontier;
  if (const Place entry = view.state().entry; entry != kNoPlace) {
    frontier.push_back(entry);
    seen[entry] = true;
  }
  while (!frontier.empty()) {
    const Place place = frontier.back();
    frontier.pop_back();
    const unsigned highest = level_of(place, view.shape().seed);
    for (unsigned level = 0; level <= highest; ++level) {
      Neighbours list;
      if (!reader.read(level, place, list)) return std::unexpected(reader.take_error());
      for (std::uint32_t i = 0; i < list.count; ++i) {
        if (seen[list.places[i]]) continue;
        seen[list.places[i]] = true;
        frontier.push_back(list.places[i]);
      }
    }
  }
  std::vector<Place> unreachable;
  for (Place place = 1; place < view.end(); ++place) {
    if (seen[place]) continue;
    const auto use = view.use(place);
    if (!use) return std::unexpected(view.take_error());
    if (use->is_live()) unreachable.push_back(place);
  }
  return unreachable;
}

}  // namespace quire::hnsw
