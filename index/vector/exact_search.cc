#include "index/vector/exact_search.h"

#include <algorithm>

#include "engine/record/numbers.h"
#include "engine/record/value_check.h"
#include "index/kernels/top_k.h"

namespace quire {
namespace {

// Rows measured at a time: their distances stay in the first cache.
constexpr std::uint64_t kBatch = 64;

Status check_query(const Collection& collection, const VectorQuery& query) {
  if (query.field >= collection.schema().size())
    return collection.failure(ErrorCode::kInvalid,
                              "there is no field " + std::to_string(query.field) + " to search");
  const FieldType type = collection.schema().field(query.field).type;
  if (type != FieldType::kVectorF32)
    return collection.field_failure(
        ErrorCode::kType, query.field,
        "is " + std::string(type_name(type)) + ", only vectors can be searched");
  if (query.k == 0 || query.k > kMaxNeighbours)
    return collection.field_failure(ErrorCode::kInvalid, query.field,
                                    "search for " + std::to_string(query.k) +
                                        " neighbours, must be 1 to " +
                                        std::to_string(kMaxNeighbours));
  if (query.vector == nullptr)
    return collection.field_failure(ErrorCode::kInvalid, query.field, "a search without a vector");
  return check_value(collection, query.field, Value::of_vector(query.vector, query.dimension));
}

class Scan {
 public:
  Scan(const DistanceFunctions& distance, const VectorQuery& query, const NumberSet& numbers)
      : distance_(distance),
        query_(query),
        numbers_(numbers),
        nearest_(std::min<std::uint64_t>(query.k, numbers.size)) {}

  Status run(ArrayView& array) {
    // Numbers past the array's end have no vector, and set bits there only when something is
    // damaged, which the check tells.
    const std::uint64_t end = std::min(array.size(), numbers_.size);
    for (std::uint64_t first = 0; first < end;) {
      const ArrayView::Piece piece = array.piece(first);
      if (piece.data == nullptr) return std::unexpected(array.take_error());
      const std::uint64_t count = std::min(piece.count, end - first);
      measure(piece.data, first, count);
      first += count;
    }
    return {};
  }

  std::span<const Neighbour<RecordNumber>> sorted() { return nearest_.sorted(); }

 private:
  void measure(const std::byte* rows, RecordNumber first, std::uint64_t count) {
    const std::size_t stride = std::size_t{query_.dimension} * sizeof(float);
    for (std::uint64_t done = 0; done < count;) {
      const std::uint64_t batch = std::min(kBatch, count - done);
      if (any(first + done, batch)) offer(rows + done * stride, stride, first + done, batch);
      done += batch;
    }
  }

  bool any(RecordNumber first, std::uint64_t count) const noexcept {
    for (std::uint64_t i = 0; i < count; ++i)
      if (numbers_.has(first + i)) return true;
    return false;
  }

  void offer(const std::byte* rows, std::size_t stride, RecordNumber first, std::uint64_t count) {
    float distances[kBatch];
    distance_.rows(query_.vector, rows, stride, count, query_.dimension, distances);
    for (std::uint64_t i = 0; i < count; ++i)
      if (numbers_.has(first + i)) nearest_.offer(distances[i], first + i);
  }

  const DistanceFunctions& distance_;
  const VectorQuery& query_;
  const NumberSet& numbers_;
  TopK<RecordNumber> nearest_;
};

}  // namespace

Result<std::vector<VectorHit>> exact_search(View& view, const Collection& collection,
                                            const VectorQuery& query) {
  QUIRE_CHECK(check_query(collection, query));
  QUIRE_TRY(const DistanceFunctions distance,
            find_distance(distance_kernels(), query.metric, ElementType::kF32));
  const std::size_t place = collection.schema().vector_place(query.field);
  QUIRE_TRY(const NumberSet numbers, numbers_with_vector(view, collection, place));
  QUIRE_TRY(const ArrayRoot root, view.array_root(collection.definition().vectors[place]));
  ArrayView array(view.reader(), root);
  if (array.element_size() != query.dimension * sizeof(float))
    return collection.field_failure(ErrorCode::kCorrupt, query.field,
                                    "the array has elements of another size");
  Scan scan(distance, query, numbers);
  QUIRE_CHECK(scan.run(array));
  std::vector<VectorHit> hits;
  for (const Neighbour<RecordNumber>& found : scan.sorted()) {
    QUIRE_TRY(const NumberEntry entry, read_number(view, collection, found.id));
    hits.push_back({found.distance, found.id, entry.key});
  }
  return hits;
}

}  // namespace quire
