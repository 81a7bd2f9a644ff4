// Exact nearest neighbours among vectors that lie one after the other: every one is measured.
#pragma once

#include <algorithm>
#include <cstddef>

#include "index/kernels/kernel_types.h"
#include "index/kernels/top_k.h"

namespace quire {

// Vectors in one piece of memory (one block of an array): vector i at data + i * stride_bytes.
struct VectorRows {
  const void* data = nullptr;
  std::size_t stride_bytes = 0;
  std::size_t count = 0;
};

// Offers each row to `nearest` as first_id + its place. O(count * dimension), no allocation.
template <class Id>
void scan_rows(const DistanceFunctions& distance, const void* query, std::size_t dimension,
               const VectorRows& rows, Id first_id, TopK<Id>& nearest) {
  constexpr std::size_t kBatch = 64;  // distances that stay in a few cache lines
  float distances[kBatch];
  for (std::size_t begin = 0; begin < rows.count; begin += kBatch) {
    const std::size_t count = std::min(kBatch, rows.count - begin);
    distance.rows(query, static_cast<const char*>(rows.data) + begin * rows.stride_bytes,
                  rows.stride_bytes, count, dimension, distances);
    for (std::size_t i = 0; i < count; ++i)
      nearest.offer(distances[i], static_cast<Id>(first_id + begin + i));
  }
}

}  // namespace quire
