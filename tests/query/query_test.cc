// What queries promise beyond giving what their filter finds: columns, errors, budgets, tokens,
// changes on the way, and plans that do not read what they need not.
#include <set>

#include "tests/query/query_world.h"

namespace quire::test {
namespace {

class QueryTest : public testing::Test {
 protected:
  QueryTest() { world_.add_indexes(); }

  Result<std::unique_ptr<Query>> try_open(const QueryRequest& request) {
    return Query::open(world_.view(), world_.shop(), request);
  }
  std::string refusal(const QueryRequest& request, ErrorCode code) {
    const auto query = try_open(request);
    EXPECT_EQ(code_of(query), code) << words_of(query);
    return words_of(query);
  }
  // The plan of a query that was run to its end.
  std::string plan(const QueryRequest& request) {
    const auto query = world_.open(request);
    while (must(query->next())) {
    }
    return query->explain();
  }
  static bool says(const std::string& plan, const std::string& words) {
    return plan.find(words) != std::string::npos;
  }

  QueryWorld world_{1000};
};

TEST_F(QueryTest, SelectsFieldsAndExpressionsByName) {
  const auto query = world_.open(
      {.filter = "id = '0000007'", .select = "id, size * 2 as twice, lower(section), doc.price"});
  ASSERT_EQ(query->columns().size(), 4U);
  EXPECT_EQ(query->columns()[1].name, "twice");
  EXPECT_EQ(query->columns()[1].type, FieldType::kI64);
  EXPECT_EQ(query->columns()[2].name, "lower(section)");
  EXPECT_EQ(query->columns()[3].type, FieldType::kNull);
  ASSERT_TRUE(must(query->next()));
  EXPECT_EQ(query->values()[0].text(), "0000007");
  EXPECT_TRUE(query->number());
  EXPECT_FALSE(must(query->next()));
}

TEST_F(QueryTest, WithoutASelectionAllFields) {
  const auto query = world_.open({.limit = 1});
  ASSERT_EQ(query->columns().size(), static_cast<std::size_t>(kFieldCount));
  EXPECT_EQ(query->columns()[kTags].name, "tags");
  EXPECT_TRUE(must(query->next()));
}

TEST_F(QueryTest, RefusesWhatMakesNoSense) {
  using enum ErrorCode;
  EXPECT_EQ(refusal({.filter = "size ="}, kInvalid),
            "filter, at 6: expected a value after '=', found the end");
  EXPECT_EQ(refusal({.select = "id, nothing"}, kNotFound),
            "select, item 2: expression, at 0: there is no field 'nothing'");
  EXPECT_EQ(refusal({.select = "id,, size"}, kInvalid), "select, item 2: nothing stands there");
  EXPECT_EQ(refusal({.order = "tags"}, kType), "order, item 1: 'tags' has no order");
  EXPECT_EQ(refusal({.select = "size + $1"}, kInvalid),
            "select, item 1: parameters belong into the filter");
  EXPECT_EQ(refusal({.select = "section, max(size)", .group = "flag"}, kInvalid),
            "select: 'section' is neither in `group` nor count(), min() or max()");
  EXPECT_EQ(refusal({.select = "count(size)"}, kInvalid),
            "select, item 1: count() has nothing in its brackets");
  EXPECT_EQ(refusal({.select = "section", .group = "section", .distinct = true}, kInvalid),
            "query: distinct and group can't be used together");
  EXPECT_EQ(refusal({.distinct = true}, kInvalid),
            "query: distinct needs a list of what to select");
  EXPECT_NE(refusal({.group = "section", .order = "count", .index = "none"}, kNotFound)
                .find("there is no sorted index 'none'"),
            std::string::npos);
  EXPECT_EQ(refusal({.select = "count()", .order = "size"}, kNotFound),
            "order: 'size' is no column of the groups");
}

TEST_F(QueryTest, DistinctGivesEachValueOnce) {
  std::set<std::string> expected;
  world_.each_match("size > 10", [&](const RowView& row) {
    expected.insert(describe_value(row.value(kSection)));
  });
  const std::vector<std::string> found =
      world_.rows({.filter = "size > 10", .select = "section", .distinct = true});
  EXPECT_EQ(std::set(found.begin(), found.end()), expected);
  EXPECT_EQ(found.size(), expected.size());
  EXPECT_EQ(world_.rows({.select = "section", .distinct = true, .limit = 2, .offset = 1}).size(),
            2U);
}

TEST_F(QueryTest, GroupsInTheOrderOfTheirCounts) {
  const std::vector<std::string> rows = world_.rows(
      {.select = "count() as n, section", .group = "section", .order = "n desc, section"});
  std::vector<std::int64_t> counts;
  for (const std::string& row : rows) counts.push_back(std::stoll(row));
  EXPECT_TRUE(std::ranges::is_sorted(counts, std::greater<>()));
  EXPECT_EQ(counts.size(), world_.rows({.group = "section"}).size());
}

TEST_F(QueryTest, AggregatesOfNothingAreOneRow) {
  EXPECT_EQ(world_.rows({.filter = "size > 1000", .select = "count(), min(size), max(price)"}),
            std::vector<std::string>{"0|null|null"});
  EXPECT_EQ(world_.rows({.filter = "false", .select = "count(), min(size)"}),
            std::vector<std::string>{"0|null"});
  EXPECT_TRUE(world_.rows({.filter = "size > 1000", .group = "section"}).empty());
}

// ------------------------------------------------------------ plans

TEST_F(QueryTest, CountsAndOffsetsReadNoEntries) {
  const std::string counted = plan({.filter = "size between 3 and 50", .select = "count()"});
  EXPECT_TRUE(says(counted, "\"actual\": {\"entries\": 0, \"records\": 0")) << counted;
  const std::string skipped =
      plan({.filter = "size > 0", .select = "size", .order = "size", .limit = 5, .offset = 300});
  EXPECT_TRUE(says(skipped, "\"actual\": {\"entries\": 5, \"records\": 0")) << skipped;
  const std::string whole = plan({.select = "count(), max(size)"});
  EXPECT_TRUE(says(whole, "\"actual\": {\"entries\": 1, ")) << whole;
}

TEST_F(QueryTest, CoveredFieldsNeedNoRecords) {
  const std::string covered =
      plan({.filter = "section = 's3' and price > 5", .select = "id, size, price"});
  EXPECT_TRUE(says(covered, "\"reads_records\": false")) << covered;
  EXPECT_TRUE(says(covered, "\"index\": \"both\"")) << covered;
}

TEST_F(QueryTest, AlternativesOverTwoIndexesAreASet) {
  const std::string both = plan({.filter = "size = 12 or tags has all ('t1', 't5')"});
  EXPECT_TRUE(says(both, "\"any_of\"")) << both;
  EXPECT_FALSE(says(both, "\"by\": \"all\"")) << both;
}

TEST_F(QueryTest, NoFullScanWhereAnIndexServes) {
  for (const char* filter :
       {"section = 's1'", "section in ('s1', 's2') and flag", "size between 70 and 79",
        "price > 80 and size < 50", "time = '1970-01-05'", "tags has 't1' and size = 3",
        "doc.price = 7.5", "lower(section) = 's3'", "section ilike 'S11'", "id < '0000020'",
        "section is null", "size = 3 or size = 9 or section = 's4'",
        "not (size < 75 or size is null)", "codes has 3 and size = 4"}) {
    const std::string found = plan({.filter = filter});
    EXPECT_FALSE(says(found, "\"by\": \"all\"")) << filter << ": " << found;
  }
}

// The ends of a value are looked for when the first row is asked for; the name of the index was
// borrowed from the request until then.
TEST_F(QueryTest, KeepsTheNameOfItsIndex) {
  std::string index = "section";
  const auto query = world_.open({.filter = "size > 0", .select = "min(price)", .index = index});
  index.assign(index.size(), '?');
  const auto there = query->next();
  ASSERT_TRUE(there) << there.error().message();
  EXPECT_TRUE(*there);
}

// ------------------------------------------------------------ budgets

TEST_F(QueryTest, ABudgetOfEntriesStopsAndSaysWhatWasDone) {
  const auto query = world_.open({.filter = "size + 0 > 10", .limits = {.records = 100}});
  std::uint64_t rows = 0;
  auto there = query->next();
  for (; there && *there; there = query->next()) ++rows;
  ASSERT_EQ(code_of(there), ErrorCode::kBudget);
  EXPECT_GT(rows, 0U);
  EXPECT_TRUE(says(words_of(there),
                   "query: stopped at its budget of records, 100 records; so far "
                   "101 entries and 101 records were read, " +
                       std::to_string(rows) + " matched"))
      << words_of(there);
}

TEST_F(QueryTest, BudgetsOfMemoryHoldForSortingAndGroups) {
  const QueryRequest sorted = {.order = "price + 1", .limits = {.memory_bytes = 2000}};
  EXPECT_EQ(code_of(world_.open(sorted)->next()), ErrorCode::kBudget);
  const QueryRequest grouped = {.group = "price + 1", .limits = {.memory_bytes = 2000}};
  EXPECT_EQ(code_of(world_.open(grouped)->next()), ErrorCode::kBudget);
  // The first rows of an order need memory for themselves alone.
  EXPECT_EQ(world_.ids({.order = "price + 1", .limit = 3, .limits = {.memory_bytes = 2000}}).size(),
            3U);
}

// ------------------------------------------------------------ tokens

TEST_F(QueryTest, ATokenStaysRightWhileRecordsComeAndGo) {
  const QueryRequest first = {.filter = "size >= 0", .select = "id", .order = "size", .limit = 50};
  const auto query = world_.open(first);
  std::vector<std::string> seen;
  while (must(query->next())) seen.emplace_back(query->values()[0].text());
  const ByteVector token = must(query->token());
  // Some of those that were given go, new ones come before and behind.
  for (std::size_t i = 0; i < seen.size(); i += 2) must(world_.world().erase(seen[i]));
  Item early;
  early.id = "early";
  early.size = 0;
  must(world_.world().insert(early));
  Item late;
  late.id = "late";
  late.size = 79;
  must(world_.world().insert(late));
  QueryRequest rest = first;
  rest.limit = query::kAll;
  rest.token = token;
  const std::vector<std::string> others = world_.ids(rest);
  const std::set<std::string> all(others.begin(), others.end());
  for (const std::string& id : seen) EXPECT_FALSE(all.contains(id)) << id;
  EXPECT_TRUE(all.contains("late"));
  EXPECT_FALSE(all.contains("early"));
  std::size_t left = 0;
  world_.each_match("size >= 0", [&](const RowView&) { ++left; });
  EXPECT_EQ(all.size(), left - seen.size() / 2 - 1);
}

TEST_F(QueryTest, ATokenSaysWhenItCannotGoOn) {
  const QueryRequest first = {.filter = "size >= 0", .order = "size", .limit = 5};
  const auto query = world_.open(first);
  EXPECT_EQ(code_of(query->token()), ErrorCode::kInvalid);
  while (must(query->next())) {
  }
  ByteVector token = must(query->token());
  QueryRequest other = first;
  other.token = token;
  other.filter = "size >= 1";
  EXPECT_EQ(refusal(other, ErrorCode::kInvalid), "query: the token is of another query");
  token[token.size() / 2] ^= std::byte{1};
  other.token = token;
  EXPECT_EQ(refusal(other, ErrorCode::kInvalid),
            "query: the token is damaged, or none that a query gave");
  token[token.size() / 2] ^= std::byte{1};
  for (const char* name : {"size", "codes"})
    world_.world().set_shop(
        must(drop_index(world_.world().txn(), world_.shop(), name, real_kinds())));
  QueryRequest again = first;
  again.token = token;
  refusal(again, ErrorCode::kConflict);
  EXPECT_EQ(code_of(world_.open({.group = "section"})->token()), ErrorCode::kNotSupported);
}

// ------------------------------------------------------------ changes on the way

TEST_F(QueryTest, RowsFulfilTheFilterThoughItsTransactionChangesRecords) {
  const std::vector<std::string> before = world_.ids({.filter = "section = 's1' or size = 5"});
  ASSERT_GT(before.size(), 20U);
  const auto query = world_.open({.filter = "section = 's1' or size = 5", .order = "price"});
  std::set<std::string> given;
  std::set<std::string> gone;
  while (must(query->next())) {
    const std::string id(as_text(query->primary_key()).substr(1));
    EXPECT_FALSE(gone.contains(id)) << id;
    EXPECT_TRUE(given.insert(id).second) << id;
    // Another record stops to match with each that is given.
    const auto next = std::ranges::find_if(
        before, [&](const auto& other) { return !given.contains(other) && !gone.contains(other); });
    if (next == before.end()) continue;
    Item item;
    item.id = *next;
    item.section = "elsewhere";
    if (gone.size() % 2 == 0) {
      must(world_.world().upsert(item));
    } else {
      must(world_.world().erase(*next));
    }
    gone.insert(*next);
  }
  EXPECT_EQ(given.size() + gone.size(), before.size());
}

TEST_F(QueryTest, ASnapshotIsNotTouchedByWhatIsWritten) {
  world_.world().commit();
  const auto snapshot = world_.world().snapshot();
  const Collection shop = world_.shop();
  const auto query =
      must(Query::open(*snapshot, shop, {.filter = "size > 10", .order = "size desc"}));
  const std::vector<std::string> expected =
      world_.ids({.filter = "size > 10", .order = "size desc"});
  for (const std::string& id : expected) must(world_.world().erase(id));
  world_.world().commit();
  std::vector<std::string> found;
  while (must(query->next())) found.emplace_back(as_text(query->primary_key()).substr(1));
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace quire::test
