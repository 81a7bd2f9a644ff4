// Searches by an index of vectors: what is found, what is refused, and at which age.
#include <cmath>
#include <cstddef>

#include "vector_index_world.h"

namespace quire::test {
namespace {

constexpr std::int64_t kRecords = 1500;

class SearchIndexApi : public VectorIndexApi {
 protected:
  void SetUp() override {
    VectorIndexApi::SetUp();
    fill(0, kRecords);
    make_index("near", R"({"field": "place"})");
  }
  // The nearest to a place that only record `id` of a version is at.
  Found nearest(quire_txn* txn, std::int64_t id, std::int64_t version) {
    const std::vector<float> vector = place(id, version);
    return found(txn, asking(vector, 1));
  }
};

TEST_F(SearchIndexApi, FindsNearlyAllThatAnExactSearchFinds) {
  quire_txn* txn = read();
  ASSERT_EQ(figure(txn, "near", "nodes"), static_cast<std::uint64_t>(kRecords));
  const std::vector<float> any = place(0);
  quire_search_options options = asking(any);
  EXPECT_GE(recall(txn, options), 0.98);
  options.index = "near";
  EXPECT_GE(recall(txn, options), 0.98);
  options.ef = 10;
  const double little = recall(txn, options);
  EXPECT_GE(little, 0.8);
  options.ef = 1'000'000;
  EXPECT_GE(recall(txn, options), std::max(little, 0.98));
  options.k = 100;
  EXPECT_GE(recall(txn, options), 0.98);
  // More than there are: all, and so none is missed.
  options.k = 5000;
  options.ef = 0;
  EXPECT_EQ(recall(txn, options), 1);
}

TEST_F(SearchIndexApi, FindsTheShareThatIsAskedFor) {
  {
    quire_txn* txn = read();
    // Not measured yet: what is usual.
    EXPECT_EQ(figure(txn, "near", "ef balanced"), UINT64_MAX);
    const std::vector<float> any = place(0);
    quire_search_options options = asking(any);
    options.target = QUIRE_TARGET_FAST;
    EXPECT_GE(recall(txn, options), 0.9);
  }
  ASSERT_OK(quire_maintenance_flush(db));
  quire_txn* txn = read();
  EXPECT_EQ(figure(txn, "near", "calibrated at nodes"), static_cast<std::uint64_t>(kRecords));
  const std::vector<float> any = place(0);
  quire_search_options options = asking(any);
  for (const double target : {0.5, QUIRE_TARGET_FAST, QUIRE_TARGET_BALANCED, QUIRE_TARGET_HIGH}) {
    options.target = target;
    EXPECT_GE(recall(txn, options), target - 0.03) << target;
  }
  EXPECT_LE(figure(txn, "near", "ef fast"), figure(txn, "near", "ef high"));
  options.k = 100;
  EXPECT_GE(recall(txn, options), 0.95);
}

TEST_F(SearchIndexApi, RefusesWrongTargets) {
  quire_txn* txn = read();
  const std::vector<float> query = place(1);
  quire_search_options options = asking(query);
  for (const double wrong : {0.49, 1.0, -1.0, static_cast<double>(NAN)}) {
    options.target = wrong;
    EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "target");
  }
  options.target = 0.9;
  options.ef = 10;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "an ef and a target");
}

TEST_F(SearchIndexApi, TakesTheIndexOfTheMetric) {
  quire_txn* txn = write();
  ASSERT_OK(make_index(txn, "by angle", R"({"field": "wide", "metric": "cosine"})"));
  const std::vector<float> query = numbers(3, 1, kWideDimension);
  quire_search_options options = asking(query);
  // There is none of this field by l2: none is missed.
  EXPECT_EQ(found(txn, options), exact(txn, options));
  options.metric = QUIRE_METRIC_COSINE;
  const Found by_angle = exact(txn, options);
  EXPECT_EQ(found(txn, options)[0].first, by_angle[0].first);
  options.index = "by angle";
  options.metric = QUIRE_METRIC_DEFAULT;
  const Found of_index = found(txn, options);
  ASSERT_EQ(of_index.size(), by_angle.size());
  EXPECT_NEAR(of_index[0].second, by_angle[0].second, 1e-6);
  // Among the records of a query too, where all are measured.
  quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
  among.filter = "section = 'odd'";
  options.among = &among;
  quire_search_options other = options;
  other.index = nullptr;
  other.metric = QUIRE_METRIC_COSINE;
  EXPECT_EQ(found(txn, options), exact(txn, other));
  EXPECT_EQ(found(txn, options).size(), 10u);
  quire_abort(txn);
}

TEST_F(SearchIndexApi, BitsAreFoundByHammingAndJaccard) {
  quire_txn* txn = write();
  ASSERT_OK(make_index(txn, "hamming", R"({"field": "bits"})"));
  ASSERT_OK(make_index(txn, "jaccard", R"({"field": "bits", "metric": "jaccard"})"));
  const std::uint64_t bits = std::mt19937_64(static_cast<std::uint64_t>(7 * 31))();
  const quire_value query = quire::vector_value(QUIRE_TYPE_VECTOR_BITS, 64, &bits);
  for (const char* index : {"hamming", "jaccard"}) {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = kBits;
    options.query = &query;
    options.k = 3;
    options.index = index;
    const Found hits = found(txn, options);
    ASSERT_EQ(hits.size(), 3u);
    EXPECT_EQ(hits[0], (std::pair<std::int64_t, double>(7, 0))) << index;
  }
  quire_abort(txn);
}

TEST_F(SearchIndexApi, RefusesAnIndexThatIsNotOfTheSearch) {
  quire_txn* txn = write();
  quire_index_options sorted = QUIRE_INDEX_OPTIONS_INIT;
  sorted.options = R"({"fields": ["section"]})";
  ASSERT_OK(quire_index_create(txn, things, "sections", &sorted));
  ASSERT_OK(make_index(txn, "wide", R"({"field": "wide", "quantizer": "none"})"));
  const std::vector<float> query = place(1);
  quire_search_options options = asking(query);
  options.index = "nope";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_NOT_FOUND, "'nope'");
  options.index = "";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "empty");
  options.index = "sections";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "index 'sections'");
  options.index = "wide";
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "another field");
  options.index = "near";
  options.metric = QUIRE_METRIC_COSINE;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "by l2");
  options.metric = QUIRE_METRIC_L2;
  EXPECT_OK(search(txn, options));
  options.flags = QUIRE_SEARCH_EXACT;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "exact");
  options.flags = 0;
  options.metric = QUIRE_METRIC_HAMMING;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "by l2");
  // Other indexes do not make good what is wrong without one.
  options.index = nullptr;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_NOT_SUPPORTED, "'place'");
  options.metric = 77;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "metric");
  quire_abort(txn);
}

TEST_F(SearchIndexApi, RefusesNumbersOutOfRangeAndFlagsThatAreNone) {
  quire_txn* txn = read();
  const std::vector<float> query = place(1);
  quire_search_options options = asking(query);
  options.ef = 1'000'001;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "1000000");
  options.ef = UINT32_MAX;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "ef");
  options.flags = QUIRE_SEARCH_EXACT;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "ef");
  options.ef = 1'000'000;
  EXPECT_OK(search(txn, options));
  options.flags = 4;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "flags");
  options.flags = 0;
  options.k = 0;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_INVALID);
  options.k = 1'000'001;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_INVALID);
  options.k = 10;
  options.dimension = kDimension - 1;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_SCHEMA, "dimension");
  options.dimension = kDimension;
  std::vector<float> wrong = query;
  wrong[3] = std::nanf("");
  options.vector = wrong.data();
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_SCHEMA, "NaN");
  options.vector = query.data();
  options.field = kFields;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_INVALID);
  options.field = kSection;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_TYPE);
  const quire_value other = quire::text_value("x");
  options.field = kPlace;
  options.vector = nullptr;
  options.dimension = 0;
  EXPECT_ERROR(search(txn, options), QUIRE_ERR_INVALID, "neither");
  options.query = &other;
  EXPECT_CODE(search(txn, options), QUIRE_ERR_TYPE);
}

TEST_F(SearchIndexApi, RefusesNullsAndWhatHasEnded) {
  quire_txn* txn = World::read();
  const std::vector<float> query = place(1);
  quire_search_options options = asking(query, 1);
  options.index = "near";
  quire_hit hit{};
  std::size_t count = 0;
  EXPECT_CODE(quire_search(nullptr, things, &options, &hit, &count), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, things, nullptr, &hit, &count), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, things, &options, nullptr, &count), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, things, &options, &hit, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, keys, &options, &hit, &count), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_search(txn, 9999, &options, &hit, &count), QUIRE_ERR_NOT_FOUND);
  options.size = 0;
  EXPECT_CODE(quire_search(txn, things, &options, &hit, &count), QUIRE_ERR_INVALID);
  options.size = sizeof options;
  EXPECT_OK(quire_search(txn, things, &options, &hit, &count));
  quire_abort(txn);
  EXPECT_CODE(quire_search(txn, things, &options, &hit, &count), QUIRE_ERR_CLOSED);
}

// A program that knows no index: its options end behind `among`, and are as good as ever.
TEST_F(SearchIndexApi, TakesTheOptionsOfOlderPrograms) {
  quire_txn* txn = read();
  const std::vector<float> query = place(5);
  quire_search_options options;
  std::memset(&options, 0xFF, sizeof options);
  options.size = offsetof(quire_search_options, index);
  options.metric = QUIRE_METRIC_L2;
  options.field = kPlace;
  options.vector = query.data();
  options.dimension = kDimension;
  options.k = 2;
  options.query = nullptr;
  options.among = nullptr;
  const Found hits = found(txn, options);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0], (std::pair<std::int64_t, double>(5, 0)));
  // And one that knows more than the library, and asks for it.
  struct Newer {
    quire_search_options options;
    std::uint64_t more;
  } newer{asking(query, 2), 1};
  newer.options.size = sizeof newer;
  EXPECT_ERROR(search(txn, newer.options), QUIRE_ERR_INVALID, "does not know");
  newer.more = 0;
  EXPECT_OK(search(txn, newer.options));
}

TEST_F(SearchIndexApi, SeesItsOwnChangesAndNobodyElseDoes) {
  quire_txn* before = read();
  quire_txn* txn = write();
  ASSERT_OK(upsert(txn, 5000, 1));
  EXPECT_EQ(nearest(txn, 5000, 1), (Found{{5000, 0}}));
  ASSERT_OK(upsert(txn, 7, 1));
  EXPECT_EQ(nearest(txn, 7, 1), (Found{{7, 0}}));
  EXPECT_NE(nearest(txn, 7, 0)[0].first, 7);
  ASSERT_OK(erase(txn, 8));
  EXPECT_NE(nearest(txn, 8, 0)[0].first, 8);
  const quire_value key = quire::i64_value(9);
  const std::uint32_t field = kPlace;
  const quire_value null = quire::null_value();
  ASSERT_OK(quire_record_update(txn, things, &key, 1, &field, &null, 1));
  EXPECT_NE(nearest(txn, 9, 0)[0].first, 9);
  const std::vector<float> query = place(9);
  EXPECT_EQ(found(txn, asking(query, 5000)).size(), static_cast<std::size_t>(kRecords) - 1);
  for (quire_txn* other : {before, read()}) {
    for (const std::int64_t id : {7, 8, 9}) EXPECT_EQ(nearest(other, id, 0), (Found{{id, 0}}));
    EXPECT_NE(nearest(other, 5000, 1)[0].first, 5000);
  }
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(nearest(read(), 5000, 1), (Found{{5000, 0}}));
  EXPECT_EQ(nearest(before, 8, 0), (Found{{8, 0}}));
  ASSERT_OK(quire_renew(before));
  EXPECT_EQ(nearest(before, 5000, 1), (Found{{5000, 0}}));
  EXPECT_NE(nearest(before, 8, 0)[0].first, 8);
}

TEST_F(SearchIndexApi, ASavepointBringsBackWhatWasThere) {
  quire_txn* txn = write();
  ASSERT_OK(upsert(txn, 5000, 1));
  std::uint64_t point = 0;
  ASSERT_OK(quire_savepoint(txn, &point));
  ASSERT_OK(upsert(txn, 5001, 1));
  for (std::int64_t id = 0; id < 300; ++id) ASSERT_OK(upsert(txn, id, 1));
  ASSERT_OK(erase(txn, 400));
  ASSERT_OK(erase(txn, 5000));
  EXPECT_EQ(nearest(txn, 5001, 1), (Found{{5001, 0}}));
  ASSERT_OK(quire_rollback_to(txn, point));
  EXPECT_EQ(nearest(txn, 5000, 1), (Found{{5000, 0}}));
  EXPECT_NE(nearest(txn, 5001, 1)[0].first, 5001);
  EXPECT_EQ(nearest(txn, 17, 0), (Found{{17, 0}}));
  EXPECT_EQ(nearest(txn, 400, 0), (Found{{400, 0}}));
  ASSERT_OK(quire_rollback_to(txn, point));
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(nearest(read(), 5000, 1), (Found{{5000, 0}}));
  EXPECT_EQ(figure("near", "tail") + figure("near", "nodes"),
            static_cast<std::uint64_t>(kRecords) + 1);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(SearchIndexApi, AnIndexIsRenamedRebuiltAndDroppedAtItsAge) {
  quire_txn* before = read();
  fill(0, 200, 1);
  quire_txn* txn = write();
  ASSERT_OK(quire_index_rename(txn, things, "near", "nearer"));
  const std::vector<float> query = place(300, 0);
  quire_search_options options = asking(query, 1);
  options.index = "near";
  EXPECT_CODE(search(txn, options), QUIRE_ERR_NOT_FOUND);
  EXPECT_OK(search(before, options));
  options.index = "nearer";
  EXPECT_EQ(found(txn, options), (Found{{300, 0}}));
  EXPECT_CODE(search(before, options), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_index_rebuild(txn, things, "nearer", nullptr, nullptr));
  EXPECT_EQ(found(txn, options), (Found{{300, 0}}));
  EXPECT_EQ(figure(txn, "nearer", "nodes"), static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(figure(txn, "nearer", "dead"), 0u);
  ASSERT_OK(quire_commit(txn));
  txn = write();
  ASSERT_OK(quire_index_drop(txn, things, "nearer"));
  EXPECT_CODE(search(txn, options), QUIRE_ERR_NOT_FOUND);
  options.index = nullptr;
  EXPECT_EQ(found(txn, options), exact(txn, options));
  ASSERT_OK(quire_commit(txn));
  options.index = "near";
  EXPECT_EQ(found(before, options), (Found{{300, 0}}));
  ASSERT_OK(quire_renew(before));
  EXPECT_CODE(search(before, options), QUIRE_ERR_NOT_FOUND);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(SearchIndexApi, OptionsThatAreWrongAreNamed) {
  quire_txn* txn = write();
  const auto refused = [&](const char* json, int code, const char* part) {
    SCOPED_TRACE(json);
    EXPECT_ERROR(make_index(txn, "x", json), code, part);
  };
  refused("{}", QUIRE_ERR_INVALID, "'field'");
  refused("[]", QUIRE_ERR_INVALID, "object");
  refused(R"({"field": "nope"})", QUIRE_ERR_INVALID, "'nope'");
  refused(R"({"field": "section"})", QUIRE_ERR_INVALID, "'section'");
  refused(R"({"field": "place", "field": "place"})", QUIRE_ERR_INVALID, "twice");
  refused(R"({"field": "place", "fields": []})", QUIRE_ERR_INVALID, "'fields'");
  refused(R"({"field": "place", "metric": "ip"})", QUIRE_ERR_INVALID, "'metric'");
  refused(R"({"field": "place", "metric": "hamming"})", QUIRE_ERR_NOT_SUPPORTED, "hamming");
  refused(R"({"field": "place", "m": 3})", QUIRE_ERR_INVALID, "4 to 64");
  refused(R"({"field": "place", "m": 8.5})", QUIRE_ERR_INVALID, "'m'");
  refused(R"({"field": "place", "ef_construction": 8})", QUIRE_ERR_INVALID, "less than m");
  refused(R"({"field": "place", "quantizer": "pq"})", QUIRE_ERR_INVALID, "'quantizer'");
  refused(R"({"field": "place", "metric": "l1", "quantizer": "sq8"})", QUIRE_ERR_NOT_SUPPORTED,
          "sq8");
  refused(R"({"field": "place", "tail_bytes": 100})", QUIRE_ERR_INVALID, "16384");
  refused(R"({"field": "place", "seed": -1})", QUIRE_ERR_INVALID, "'seed'");
  quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
  options.kind = "hnsw2";
  options.options = R"({"field": "place"})";
  EXPECT_ERROR(quire_index_create(txn, things, "x", &options), QUIRE_ERR_NOT_SUPPORTED, "hnsw2");
  const auto stop = [](void*, std::uint64_t, std::uint64_t) { return 1; };
  options.kind = "hnsw";
  options.progress = stop;
  EXPECT_CODE(quire_index_create(txn, things, "x", &options), QUIRE_ERR_CANCELLED);
  EXPECT_CODE(quire_index_rebuild(txn, things, "near", stop, nullptr), QUIRE_ERR_CANCELLED);
  EXPECT_EQ(nearest(txn, 17, 0), (Found{{17, 0}}));
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

}  // namespace
}  // namespace quire::test
