// Nearest neighbours by whichever way there is: an index of the field, or every vector measured.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "index/vector/exact_search.h"
#include "index/vector/hnsw/hnsw_search.h"

namespace quire {

struct SearchTerms {
  std::string_view index;  // empty: one of the field by the query's metric, if there is one
  std::size_t ef = 0;      // 0: kUsualEf, and as much more as k is over 10
  double target = 0;       // 0: none; the share of the nearest to be found, which gives an ef
  bool exact = false;      // by no index
};
inline constexpr std::size_t kUsualEf = 128;

// Memory of searches that have ended, for those that begin. Thread-safe; one for each open
// database.
class ScratchPool {
 public:
  // nullptr: there is none.
  std::unique_ptr<hnsw::SearchScratch> take() noexcept;
  void put(std::unique_ptr<hnsw::SearchScratch> scratch) noexcept;

 private:
  static constexpr std::size_t kKept = 8;  // a bit or three a node each
  std::mutex mutex_;
  std::array<std::unique_ptr<hnsw::SearchScratch>, kKept> idle_;
  std::size_t count_ = 0;
};

// What searches at one view keep from one to the next. Of a write transaction only until its next
// change. One thread.
class SearchMemory {
 public:
  // The reader of an index, which is opened at the first call, and again behind a change.
  Result<hnsw::HnswReader*> reader(View& view, const Collection& collection,
                                   const hnsw::HnswIndex& index);
  // From here on memory comes from the pool, and goes back there; it outlives this.
  void use(ScratchPool* pool) noexcept { pool_ = pool; }
  void clear() noexcept;

 private:
  struct Kept {
    std::unique_ptr<hnsw::HnswReader> reader;
    std::uint64_t version = 0;  // of the primary tree: 0 of a snapshot
  };
  void give_back(Kept& kept) noexcept;

  std::map<StructureId, Kept> readers_;  // by the id of the head
  ScratchPool* pool_ = nullptr;
};

// How a search went.
struct SearchReport {
  enum class Way : std::uint8_t { kExact, kGraph, kMatches, kFilteredGraph };
  Way way = Way::kExact;
  std::uint64_t matches = 0;  // vectors that it could find, all told
  std::uint64_t codes = 0;    // that were measured
  std::uint64_t vectors = 0;  // likewise, exactly
  std::uint64_t ef = 0;       // of the walk; 0: there was none
};

// As exact_search, but that an index may miss a few of the nearest; never fewer than k where k
// match. A query without a metric takes that of the index that is named. kNotFound (the index),
// kInvalid (it is of another field, metric or kind; an ef over hnsw::kMostEf; a target
// outside of 0.5 to 0.9999; an ef and a target; an index and `exact`). `report` may be null.
Result<std::vector<VectorHit>> search_vectors(
    View& view, const Collection& collection, const VectorQuery& query, const SearchTerms& terms,
    SearchMemory& memory, const std::shared_ptr<const RecordFilter>& among = nullptr,
    SearchReport* report = nullptr);

}  // namespace quire
