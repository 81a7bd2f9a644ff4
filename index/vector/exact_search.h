// Exact k nearest neighbours over one vector field, at the age of a view: every vector is measured.
// What other indexes are compared with.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/row_codec.h"
#include "index/kernels/distance.h"

namespace quire {

inline constexpr std::size_t kMaxNeighbours = 1'000'000;

struct VectorQuery {
  std::size_t field = 0;  // index of a vector field
  Metric metric = Metric::kL2;
  const float* vector = nullptr;
  std::uint32_t dimension = 0;
  std::size_t k = 0;  // 1 to kMaxNeighbours
};

struct VectorHit {
  float distance = 0;
  RecordNumber number = 0;
  Bytes key;  // as decode_key takes it; borrowed from the view
};

// The k nearest in order of distance, then of record number; fewer when fewer records have the
// field. Records whose vector is null are not found. kInvalid, kType, kSchema for a query that does
// not fit, naming collection and field. O(record numbers * dimension), and a bit of memory for
// each.
Result<std::vector<VectorHit>> exact_search(View& view, const Collection& collection,
                                            const VectorQuery& query);

}  // namespace quire
