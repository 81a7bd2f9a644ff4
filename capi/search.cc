#include <algorithm>
#include <cmath>
#include <limits>

#include "capi/given.h"
#include "capi/query_options.h"
#include "engine/record/key_codec.h"
#include "index/vector/elements.h"
#include "index/vector/examples.h"
#include "index/vector/near_search.h"
#include "index/vector/search_batch.h"

using namespace quire;
using namespace quire::capi;

namespace {

constexpr std::uint32_t kMostThreads = 1024;

Result<std::optional<Metric>> metric_of(std::uint32_t metric) {
  if (metric == QUIRE_METRIC_DEFAULT) return std::nullopt;
  if (metric > QUIRE_METRIC_JACCARD) return fail(ErrorCode::kInvalid, "is not a QUIRE_METRIC_*");
  return static_cast<Metric>(metric);
}

static_assert(static_cast<int>(Metric::kL2) == QUIRE_METRIC_L2);
static_assert(static_cast<int>(Metric::kInnerProduct) == QUIRE_METRIC_IP);
static_assert(static_cast<int>(Metric::kCosine) == QUIRE_METRIC_COSINE);
static_assert(static_cast<int>(Metric::kL1) == QUIRE_METRIC_L1);
static_assert(static_cast<int>(Metric::kHamming) == QUIRE_METRIC_HAMMING);
static_assert(static_cast<int>(Metric::kJaccard) == QUIRE_METRIC_JACCARD);

bool has_query(const quire_search_options& options) noexcept {
  return options.query != nullptr || options.vector != nullptr || options.dimension != 0;
}

Result<Value> vector_of(const quire_search_options& options) {
  if (options.query == nullptr) {
    if (options.vector == nullptr)
      return fail(ErrorCode::kInvalid, "there is neither a vector nor a query nor an example");
    return Value::of_vector(options.vector, options.dimension);
  }
  if (options.vector != nullptr || options.dimension != 0)
    return fail(ErrorCode::kInvalid, "there is a query, and a vector or dimension");
  auto value = value_of(*options.query);
  if (!value) return std::unexpected(value.error().with_context("the query"));
  return value;
}

Result<SearchTerms> terms_of(const quire_search_options& options) {
  if ((options.flags & ~std::uint32_t{QUIRE_SEARCH_EXACT | QUIRE_SEARCH_WITHIN}) != 0)
    return fail(ErrorCode::kInvalid, "flags are not QUIRE_SEARCH_*");
  if (options.index != nullptr && *options.index == '\0')
    return fail(ErrorCode::kInvalid, "the name of the index is empty");
  if (options.max_distance != 0 && (options.flags & QUIRE_SEARCH_WITHIN) == 0)
    return fail(ErrorCode::kInvalid, "there is a max_distance without QUIRE_SEARCH_WITHIN");
  if (options.group_field != 0 && options.per_group == 0)
    return fail(ErrorCode::kInvalid, "there is a group_field without per_group");
  return SearchTerms{.index = options.index == nullptr ? "" : options.index,
                     .ef = options.ef,
                     .target = options.target,
                     .exact = (options.flags & QUIRE_SEARCH_EXACT) != 0};
}

// The greatest float that is no greater: a hit's distance is one.
float float_below(double distance) noexcept {
  const auto nearest = static_cast<float>(distance);
  return static_cast<double>(nearest) <= distance || std::isnan(distance)
             ? nearest
             : std::nextafter(nearest, -std::numeric_limits<float>::infinity());
}

NearTerms near_terms_of(const quire_search_options& options) {
  NearTerms terms;
  if ((options.flags & QUIRE_SEARCH_WITHIN) != 0) terms.within = float_below(options.max_distance);
  if (options.after != nullptr)
    terms.after = {static_cast<float>(options.after->distance), options.after->record};
  terms.after_count = options.after_count;
  if (options.per_group != 0) terms.group = options.group_field;
  terms.per_group = options.per_group;
  terms.diversity = options.diversity;
  terms.candidates = options.candidates;
  return terms;
}

Result<std::vector<Example>> examples_of(RecordReader& reader, std::size_t field,
                                         const quire_example* given, std::size_t count,
                                         const char* what) {
  if (given == nullptr && count != 0) return fail(ErrorCode::kInvalid, "%s is NULL", what);
  std::vector<Example> examples;
  examples.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    QUIRE_TRY(const Values key, key_of(reader.collection(), given[i].key, given[i].key_count));
    QUIRE_TRY(const Example example, find_example(reader, field, span_of(key)));
    examples.push_back(example);
  }
  return examples;
}

using SharedFilter = std::shared_ptr<const RecordFilter>;

// The records that `among` gives, if there is one. A code.
int find_among(quire_txn* txn, const Collection& collection, const quire_query_options* among,
               SharedFilter& filter) {
  if (among == nullptr) return QUIRE_OK;
  QueryOptions options;
  if (const int code = options.read(among, "quire_search: among"); code != QUIRE_OK) return code;
  auto found = txn->db->shared->filters.find(txn->view(), collection, options.request());
  if (!found) return report(found.error());
  filter = *std::move(found);
  return QUIRE_OK;
}

static_assert(static_cast<int>(SearchReport::Way::kExact) + 1 == QUIRE_SEARCHED_EXACTLY);
static_assert(static_cast<int>(SearchReport::Way::kGraph) + 1 == QUIRE_SEARCHED_GRAPH);
static_assert(static_cast<int>(SearchReport::Way::kMatches) + 1 == QUIRE_SEARCHED_MATCHES);
static_assert(static_cast<int>(SearchReport::Way::kFilteredGraph) + 1 ==
              QUIRE_SEARCHED_GRAPH_FILTERED);

void tell(const SearchReport& report, quire_search_stat* to) noexcept {
  quire_search_stat stat = QUIRE_SEARCH_STAT_INIT;
  stat.way = static_cast<std::uint32_t>(report.way) + 1;
  stat.ef = static_cast<std::uint32_t>(report.ef);
  stat.matches = report.matches;
  stat.codes = report.codes;
  stat.vectors = report.vectors;
  copy_out(stat, to);
}

Result<quire_hit> public_hit(const Schema& schema, const VectorHit& hit) {
  quire_hit result{static_cast<double>(hit.distance), {}, hit.number};
  if (schema.key().size() != 1) return result;
  QUIRE_TRY(const Value key, decode_single_key(schema.field(schema.key()[0]).type, hit.key));
  result.key = public_value(key);
  return result;
}

// A search, from the caller's options to the hits.
class Search {
 public:
  Search(quire_txn* txn, const quire_search_options& options, const char* what)
      : txn_(txn), options_(options), what_(what) {}

  // Takes all of the options but the query. A code.
  int open(quire_collection id) {
    if (options_.stat != nullptr && options_.stat->size < sizeof(size_t))
      return report(
          fail(ErrorCode::kInvalid, "%s: stat has no size: initialize it", what_).error());
    const auto opened = open_collection(txn_, id);
    if (!opened) return report(opened.error());
    reader_ = &(*opened)->reader;
    const auto metric = metric_of(options_.metric);
    if (!metric) return refuse(metric.error().with_context("metric"));
    const auto terms = terms_of(options_);
    if (!terms) return refuse(terms.error());
    if (const Status fits = check_search(collection(), options_.field, options_.k); !fits)
      return report(fits.error());
    near_ = near_terms_of(options_);
    if (const Status fits = check_terms(collection(), near_, options_.k); !fits)
      return report(fits.error());
    SharedFilter among;
    if (const int code = find_among(txn_, collection(), options_.among, among); code != QUIRE_OK)
      return code;
    const VectorQuery query{
        .field = options_.field, .metric = *metric, .vector = {}, .k = options_.k};
    auto searcher =
        VectorSearcher::open(txn_->view(), collection(), query, *terms, txn_->searches, among);
    if (!searcher) return report(searcher.error());
    searcher_.emplace(*std::move(searcher));
    return QUIRE_OK;
  }

  int run(quire_hit* hits, size_t* found) {
    const auto vector = query();
    if (!vector) return refuse(vector.error());
    if (const Status fits = check_searched(collection(), options_.field, *vector); !fits)
      return report(fits.error());
    NearSearch search(*searcher_, *reader_, options_.field, near_, options_.k);
    const auto nearest = search.find(vector->vector);
    if (!nearest) return report(nearest.error());
    if (const Status given = give(*nearest, hits, *found); !given) return report(given.error());
    if (options_.stat != nullptr) tell(searcher_->report(), options_.stat);
    return QUIRE_OK;
  }

  int run_batch(const quire_value* queries, size_t count, std::uint32_t threads, quire_hit* hits,
                size_t* found) {
    if (has_query(options_) || options_.like_count != 0 || options_.unlike_count != 0)
      return refuse(
          fail(ErrorCode::kInvalid, "the options have a query of their own, or examples").error());
    std::vector<const std::byte*> vectors;
    vectors.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const auto vector = value_of(queries[i]);
      const Status fits = vector ? check_searched(collection(), options_.field, *vector)
                                 : Status(std::unexpected(vector.error()));
      if (!fits) return refuse(fits.error().with_context("query " + std::to_string(i)));
      vectors.push_back(vector->vector);
    }
    NearSearch search(*searcher_, *reader_, options_.field, near_, options_.k);
    SearchReport told;
    const Status done =
        search_batch(txn_->view(), *searcher_, txn_->db->shared->scratches,
                     {.vectors = vectors,
                      .count = search.first(),
                      .threads = txn_->write != nullptr ? 1 : threads},
                     told, [&](std::size_t i, NearSearch::Found nearest) -> Status {
                       QUIRE_TRY(const auto chosen, search.find(vectors[i], std::move(nearest)));
                       return give(chosen, hits + i * options_.k, found[i]);
                     });
    if (!done) {
      std::fill_n(found, count, 0);
      return report(done.error());
    }
    if (options_.stat != nullptr) tell(told, options_.stat);
    return QUIRE_OK;
  }

 private:
  const Collection& collection() const noexcept { return reader_->collection(); }
  int refuse(const Error& error) const { return report(error.with_context(what_)); }

  // What is searched for. Examples are left out of what is found.
  Result<Value> query() {
    if (options_.like_count == 0 && options_.unlike_count == 0) return vector_of(options_);
    if (has_query(options_))
      return fail(ErrorCode::kInvalid, "there are examples, and a query or vector");
    if (options_.like_count == 0)
      return fail(ErrorCode::kInvalid, "there are examples of what not to find alone");
    QUIRE_TRY(const auto like,
              examples_of(*reader_, options_.field, options_.like, options_.like_count, "like"));
    QUIRE_TRY(const auto unlike, examples_of(*reader_, options_.field, options_.unlike,
                                             options_.unlike_count, "unlike"));
    for (const auto* examples : {&like, &unlike})
      for (const Example& each : *examples) near_.without.push_back(each.number);
    std::ranges::sort(near_.without);
    const Field& field = collection().schema().field(options_.field);
    made_ = query_like(elements_of(field.type), field.dimension, searcher_->metric(), like, unlike);
    return Value::of_vector(field.type, made_.data(), field.dimension);
  }

  Status give(std::span<const Neighbour<RecordNumber>> nearest, quire_hit* hits, size_t& found) {
    found = 0;
    QUIRE_TRY(const auto with_keys, hits_of(txn_->view(), collection(), nearest));
    for (const VectorHit& hit : with_keys) {
      QUIRE_TRY(hits[found], public_hit(collection().schema(), hit));
      ++found;
    }
    return {};
  }

  quire_txn* const txn_;
  const quire_search_options& options_;
  const char* const what_;
  RecordReader* reader_ = nullptr;
  NearTerms near_;
  std::optional<VectorSearcher> searcher_;
  ByteVector made_;  // the query, from examples
};

}  // namespace

extern "C" {

int quire_search(quire_txn* txn, quire_collection id, const quire_search_options* given,
                 quire_hit* hits, size_t* found) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (given == nullptr || hits == nullptr || found == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_search: options, hits or found is NULL");
  return guarded([&]() -> int {
    quire_search_options options;
    if (const int code = read_options(given, options, "quire_search_options"); code != QUIRE_OK)
      return code;
    *found = 0;
    Search search(txn, options, "quire_search");
    if (const int code = search.open(id); code != QUIRE_OK) return code;
    return search.run(hits, found);
  });
}

int quire_search_batch(quire_txn* txn, quire_collection id, const quire_search_options* given,
                       const quire_value* queries, size_t count, uint32_t threads, quire_hit* hits,
                       size_t* found) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (given == nullptr ||
      (count != 0 && (queries == nullptr || hits == nullptr || found == nullptr)))
    return report(QUIRE_ERR_INVALID, "quire_search_batch: options, queries, hits or found is NULL");
  if (threads == 0 || threads > kMostThreads)
    return report(QUIRE_ERR_INVALID, "quire_search_batch: threads must be 1 to 1024");
  return guarded([&]() -> int {
    quire_search_options options;
    if (const int code = read_options(given, options, "quire_search_options"); code != QUIRE_OK)
      return code;
    std::fill_n(found, count, 0);
    Search search(txn, options, "quire_search_batch");
    if (const int code = search.open(id); code != QUIRE_OK) return code;
    return search.run_batch(queries, count, threads, hits, found);
  });
}

int quire_record_distance(quire_txn* txn, quire_collection id, uint32_t field, uint32_t metric,
                          const quire_value* a, const quire_value* b, size_t key_count,
                          double* distance) {
  if (distance == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_record_distance: distance is NULL");
  return read_collection(txn, id, [&](OpenCollection& opened) -> int {
    const Collection& collection = opened.reader.collection();
    const auto chosen = metric_of(metric);
    if (!chosen) return report(chosen.error().with_context("quire_record_distance: metric"));
    if (const Status fits = check_search(collection, field, 1); !fits) return report(fits.error());
    const auto measure = distance_of(collection, field, *chosen);
    if (!measure) return report(measure.error());
    const quire_example given[] = {{a, key_count}, {b, key_count}};
    const auto both = examples_of(opened.reader, field, given, 2, "");
    if (!both) return report(both.error());
    *distance = static_cast<double>(measure->one((*both)[0].vector, (*both)[1].vector,
                                                 collection.schema().field(field).dimension));
    return QUIRE_OK;
  });
}

}  // extern "C"
