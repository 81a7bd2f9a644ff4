// Searches among the records of a query, by an index of vectors: which way they go, and that a set
// of records that is kept is never another's or another state's.
#include "vector_index_world.h"

namespace quire::test {
namespace {

constexpr std::int64_t kRecords = 4000;

class SearchFilterApi : public VectorIndexApi {
 protected:
  void SetUp() override {
    VectorIndexApi::SetUp();
    fill(0, kRecords);
    make_index("near", R"({"field": "wide"})");
    query_ = numbers(1, 99, kWideDimension);
    options_ = asking(query_);
    options_.ef = 40;
    options_.stat = &stat_;
  }
  static quire_query_options among(const char* filter) {
    quire_query_options options = QUIRE_QUERY_OPTIONS_INIT;
    options.filter = filter;
    return options;
  }
  // Among the records of a filter with one argument, or none where that is negative.
  Found of(quire_txn* txn, const char* filter, std::int64_t argument = -1) {
    quire_query_options options = among(filter);
    const quire_value value = quire::i64_value(argument);
    options.arguments = &value;
    options.argument_count = argument < 0 ? 0 : 1;
    options_.among = &options;
    const Found hits = found(txn, options_);
    options_.among = nullptr;
    return hits;
  }
  int change_section(quire_txn* txn, std::int64_t id, const char* section) {
    const quire_value key = quire::i64_value(id);
    const std::uint32_t field = kSection;
    const quire_value value = quire::text_value(section);
    return quire_record_update(txn, things, &key, 1, &field, &value, 1);
  }

  std::vector<float> query_;
  quire_search_options options_ = QUIRE_SEARCH_OPTIONS_INIT;
  quire_search_stat stat_ = QUIRE_SEARCH_STAT_INIT;
};

TEST_F(SearchFilterApi, TellsWhichWayItWent) {
  quire_txn* txn = read();
  EXPECT_EQ(found(txn, options_).size(), 10u);
  EXPECT_EQ(stat_.way, static_cast<std::uint32_t>(QUIRE_SEARCHED_GRAPH));
  EXPECT_EQ(stat_.matches, static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(stat_.ef, 40u);
  EXPECT_EQ(stat_.vectors, 15u);
  EXPECT_LT(stat_.codes, static_cast<std::uint64_t>(kRecords) / 2);
  (void)exact(txn, options_);
  EXPECT_EQ(stat_.way, static_cast<std::uint32_t>(QUIRE_SEARCHED_EXACTLY));
  EXPECT_EQ(stat_.vectors, static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(stat_.codes, 0u);
  EXPECT_EQ(stat_.ef, 0u);
  EXPECT_EQ(of(txn, "id < $1", 200).size(), 10u);
  EXPECT_EQ(stat_.way, static_cast<std::uint32_t>(QUIRE_SEARCHED_MATCHES));
  EXPECT_EQ(stat_.matches, 200u);
  EXPECT_EQ(stat_.codes, 200u);
  EXPECT_EQ(of(txn, "id < $1", 20).size(), 10u);
  EXPECT_EQ(stat_.way, static_cast<std::uint32_t>(QUIRE_SEARCHED_MATCHES));
  EXPECT_EQ(stat_.codes, 0u);
  EXPECT_EQ(stat_.vectors, 20u);
  // So few take about as long by either way, unless a search is content with little.
  options_.ef = 10;
  EXPECT_EQ(of(txn, "id < $1", kRecords).size(), 10u);
  EXPECT_EQ(stat_.way, static_cast<std::uint32_t>(QUIRE_SEARCHED_GRAPH_FILTERED));
  EXPECT_EQ(stat_.matches, static_cast<std::uint64_t>(kRecords));
  EXPECT_EQ(stat_.ef, 10u);
  // A program that knows less of it gets as much as it knows.
  quire_search_stat less = QUIRE_SEARCH_STAT_INIT;
  less.size = offsetof(quire_search_stat, matches);
  less.matches = 77;
  options_.stat = &less;
  EXPECT_EQ(found(txn, options_).size(), 10u);
  EXPECT_EQ(less.way, static_cast<std::uint32_t>(QUIRE_SEARCHED_GRAPH));
  EXPECT_EQ(less.matches, 77u);
  less.size = 0;
  EXPECT_ERROR(search(txn, options_), QUIRE_ERR_INVALID, "stat has no size");
}

TEST_F(SearchFilterApi, FindsWhatMeasuringAllThatMatchFinds) {
  quire_txn* txn = read();
  options_.stat = nullptr;
  for (const char* filter :
       {"section = 'odd'", "id < 40", "id between 1000 and 3000", "id % 10 = 3", "id != 7",
        "section = 'even' and id > 2500", "id < 0", "wide is not null"}) {
    SCOPED_TRACE(filter);
    const quire_query_options options = among(filter);
    quire_search_options asked = options_;
    asked.among = &options;
    std::size_t good = 0;
    std::size_t all = 0;
    for (std::int64_t each = 0; each < 20; ++each) {
      const std::vector<float> vector = numbers(each, 55, kWideDimension);
      asked.vector = vector.data();
      const Found truth = exact(txn, asked);
      const Found given = found(txn, asked);
      EXPECT_EQ(given.size(), truth.size());
      for (const auto& hit : given)
        good += static_cast<std::size_t>(
            std::ranges::count(truth, hit.first, [](const auto& one) { return one.first; }));
      all += truth.size();
    }
    // Vectors by chance are the hardest that there are.
    EXPECT_GE(static_cast<double>(good), 0.85 * static_cast<double>(all));
  }
}

TEST_F(SearchFilterApi, ASetThatIsKeptIsOfItsState) {
  const std::int64_t nearest = found(read(), options_)[0].first;
  const char* mine = nearest % 2 == 0 ? "section = 'even'" : "section = 'odd'";
  quire_txn* before = read();
  EXPECT_EQ(of(before, mine)[0].first, nearest);
  EXPECT_EQ(of(before, mine)[0].first, nearest);
  quire_txn* txn = write();
  EXPECT_EQ(of(txn, mine)[0].first, nearest);
  ASSERT_OK(change_section(txn, nearest, "other"));
  EXPECT_NE(of(txn, mine)[0].first, nearest);
  EXPECT_EQ(of(txn, "section = 'other'").size(), 1u);
  EXPECT_EQ(of(read(), mine)[0].first, nearest);
  std::uint64_t point = 0;
  ASSERT_OK(quire_savepoint(txn, &point));
  ASSERT_OK(change_section(txn, nearest, nearest % 2 == 0 ? "even" : "odd"));
  EXPECT_EQ(of(txn, mine)[0].first, nearest);
  ASSERT_OK(quire_rollback_to(txn, point));
  EXPECT_NE(of(txn, mine)[0].first, nearest);
  ASSERT_OK(quire_commit(txn));
  quire_txn* after = read();
  EXPECT_NE(of(after, mine)[0].first, nearest);
  EXPECT_EQ(of(after, "section = 'other'").size(), 1u);
  EXPECT_EQ(of(before, mine)[0].first, nearest);
  ASSERT_OK(quire_renew(before));
  EXPECT_NE(of(before, mine)[0].first, nearest);
  // Nor of records that have gone, nor of others that have their numbers.
  txn = write();
  ASSERT_OK(erase(txn, nearest));
  EXPECT_EQ(of(txn, "section = 'other'").size(), 0u);
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(of(read(), "section = 'other'").size(), 0u);
  EXPECT_EQ(of(after, "section = 'other'").size(), 1u);
}

TEST_F(SearchFilterApi, ASetThatIsKeptIsOfItsRequest) {
  quire_txn* txn = read();
  const auto matches = [&](const quire_query_options& options) {
    options_.among = &options;
    EXPECT_OK(search(txn, options_));
    return stat_.matches;
  };
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(of(txn, "id < $1", 100).size(), 10u);
    EXPECT_EQ(stat_.matches, 100u);
    (void)of(txn, "id < $1", 300);
    EXPECT_EQ(stat_.matches, 300u);
    (void)of(txn, "id <= $1", 300);
    EXPECT_EQ(stat_.matches, 301u);
    quire_query_options options = among("id >= 50");
    EXPECT_EQ(matches(options), static_cast<std::uint64_t>(kRecords) - 50);
    options.limit = 70;
    EXPECT_EQ(matches(options), 70u);
    options.order = "id desc";
    EXPECT_EQ(matches(options), 70u);
    Found hits;
    EXPECT_OK(search(txn, options_, &hits));
    for (const auto& hit : hits) EXPECT_GE(hit.first, kRecords - 70);
    options.offset = kRecords - 60;
    EXPECT_EQ(matches(options), 10u);
    // What is refused is refused again.
    quire_query_options little = among("id >= 50");
    little.budget_entries = 5;
    options_.among = &little;
    EXPECT_CODE(search(txn, options_), QUIRE_ERR_BUDGET);
    quire_query_options grouped = among("id >= 50");
    grouped.group = "section";
    options_.among = &grouped;
    EXPECT_CODE(search(txn, options_), QUIRE_ERR_NOT_SUPPORTED);
  }
}

TEST_F(SearchFilterApi, AskedOfADefinitionThatChanged) {
  quire_txn* txn = write();
  EXPECT_EQ(of(txn, "section = 'odd'").size(), 10u);
  ASSERT_OK(quire_index_rebuild(txn, things, "near", nullptr, nullptr));
  EXPECT_EQ(of(txn, "section = 'odd'").size(), 10u);
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(of(read(), "section = 'odd'").size(), 10u);
  EXPECT_EQ(stat_.matches, static_cast<std::uint64_t>(kRecords) / 2);
}

}  // namespace
}  // namespace quire::test
