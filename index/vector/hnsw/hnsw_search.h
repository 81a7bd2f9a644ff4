// Nearest neighbours by an HNSW index, at the age of a view.
#pragma once

#include <vector>

#include "index/vector/exact_search.h"
#include "index/vector/hnsw/graph_search.h"
#include "index/vector/hnsw/hnsw_index.h"

namespace quire::hnsw {

struct SearchRequest {
  const std::byte* vector = nullptr;  // as many bytes as the field's, at any address
  std::size_t k = 0;                  // 1 to kMaxNeighbours
  std::size_t ef = 0;                 // to kMostEf; less than k counts as k
  Place without = kNoPlace;           // a node, not the entry, that the walk shall not see
};

// What a search did.
struct SearchFigures {
  std::uint64_t measured = 0;  // codes
  std::uint64_t exact = 0;     // raw vectors
  std::uint64_t ef = 0;        // of the last walk
};

// An index at one view, which outlives it; of a write transaction it is good until the next change.
// Kept, it remembers where blocks lie and keeps the memory of searches. One thread.
class HnswReader {
 public:
  static Result<std::unique_ptr<HnswReader>> open(View& view, const Collection& collection,
                                                  const HnswIndex& index);

  // How many records the index has.
  std::uint64_t count() const noexcept { return state_.count(); }
  const Calibration& calibration() const noexcept { return state_.head.calibration; }
  // The k nearest that are found, by their exact distances, in order of these and of record
  // numbers: k, or all that there are. Good until the next call. kInvalid for k and ef; kCorrupt.
  // Expected O(ef * 2m * dimension + tail).
  Result<std::span<const Neighbour<RecordNumber>>> search(const SearchRequest& request);
  const SearchFigures& figures() const noexcept { return figures_; }

 private:
  // Of the graph or of the tail, by the distance of its code.
  using Candidate = Neighbour<std::uint32_t>;

  explicit HnswReader(const HnswForm& form) : form_(form), code_(form.codes.code_bytes()) {}
  Status walk(const std::byte* code, std::size_t ef);
  Status scan_tail(const std::byte* vector, const std::byte* code);
  Status measure_slots(const std::byte* vector, const std::byte* code, const std::byte* slots,
                       std::size_t count);
  Status rank(const std::byte* vector, std::size_t k);
  Status measure(const std::byte* vector, std::span<const Candidate> candidates);
  Status scan_all(const std::byte* vector, std::size_t k);
  Result<const std::byte*> vector_of(std::uint32_t record);

  const HnswForm form_;
  HnswState state_;
  std::optional<GraphView> graph_;
  ArrayView tail_;
  ArrayView vectors_;
  GraphSearch search_;
  ByteVector code_;
  std::vector<Candidate> candidates_;
  TopK<RecordNumber> nearest_{1};
  SearchFigures figures_;
};

}  // namespace quire::hnsw
