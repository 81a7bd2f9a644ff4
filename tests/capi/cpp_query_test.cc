// quire.hpp: queries.
#include "cpp_world.h"

namespace quire::test {
namespace {

class CppQuery : public Goods {
 protected:
  void SetUp() override {
    Goods::SetUp();
    fill(10);
  }
  // The ids that a query gives.
  std::vector<std::int64_t> ids(const QueryOptions& options) {
    Query query = goods->query(options);
    std::vector<std::int64_t> found;
    while (query.next() != nullptr) found.push_back(query.key()[0].as.i64);
    return found;
  }
};

using Ids = std::vector<std::int64_t>;

TEST_F(CppQuery, GivesRowsAsTheyAreAskedFor) {
  EXPECT_EQ(ids({.filter = "size > $1 and section = $2",
                 .arguments = {i64_value(30), text_value("games")},
                 .order = "size desc",
                 .limit = 2,
                 .offset = 1}),
            (Ids{8, 6}));
  EXPECT_EQ(ids({.filter = "size in $s",
                 .arguments = {array_value(QUIRE_TYPE_ARRAY_I64,
                                           std::array{i64_value(10), i64_value(90)})},
                 .argument_names = {"s"},
                 .order = "size",
                 .index = "by_size"}),
            (Ids{1, 9}));
  EXPECT_EQ(ids({}).size(), 10u);
  EXPECT_EQ(goods->count({.filter = "size >= 50"}), 6u);
  EXPECT_EQ(goods->count({.filter = "size >= 50", .no_index = true}), 6u);
  EXPECT_EQ(goods->count(), 10u);
}

TEST_F(CppQuery, ColumnsHaveNamesAndTypes) {
  Query query = goods->query({.select = "section, size / 20.0 as part, place", .order = "size"});
  ASSERT_EQ(query.column_count(), 3u);
  EXPECT_EQ(query.column_name(1), "part");
  EXPECT_EQ(query.column_type(0), QUIRE_TYPE_TEXT);
  EXPECT_EQ(query.column_type(1), QUIRE_TYPE_F64);
  EXPECT_EQ(query.column_type(2), QUIRE_TYPE_VECTOR_F32);
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, query.column_type(3));
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, query.record());
  const std::vector<Value>* row = query.next();
  ASSERT_NE(row, nullptr);
  EXPECT_EQ((*row)[1].as.f64, 0.5);
  EXPECT_EQ((*goods->get_number(query.record()))[kId].as.i64, 1);
  EXPECT_NE(query.explain().find("\"plan\""), std::string::npos);
}

TEST_F(CppQuery, GroupsAndDistinct) {
  Query groups = goods->query({.select = "section, count(), max(size)", .group = "section"});
  const std::vector<Value>* row = groups.next();
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(as_text((*row)[0]), "games");
  EXPECT_EQ((*row)[1].as.i64, 5);
  EXPECT_EQ((*row)[2].as.i64, 100);
  EXPECT_THROWN(QUIRE_ERR_NOT_SUPPORTED, groups.key());
  EXPECT_THROWN(QUIRE_ERR_NOT_SUPPORTED, groups.token());
  Query distinct = goods->query({.select = "section", .distinct = true});
  EXPECT_NE(distinct.next(), nullptr);
  EXPECT_NE(distinct.next(), nullptr);
  EXPECT_EQ(distinct.next(), nullptr);
}

TEST_F(CppQuery, TokensGoOn) {
  const QueryOptions options{.filter = "size > 20", .order = "size", .limit = 3};
  Ids all;
  QueryOptions next = options;
  for (;;) {
    Query query = goods->query(next);
    bool any = false;
    while (query.next() != nullptr) {
      any = true;
      all.push_back(query.key()[0].as.i64);
      next.token = query.token();
    }
    if (!any) break;
  }
  EXPECT_EQ(all, (Ids{3, 4, 5, 6, 7, 8, 9, 10}));
  next.token = "nonsense";
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->query(next));
}

TEST_F(CppQuery, ChangesWhatItFinds) {
  const std::array fields{std::uint32_t{kSize}};
  EXPECT_EQ(goods->update({.filter = "section = 'games'"}, fields, std::array{i64_value(7)}), 5u);
  EXPECT_EQ(goods->erase({.filter = "size = 7", .order = "id", .limit = 2}), 2u);
  EXPECT_EQ(ids({.filter = "size = 7", .order = "id"}), (Ids{6, 8, 10}));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->update({.filter = "true"}, fields, {}));
}

TEST_F(CppQuery, WhatIsWrongIsThrown) {
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->query({.filter = "size >"}));
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, goods->query({.filter = "nope = 1"}));
  EXPECT_THROWN(QUIRE_ERR_NOT_FOUND, goods->query({.index = "nope"}));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->query({.filter = "size = $1"}));
  EXPECT_THROWN(QUIRE_ERR_INVALID, goods->query({.filter = "size = $a",
                                                 .arguments = {i64_value(1)},
                                                 .argument_names = {"a", "b"}}));
  Query query = goods->query({.no_index = true, .budget_entries = 3});
  EXPECT_THROWN(QUIRE_ERR_BUDGET, [&] {
    while (query.next() != nullptr) continue;
  }());
}

TEST_F(CppQuery, MovesAndEndsWithItsTransaction) {
  Query query = goods->query({.order = "id"});
  ASSERT_NE(query.next(), nullptr);
  Query other = std::move(query);
  EXPECT_EQ(other.key()[0].as.i64, 1);
  txn.abort();
  EXPECT_THROWN(QUIRE_ERR_CLOSED, other.next());
}

}  // namespace
}  // namespace quire::test
