// Nearest neighbours by whichever way there is: an index of the field, or every vector measured.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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

  // Counts a later search in: the way is its.
  void add(const SearchReport& other) noexcept;
};

// A search that was opened: by an index, or exactly. The view, collection and memory outlive it; of
// a write transaction it is good until the next change. One thread.
class VectorSearcher {
 public:
  // `k`: how many are wanted in the end, which an ef is meant for. kNotFound (the index), kInvalid
  // (it is of another field, metric or kind; an ef over hnsw::kMostEf; a target outside of 0.5 to
  // 0.9999; an ef and a target; an index and `exact`); kNotSupported (the metric). A search without
  // a metric takes that of the index that is named. `among`: only these; nullptr: all.
  static Result<VectorSearcher> open(View& view, const Collection& collection,
                                     const VectorQuery& query, const SearchTerms& terms,
                                     SearchMemory& memory,
                                     const std::shared_ptr<const RecordFilter>& among);
  // The same once more, with memory of its own; of a snapshot it may be another thread's.
  Result<VectorSearcher> another(View& view, ScratchPool& pool) const;
  VectorSearcher(VectorSearcher&&) noexcept = default;
  VectorSearcher& operator=(VectorSearcher&&) = delete;
  ~VectorSearcher();

  Metric metric() const noexcept { return metric_; }
  bool is_exact() const noexcept { return exact_.has_value(); }
  // The k nearest, in order of their exact distances and of record numbers: k, or all that there
  // are; of an index a few of the nearest may be missing. Good until the next call. `vector` fits
  // the field.
  Result<std::span<const Neighbour<RecordNumber>>> nearest(const std::byte* vector,
                                                           std::uint64_t k);
  // Of all calls together; way and ef of the last.
  const SearchReport& report() const noexcept { return report_; }
  bool was_used() const noexcept { return used_; }

 private:
  VectorSearcher(const Collection& collection, const SearchTerms& terms, std::uint64_t k)
      : collection_(&collection), terms_(terms), k_(k) {}
  std::uint64_t ef_of(std::uint64_t k) const noexcept;

  const Collection* collection_;
  SearchTerms terms_;
  std::uint64_t k_;
  Metric metric_ = Metric::kL2;
  std::shared_ptr<const RecordFilter> among_;
  SearchReport report_;
  bool used_ = false;
  // By one of these.
  const hnsw::HnswIndex* index_ = nullptr;
  hnsw::HnswReader* reader_ = nullptr;
  std::unique_ptr<hnsw::HnswReader> own_reader_;  // that reader_ is, and whose memory goes to pool_
  ScratchPool* pool_ = nullptr;
  std::optional<ExactSearcher> exact_;
  std::vector<Neighbour<RecordNumber>> found_;  // by that
};

// Hits with their keys.
Result<std::vector<VectorHit>> hits_of(View& view, const Collection& collection,
                                       std::span<const Neighbour<RecordNumber>> found);

}  // namespace quire
