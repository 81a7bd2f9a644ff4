#include "index/vector/vector_search.h"

#include <algorithm>

#include "index/vector/elements.h"
#include "index/vector/hnsw/hnsw_kind.h"

namespace quire {
namespace {

using hnsw::HnswIndex;
using hnsw::HnswReader;

Metric usual_metric(const Collection& collection, std::size_t field) noexcept {
  const bool bits = elements_of(collection.schema().field(field).type) == ElementType::kBits;
  return bits ? Metric::kHamming : Metric::kL2;
}

std::unexpected<Error> refuse(const Collection& collection, std::string_view index,
                              const std::string& words) {
  return collection.failure(ErrorCode::kInvalid, "index '" + std::string(index) + "': " + words);
}

Result<const HnswIndex*> named_index(const Collection& collection, const VectorQuery& query,
                                     std::string_view name) {
  const std::size_t at = collection.definition().find_index(name);
  if (at == collection.definition().indexes.size())
    return collection.failure(ErrorCode::kNotFound,
                              "there is no index '" + std::string(name) + "'");
  const HnswIndex* index = as_hnsw(collection.indexes()[at].get());
  if (index == nullptr) return refuse(collection, name, "is none of vectors");
  if (index->form().field != query.field) return refuse(collection, name, "is of another field");
  const Metric metric = index->form().options.metric;
  if (query.metric.value_or(metric) != metric)
    return refuse(collection, name, "is by " + std::string(metric_name(metric)));
  return index;
}

// nullptr: none.
Result<const HnswIndex*> choose_index(const Collection& collection, const VectorQuery& query,
                                      const SearchTerms& terms) {
  if (terms.exact && !terms.index.empty())
    return refuse(collection, terms.index, "is given to a search that is to be exact");
  if (!terms.index.empty()) return named_index(collection, query, terms.index);
  if (terms.exact) return nullptr;
  const Metric metric = query.metric.value_or(usual_metric(collection, query.field));
  for (const auto& each : collection.indexes()) {
    const HnswIndex* index = as_hnsw(each.get());
    if (index != nullptr && index->form().field == query.field &&
        index->form().options.metric == metric)
      return index;
  }
  return nullptr;
}

Status check_target(const Collection& collection, const VectorQuery& query,
                    const SearchTerms& terms) {
  if (terms.target == 0) return {};
  // So that it is false for what is no number.
  if (!(terms.target >= hnsw::kTargetLeast && terms.target <= hnsw::kTargetMost))
    return collection.field_failure(
        ErrorCode::kInvalid, query.field,
        "search with a target of " + std::to_string(terms.target) + ", must be 0.5 to 0.9999");
  if (terms.ef != 0)
    return collection.field_failure(ErrorCode::kInvalid, query.field,
                                    "search with an ef and a target, of which one is enough");
  return {};
}

SearchReport report_of(const hnsw::SearchFigures& figures, bool filtered) noexcept {
  using Way = SearchReport::Way;
  const bool walked = figures.way == hnsw::SearchWay::kWalk;
  return {.way = walked     ? filtered ? Way::kFilteredGraph : Way::kGraph
                 : filtered ? Way::kMatches
                            : Way::kExact,
          .matches = figures.matches,
          .codes = figures.measured,
          .vectors = figures.exact,
          .ef = figures.ef};
}

}  // namespace

void SearchReport::add(const SearchReport& other) noexcept {
  way = other.way;
  matches = other.matches;
  codes += other.codes;
  vectors += other.vectors;
  ef = other.ef;
}

std::unique_ptr<hnsw::SearchScratch> ScratchPool::take() noexcept {
  const std::scoped_lock lock(mutex_);
  return count_ == 0 ? nullptr : std::move(idle_[--count_]);
}

void ScratchPool::put(std::unique_ptr<hnsw::SearchScratch> scratch) noexcept {
  const std::scoped_lock lock(mutex_);
  if (count_ < kKept) idle_[count_++] = std::move(scratch);
}

void SearchMemory::give_back(Kept& kept) noexcept {
  if (kept.reader != nullptr && pool_ != nullptr) pool_->put(kept.reader->take_scratch());
  kept.reader.reset();
}

void SearchMemory::clear() noexcept {
  for (auto& [id, kept] : readers_) give_back(kept);
  readers_.clear();
}

// Each change of an index in a write transaction comes with one of its records. What is defined
// anew is cleared by the caller.
Result<HnswReader*> SearchMemory::reader(View& view, const Collection& collection,
                                         const HnswIndex& index) {
  Kept& kept = readers_[index.form().structures.head];
  const std::uint64_t version = view.tree_version(collection.id());
  if (kept.reader != nullptr && kept.version == version) return kept.reader.get();
  give_back(kept);
  QUIRE_TRY(kept.reader,
            HnswReader::open(view, collection, index, pool_ != nullptr ? pool_->take() : nullptr));
  kept.version = version;
  return kept.reader.get();
}

Result<VectorSearcher> VectorSearcher::open(View& view, const Collection& collection,
                                            const VectorQuery& query, const SearchTerms& terms,
                                            SearchMemory& memory,
                                            const std::shared_ptr<const RecordFilter>& among) {
  if (terms.ef > hnsw::kMostEf)
    return collection.field_failure(ErrorCode::kInvalid, query.field,
                                    "search with an ef of " + std::to_string(terms.ef) +
                                        ", must be at most " + std::to_string(hnsw::kMostEf));
  QUIRE_CHECK(check_target(collection, query, terms));
  VectorSearcher searcher(collection, terms, query.k);
  searcher.among_ = among;
  QUIRE_TRY(searcher.index_, choose_index(collection, query, terms));
  if (searcher.index_ != nullptr) {
    searcher.metric_ = searcher.index_->form().options.metric;
    QUIRE_TRY(searcher.reader_, memory.reader(view, collection, *searcher.index_));
  } else {
    searcher.metric_ = query.metric.value_or(usual_metric(collection, query.field));
    QUIRE_TRY(searcher.exact_, ExactSearcher::open(view, collection, query.field, searcher.metric_,
                                                   among ? &among->numbers() : nullptr));
  }
  return searcher;
}

Result<VectorSearcher> VectorSearcher::another(View& view, ScratchPool& pool) const {
  VectorSearcher searcher(*collection_, terms_, k_);
  searcher.metric_ = metric_;
  searcher.among_ = among_;
  searcher.exact_ = exact_;
  if (index_ == nullptr) return searcher;
  searcher.index_ = index_;
  searcher.pool_ = &pool;
  QUIRE_TRY(searcher.own_reader_, HnswReader::open(view, *collection_, *index_, pool.take()));
  searcher.reader_ = searcher.own_reader_.get();
  return searcher;
}

VectorSearcher::~VectorSearcher() {
  if (own_reader_ != nullptr) pool_->put(own_reader_->take_scratch());
}

// As far as was asked for k_, and in proportion farther for more.
std::uint64_t VectorSearcher::ef_of(std::uint64_t k) const noexcept {
  if (terms_.target != 0)
    return std::min<std::uint64_t>(reader_->calibration().ef_for(terms_.target, k), hnsw::kMostEf);
  const std::uint64_t ef = terms_.ef != 0 ? std::max<std::uint64_t>(terms_.ef, terms_.ef * k / k_)
                                          : std::max<std::uint64_t>(kUsualEf, kUsualEf * k / 10);
  return std::min<std::uint64_t>(ef, hnsw::kMostEf);
}

Result<std::span<const Neighbour<RecordNumber>>> VectorSearcher::nearest(const std::byte* vector,
                                                                         std::uint64_t k) {
  used_ = true;
  if (exact_) {
    QUIRE_TRY(found_, exact_->nearest(vector, k));
    report_.add({.matches = exact_->count(), .vectors = exact_->count()});
    return found_;
  }
  auto found = reader_->search({.vector = vector, .k = k, .ef = ef_of(k), .among = among_});
  if (!found) return index_->failure(*collection_, found.error());
  report_.add(report_of(reader_->figures(), among_ != nullptr));
  return *found;
}

Result<std::vector<VectorHit>> hits_of(View& view, const Collection& collection,
                                       std::span<const Neighbour<RecordNumber>> found) {
  std::vector<RecordNumber> numbers;
  numbers.reserve(found.size());
  for (const Neighbour<RecordNumber>& each : found) numbers.push_back(each.id);
  std::vector<NumberEntry> entries(numbers.size());
  QUIRE_CHECK(read_numbers(view, collection, numbers, entries));
  std::vector<VectorHit> hits;
  hits.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    hits.push_back({found[i].distance, numbers[i], entries[i].key});
  return hits;
}

}  // namespace quire
