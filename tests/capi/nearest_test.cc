// Exact search for the nearest vectors, against brute force.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "capi_world.h"
#include "values.h"

namespace quire::test {
namespace {

double distance(std::uint32_t metric, const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0;
  double product = 0;
  double norm_a = 0;
  double norm_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
    product += double{a[i]} * b[i];
    norm_a += double{a[i]} * a[i];
    norm_b += double{b[i]} * b[i];
  }
  if (metric == QUIRE_METRIC_L2) return squares;
  if (metric == QUIRE_METRIC_IP) return -product;
  return norm_a == 0 || norm_b == 0 ? 1 : 1 - product / std::sqrt(norm_a * norm_b);
}

class Search : public World {
 protected:
  static constexpr std::uint32_t kDimension = 19;
  void SetUp() override {
    World::SetUp();
    quire_txn* txn = write();
    const quire_field fields[] = {
        {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0},
        {"v", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, kDimension, 0}};
    ASSERT_OK(quire_collection_create(txn, "vectors", fields, 2, &vectors));
    ASSERT_OK(quire_commit(txn));
  }
  std::vector<float> random_vector() {
    std::vector<float> vector(kDimension);
    for (float& element : vector) element = normal(random);
    return vector;
  }
  void store(quire_txn* txn, std::int64_t id, const std::vector<float>& vector) {
    const quire_value record[] = {of_i64(id), vector.empty() ? none() : of_vector(vector)};
    ASSERT_OK(quire_record_upsert(txn, vectors, record, 2));
    model[id] = vector;
  }
  void expect_nearest(quire_txn* txn, std::uint32_t metric, const std::vector<float>& query,
                      std::uint32_t k) {
    std::vector<std::pair<double, std::int64_t>> wanted;
    for (const auto& [id, vector] : model)
      if (!vector.empty()) wanted.emplace_back(distance(metric, query, vector), id);
    std::ranges::sort(wanted);
    if (wanted.size() > k) wanted.resize(k);
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.metric = metric;
    options.field = 1;
    options.vector = query.data();
    options.dimension = kDimension;
    options.k = k;
    std::vector<quire_hit> hits(k);
    std::size_t found = 0;
    ASSERT_OK(quire_search(txn, vectors, &options, hits.data(), &found));
    ASSERT_EQ(found, wanted.size());
    for (std::size_t i = 0; i < found; ++i) {
      EXPECT_NEAR(hits[i].distance, wanted[i].first, 1e-3) << i;
      const auto& vector = model.at(hits[i].key.as.i64);
      EXPECT_NEAR(distance(metric, query, vector), hits[i].distance, 1e-3) << i;
      EXPECT_GE(hits[i].distance, hits[i == 0 ? 0 : i - 1].distance);
    }
  }

  quire_collection vectors = 0;
  std::mt19937 random{5};
  std::normal_distribution<float> normal;
  std::map<std::int64_t, std::vector<float>> model;
};

TEST_F(Search, FindsWhatBruteForceFinds) {
  quire_txn* txn = write();
  for (int i = 0; i < 700; ++i) store(txn, i, i % 10 == 3 ? std::vector<float>{} : random_vector());
  store(txn, 1000, std::vector<float>(kDimension, 0.f));  // a zero vector: cosine 1
  for (const std::uint32_t metric : {QUIRE_METRIC_L2, QUIRE_METRIC_IP, QUIRE_METRIC_COSINE}) {
    expect_nearest(txn, metric, random_vector(), 1);
    expect_nearest(txn, metric, random_vector(), 10);
    expect_nearest(txn, metric, random_vector(), 2000);  // more than there are
  }
  ASSERT_OK(quire_commit(txn));
  reopen();
  txn = read();
  for (const std::uint32_t metric : {QUIRE_METRIC_L2, QUIRE_METRIC_IP, QUIRE_METRIC_COSINE})
    expect_nearest(txn, metric, random_vector(), 25);
  quire_abort(txn);
}

TEST_F(Search, IsAtTheAgeOfTheTransactionItsOwnChangesIncluded) {
  quire_txn* txn = write();
  for (int i = 0; i < 50; ++i) store(txn, i, random_vector());
  ASSERT_OK(quire_commit(txn));
  quire_txn* held = read();
  const auto before = model;
  txn = write();
  const std::vector<float> query = random_vector();
  store(txn, 7, query);
  store(txn, 99, query);
  const quire_value gone = of_i64(3);
  ASSERT_OK(quire_record_delete(txn, vectors, &gone, 1));
  model.erase(3);
  store(txn, 4, {});
  expect_nearest(txn, QUIRE_METRIC_L2, query, 60);
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  const auto at_savepoint = model;
  store(txn, 100, query);
  expect_nearest(txn, QUIRE_METRIC_L2, query, 3);
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  model = at_savepoint;
  expect_nearest(txn, QUIRE_METRIC_L2, query, 60);
  ASSERT_OK(quire_commit(txn));
  const auto after = model;
  model = before;
  expect_nearest(held, QUIRE_METRIC_L2, query, 60);
  ASSERT_OK(quire_renew(held));
  model = after;
  expect_nearest(held, QUIRE_METRIC_L2, query, 60);
  quire_abort(held);
}

TEST_F(Search, RefusesWhatMakesNoSense) {
  quire_txn* txn = read();
  const std::vector<float> query(kDimension, 1.f);
  quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
  options.field = 1;
  options.vector = query.data();
  options.dimension = kDimension;
  options.k = 1;
  const quire_search_options good = options;
  quire_hit hit;
  std::size_t found = 1;
  EXPECT_OK(quire_search(txn, vectors, &options, &hit, &found));
  EXPECT_EQ(found, 0u);
  EXPECT_CODE(quire_search(txn, vectors, nullptr, &hit, &found), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, vectors, &options, nullptr, &found), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_search(txn, keys, &options, &hit, &found), QUIRE_ERR_TYPE);
  EXPECT_CODE(quire_search(txn, 9999, &options, &hit, &found), QUIRE_ERR_NOT_FOUND);
  options.size = 0;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.metric = 17;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.field = 0;
  EXPECT_ERROR(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_TYPE, "'id'");
  options.field = 2;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.k = 0;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options.k = 1'000'001;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.vector = nullptr;
  EXPECT_CODE(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_INVALID);
  options = good;
  options.dimension = kDimension - 1;
  EXPECT_ERROR(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_SCHEMA, "'v'");
  std::vector<float> bad = query;
  bad[2] = std::nanf("");
  options = good;
  options.vector = bad.data();
  EXPECT_ERROR(quire_search(txn, vectors, &options, &hit, &found), QUIRE_ERR_SCHEMA, "'v'");
  quire_abort(txn);
}

}  // namespace
}  // namespace quire::test
