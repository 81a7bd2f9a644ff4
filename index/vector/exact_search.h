// Exact k nearest neighbours over one vector field, at the age of a view: every vector is measured.
// What other indexes are compared with.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/numbers.h"
#include "engine/record/row_codec.h"
#include "index/kernels/distance.h"
#include "index/kernels/top_k.h"

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
// The same in two parts: whether there can be such a search, and, where there can, whether it can
// be for this vector.
Status check_search(const Collection& collection, std::size_t field, std::uint64_t k);
Status check_searched(const Collection& collection, std::size_t field, const Value& vector);
// Distances of a vector field by a metric, or by its usual one. kNotSupported, naming the field.
Result<DistanceFunctions> distance_of(const Collection& collection, std::size_t field,
                                      std::optional<Metric> metric);

// The vectors of one field at one view, which each query is measured against. The view outlives it;
// of a write transaction it is good until the next change. One thread; copies are cheap, and of a
// snapshot each may be of another thread.
class ExactSearcher {
 public:
  // `among`, and errors, as exact_search(). O(record numbers / 64), and a bit of memory for each.
  static Result<ExactSearcher> open(View& view, const Collection& collection, std::size_t field,
                                    std::optional<Metric> metric, const NumberSet* among);
  // How many vectors there are.
  std::uint64_t count() const noexcept { return count_; }
  // The k nearest in order of distance, then of record number; all where there are fewer. `vector`
  // has as many bytes as the field's.
  Result<std::vector<Neighbour<RecordNumber>>> nearest(const std::byte* vector, std::uint64_t k);

 private:
  ExactSearcher(const DistanceFunctions& distance, NumberSet numbers, ArrayView array,
                std::uint32_t dimension)
      : distance_(distance),
        count_(numbers.count()),
        numbers_(std::make_shared<const NumberSet>(std::move(numbers))),
        array_(std::move(array)),
        dimension_(dimension) {}

  DistanceFunctions distance_;
  std::uint64_t count_;
  std::shared_ptr<const NumberSet> numbers_;
  ArrayView array_;
  std::uint32_t dimension_;
};

// The k nearest in order of distance, then of record number; fewer when fewer records have the
// field. Records whose vector is null are not found, nor those that are not in `among` (of the same
// state of the view; nullptr: all). kInvalid, kType, kSchema, kNotSupported (the metric) for a
// query that does not fit, naming collection and field. O(record numbers / 64 + vectors to be
// measured * dimension), and a bit of memory for each number; pages without such a vector are not
// read.
Result<std::vector<VectorHit>> exact_search(View& view, const Collection& collection,
                                            const VectorQuery& query,
                                            const NumberSet* among = nullptr);

}  // namespace quire
