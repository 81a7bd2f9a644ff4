// What a sorted index says to single statements: unique keys, sizes of keys, fields that change.
#include "tests/ordered/ordered_world.h"

namespace quire {
namespace {

using namespace test;

Item item_of(std::string id, std::optional<std::int64_t> size,
             std::optional<std::string> section = {}) {
  Item item;
  item.id = std::move(id);
  item.size = size;
  item.section = std::move(section);
  return item;
}

TEST(SortedUnique, a_second_record_with_a_key_is_refused_and_changes_nothing) {
  World world;
  world.add_index("x", R"({"fields": ["section", "size"], "unique": true})");
  world.add_index("all", R"({"fields": ["size"]})");
  must(world.insert(item_of("one", 3, "a")));
  const auto before = world.entries("all");
  const Status refused = world.insert(item_of("two", 3, "a"));
  EXPECT_EQ(code_of(refused), ErrorCode::kUnique);
  EXPECT_EQ(words_of(refused),
            "collection 'shop': index 'x': the key ('a', 3) is that of the record 'one' already");
  EXPECT_EQ(world.entries("all"), before);
  EXPECT_EQ(must(world.shop().count(world.txn())), 1U);
  must(world.insert(item_of("two", 4, "a")));
  EXPECT_EQ(code_of(world.upsert(item_of("two", 3, "a"))), ErrorCode::kUnique);
  must(world.upsert(item_of("two", 5, "a")));
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedUnique, a_record_may_keep_its_own_key_and_take_one_that_became_free) {
  World world;
  world.add_index("x", R"({"fields": ["size"], "unique": true, "covering": ["section"]})");
  must(world.insert(item_of("one", 3, "a")));
  must(world.upsert(item_of("one", 3, "b")));
  EXPECT_EQ(code_of(world.insert(item_of("one", 3, "b"))), ErrorCode::kExists);
  must(world.upsert(item_of("one", 4)));
  must(world.insert(item_of("two", 3)));
  must(world.erase("one"));
  must(world.insert(item_of("three", 4)));
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedUnique, nulls_are_not_equal) {
  World world;
  world.add_index("x", R"({"fields": ["section", "size"], "unique": true})");
  must(world.insert(item_of("one", std::nullopt, "a")));
  must(world.insert(item_of("two", std::nullopt, "a")));
  must(world.insert(item_of("three", 1)));
  must(world.insert(item_of("four", 1)));
  EXPECT_EQ(world.entries("x").size(), 4U);
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedUnique, texts_that_fold_to_one_are_one) {
  World world;
  world.add_index("x", R"({"fields": ["section"], "unique": true, "collation": "ascii_nocase"})");
  must(world.insert(item_of("one", 1, "Abc")));
  const Status refused = world.insert(item_of("two", 1, "aBC"));
  EXPECT_EQ(words_of(refused),
            "collection 'shop': index 'x': the key 'abc' is that of the record 'one' already");
  must(world.insert(item_of("two", 1, "\xC3\x84")));
  must(world.insert(item_of("three", 1, "\xC3\xA4")));
}

TEST(SortedUnique, elements_of_one_record_may_be_equal_but_not_those_of_two) {
  World world;
  world.add_index("x", R"({"fields": ["tags[]"], "unique": true})");
  Item one = item_of("one", 1);
  one.tags = {"b", "a", "b", "b"};
  must(world.insert(one));
  EXPECT_EQ(world.entries("x").size(), 2U);
  Item two = item_of("two", 1);
  two.tags = {"c", "b"};
  EXPECT_EQ(code_of(world.insert(two)), ErrorCode::kUnique);
  two.tags = std::vector<std::string>();
  must(world.insert(two));
  must(world.insert(item_of("three", 1)));
  EXPECT_EQ(world.entries("x").size(), 4U);
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedUnique, only_records_of_the_filter_are_compared) {
  World world;
  world.add_index("x", R"({"fields": ["size"], "unique": true, "where": "flag"})");
  Item one = item_of("one", 1);
  one.flag = true;
  Item two = item_of("two", 1);
  must(world.insert(one));
  must(world.insert(two));
  two.flag = true;
  EXPECT_EQ(code_of(world.upsert(two)), ErrorCode::kUnique);
  one.flag = false;
  must(world.upsert(one));
  must(world.upsert(two));
  EXPECT_EQ(world.entries("x").size(), 1U);
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedKeys, a_key_that_is_too_long_is_refused_and_changes_nothing) {
  World world;
  world.add_index("x", R"({"fields": ["size", "section"]})");
  const Status refused = world.insert(item_of("one", 3, std::string(1100, 'a')));
  EXPECT_EQ(code_of(refused), ErrorCode::kKeySize);
  EXPECT_EQ(words_of(refused),
            "collection 'shop': index 'x': field 'section': the record 'one' would have a key of "
            "1120 bytes, the limit is 1024");
  EXPECT_EQ(must(world.shop().count(world.txn())), 0U);
  must(world.insert(item_of("one", 3, std::string(1004, 'a'))));
  EXPECT_EQ(code_of(world.upsert(item_of("one", 3, std::string(1005, 'a')))), ErrorCode::kKeySize);
  EXPECT_EQ(world.entries("x").size(), 1U);
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedKeys, covered_values_may_be_long) {
  World world;
  world.add_index("x", R"({"fields": ["size"], "covering": ["section"]})");
  const std::string text(50'000, 't');
  must(world.insert(item_of("one", 3, text)));
  SortedScan scan = must(SortedScan::open(world.txn(), world.index("x"),
                                          must(equal_range(world.index("x").form(), {}))));
  ASSERT_TRUE(must(scan.next()));
  EXPECT_EQ(must(scan.covered())[0].text(), text);
}

TEST(SortedKeys, another_zero_is_another_value_of_a_covered_field) {
  World world;
  world.add_index("x", R"({"fields": ["size"], "covering": ["price"]})");
  Item one = item_of("one", 1);
  one.price = 0.0;
  must(world.insert(one));
  one.price = -0.0;
  must(world.upsert(one));
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedFields, an_index_follows_its_fields_through_changes_of_the_schema) {
  World world;
  world.add_index("x", R"({"fields": ["-size", "section"], "covering": ["flag"]})");
  for (int i = 0; i < 50; ++i) must(world.insert(item_of("k" + std::to_string(i), i % 7, "s")));
  const auto fields_of = [&] {
    const auto fields = world.shop().schema().fields();
    return std::vector<Field>(fields.begin(), fields.end());
  };
  std::vector<Field> fields = fields_of();
  std::swap(fields[kSize], fields[kDoc]);
  fields[kDoc].name = "bytes";
  fields[kDoc].type = FieldType::kF64;
  fields[kSection].type = FieldType::kBytes;
  fields.push_back({"new", FieldType::kI64, true});
  world.set_shop(must(change_fields(world.txn(), world.shop(), fields, kKinds)));
  EXPECT_EQ(world.entries("x").size(), 50U);
  EXPECT_TRUE(world.damages().empty());
  EXPECT_EQ(kKindWithFilters.describe(world.shop().schema(),
                                      world.shop().definition().indexes[0].options),
            R"({"fields": ["-bytes", "section"], "covering": ["flag"]})");
  fields = fields_of();
  fields.erase(fields.begin() + kFlag);
  EXPECT_EQ(code_of(change_fields(world.txn(), world.shop(), fields, kKinds)), ErrorCode::kInvalid);
  fields = fields_of();
  fields.erase(fields.begin() + kTime);
  world.set_shop(must(change_fields(world.txn(), world.shop(), fields, kKinds)));
  EXPECT_TRUE(world.damages().empty());
}

TEST(SortedKind, says_what_options_it_has) {
  EXPECT_EQ(sorted_index_kind().name(), "sorted");
  ASSERT_EQ(sorted_index_kind().options().size(), 5U);
  EXPECT_EQ(sorted_index_kind().options()[0].name, "fields");
  World world;
  world.add_index("x", R"({"fields": ["size"]})");
  EXPECT_NE(as_sorted(world.shop().indexes()[0].get()), nullptr);
  EXPECT_EQ(as_sorted(nullptr), nullptr);
}

}  // namespace
}  // namespace quire
