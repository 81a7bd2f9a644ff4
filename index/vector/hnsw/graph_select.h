// Which of the nodes near a node become its neighbours.
#pragma once

#include <span>

#include "index/kernels/top_k.h"
#include "index/vector/hnsw/graph.h"

namespace quire::hnsw {

struct Candidate {
  float distance = 0;  // to the node
  Place place = kNoPlace;
  const std::byte* code = nullptr;
};

// By distance, then by place.
void sort_candidates(std::span<Candidate> candidates) noexcept;

// The heuristic of the paper (algorithm 4, without what it calls extending and keeping): from the
// nearest on, those that are no nearer to one chosen already than to the node itself. So edges lead
// in all directions. `sorted` begins with those that are chosen afterwards; how many, `most` at
// most. O(sorted * most * dimension).
std::size_t select_neighbours(std::span<Candidate> sorted, std::size_t most,
                              const CodeMetric& metric) noexcept;

}  // namespace quire::hnsw
