#include "index/vector/vector_search.h"

#include "capi/query_options.h"
#include "engine/record/key_codec.h"

using namespace quire;
using namespace quire::capi;

namespace {

Result<std::optional<Metric>> metric_of(std::uint32_t metric) {
  if (metric == QUIRE_METRIC_DEFAULT) return std::nullopt;
  if (metric > QUIRE_METRIC_JACCARD)
    return fail(ErrorCode::kInvalid, "quire_search: metric is not a QUIRE_METRIC_*");
  return static_cast<Metric>(metric);
}

static_assert(static_cast<int>(Metric::kL2) == QUIRE_METRIC_L2);
static_assert(static_cast<int>(Metric::kInnerProduct) == QUIRE_METRIC_IP);
static_assert(static_cast<int>(Metric::kCosine) == QUIRE_METRIC_COSINE);
static_assert(static_cast<int>(Metric::kL1) == QUIRE_METRIC_L1);
static_assert(static_cast<int>(Metric::kHamming) == QUIRE_METRIC_HAMMING);
static_assert(static_cast<int>(Metric::kJaccard) == QUIRE_METRIC_JACCARD);

Result<Value> vector_of(const quire_search_options& options) {
  if (options.query == nullptr) {
    if (options.vector == nullptr)
      return fail(ErrorCode::kInvalid, "quire_search: there is neither a vector nor a query");
    return Value::of_vector(options.vector, options.dimension);
  }
  if (options.vector != nullptr || options.dimension != 0)
    return fail(ErrorCode::kInvalid, "quire_search: there is a query, and a vector or dimension");
  auto value = value_of(*options.query);
  if (!value) return std::unexpected(value.error().with_context("quire_search: the query"));
  return value;
}

Result<SearchTerms> terms_of(const quire_search_options& options) {
  if ((options.flags & ~static_cast<std::uint32_t>(QUIRE_SEARCH_EXACT)) != 0)
    return fail(ErrorCode::kInvalid, "quire_search: flags are not QUIRE_SEARCH_*");
  if (options.index != nullptr && *options.index == '\0')
    return fail(ErrorCode::kInvalid, "quire_search: the name of the index is empty");
  return SearchTerms{.index = options.index == nullptr ? "" : options.index,
                     .ef = options.ef,
                     .target = options.target,
                     .exact = (options.flags & QUIRE_SEARCH_EXACT) != 0};
}

Result<VectorQuery> query_of(const quire_search_options& options) {
  VectorQuery query{.field = options.field, .metric = {}, .vector = {}, .k = options.k};
  QUIRE_TRY(query.metric, metric_of(options.metric));
  QUIRE_TRY(query.vector, vector_of(options));
  return query;
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

}  // namespace

extern "C" int quire_search(quire_txn* txn, quire_collection id, const quire_search_options* given,
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
    const auto collection = Collection::open(txn->view(), id, &txn->db->shared->definitions);
    if (!collection) return report(collection.error());
    const auto query = query_of(options);
    if (!query) return report(query.error());
    if (options.stat != nullptr && options.stat->size < sizeof(size_t))
      return report(QUIRE_ERR_INVALID, "quire_search: stat has no size: initialize it");
    SharedFilter among;
    if (const int code = find_among(txn, *collection, options.among, among); code != QUIRE_OK)
      return code;
    const auto terms = terms_of(options);
    if (!terms) return report(terms.error());
    SearchReport way;
    const auto nearest =
        search_vectors(txn->view(), *collection, *query, *terms, txn->searches, among, &way);
    if (!nearest) return report(nearest.error());
    if (options.stat != nullptr) tell(way, options.stat);
    for (const VectorHit& hit : *nearest) {
      const auto one = public_hit(collection->schema(), hit);
      if (!one) return report(one.error());
      hits[(*found)++] = *one;
    }
    return QUIRE_OK;
  });
}
