// Nearest neighbours by an HNSW index, at the age of a view.
#pragma once

#include <vector>

#include "index/vector/exact_search.h"
#include "index/vector/hnsw/filtered_walk.h"
#include "index/vector/hnsw/hnsw_index.h"
#include "index/vector/record_filter.h"

namespace quire::hnsw {

// How a search gets at its candidates.
enum class SearchWay : std::uint8_t {
  kAny,      // as costs least
  kMeasure,  // of a filter: every match is measured, by its code, or exactly where they are few
  kWalk,     // through the graph
};

struct SearchRequest {
  const std::byte* vector = nullptr;          // as many bytes as the field's, at any address
  std::size_t k = 0;                          // 1 or more
  std::size_t ef = 0;                         // to kMostEf; less than k counts as k
  std::shared_ptr<const RecordFilter> among;  // only these records; nullptr: all
  Place without = kNoPlace;                   // a node, not the entry, that the walk shall not see
  // For tests: what else would follow from costs; and neighbours alone, without theirs.
  SearchWay way = SearchWay::kAny;
  Hops hops = Hops::kTwo;
};

// What a search did.
struct SearchFigures {
  SearchWay way = SearchWay::kAny;  // kMeasure: every one; kWalk: through the graph
  std::uint64_t matches = 0;        // records of the index that it could find
  std::uint64_t measured = 0;       // codes
  std::uint64_t exact = 0;          // raw vectors
  std::uint64_t ef = 0;             // of the last walk
};

// What searches work with, kept from one to the next: none of it says anything. One thread.
struct SearchScratch {
  GraphSearch search;
  FilteredWalk filtered;
  ByteVector code;
  std::vector<Neighbour<std::uint32_t>> candidates;
  TopK<Place> nodes{1};
  TopK<RecordNumber> records{1};
};

// An index at one view, which outlives it; of a write transaction it is good until the next change.
// Kept, it remembers where blocks lie and keeps the memory of searches. One thread.
class HnswReader {
 public:
  static Result<std::unique_ptr<HnswReader>> open(View& view, const Collection& collection,
                                                  const HnswIndex& index,
                                                  std::unique_ptr<SearchScratch> scratch = nullptr);
  // The memory that it worked with; it is of no use then.
  std::unique_ptr<SearchScratch> take_scratch() noexcept { return std::move(scratch_); }

  // How many records the index has.
  std::uint64_t count() const noexcept { return state_.count(); }
  const Calibration& calibration() const noexcept { return state_.head.calibration; }
  // The k nearest that are found, by their exact distances, in order of these and of record
  // numbers: k, or all that there are. Good until the next call. kInvalid for k and ef; kCorrupt.
  // Expected O(ef * 2m * dimension + tail); with a filter at most as much as measuring its matches,
  // and where it is another than that of the call before, O(numbers) more.
  Result<std::span<const Neighbour<RecordNumber>>> search(const SearchRequest& request);
  const SearchFigures& figures() const noexcept { return figures_; }

 private:
  // Of the graph or of the tail, by the distance of its code.
  using Candidate = Neighbour<std::uint32_t>;

  HnswReader(const HnswForm& form, std::unique_ptr<SearchScratch> scratch)
      : form_(form),
        scratch_(scratch != nullptr ? std::move(scratch) : std::make_unique<SearchScratch>()),
        search_(scratch_->search),
        filtered_(scratch_->filtered),
        code_(scratch_->code),
        candidates_(scratch_->candidates),
        nearest_nodes_(scratch_->nodes),
        nearest_(scratch_->records) {
    code_.resize(form.codes.code_bytes());
  }
  Status find_matches(const std::shared_ptr<const RecordFilter>& among);
  Result<std::shared_ptr<const PlaceSet>> find_places(const RecordFilter& filter);
  bool is_match(std::uint32_t record) const noexcept { return !among_ || among_->has(record); }
  bool measures(const SearchRequest& request, std::size_t ef) const noexcept;
  double share() const noexcept;
  Status search_all(const SearchRequest& request, std::size_t k);
  Status search_matches(const SearchRequest& request, std::size_t k);
  Status walk(const std::byte* code, std::size_t ef);
  Status measure_all(const SearchRequest& request, std::size_t k);
  Result<bool> is_opposed();
  Result<bool> walk_once(const SearchRequest& request, std::size_t ef);
  Result<bool> walk_until_sure(const SearchRequest& request, std::size_t ef, std::size_t k);
  Status measure_matches(const std::byte* code, std::size_t most);
  Status add_candidates(std::span<const Neighbour<Place>> nodes);
  Status scan_tail(const std::byte* vector, const std::byte* code);
  Status measure_slots(const std::byte* vector, const std::byte* code, const std::byte* slots,
                       std::size_t count);
  std::size_t ranked_of(std::size_t k) const noexcept;
  Status rank(const std::byte* vector, std::size_t k);
  Status measure(const std::byte* vector, std::span<const Candidate> candidates);
  Status scan_all(const std::byte* vector, std::size_t k);
  Result<const std::byte*> vector_of(std::uint32_t record);

  const HnswForm form_;
  HnswState state_;
  std::optional<GraphView> graph_;
  ArrayView tail_;
  ArrayView vectors_;
  ArrayView places_;
  std::unique_ptr<SearchScratch> scratch_;
  GraphSearch& search_;
  FilteredWalk& filtered_;
  ByteVector& code_;
  std::vector<Candidate>& candidates_;
  TopK<Place>& nearest_nodes_;
  TopK<RecordNumber>& nearest_;
  const RecordFilter* among_ = nullptr;  // of this search
  // Of the last search that had one, and where its records are here.
  std::shared_ptr<const RecordFilter> filter_;
  std::shared_ptr<const PlaceSet> matching_;
  SearchFigures figures_;
};

}  // namespace quire::hnsw
