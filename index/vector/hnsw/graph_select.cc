#include "index/vector/hnsw/graph_select.h"

#include <algorithm>
#include <cmath>

namespace quire::hnsw {

void sort_candidates(std::span<Candidate> candidates) noexcept {
  std::ranges::sort(candidates, [](const Candidate& a, const Candidate& b) {
    return nearer(Neighbour<Place>{a.distance, a.place}, Neighbour<Place>{b.distance, b.place});
  });
}

std::size_t select_neighbours(std::span<Candidate> sorted, std::size_t most,
                              const CodeMetric& metric) noexcept {
  std::size_t chosen = 0;
  for (const Candidate candidate : sorted) {
    if (chosen == most) break;
    const bool hidden = std::ranges::any_of(sorted.first(chosen), [&](const Candidate& other) {
      return metric.distance.one(candidate.code, other.code, metric.dimension) < candidate.distance;
    });
    if (!hidden) sorted[chosen++] = candidate;
  }
  return chosen;
}

}  // namespace quire::hnsw
