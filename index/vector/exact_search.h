// Exact k nearest neighbours over one vector field, at the age of a view: every vector is measured.
// What other indexes are compared with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/numbers.h"
#include "engine/record/row_codec.h"
#include "index/kernels/distance.h"

namespace quire {

inline constexpr std::size_t kMaxNeighbours = 1'000'000;

struct VectorQuery {
  std::size_t field = 0;         // index of a vector field
  std::optional<Metric> metric;  // none: l2, of bits hamming
  Value vector;                  // of the field's type and dimension
  std::size_t k = 0;             // 1 to kMaxNeighbours
};

struct VectorHit {
  float distance = 0;
  RecordNumber number = 0;
  Bytes key;  // as decode_key takes it; borrowed from the view
};

// Whether the query fits the collection: kInvalid, kType, kSchema, naming collection and field.
Status check_query(const Collection& collection, const VectorQuery& query);

// The k nearest in order of distance, then of record number; fewer when fewer records have the
// field. Records whose vector is null are not found, nor those that are not in `among` (of the same
// state of the view; nullptr: all). kInvalid, kType, kSchema, kNotSupported (the metric) for a
// query that does not fit, naming collection and field. O(record numbers / 64 + vectors to be
// measured * dimension), and a bit of memory for each number; pages without such a vector are not
// read. `measured` (may be null) gets how many were.
Result<std::vector<VectorHit>> exact_search(View& view, const Collection& collection,
                                            const VectorQuery& query,
                                            const NumberSet* among = nullptr,
                                            std::uint64_t* measured = nullptr);

}  // namespace quire
