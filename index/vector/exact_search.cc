#include "index/vector/exact_search.h"

#include <algorithm>
#include <bit>

#include "engine/record/numbers.h"
#include "engine/record/value_check.h"
#include "index/vector/elements.h"

namespace quire {
namespace {

static_assert(kMaxDimension <= kMaxMeasuredDimension);

// Numbers looked at together: a word of a set, and distances that stay in the first cache.
constexpr std::uint64_t kBatch = 64;

class Scan {
 public:
  Scan(const DistanceFunctions& distance, const std::byte* query, std::uint32_t dimension,
       const NumberSet& numbers, std::uint64_t k)
      : distance_(distance), query_(query), dimension_(dimension), numbers_(numbers), nearest_(k) {}

  Status run(ArrayView& array) {
    stride_ = array.element_size();
    // Numbers past the array's end have no vector, and set bits there only when something is
    // damaged, which the check tells.
    const std::uint64_t end = std::min(array.size(), numbers_.size);
    for (std::uint64_t first = next_number(0, end); first < end;) {
      const ArrayView::Piece piece = array.piece(first);
      if (piece.data == nullptr) return std::unexpected(array.take_error());
      const std::uint64_t count = std::min(piece.count, end - first);
      measure(piece.data, first, count);
      first = next_number(first + count, end);
    }
    return {};
  }

  std::span<const Neighbour<RecordNumber>> sorted() { return nearest_.sorted(); }

 private:
  // The bits of [first, first + count), which lie in one word; that of `first` is the lowest.
  std::uint64_t bits(RecordNumber first, std::uint64_t count) const noexcept {
    const std::uint64_t word = numbers_.words[first / kBatch] >> (first % kBatch);
    return count == kBatch ? word : word & ((std::uint64_t{1} << count) - 1);
  }

  // The first number of the set from `first` on; at least `end` where there is none before.
  RecordNumber next_number(RecordNumber first, RecordNumber end) const noexcept {
    while (first < end) {
      const std::uint64_t word = bits(first, kBatch - first % kBatch);
      if (word != 0) return first + static_cast<unsigned>(std::countr_zero(word));
      first += kBatch - first % kBatch;
    }
    return end;
  }

  void measure(const std::byte* rows, RecordNumber first, std::uint64_t count) {
    for (std::uint64_t done = 0; done < count;) {
      const std::uint64_t batch = std::min(kBatch - (first + done) % kBatch, count - done);
      const std::uint64_t wanted = bits(first + done, batch);
      if (wanted != 0) offer(rows + done * stride_, first + done, batch, wanted);
      done += batch;
    }
  }

  // Rows one after the other are measured together where most are wanted.
  void offer(const std::byte* rows, RecordNumber first, std::uint64_t count, std::uint64_t wanted) {
    float distances[kBatch];
    const auto many = static_cast<std::uint64_t>(std::popcount(wanted));
    const bool most = many * 4 >= count * 3;
    if (most) {
      distance_.rows(query_, rows, stride_, count, dimension_, distances);
    } else {
      measure_list(rows, wanted, many, distances);
    }
    for (std::size_t listed = 0; wanted != 0; wanted &= wanted - 1, ++listed) {
      const auto i = static_cast<std::size_t>(std::countr_zero(wanted));
      nearest_.offer(distances[most ? i : listed], first + i);
    }
  }

  void measure_list(const std::byte* rows, std::uint64_t wanted, std::uint64_t many,
                    float* distances) const {
    const void* list[kBatch];
    std::size_t listed = 0;
    for (; wanted != 0; wanted &= wanted - 1) {
      const std::byte* row = rows + static_cast<std::size_t>(std::countr_zero(wanted)) * stride_;
      for (std::size_t line = 0; line < std::min(stride_, kPrefetchBytes); line += 64)
        __builtin_prefetch(row + line);
      list[listed++] = row;
    }
    distance_.list(query_, list, many, dimension_, distances);
  }

  // Of each vector: the processor follows from there.
  static constexpr std::size_t kPrefetchBytes = 256;

  const DistanceFunctions distance_;
  const std::byte* query_;
  const std::uint32_t dimension_;
  std::size_t stride_ = 0;
  const NumberSet& numbers_;
  TopK<RecordNumber> nearest_;
};

}  // namespace

Status check_search(const Collection& collection, std::size_t field, std::uint64_t k) {
  if (field >= collection.schema().size())
    return collection.failure(ErrorCode::kInvalid,
                              "there is no field " + std::to_string(field) + " to search");
  const FieldType type = collection.schema().field(field).type;
  if (!is_vector(type))
    return collection.field_failure(
        ErrorCode::kType, field,
        "is " + std::string(type_name(type)) + ", only vectors can be searched");
  if (k == 0 || k > kMaxNeighbours)
    return collection.field_failure(ErrorCode::kInvalid, field,
                                    "search for " + std::to_string(k) +
                                        " neighbours, must be 1 to " +
                                        std::to_string(kMaxNeighbours));
  return {};
}

Status check_searched(const Collection& collection, std::size_t field, const Value& vector) {
  const FieldType type = collection.schema().field(field).type;
  if (vector.type != type)
    return collection.field_failure(ErrorCode::kType, field,
                                    "is " + std::string(type_name(type)) + ", searched for a " +
                                        std::string(type_name(vector.type)));
  return check_type(collection, field, vector);
}

Status check_query(const Collection& collection, const VectorQuery& query) {
  QUIRE_CHECK(check_search(collection, query.field, query.k));
  return check_searched(collection, query.field, query.vector);
}

Result<DistanceFunctions> distance_of(const Collection& collection, std::size_t field,
                                      std::optional<Metric> metric) {
  const ElementType elements = elements_of(collection.schema().field(field).type);
  const Metric usual = elements == ElementType::kBits ? Metric::kHamming : Metric::kL2;
  auto found = find_distance(distance_kernels(), metric.value_or(usual), elements);
  if (!found) return collection.field_failure(found.error().code(), field, found.error().message());
  return found;
}

Result<ExactSearcher> ExactSearcher::open(View& view, const Collection& collection,
                                          std::size_t field, std::optional<Metric> metric,
                                          const NumberSet* among) {
  QUIRE_TRY(const DistanceFunctions distance, distance_of(collection, field, metric));
  const std::size_t place = collection.schema().vector_place(field);
  QUIRE_TRY(NumberSet numbers, numbers_with_vector(view, collection, place));
  if (among != nullptr) numbers.keep(*among);
  QUIRE_TRY(const ArrayRoot root, view.array_root(collection.definition().vectors[place]));
  ArrayView array(view.reader(), root);
  if (array.element_size() != collection.schema().field(field).vector_bytes())
    return collection.field_failure(ErrorCode::kCorrupt, field,
                                    "the array has elements of another size");
  return ExactSearcher(distance, std::move(numbers), std::move(array),
                       collection.schema().field(field).dimension);
}

Result<std::vector<Neighbour<RecordNumber>>> ExactSearcher::nearest(const std::byte* vector,
                                                                    std::uint64_t k) {
  Scan scan(distance_, vector, dimension_, *numbers_, std::min(k, count_));
  QUIRE_CHECK(scan.run(array_));
  const auto sorted = scan.sorted();
  return std::vector<Neighbour<RecordNumber>>(sorted.begin(), sorted.end());
}

Result<std::vector<VectorHit>> exact_search(View& view, const Collection& collection,
                                            const VectorQuery& query, const NumberSet* among) {
  QUIRE_CHECK(check_query(collection, query));
  QUIRE_TRY(ExactSearcher searcher,
            ExactSearcher::open(view, collection, query.field, query.metric, among));
  QUIRE_TRY(const auto nearest, searcher.nearest(query.vector.vector, query.k));
  std::vector<VectorHit> hits;
  for (const Neighbour<RecordNumber>& found : nearest) {
    QUIRE_TRY(const NumberEntry entry, read_number(view, collection, found.id));
    hits.push_back({found.distance, found.id, entry.key});
  }
  return hits;
}

}  // namespace quire
