// Nearest neighbours of many queries at once, by several threads.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "index/vector/vector_search.h"

namespace quire {

struct SearchBatch {
  std::span<const std::byte* const> vectors;  // each fits the field
  std::uint64_t count = 0;                    // of neighbours
  unsigned threads = 1;                       // the caller's among them; 1 in a write transaction
};

// Calls take(i, nearest) for each query by the caller's thread, in their order: the `count`
// nearest, as VectorSearcher::nearest() finds them. The first error of any ends all. `report` gets
// what all did, with what the searcher did before. Memory for the neighbours of up to 512
// queries at once, 64 MiB, or of one for each thread.
using TakeNearest =
    std::function<Status(std::size_t query, std::vector<Neighbour<RecordNumber>> nearest)>;
Status search_batch(View& view, VectorSearcher& searcher, ScratchPool& pool,
                    const SearchBatch& batch, SearchReport& report, const TakeNearest& take);

}  // namespace quire
