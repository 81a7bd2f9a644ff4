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

}  // namespace

Result<HnswReader*> SearchMemory::reader(View& view, const Collection& collection,
                                         const HnswIndex& index) {
  std::unique_ptr<HnswReader>& kept = readers_[index.form().structures.head];
  if (kept == nullptr) {
    QUIRE_TRY(kept, HnswReader::open(view, collection, index));
  }
  return kept.get();
}

Result<std::vector<VectorHit>> search_vectors(View& view, const Collection& collection,
                                              const VectorQuery& query, const SearchTerms& terms,
                                              SearchMemory& memory, const NumberSet* among) {
  QUIRE_CHECK(check_query(collection, query));
  if (terms.ef > hnsw::kMostEf)
    return collection.field_failure(ErrorCode::kInvalid, query.field,
                                    "search with an ef of " + std::to_string(terms.ef) +
                                        ", must be at most " + std::to_string(hnsw::kMostEf));
  QUIRE_CHECK(check_target(collection, query, terms));
  QUIRE_TRY(const HnswIndex* index, choose_index(collection, query, terms));
  if (index == nullptr || among != nullptr) {
    VectorQuery measured = query;
    if (index != nullptr) measured.metric = index->form().options.metric;
    return exact_search(view, collection, measured, among);
  }
  QUIRE_TRY(HnswReader * reader, memory.reader(view, collection, *index));
  auto found = reader->search(
      {.vector = query.vector.vector, .k = query.k, .ef = ef_of(query, terms, *reader)});
  if (!found) return index->failure(collection, found.error());
  std::vector<RecordNumber> numbers;
  numbers.reserve(found->size());
  for (const Neighbour<RecordNumber>& each : *found) numbers.push_back(each.id);
  std::vector<NumberEntry> entries(numbers.size());
  QUIRE_CHECK(read_numbers(view, collection, numbers, entries));
  std::vector<VectorHit> hits;
  hits.reserve(numbers.size());
  for (std::size_t i = 0; i < numbers.size(); ++i)
    hits.push_back({(*found)[i].distance, numbers[i], entries[i].key});
  return hits;
}

}  // namespace quire
