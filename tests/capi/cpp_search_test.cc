// quire.hpp: searches by an index of vectors, what it tells of itself, and maintenance.
#include "cpp_world.h"

namespace quire::test {
namespace {

class CppSearch : public Goods {
 protected:
  void SetUp() override {
    Goods::SetUp();
    for (std::int64_t id = 1; id <= 300; ++id) {
      Record one = record(id, id % 2 == 0 ? "tools" : "games", id);
      const std::array place{static_cast<float>(id), static_cast<float>(id % 7)};
      one[kPlace] = vector_value(place);
      goods->insert(one);
    }
    goods->create_index("near",
                        {.options = R"({"field": "place", "quantizer": "none"})", .kind = "hnsw"});
  }
  static std::vector<std::int64_t> keys(const std::vector<Hit>& hits) {
    std::vector<std::int64_t> keys;
    for (const Hit& hit : hits) keys.push_back(hit.key.as.i64);
    return keys;
  }

  const std::array<float, 2> wanted{100.2f, 2.0f};
};

TEST_F(CppSearch, ByAnIndexWithEfAndExact) {
  const std::vector<std::int64_t> nearest = keys(goods->search(kPlace, wanted, 5, {.exact = true}));
  ASSERT_EQ(nearest.size(), 5u);
  EXPECT_EQ(keys(goods->search(kPlace, wanted, 5)), nearest);
  EXPECT_EQ(keys(goods->search(kPlace, wanted, 5, {.index = "near", .ef = 300})), nearest);
  EXPECT_EQ(keys(goods->search(kPlace, vector_value(wanted), 5, {.ef = 300})), nearest);
  const auto odd = keys(goods->search(kPlace, wanted, 5,
                                      {.metric = QUIRE_METRIC_L2,
                                       .index = "near",
                                       .among = QueryOptions{.filter = "section = 'games'"}}));
  ASSERT_EQ(odd.size(), 5u);
  for (const std::int64_t key : odd) EXPECT_EQ(key % 2, 1);
}

TEST_F(CppSearch, ForMoreThanTheNearest) {
  const std::vector<Hit> nearest = goods->search(kPlace, wanted, 6, {.exact = true});
  ASSERT_EQ(nearest.size(), 6u);
  EXPECT_EQ(goods->search(kPlace, wanted, 6, {.within = nearest[2].distance}).size(), 3u);
  EXPECT_EQ(keys(goods->search(kPlace, wanted, 3, {.after = nearest[2], .after_count = 3})),
            keys({nearest.begin() + 3, nearest.end()}));
  EXPECT_EQ(
      keys(goods->search(kPlace, wanted, 4, {.group_field = kSection, .per_group = 1})).size(), 2u);
  const auto diverse = goods->search(kPlace, wanted, 2, {.diversity = 1, .candidates = 300});
  ASSERT_EQ(diverse.size(), 2u);
  EXPECT_EQ(diverse[0].key.as.i64, nearest[0].key.as.i64);
  EXPECT_EQ(diverse[1].key.as.i64, 300);  // the farthest from 100

  const std::array like{Example{i64_value(9)}, Example{i64_value(11)}};
  const std::array unlike{Example{i64_value(20)}};
  const std::vector<Hit> recommended = goods->recommend(kPlace, like, unlike, 10);
  ASSERT_EQ(recommended.size(), 10u);
  for (const Hit& hit : recommended)
    EXPECT_TRUE(hit.key.as.i64 != 9 && hit.key.as.i64 != 11 && hit.key.as.i64 != 20);
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->recommend(kPlace, {}, unlike, 10));

  const std::array queries{vector_value(wanted), vector_value(wanted)};
  const auto batch = goods->search_batch(kPlace, queries, 6, 2, {.exact = true});
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(keys(batch[0]), keys(nearest));
  EXPECT_EQ(keys(batch[1]), keys(nearest));

  EXPECT_EQ(goods->distance(kPlace, i64_value(7), i64_value(14)), 49);
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, goods->distance(kPlace, i64_value(7), i64_value(999)));
  const std::array<std::uint32_t, 1> fields{kSection};
  EXPECT_EQ(as_text(goods->get_fields(nearest[0].record, fields)->at(0)), "tools");
  EXPECT_FALSE(goods->get_fields(9999, fields));
}

TEST_F(CppSearch, WhatIsWrongIsThrown) {
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, goods->search(kPlace, wanted, 5, {.index = "far"}));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->search(kPlace, wanted, 5, {.index = "by_size"}));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->search(kPlace, wanted, 5, {.ef = 1'000'001}));
  EXPECT_THROWN(QUIRE_ERR_INVALID,
                goods->search(kPlace, wanted, 5, {.index = "near", .exact = true}));
  EXPECT_THROWN(QUIRE_ERR_INVALID,
                goods->search(kPlace, wanted, 5, {.metric = QUIRE_METRIC_L1, .index = "near"}));
  EXPECT_THROWN(QUIRE_ERR_INVALID,
                goods->search(kPlace, wanted, 5, {.among = QueryOptions{.filter = "size ="}}));
}

TEST_F(CppSearch, AnIndexTellsItsFigures) {
  const std::vector<IndexInfo> indexes = goods->indexes();
  ASSERT_EQ(indexes.size(), 2u);
  EXPECT_EQ(indexes[0].figures, "{\"height\": 2}");
  EXPECT_EQ(indexes[1].entries, 300u);
  ASSERT_TRUE(indexes[1].figures);
  EXPECT_NE(indexes[1].figures->find("\"nodes\": 300, \"tail\": 0,"), std::string::npos)
      << *indexes[1].figures;
}

TEST_F(CppSearch, MaintenanceIsPausedResumedFlushedAndTold) {
  txn.commit();
  db.pause_maintenance();
  EXPECT_EQ(db.maintenance_stat().paused, 1u);
  Transaction change = db.write();
  Collection things = *change.find_collection("goods");
  for (std::int64_t id = 301; id <= 340; ++id) {
    Record one = record(id, "tools", id);
    const std::array place{static_cast<float>(id), 0.0f};
    one[kPlace] = vector_value(place);
    things.insert(one);
  }
  change.commit();
  const std::uint64_t steps = db.maintenance_stat().steps;
  db.flush_maintenance();
  EXPECT_GT(db.maintenance_stat().steps, steps);
  EXPECT_EQ(db.maintenance_stat().error, QUIRE_OK);
  db.resume_maintenance();
  EXPECT_EQ(db.maintenance_stat().paused, 0u);
  const Transaction look = db.read();
  EXPECT_NE(
      look.find_collection("goods")->indexes()[1].figures->find("\"nodes\": 340, \"tail\": 0"),
      std::string::npos);
  Database reader = Database::open_read_only(path());
  EXPECT_THROWN(QUIRE_ERR_READ_ONLY, reader.flush_maintenance());
  EXPECT_THROWN(QUIRE_ERR_READ_ONLY, reader.pause_maintenance());
  EXPECT_THROWN(QUIRE_ERR_READ_ONLY, reader.resume_maintenance());
  EXPECT_THROWN(QUIRE_ERR_READ_ONLY, reader.maintenance_stat());
}

}  // namespace
}  // namespace quire::test
