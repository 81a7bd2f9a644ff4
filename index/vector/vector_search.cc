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

std::size_t ef_of(const VectorQuery& query, const SearchTerms& terms,
                  const HnswReader& reader) noexcept {
  if (terms.ef != 0) return terms.ef;
  if (terms.target != 0) return reader.calibration().ef_for(terms.target, query.k);
  return std::min<std::size_t>(std::max(kUsualEf, kUsualEf * query.k / 10), hnsw::kMostEf);
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

Result<std::vector<VectorHit>> search_exactly(View& view, const Collection& collection,
                                              const VectorQuery& query,
                                              const std::shared_ptr<const RecordFilter>& among,
                                              SearchReport* report) {
  std::uint64_t measured = 0;
  auto hits = exact_search(view, collection, query, among ? &among->numbers() : nullptr, &measured);
  if (report != nullptr) *report = {.matches = measured, .vectors = measured};
  return hits;
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

}  // namespace

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

Result<std::vector<VectorHit>> search_vectors(View& view, const Collection& collection,
                                              const VectorQuery& query, const SearchTerms& terms,
                                              SearchMemory& memory,
                                              const std::shared_ptr<const RecordFilter>& among,
                                              SearchReport* report) {
  QUIRE_CHECK(check_query(collection, query));
  if (terms.ef > hnsw::kMostEf)
    return collection.field_failure(ErrorCode::kInvalid, query.field,
                                    "search with an ef of " + std::to_string(terms.ef) +
                                        ", must be at most " + std::to_string(hnsw::kMostEf));
  QUIRE_CHECK(check_target(collection, query, terms));
  QUIRE_TRY(const HnswIndex* index, choose_index(collection, query, terms));
  if (index == nullptr) return search_exactly(view, collection, query, among, report);
  QUIRE_TRY(HnswReader * reader, memory.reader(view, collection, *index));
  auto found = reader->search({.vector = query.vector.vector,
                               .k = query.k,
                               .ef = ef_of(query, terms, *reader),
                               .among = among});
  if (!found) return index->failure(collection, found.error());
  if (report != nullptr) *report = report_of(reader->figures(), among != nullptr);
  return hits_of(view, collection, *found);
}

}  // namespace quire
