#include "index/vector/exact_search.h"

#include <cmath>
#include <limits>

#include "tests/record/record_world.h"

namespace quire {
namespace {

using namespace test;

// Small whole numbers, so that l2 and the inner product are exact in any order of adding up.
double distance_of(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
  double l2 = 0, dot = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    l2 += (a[i] - b[i]) * (a[i] - b[i]);
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  if (metric == Metric::kL2) return l2;
  if (metric == Metric::kInnerProduct) return -dot;
  return aa == 0 || bb == 0 ? 1 : 1 - dot / std::sqrt(aa * bb);
}

// Compares one search with all distances, sorted.
void expect_exact(View& view, const Collection& collection, const Model& model,
                  const VectorQuery& query) {
  const std::vector<float> vector(query.vector, query.vector + query.dimension);
  const auto vector_of = [&](const Item& item) -> const std::vector<float>* {
    if (query.field == kPlace) return &item.place;
    return item.extra ? &*item.extra : nullptr;
  };
  std::vector<double> expected;
  for (const auto& [id, item] : model)
    if (const auto* other = vector_of(item))
      expected.push_back(distance_of(query.metric, vector, *other));
  std::ranges::sort(expected);
  const auto hits = must(exact_search(view, collection, query));
  ASSERT_EQ(hits.size(), std::min(query.k, expected.size()));
  for (std::size_t i = 0; i < hits.size(); ++i) {
    EXPECT_NEAR(hits[i].distance, expected[i], 1e-5);
    const Value key = must(decode_single_key(FieldType::kText, hits[i].key));
    const auto found = model.find(std::string(as_text(key.bytes)));
    ASSERT_NE(found, model.end());
    const auto* own = vector_of(found->second);
    ASSERT_NE(own, nullptr);
    EXPECT_NEAR(hits[i].distance, distance_of(query.metric, vector, *own), 1e-5);
    if (i > 0 && hits[i].distance == hits[i - 1].distance) {
      EXPECT_GT(hits[i].number, hits[i - 1].number);
    }
  }
}

TEST(ExactSearch, FindsWhatMeasuringAllFinds) {
  for (const std::uint32_t page_size : {512u, 4096u}) {
    World world(page_size);
    Random random(page_size);
    const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
    Model model;
    for (int round = 0; round < 12; ++round) {
      for (int i = 0; i < 150; ++i) {
        const std::string id = "key" + std::to_string(random() % 1500);
        if (random() % 3 == 0) {
          if (model.erase(id) != 0) must(erase_record(world.txn(), books, Value::of_text(id)));
        } else {
          model[id] = random_item(random, id);
          must(upsert_record(world.txn(), books, model[id].values()));
        }
      }
      const auto search_all = [&](View& view) {
        for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine}) {
          for (const std::uint32_t field : {kPlace, kExtra}) {
            const std::vector<float> vector =
                random_vector(random, field == kPlace ? kPlaceDimension : kExtraDimension);
            for (const std::size_t k : {1, 10, 5000})
              expect_exact(
                  view, books, model,
                  {field, metric, vector.data(), static_cast<std::uint32_t>(vector.size()), k});
          }
        }
      };
      search_all(world.txn());  // its own changes too
      world.commit();
      if (round % 4 == 3) must(world.database().checkpoint());
      search_all(*world.snapshot());
    }
  }
}

TEST(ExactSearch, OfNothingFindsNothing) {
  World world;
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  const std::vector<float> place(kPlaceDimension);
  const VectorQuery query{kPlace, Metric::kL2, place.data(), kPlaceDimension, 10};
  EXPECT_TRUE(must(exact_search(world.txn(), books, query)).empty());
  Item item;
  item.id = "a";
  must(insert_record(world.txn(), books, item.values()));
  must(erase_record(world.txn(), books, Value::of_text("a")));
  EXPECT_TRUE(must(exact_search(world.txn(), books, query)).empty());
}

TEST(ExactSearch, RefusesQueriesThatDoNotFit) {
  World world;
  const Collection books = must(Collection::create(world.txn(), "books", full_schema()));
  std::vector<float> place(kPlaceDimension);
  const VectorQuery good{kPlace, Metric::kL2, place.data(), kPlaceDimension, 10};
  const auto code = [&](auto change) {
    VectorQuery query = good;
    change(query);
    return code_of(exact_search(world.txn(), books, query));
  };
  EXPECT_EQ(code([](VectorQuery&) {}), ErrorCode::kOk);
  EXPECT_EQ(code([](VectorQuery& query) { query.field = 9; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.field = kTitle; }), ErrorCode::kType);
  EXPECT_EQ(code([](VectorQuery& query) { query.k = 0; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.k = 1'000'001; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.vector = nullptr; }), ErrorCode::kInvalid);
  EXPECT_EQ(code([](VectorQuery& query) { query.dimension = 4; }), ErrorCode::kSchema);
  EXPECT_EQ(code([](VectorQuery& query) { query.metric = Metric::kHamming; }),
            ErrorCode::kNotSupported);
  place[2] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(code([](VectorQuery&) {}), ErrorCode::kSchema);
}

}  // namespace
}  // namespace quire
