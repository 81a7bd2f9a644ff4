// quire.hpp: fields with rules, changes of them, indexes.
#include <stdexcept>

#include "cpp_world.h"

namespace quire::test {
namespace {

class CppSchema : public Goods {};

// The same without what the library gives: ids.
std::vector<Field> without_ids(std::vector<Field> fields) {
  for (Field& field : fields) field.id = 0;
  return fields;
}

TEST_F(CppSchema, FieldsComeBackWithTheirRules) {
  std::vector<Field> fields = goods_fields();
  fields.push_back({.name = "note",
                    .nullable = true,
                    .rules = Rules{.default_kind = QUIRE_DEFAULT_VALUE,
                                   .default_value = text_value("none"),
                                   .min_length = 2,
                                   .max_length = 8,
                                   .pattern = "[a-z]+"}});
  const Collection other = txn.create_collection("other", fields);
  EXPECT_EQ(without_ids(other.fields()), fields);
  EXPECT_NE(other.fields()[0].id, 0u);
  other.expect(fields);
  fields[2].rules->max = i64_value(7);
  try {
    other.expect(fields);
    FAIL() << "another rule was taken for the same";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), QUIRE_ERR_SCHEMA);
    EXPECT_NE(std::string(error.what()).find("size"), std::string::npos) << error.what();
  }
}

TEST_F(CppSchema, RulesAreCarriedOut) {
  fill(2);
  EXPECT_THROWN(QUIRE_ERR_SCHEMA, goods->insert(record(3, "tools", 1001)));
  EXPECT_THROWN(QUIRE_ERR_SCHEMA, goods->insert(record(3, "books", 1)));
  EXPECT_THROWN(QUIRE_ERR_EXISTS, txn.create_collection("goods", goods_fields()));
}

TEST_F(CppSchema, FieldsAreChangedWithoutWritingRecords) {
  fill(3);
  std::vector<Field> fields = goods->fields();
  fields[kSize].name = "bytes";
  fields.push_back({.name = "note", .rules = default_rules(text_value("-"))});
  goods->change(fields);
  EXPECT_EQ(goods->versions().newest, 2u);
  EXPECT_EQ(goods->versions().oldest, 1u);
  EXPECT_EQ(goods->record_version(i64_value(1)), 1u);
  EXPECT_EQ(goods->fields()[kSize].name, "bytes");
  EXPECT_EQ(as_text((*goods->get(i64_value(1)))[kFields]), "-");
  std::uint64_t told = 0;
  goods->rewrite([&](std::uint64_t, std::uint64_t total) {
    told = total;
    return true;
  });
  EXPECT_EQ(goods->versions().oldest, 2u);
  EXPECT_EQ(goods->record_version(i64_value(1)), 2u);
  EXPECT_EQ(goods->record_version(i64_value(77)), std::nullopt);
  goods->rename("things");
  EXPECT_FALSE(txn.find_collection("goods"));
  EXPECT_EQ(txn.find_collection("things")->id(), goods->id());
}

TEST_F(CppSchema, IndexesAreMadeListedRenamedRebuiltAndDropped) {
  fill(10);
  goods->create_index("by_section",
                      {.options = R"({"fields": ["section", "-size"], "covering": ["id"]})"});
  std::vector<IndexInfo> indexes = goods->indexes();
  ASSERT_EQ(indexes.size(), 2u);
  EXPECT_EQ(indexes[0].name, "by_size");
  EXPECT_EQ(indexes[1].kind, "sorted");
  EXPECT_EQ(indexes[1].entries, 10u);
  EXPECT_NE(indexes[1].options->find("covering"), std::string::npos);
  goods->rename_index("by_section", "sections");
  goods->rebuild_index("sections");
  EXPECT_TRUE(goods->drop_index("by_size"));
  EXPECT_FALSE(goods->drop_index("by_size"));
  indexes = goods->indexes();
  ASSERT_EQ(indexes.size(), 1u);
  EXPECT_EQ(indexes[0].name, "sections");
  EXPECT_THROWN(QUIRE_ERR_EXISTS,
                goods->create_index("sections", {.options = R"({"fields": ["id"]})"}));
  EXPECT_THROWN(QUIRE_ERR_NOT_SUPPORTED, goods->create_index("x", {.kind = "heap"}));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->create_index("x", {.options = "{"}));
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, goods->rename_index("x", "y"));
}

TEST_F(CppSchema, ACallbackStopsWhatTakesLongAndItsExceptionComesOut) {
  for (std::int64_t id = 1; id <= 5000; ++id) goods->insert(record(id, "tools", id % 1000));
  const auto stop = [](std::uint64_t, std::uint64_t) { return false; };
  const auto thrower = [](std::uint64_t, std::uint64_t) -> bool {
    throw std::runtime_error("mine");
  };
  const IndexOptions options{.options = R"({"fields": ["section"]})", .progress = stop};
  EXPECT_THROWN(QUIRE_ERR_CANCELLED, goods->create_index("x", options));
  EXPECT_THROWN(QUIRE_ERR_CANCELLED, goods->rebuild_index("by_size", stop));
  try {
    goods->rebuild_index("by_size", thrower);
    FAIL() << "the exception was lost";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "mine");
  }
  EXPECT_EQ(goods->indexes().size(), 1u);
  txn.commit();
  EXPECT_TRUE(db.check().empty());
}

}  // namespace
}  // namespace quire::test
