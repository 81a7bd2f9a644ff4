// Nearest neighbours by whichever way there is: an index of the field, or every vector measured.
#pragma once

#include <map>
#include <memory>
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

// What searches at one view keep from one to the next. Of a snapshot; of a write transaction only
// until its next change. One thread.
class SearchMemory {
 public:
  // The reader of an index, which is opened at the first call.
  Result<hnsw::HnswReader*> reader(View& view, const Collection& collection,
                                   const hnsw::HnswIndex& index);
  void clear() noexcept { readers_.clear(); }

 private:
  std::map<StructureId, std::unique_ptr<hnsw::HnswReader>> readers_;  // by the id of the head
};

// As exact_search, but that an index may miss a few of the nearest; never fewer than k where there
// are k. With `among` every record of that is measured. A query without a metric takes that of the
// index that is named. kNotFound (the index), kInvalid (it is of another field, metric or kind; an
// ef over hnsw::kMostEf; a target outside of 0.5 to 0.9999; an ef and a target; an index and
// `exact`).
Result<std::vector<VectorHit>> search_vectors(View& view, const Collection& collection,
                                              const VectorQuery& query, const SearchTerms& terms,
                                              SearchMemory& memory,
                                              const NumberSet* among = nullptr);

}  // namespace quire
