// Linking many nodes at once, in memory, by several threads.
#pragma once

#include <functional>

#include "index/vector/hnsw/graph_memory.h"
#include "index/vector/hnsw/graph_select.h"

namespace quire::hnsw {

// What is linked.
struct BuildRequest {
  GraphMemory& memory;
  const MemoryCodes& codes;  // of every place of the memory
  const CodeMetric& metric;
  Place entry = kNoPlace;  // of a live node, where there is one
  // New nodes, each once; their lists are empty, and nothing names them.
  std::vector<Place> places;
  unsigned threads = 1;  // the caller's among them
  // Called by the caller's thread now and then with how many are linked. An error ends it.
  std::function<Status(std::uint64_t linked)> report;
};

// Links them, by the heuristic that GraphPlan goes by, and gives the entry from then on. First come
// those that are above level 0: they are a sample, so whatever comes then finds all regions linked.
// Else their order is by chance, of their places. With one thread the same request makes the same
// graph; with several the graph depends on which came first. Threads that the system does not give
// are done without. An error, of which that of memory is one, leaves the memory half linked.
// Expected O(places * ef_construction * 2m * dimension / threads).
Result<Place> build_graph(BuildRequest request);

}  // namespace quire::hnsw
