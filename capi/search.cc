#include "capi/handles.h"
#include "engine/record/key_codec.h"
#include "index/vector/exact_search.h"

using namespace quire;
using namespace quire::capi;

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
    VectorQuery query{.field = options.field,
                      .vector = options.vector,
                      .dimension = options.dimension,
                      .k = options.k};
    switch (options.metric) {
      case 0:
      case QUIRE_METRIC_L2:
        query.metric = Metric::kL2;
        break;
      case QUIRE_METRIC_IP:
        query.metric = Metric::kInnerProduct;
        break;
      case QUIRE_METRIC_COSINE:
        query.metric = Metric::kCosine;
        break;
      default:
        return report(QUIRE_ERR_INVALID, "quire_search: metric is not a QUIRE_METRIC_*");
    }
    const auto collection = Collection::open(txn->view(), id, &txn->db->shared->definitions);
    if (!collection) return report(collection.error());
    const auto nearest = exact_search(txn->view(), *collection, query);
    if (!nearest) return report(nearest.error());
    const Schema& schema = collection->schema();
    const bool single = schema.key().size() == 1;
    for (const VectorHit& hit : *nearest) {
      hits[*found] = {static_cast<double>(hit.distance), {}, hit.number};
      if (single) {
        const auto key = decode_single_key(schema.field(schema.key()[0]).type, hit.key);
        if (!key) return report(key.error());
        hits[*found].key = public_value(*key);
      }
      ++*found;
    }
    return QUIRE_OK;
  });
}
