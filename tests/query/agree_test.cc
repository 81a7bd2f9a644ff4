// Whatever way a query takes, it gives what evaluating its filter for every record gives.
#include <cstdlib>
#include <map>
#include <set>

#include "tests/query/query_world.h"

namespace quire::test {
namespace {

constexpr std::uint64_t kRecords = 3000;

QueryWorld& shared_world() {
  static QueryWorld world(kRecords);
  static const bool made = [] {
    world.add_indexes();
    world.freeze();
    return true;
  }();
  EXPECT_TRUE(made);
  return world;
}

std::vector<std::string> without(std::vector<std::string> ids, std::size_t offset,
                                 std::size_t limit) {
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(offset, ids.size())));
  ids.resize(std::min(limit, ids.size()));
  return ids;
}

TEST(Agree, EveryWayFindsWhatTheFilterHoldsFor) {
  QueryWorld& world = shared_world();
  Random random(7);
  FilterMaker maker(random);
  std::uint64_t served = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string filter = maker.make();
    const std::vector<std::string> expected = world.expected(filter);
    const QueryRequest request{.filter = filter, .select = "id"};
    ASSERT_EQ(world.sorted_ids(request), expected) << filter << "\n"
                                                   << world.open(request)->explain();
    ASSERT_EQ(world.count(filter), expected.size())
        << filter << "\n"
        << world.open({.filter = filter, .select = "count()"})->explain();
    served += world.open(request)->explain().find("\"by\": \"all\"") == std::string::npos ? 1 : 0;
    if (round % 5 != 0) continue;
    ASSERT_EQ(world.ids({.filter = filter, .no_index = true}), expected) << filter;
  }
  // Most of them have something that an index answers.
  EXPECT_GT(served, 900);
}

TEST(Agree, EachIndexThatHasAllRecordsFindsThem) {
  QueryWorld& world = shared_world();
  Random random(8);
  FilterMaker maker(random);
  for (int round = 0; round < 120; ++round) {
    const std::string filter = maker.make();
    const std::vector<std::string> expected = world.expected(filter);
    for (const char* index :
         {"section", "size", "both", "price", "time", "tags", "codes", "doc", "name", "folded"}) {
      const QueryRequest request{.filter = filter, .select = "section, size", .index = index};
      ASSERT_EQ(world.sorted_ids(request), expected) << filter << "\n"
                                                     << world.open(request)->explain();
    }
  }
}

TEST(Agree, PartialIndexesServeOnlyWhatTheyHave) {
  QueryWorld& world = shared_world();
  const auto serves = [&](std::string_view filter, std::string_view index) {
    const auto query = Query::open(world.view(), world.shop(), {.filter = filter, .index = index});
    if (!query) {
      EXPECT_EQ(code_of(query), ErrorCode::kInvalid);
      return false;
    }
    EXPECT_EQ(world.sorted_ids({.filter = filter, .index = index}), world.expected(filter))
        << filter;
    return true;
  };
  EXPECT_TRUE(serves("size > 40", "large"));
  EXPECT_TRUE(serves("size > 40 and section = 's1'", "large"));
  EXPECT_TRUE(serves("size >= 41", "large"));
  EXPECT_TRUE(serves("size between 50 and 60 and price < 3", "large"));
  EXPECT_TRUE(serves("size in (50, 70)", "large"));
  EXPECT_FALSE(serves("size >= 40", "large"));
  EXPECT_FALSE(serves("size > 39.5", "large"));
  EXPECT_FALSE(serves("section = 's1'", "large"));
  EXPECT_FALSE(serves("size > 40 or section = 's1'", "large"));
  EXPECT_FALSE(serves("not (size > 40)", "large"));
  EXPECT_TRUE(serves("flag and time > '1970-01-20'", "flags"));
  EXPECT_TRUE(serves("flag = true", "flags"));
  EXPECT_FALSE(serves("not flag", "flags"));
  EXPECT_FALSE(serves("flag is null", "flags"));
}

// What a record is sorted by, as one text that compares as the order does.
std::string order_key(std::span<const query::OrderTerm> terms, const FieldSource& row) {
  EncodedKey key;
  OwnedValue memory;
  for (const query::OrderTerm& term : terms)
    query::append_term(term.form, term.term.value(row, memory), key);
  return key;
}

TEST(Agree, OrderLimitAndOffset) {
  QueryWorld& world = shared_world();
  Random random(9);
  FilterMaker maker(random);
  static constexpr std::array<const char*, 12> kOrders = {"section",
                                                          "section desc, size",
                                                          "section, size desc",
                                                          "size",
                                                          "price desc",
                                                          "time, price",
                                                          "doc.price",
                                                          "doc.price desc",
                                                          "size + 1 desc, id",
                                                          "id",
                                                          "id desc",
                                                          "lower(section), price"};
  for (int round = 0; round < 400; ++round) {
    const std::string filter = maker.make(2);
    const std::string_view order = kOrders[below(random, kOrders.size())];
    const auto terms = must(query::parse_order(order, world.shop().schema()));
    std::map<std::string, std::string> key_of;
    std::vector<std::string> expected;
    world.each_match(filter, [&](const RowView& row) {
      expected.push_back(order_key(terms, RowSource(row)));
      key_of[std::string(row.value(kId).text())] = expected.back();
    });
    std::ranges::sort(expected);
    const std::uint64_t offset = below(random, 3) * below(random, 40);
    const std::uint64_t limit = below(random, 60);
    const QueryRequest request{
        .filter = filter, .select = "id", .order = order, .limit = limit, .offset = offset};
    std::vector<std::string> keys;
    std::set<std::string> seen;
    for (const std::string& id : world.ids(request)) {
      ASSERT_TRUE(key_of.contains(id)) << filter;
      ASSERT_TRUE(seen.insert(id).second) << id << " twice: " << filter;
      keys.push_back(key_of[id]);
    }
    ASSERT_EQ(keys, without(expected, offset, limit)) << filter << " order by " << order << "\n"
                                                      << world.open(request)->explain();
  }
}

TEST(Agree, PagesByTokenGiveAllOnce) {
  QueryWorld& world = shared_world();
  Random random(10);
  FilterMaker maker(random);
  for (int round = 0; round < 60; ++round) {
    const std::string filter = maker.make(2);
    static constexpr std::array<const char*, 5> kOrders = {"", "section desc", "price", "id desc",
                                                           "size + 0"};
    const std::string_view order = kOrders[below(random, kOrders.size())];
    const std::vector<std::string> all =
        world.ids({.filter = filter, .select = "id", .order = order});
    std::vector<std::string> paged;
    ByteVector token;
    while (true) {
      const auto query = world.open(
          {.filter = filter, .select = "id", .order = order, .limit = 97, .token = token});
      std::size_t rows = 0;
      for (; must(query->next()); ++rows)
        paged.emplace_back(as_text(query->primary_key()).substr(1));
      if (rows == 0) break;
      token = must(query->token());
    }
    ASSERT_EQ(std::set(paged.begin(), paged.end()).size(), paged.size()) << filter << order;
    ASSERT_EQ(paged.size(), all.size()) << filter << " order by " << order;
    // Which records come first among equal ones may differ between a plan for 97 and one for all.
    ASSERT_EQ(std::set(paged.begin(), paged.end()), std::set(all.begin(), all.end())) << filter;
  }
}

TEST(Agree, GroupsCountsAndEnds) {
  QueryWorld& world = shared_world();
  Random random(11);
  FilterMaker maker(random);
  for (int round = 0; round < 200; ++round) {
    const std::string filter = round % 4 == 0 ? "true" : maker.make(2);
    struct Known {
      std::int64_t count = 0;
      std::optional<std::int64_t> least, most;
    };
    std::map<std::string, Known> known;
    Known whole;
    world.each_match(filter, [&](const RowView& row) {
      const Value section = row.value(kSection);
      const Value size = row.value(kSize);
      // Null comes before all texts.
      Known& group = known[section.is_null() ? "" : describe_value(section)];
      for (Known* one : {&group, &whole}) {
        ++one->count;
        if (size.is_null()) continue;
        one->least = std::min(one->least.value_or(size.i64), size.i64);
        one->most = std::max(one->most.value_or(size.i64), size.i64);
      }
    });
    const auto number = [](std::optional<std::int64_t> value) {
      return value ? std::to_string(*value) : "null";
    };
    std::vector<std::string> counts;
    std::vector<std::string> ends;
    for (const auto& [section, group] : known) {
      const std::string name = section.empty() ? "null" : section;
      counts.push_back(name + "|" + std::to_string(group.count));
      ends.push_back(name + "|" + number(group.least) + "|" + number(group.most));
    }
    ASSERT_EQ(world.rows({.filter = filter, .group = "section"}), counts)
        << filter << "\n"
        << world.open({.filter = filter, .group = "section"})->explain();
    ASSERT_EQ(
        world.rows(
            {.filter = filter, .select = "section, min(size), max(size)", .group = "section"}),
        ends)
        << filter;
    const std::vector<std::string> one = {std::to_string(whole.count) + "|" + number(whole.least) +
                                          "|" + number(whole.most)};
    ASSERT_EQ(world.rows({.filter = filter, .select = "count(), min(size), max(size)"}), one)
        << filter;
  }
}

// What a set of records is told by: as many, and their numbers mixed and added up.
struct Sum {
  std::uint64_t records = 0;
  std::uint64_t mixed = 0;
  bool operator==(const Sum&) const = default;
  void add(RecordNumber number) {
    ++records;
    std::uint64_t mix = (number + 1) * 0x9e3779b97f4a7c15;
    mixed += mix ^ (mix >> 29);
  }
};

// QUIRE_TEST_LONG=1: ten thousand filters over a million records. Each row is read once for many
// filters, which is what makes that a matter of minutes.
TEST(Agree, TenThousandFiltersOverAMillionRecords) {
  if (std::getenv("QUIRE_TEST_LONG") == nullptr) GTEST_SKIP() << "QUIRE_TEST_LONG is not set";
  constexpr std::uint64_t kMany = 1'000'000;
  constexpr std::uint64_t kScale = 300;
  constexpr std::size_t kFilters = 10'000;
  constexpr std::size_t kTogether = 500;
  QueryWorld world(kMany, 5, kScale);
  world.add_indexes();
  world.freeze();
  Random random(6);
  FilterMaker maker(random, kScale);
  std::uint64_t by_all = 0;
  std::uint64_t servable = 0;
  for (std::size_t done = 0; done < kFilters; done += kTogether) {
    std::vector<std::string> texts(kTogether);
    std::vector<BoundFilter> filters;
    for (std::string& text : texts) {
      text = maker.make();
      filters.push_back(must(must(Filter::prepare(text, world.shop().schema())).bind()));
    }
    std::vector<Sum> expected(kTogether);
    RangeScan scan(world.view(), world.shop().id(), {});
    while (must(scan.next())) {
      const RowView row = must(RowView::parse(world.shop().schema(), must(scan.value())));
      const RowSource fields(row);
      for (std::size_t i = 0; i < kTogether; ++i) {
        if (filters[i].matches(fields)) expected[i].add(row.number());
      }
    }
    for (std::size_t i = 0; i < kTogether; ++i) {
      const auto query = world.open({.filter = texts[i], .select = "id"});
      Sum found;
      while (must(query->next())) found.add(*query->number());
      ASSERT_EQ(found.records, expected[i].records) << texts[i] << "\n" << query->explain();
      ASSERT_EQ(found, expected[i]) << texts[i] << "\n" << query->explain();
      ASSERT_EQ(world.count(texts[i]), expected[i].records) << texts[i];
      by_all += query->explain().find("\"by\": \"all\"") != std::string::npos ? 1 : 0;
      servable += expected[i].records < kMany / 100 ? 1 : 0;
    }
    std::printf("%zu filters agree; %llu by reading all, %llu find less than 1%%\n",
                done + kTogether, static_cast<unsigned long long>(by_all),
                static_cast<unsigned long long>(servable));
  }
}

}  // namespace
}  // namespace quire::test
