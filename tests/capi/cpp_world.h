// What the tests of quire.hpp share: a database with a collection of goods.
#pragma once

#include <gtest/gtest.h>
#include <quire/quire.hpp>

#include <array>
#include <string>
#include <vector>

#include "capi_world.h"

namespace quire::test {

// The code of the Error that `body` throws; QUIRE_OK where it throws none.
template <class Body>
int thrown(Body body) {
  try {
    body();
    return QUIRE_OK;
  } catch (const Error& error) {
    EXPECT_STRNE(error.what(), "");
    return error.code();
  }
}
#define EXPECT_THROWN(code, ...) \
  EXPECT_EQ(::quire::test::thrown([&] { (void)(__VA_ARGS__); }), static_cast<int>(code))

inline std::vector<Field> goods_fields() {
  return {
      {.name = "id",
       .type = QUIRE_TYPE_I64,
       .key = true,
       .rules = default_rules(QUIRE_DEFAULT_NEXT)},
      {.name = "section", .rules = Rules{.one_of = {text_value("games"), text_value("tools")}}},
      {.name = "size",
       .type = QUIRE_TYPE_I64,
       .nullable = true,
       .rules = Rules{.min = i64_value(0), .max = i64_value(1000)}},
      {.name = "place", .type = QUIRE_TYPE_VECTOR_F32, .dimension = 2, .nullable = true},
      {.name = "version", .type = QUIRE_TYPE_I64, .rules = default_rules(QUIRE_DEFAULT_VERSION)}};
}

class Goods : public ::testing::Test {
 protected:
  enum : std::uint32_t { kId, kSection, kSize, kPlace, kVersion, kFields };
  using Record = std::array<Value, kFields>;

  void SetUp() override {
    OpenOptions options;
    options.flags = QUIRE_OPEN_CREATE;
    options.durability = QUIRE_DURABILITY_OS;
    db = Database::open(path(), options);
    txn = db.write();
    const std::vector<Field> fields = goods_fields();
    goods.emplace(txn.create_collection("goods", fields));
    goods->create_index("by_size", {.options = R"({"fields": ["size"]})"});
  }
  std::string path() const { return directory / "t.quire"; }
  static Record record(std::int64_t id, const char* section, std::int64_t size) {
    return {i64_value(id), text_value(section), i64_value(size), null_value(), default_value()};
  }
  void fill(std::int64_t count) {
    for (std::int64_t id = 1; id <= count; ++id)
      ASSERT_TRUE(goods->insert(record(id, id % 2 == 0 ? "games" : "tools", id * 10)));
  }

  TempDirectory directory;
  Database db;
  Transaction txn;
  std::optional<Collection> goods;
};

}  // namespace quire::test
