// quire.hpp: records, conditions, batches, searches.
#include "cpp_world.h"

namespace quire::test {
namespace {

class CppRecords : public Goods {
 protected:
  std::int64_t size_of(std::int64_t id) const { return (*goods->get(i64_value(id)))[kSize].as.i64; }
};

TEST_F(CppRecords, AKeyThatIsMadeIsTold) {
  Record made = record(0, "tools", 1);
  made[kId] = default_value();
  const auto key = goods->insert_key(made);
  ASSERT_TRUE(key);
  ASSERT_EQ(key->size(), 1u);
  EXPECT_EQ((*key)[0].as.i64, 1);
  EXPECT_EQ(goods->insert_key(record(1, "tools", 1)), std::nullopt);
  EXPECT_FALSE(goods->insert(record(1, "tools", 1)));
}

TEST_F(CppRecords, AKeyOfSeveralFieldsIsTold) {
  std::vector<Field> fields{{.name = "year", .type = QUIRE_TYPE_I64, .key = true},
                            {.name = "number", .type = QUIRE_TYPE_I64, .key = true}};
  Collection orders = txn.create_collection("orders", fields);
  const std::array values{i64_value(2024), i64_value(17)};
  const auto key = orders.insert_key(values);
  ASSERT_EQ(key->size(), 2u);
  EXPECT_TRUE(orders.get(*key));
  EXPECT_TRUE(orders.get(values));
  EXPECT_THROWN(QUIRE_ERR_INVALID, orders.get(i64_value(2024)));
}

TEST_F(CppRecords, ConditionsHoldOrNothingChanges) {
  fill(2);
  const std::array fields{std::uint32_t{kSize}};
  const std::array one{i64_value(1)};
  const std::array right{expected(kVersion, i64_value(1)), expected(kSize, i64_value(10))};
  EXPECT_TRUE(goods->update(i64_value(1), fields, one, right));
  EXPECT_THROWN(QUIRE_ERR_CONFLICT, goods->update(i64_value(1), fields, one, right));
  EXPECT_THROWN(QUIRE_ERR_CONFLICT, goods->erase(i64_value(1), right));
  EXPECT_THROWN(QUIRE_ERR_CONFLICT, goods->upsert(record(1, "tools", 5), right));
  EXPECT_EQ(size_of(1), 1);
  EXPECT_FALSE(goods->erase(i64_value(77), right));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->update(i64_value(1), fields, {}));
}

TEST_F(CppRecords, ABatchIsOneOrTellsEachFailure) {
  fill(2);
  const Record third = record(3, "games", 30), again = record(2, "games", 1);
  const Value first = i64_value(1), none = i64_value(77), size = i64_value(11);
  const std::array fields{std::uint32_t{kSize}};
  const std::vector<Change> changes{insertion(third), alteration(first, fields, {&size, 1}),
                                    insertion(again), deletion(none)};
  try {
    goods->apply(changes);
    FAIL() << "a batch with a failure was applied";
  } catch (const BatchError& error) {
    EXPECT_EQ(error.code(), QUIRE_ERR_EXISTS);
    EXPECT_EQ(error.change(), 2u);
  }
  EXPECT_EQ(goods->count(), 2u);
  const BatchOptions options{.partial = true, .key = "once"};
  const BatchResult result = goods->apply(changes, options);
  EXPECT_EQ(result.applied, 2u);
  EXPECT_EQ(result.failed, 2u);
  EXPECT_FALSE(result.replayed);
  ASSERT_EQ(result.changes.size(), 4u);
  EXPECT_EQ(result.changes[0].code, QUIRE_OK);
  EXPECT_EQ(result.changes[2].code, QUIRE_ERR_EXISTS);
  EXPECT_EQ(result.changes[3].code, QUIRE_ERR_NOT_FOUND);
  EXPECT_FALSE(result.changes[3].message.empty());
  EXPECT_EQ(size_of(1), 11);
  const BatchResult repeated = goods->apply(changes, options);
  EXPECT_TRUE(repeated.replayed);
  EXPECT_EQ(repeated.changes[3].code, QUIRE_ERR_NOT_FOUND);
  EXPECT_EQ(repeated.changes[3].message, "");
  EXPECT_EQ(goods->count(), 3u);
  // What is wrong with the batch as a whole is no failure of a change.
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->apply(std::span(changes).first(1), options));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->apply(std::array{Change{}}));
}

TEST_F(CppRecords, HitsHaveTheNumbersOfTheirRecords) {
  for (std::int64_t id = 1; id <= 5; ++id) {
    Record one = record(id, "tools", id);
    const std::array place{static_cast<float>(id), 0.0f};
    one[kPlace] = vector_value(place);
    goods->insert(one);
  }
  const std::array wanted{3.2f, 0.0f};
  const std::vector<Hit> hits = goods->search(kPlace, wanted, 2);
  ASSERT_EQ(hits.size(), 2u);
  EXPECT_EQ(hits[0].key.as.i64, 3);
  EXPECT_EQ((*goods->get_number(hits[1].record))[kId].as.i64, 4);
  EXPECT_EQ(goods->get_number(hits[1].record + 1000), std::nullopt);
  EXPECT_THROWN(QUIRE_ERR_TYPE, goods->search(kSize, wanted, 2));
}

}  // namespace
}  // namespace quire::test
