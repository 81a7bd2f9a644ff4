// An order of vectors in which near ones stand near one another: nodes that are read together then
// lie on the same pages.
#pragma once

#include <functional>
#include <vector>

#include "index/vector/hnsw/graph.h"

namespace quire::hnsw {

struct OrderRequest {
  std::size_t count = 0;  // of vectors, numbered from 0
  const CodeMetric& metric;
  std::uint32_t code_bytes = 0;
  // Makes the code of a vector. Each thread has a copy of it.
  std::function<Status(std::size_t i, std::byte* code)> encode;
  unsigned threads = 1;  // the caller's among them
  // Called by the caller's thread now and then. An error ends it.
  std::function<Status()> report;
};

// Each number once. Of each 64 vectors one, by chance, is of a sample; the sample is linked to a
// graph, and put in the order of a walk from each to the nearest neighbour that the walk was not at
// yet; each vector comes to the member of the sample that it is nearest to. A few vectors stay in
// their order. With one thread the same vectors have the same order. A small part of what linking
// them costs: expected O(count * log(count) * dimension / threads).
Result<std::vector<std::uint32_t>> order_near(const OrderRequest& request);

}  // namespace quire::hnsw
