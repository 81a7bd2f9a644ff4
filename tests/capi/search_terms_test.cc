// Searches that ask for more than nearness: within a distance, page by page, few of each group, far
// from one another, like some records and unlike others, many at once. By an index and exactly.
#include <cmath>
#include <limits>
#include <set>

#include "vector_index_world.h"

namespace quire::test {
namespace {

constexpr std::int64_t kThings = 1200;

struct Hit {
  std::int64_t id;
  double distance;
  std::uint64_t record;
  bool operator==(const Hit&) const = default;
};
using Hits = std::vector<Hit>;

class SearchTerms : public VectorIndexApi, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    VectorIndexApi::SetUp();
    fill(0, kThings);
    // An index that is asked to look far enough to miss nothing.
    if (GetParam()) make_index("near", R"({"field": "place", "quantizer": "none"})");
  }
  quire_search_options wanted(const std::vector<float>& vector, std::uint32_t k) {
    quire_search_options options = asking(vector, k);
    if (GetParam()) options.ef = 1200;
    return options;
  }
  Hits hits(quire_txn* txn, const quire_search_options& options) {
    std::vector<quire_hit> room(options.k);
    std::size_t count = 0;
    EXPECT_OK(quire_search(txn, things, &options, room.data(), &count));
    return converted(std::span(room).first(count));
  }
  static Hits converted(std::span<const quire_hit> given) {
    Hits all;
    for (const quire_hit& hit : given) all.push_back({hit.key.as.i64, hit.distance, hit.record});
    return all;
  }
  // All records, the nearest first.
  Hits all(quire_txn* txn, const std::vector<float>& vector) {
    quire_search_options options = asking(vector, 10'000);
    options.flags = QUIRE_SEARCH_EXACT;
    return hits(txn, options);
  }
  static Hits first(const Hits& of, std::size_t count) {
    return {of.begin(), of.begin() + static_cast<std::ptrdiff_t>(std::min(count, of.size()))};
  }
  static double distance(const std::vector<float>& a, const std::vector<float>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
      sum += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    return sum;
  }
  int search_code(quire_txn* txn, const quire_search_options& options) {
    std::vector<quire_hit> room(options.k);
    std::size_t count = 7;
    const int code = quire_search(txn, things, &options, room.data(), &count);
    if (code != QUIRE_OK) {
      EXPECT_EQ(count, 0u);
    }
    return code;
  }

  const std::vector<float> query = place(5, 77);
};

TEST_P(SearchTerms, WithinADistance) {
  quire_txn* txn = read();
  const Hits truth = all(txn, query);
  for (const std::size_t many : {0, 1, 3, 63, 64, 65, 300, 1200}) {
    quire_search_options options = wanted(query, 2000);
    options.flags |= QUIRE_SEARCH_WITHIN;
    options.max_distance = many == 0 ? truth[0].distance / 2 : truth[many - 1].distance;
    EXPECT_EQ(hits(txn, options), first(truth, many)) << many;
    options.k = 5;
    EXPECT_EQ(hits(txn, options), first(truth, std::min<std::size_t>(many, 5)));
  }
  quire_search_options options = wanted(query, 2000);
  options.flags |= QUIRE_SEARCH_WITHIN;
  options.max_distance = std::numeric_limits<double>::infinity();
  EXPECT_EQ(hits(txn, options).size(), truth.size());
  options.max_distance = -1;
  EXPECT_TRUE(hits(txn, options).empty());
  // Between the float below and a hit's distance lies no hit, however it is rounded.
  options.max_distance = std::nextafter(truth[9].distance, 0);
  EXPECT_EQ(hits(txn, options).size(), 9u);
}

TEST_P(SearchTerms, PagesFollowOneAnother) {
  const Hits truth = [&] {
    quire_txn* txn = World::read();
    const Hits nearest = all(txn, query);
    quire_abort(txn);
    return nearest;
  }();
  for (const bool counted : {true, false}) {
    Hits paged;
    quire_hit last{};
    while (true) {
      quire_txn* txn = World::read();  // each page of a transaction of its own
      quire_search_options options = wanted(query, 170);
      if (!paged.empty()) options.after = &last;
      if (counted) options.after_count = paged.size();
      std::vector<quire_hit> room(options.k);
      std::size_t count = 0;
      ASSERT_OK(quire_search(txn, things, &options, room.data(), &count));
      const Hits page = converted(std::span(room).first(count));
      quire_abort(txn);
      if (page.empty()) break;
      ASSERT_TRUE(page.size() == 170 || page.size() == kThings % 170);
      paged.insert(paged.end(), page.begin(), page.end());
      ASSERT_LE(paged.size(), truth.size());
      last = room[count - 1];
    }
    EXPECT_EQ(paged, truth);
  }
  // A guess that is far too high, and one that no search could be for.
  for (const std::uint64_t guess : {std::uint64_t{5000}, UINT64_MAX}) {
    quire_txn* txn = World::read();
    const quire_hit last{truth[9].distance, {}, truth[9].record};
    quire_search_options options = wanted(query, 10);
    options.after = &last;
    options.after_count = guess;
    EXPECT_EQ(hits(txn, options), Hits(truth.begin() + 10, truth.begin() + 20));
    quire_abort(txn);
  }
}

TEST_P(SearchTerms, PagesOfAStateThatChanges) {
  quire_txn* txn = World::read();
  const Hits before = all(txn, query);
  quire_abort(txn);
  const quire_hit last{before[9].distance, {}, before[9].record};
  txn = write();
  ASSERT_OK(erase(txn, before[3].id));       // on the page that was seen
  ASSERT_OK(erase(txn, before[12].id));      // on the next
  ASSERT_OK(upsert(txn, before[15].id, 5));  // elsewhere
  ASSERT_OK(quire_commit(txn));
  txn = World::read();
  quire_search_options options = wanted(query, 20);
  options.after = &last;
  options.after_count = 10;
  const Hits page = hits(txn, options);
  Hits expected;
  for (const Hit& each : all(txn, query))
    if (each.distance > last.distance && expected.size() < 20) expected.push_back(each);
  EXPECT_EQ(page, expected);
  quire_abort(txn);
}

TEST_P(SearchTerms, AFewOfEachGroup) {
  quire_txn* txn = read();
  const Hits truth = all(txn, query);
  for (const std::uint32_t most : {1U, 3U, 700U}) {
    for (const std::uint32_t k : {2U, 5U, 1500U}) {
      quire_search_options options = wanted(query, k);
      options.group_field = kSection;
      options.per_group = most;
      std::map<bool, std::uint32_t> counts;
      Hits expected;
      for (const Hit& each : truth)
        if (expected.size() < k && counts[each.id % 2 == 0]++ < most) expected.push_back(each);
      EXPECT_EQ(hits(txn, options), expected) << most << " " << k;
    }
  }
  // Some have nearest records that are all of one group.
  for (std::int64_t i = 0; i < 40; ++i) {
    const std::vector<float> other = place(i, 3);
    quire_search_options options = wanted(other, 2);
    options.group_field = kSection;
    options.per_group = 1;
    const Hits both = hits(txn, options);
    ASSERT_EQ(both.size(), 2u);
    EXPECT_NE(both[0].id % 2, both[1].id % 2);
  }
  quire_search_options options = wanted(query, 10);
  options.group_field = kId;
  options.per_group = 1;
  EXPECT_EQ(hits(txn, options), first(truth, 10));
}

TEST_P(SearchTerms, FarFromOneAnother) {
  quire_txn* txn = read();
  const Hits truth = all(txn, query);
  const auto vector_of = [](const Hit& hit) { return place(hit.id); };
  for (const double diversity : {0.2, 0.5, 1.0}) {
    for (const std::uint32_t candidates : {0U, 10U, 100U}) {
      quire_search_options options = wanted(query, 10);
      options.diversity = diversity;
      options.candidates = candidates;
      Hits pool = first(truth, candidates == 0 ? 40 : candidates);
      Hits expected = {pool[0]};
      pool.erase(pool.begin());
      while (expected.size() < 10) {
        const auto score = [&](const Hit& hit) {
          double least = std::numeric_limits<double>::infinity();
          for (const Hit& other : expected)
            least = std::min(least, distance(vector_of(hit), vector_of(other)));
          return (1 - diversity) * hit.distance - diversity * least;
        };
        const auto best = std::ranges::min_element(pool, {}, score);
        expected.push_back(*best);
        pool.erase(best);
      }
      EXPECT_EQ(hits(txn, options), expected) << diversity << " " << candidates;
    }
  }
  // More than there are.
  quire_search_options options = wanted(query, 2000);
  options.diversity = 0.5;
  EXPECT_EQ(hits(txn, options).size(), truth.size());
}

TEST_P(SearchTerms, LikeSomeAndUnlikeOthers) {
  quire_txn* txn = read();
  const std::array three = {quire::i64_value(3), quire::i64_value(8), quire::i64_value(20)};
  const std::array examples = {quire_example{&three[0], 1}, quire_example{&three[1], 1},
                               quire_example{&three[2], 1}};
  const auto expect = [&](std::size_t like, std::size_t unlike, const std::vector<float>& vector) {
    quire_search_options options = wanted(query, 10);
    options.vector = nullptr;
    options.dimension = 0;
    options.like = examples.data();
    options.like_count = like;
    options.unlike = examples.data() + like;
    options.unlike_count = unlike;
    Hits expected;
    for (const Hit& each : all(txn, vector)) {
      const bool example = each.id == 3 || (like + unlike > 1 && each.id == 8) ||
                           (like + unlike > 2 && each.id == 20);
      if (!example && expected.size() < 10) expected.push_back(each);
    }
    const Hits found = hits(txn, options);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i].id, expected[i].id);
      EXPECT_NEAR(found[i].distance, expected[i].distance, 1e-5);
    }
  };
  const auto combined = [](std::initializer_list<std::pair<double, std::int64_t>> parts) {
    std::vector<float> sum(kDimension);
    for (std::uint32_t i = 0; i < kDimension; ++i) {
      double one = 0;
      for (const auto& [weight, id] : parts) one += weight * static_cast<double>(place(id)[i]);
      sum[i] = static_cast<float>(one);
    }
    return sum;
  };
  expect(1, 0, place(3));
  expect(2, 0, combined({{0.5, 3}, {0.5, 8}}));
  expect(1, 1, combined({{2, 3}, {-1, 8}}));
  expect(2, 1, combined({{1, 3}, {1, 8}, {-1, 20}}));
  expect(1, 2, combined({{2, 3}, {-0.5, 8}, {-0.5, 20}}));
}

TEST_P(SearchTerms, ManyAtOnceAreAsOneByOne) {
  constexpr std::size_t kQueries = 700;  // of which some hundred are searched for together
  std::vector<std::vector<float>> vectors;
  std::vector<quire_value> queries;
  for (std::size_t i = 0; i < kQueries; ++i)
    vectors.push_back(place(static_cast<std::int64_t>(i), 9));
  for (const auto& each : vectors) queries.push_back(quire::vector_value(std::span(each)));
  const auto compare = [&](quire_txn* txn, quire_search_options options, std::uint32_t threads) {
    options.vector = nullptr;
    options.dimension = 0;
    std::vector<quire_hit> room(kQueries * options.k);
    std::vector<std::size_t> counts(kQueries, 99);
    ASSERT_OK(quire_search_batch(txn, things, &options, queries.data(), kQueries, threads,
                                 room.data(), counts.data()));
    for (std::size_t i = 0; i < kQueries; i += 7) {
      options.query = &queries[i];
      EXPECT_EQ(converted(std::span(room).subspan(i * options.k, counts[i])), hits(txn, options));
      options.query = nullptr;
    }
  };
  quire_txn* txn = read();
  const quire_search_options plain = wanted(query, 5);
  for (const std::uint32_t threads : {1U, 2U, 3U, 16U}) compare(txn, plain, threads);
  quire_search_options options = plain;
  options.flags |= QUIRE_SEARCH_WITHIN;
  options.max_distance = 1.2;
  compare(txn, options, 2);
  options = plain;
  options.group_field = kSection;
  options.per_group = 2;
  options.diversity = 0.4;
  compare(txn, options, 2);
  quire_query_options among = QUIRE_QUERY_OPTIONS_INIT;
  among.filter = "section = 'odd'";
  options.among = &among;
  compare(txn, options, 3);
  quire_search_stat stat = QUIRE_SEARCH_STAT_INIT;
  options = plain;
  options.stat = &stat;
  compare(txn, options, 2);
  EXPECT_EQ(stat.way, GetParam() ? QUIRE_SEARCHED_GRAPH : QUIRE_SEARCHED_EXACTLY);
  txn = write();
  ASSERT_OK(upsert(txn, 3, 55));
  compare(txn, plain, 4);  // its own change included
  quire_abort(txn);
}

TEST_P(SearchTerms, NoneAtOnceIsFine) {
  quire_txn* txn = read();
  quire_search_options options = wanted(query, 5);
  options.vector = nullptr;
  options.dimension = 0;
  EXPECT_OK(quire_search_batch(txn, things, &options, nullptr, 0, 2, nullptr, nullptr));
}

TEST_P(SearchTerms, RefuseWhatDoesNotFit) {
  quire_txn* txn = read();
  const quire_search_options good = wanted(query, 5);
  const auto refused = [&](auto&& change, int code, const char* words) {
    quire_search_options options = good;
    change(options);
    EXPECT_ERROR(search_code(txn, options), code, words);
  };
  const quire_hit nowhere{std::nan(""), {}, 0};
  const quire_hit somewhere{0.5, {}, 0};
  const quire_value key = quire::i64_value(1);
  const quire_value absent = quire::i64_value(-1);
  const quire_value text = quire::text_value("x");
  const quire_example example{&key, 1};
  const quire_example none{&absent, 1};
  const quire_example wrong{&text, 1};
  const quire_example two{&key, 2};
  using Options = quire_search_options;
  refused([](Options& o) { o.flags |= 4; }, QUIRE_ERR_INVALID, "flags");
  refused([](Options& o) { o.max_distance = 1; }, QUIRE_ERR_INVALID, "QUIRE_SEARCH_WITHIN");
  refused([](Options& o) { o.group_field = kSection; }, QUIRE_ERR_INVALID, "per_group");
  refused(
      [](Options& o) {
        o.flags |= QUIRE_SEARCH_WITHIN;
        o.max_distance = std::nan("");
      },
      QUIRE_ERR_INVALID, "distance");
  refused([&](Options& o) { o.after = &nowhere; }, QUIRE_ERR_INVALID, "distance");
  refused(
      [&](Options& o) {
        o.after = &somewhere;
        o.diversity = 0.5;
      },
      QUIRE_ERR_INVALID, "behind a hit");
  refused(
      [&](Options& o) {
        o.after = &somewhere;
        o.per_group = 1;
        o.group_field = kSection;
      },
      QUIRE_ERR_INVALID, "behind a hit");
  refused(
      [](Options& o) {
        o.per_group = 1;
        o.group_field = 99;
      },
      QUIRE_ERR_INVALID, "no field 99");
  refused(
      [](Options& o) {
        o.per_group = 1;
        o.group_field = kWide;
      },
      QUIRE_ERR_TYPE, "wide");
  for (const double diversity : {-0.1, 1.1, std::nan("")})
    refused([&](Options& o) { o.diversity = diversity; }, QUIRE_ERR_INVALID, "diversity");
  refused([](Options& o) { o.candidates = 10; }, QUIRE_ERR_INVALID, "candidates");
  refused(
      [](Options& o) {
        o.diversity = 0.5;
        o.candidates = 4;
      },
      QUIRE_ERR_INVALID, "candidates");
  refused(
      [](Options& o) {
        o.diversity = 0.5;
        o.candidates = 1'000'001;
      },
      QUIRE_ERR_INVALID, "candidates");
  const auto liked = [&](const quire_example& like, int code, const char* words) {
    refused(
        [&](Options& o) {
          o.vector = nullptr;
          o.dimension = 0;
          o.like = &like;
          o.like_count = 1;
        },
        code, words);
  };
  liked(none, QUIRE_ERR_NOT_FOUND, "-1");
  liked(wrong, QUIRE_ERR_TYPE, "id");
  liked(two, QUIRE_ERR_INVALID, "key");
  refused(
      [&](Options& o) {
        o.like = &example;
        o.like_count = 1;
      },
      QUIRE_ERR_INVALID, "examples");
  refused(
      [&](Options& o) {
        o.vector = nullptr;
        o.dimension = 0;
        o.unlike = &example;
        o.unlike_count = 1;
      },
      QUIRE_ERR_INVALID, "alone");
  refused(
      [&](Options& o) {
        o.vector = nullptr;
        o.dimension = 0;
        o.like_count = 1;
      },
      QUIRE_ERR_INVALID, "like is NULL");
}

TEST_P(SearchTerms, RefuseManyWhereOneIsWrong) {
  quire_txn* txn = read();
  quire_search_options options = wanted(query, 5);
  std::vector<quire_value> queries(3, quire::vector_value(std::span<const float>(query)));
  std::vector<quire_hit> room(15);
  std::vector<std::size_t> counts(3, 9);
  const auto batch = [&](std::uint32_t threads) {
    return quire_search_batch(txn, things, &options, queries.data(), queries.size(), threads,
                              room.data(), counts.data());
  };
  EXPECT_ERROR(batch(2), QUIRE_ERR_INVALID, "query of their own");
  options.vector = nullptr;
  options.dimension = 0;
  EXPECT_ERROR(batch(0), QUIRE_ERR_INVALID, "threads");
  EXPECT_ERROR(batch(1025), QUIRE_ERR_INVALID, "threads");
  EXPECT_OK(batch(2));
  queries[1] = quire::i64_value(5);
  counts = {9, 9, 9};
  EXPECT_ERROR(batch(2), QUIRE_ERR_TYPE, "query 1");
  EXPECT_EQ(counts, (std::vector<std::size_t>{0, 0, 0}));
  std::vector<float> broken = query;
  broken[2] = std::nanf("");
  queries[1] = quire::vector_value(std::span<const float>(broken));
  EXPECT_ERROR(batch(2), QUIRE_ERR_SCHEMA, "query 1");
}

INSTANTIATE_TEST_SUITE_P(Ways, SearchTerms, testing::Bool(),
                         [](const auto& way) { return way.param ? "ByIndex" : "Exactly"; });

class RecordDistance : public VectorIndexApi {};

TEST_F(RecordDistance, IsThatOfASearch) {
  fill(0, 10);
  quire_txn* txn = read();
  const quire_value one = quire::i64_value(1);
  const quire_value two = quire::i64_value(2);
  const std::vector<float> vector = place(1);
  for (const quire_metric metric :
       {QUIRE_METRIC_DEFAULT, QUIRE_METRIC_L2, QUIRE_METRIC_IP, QUIRE_METRIC_COSINE}) {
    double distance = -1;
    ASSERT_OK(quire_record_distance(txn, things, kPlace, metric, &one, &two, 1, &distance));
    quire_search_options options = asking(vector);
    options.metric = metric;
    bool found_two = false;
    for (const auto& [key, its] : found(txn, options)) {
      if (key == 2) {
        EXPECT_EQ(its, distance);
        found_two = true;
      }
    }
    EXPECT_TRUE(found_two);
  }
  double distance = 0;
  const quire_value absent = quire::i64_value(77);
  const auto measured = [&](std::uint32_t field, std::uint32_t metric, const quire_value& b) {
    return quire_record_distance(txn, things, field, metric, &one, &b, 1, &distance);
  };
  EXPECT_ERROR(measured(kPlace, 99, two), QUIRE_ERR_INVALID, "metric");
  EXPECT_ERROR(measured(kPlace, QUIRE_METRIC_HAMMING, two), QUIRE_ERR_NOT_SUPPORTED, "place");
  EXPECT_ERROR(measured(kSection, 0, two), QUIRE_ERR_TYPE, "section");
  EXPECT_ERROR(measured(99, 0, two), QUIRE_ERR_INVALID, "99");
  EXPECT_ERROR(measured(kPlace, 0, absent), QUIRE_ERR_NOT_FOUND, "77");
  EXPECT_ERROR(quire_record_distance(txn, things, kPlace, 0, nullptr, &two, 1, &distance),
               QUIRE_ERR_INVALID, "NULL");
  EXPECT_ERROR(quire_record_distance(txn, things, kPlace, 0, &one, &two, 1, nullptr),
               QUIRE_ERR_INVALID, "distance");
}

TEST_F(RecordDistance, NeedsTwoVectors) {
  quire_txn* txn = write();
  ASSERT_OK(upsert(txn, 1));
  const std::array values = {quire::i64_value(2), quire::text_value("none"), quire::null_value(),
                             quire::null_value(), quire::null_value()};
  ASSERT_OK(quire_record_insert(txn, things, values.data(), values.size()));
  const quire_value one = quire::i64_value(1);
  const quire_value two = quire::i64_value(2);
  double distance = 0;
  EXPECT_ERROR(quire_record_distance(txn, things, kPlace, 0, &one, &two, 1, &distance),
               QUIRE_ERR_INVALID, "no vector");
  // Of a write transaction: its own records.
  ASSERT_OK(upsert(txn, 2, 4));
  EXPECT_OK(quire_record_distance(txn, things, kPlace, 0, &one, &two, 1, &distance));
  EXPECT_GT(distance, 0);
  quire_abort(txn);
}

TEST_F(RecordDistance, ChosenFieldsOfAHit) {
  fill(0, 10);
  quire_txn* txn = read();
  const std::array<std::uint32_t, 3> fields = {kPlace, kSection, kSection};
  std::array<quire_value, 3> values{};
  ASSERT_OK(quire_record_get_fields(txn, things, 3, fields.data(), values.data(), fields.size()));
  EXPECT_EQ(values[0].type, static_cast<std::uint32_t>(QUIRE_TYPE_VECTOR_F32));
  EXPECT_EQ(quire::as_text(values[2]), "odd");
  EXPECT_OK(quire_record_get_fields(txn, things, 3, nullptr, nullptr, 0));
  const std::uint32_t wrong = 17;
  EXPECT_ERROR(quire_record_get_fields(txn, things, 3, &wrong, values.data(), 1), QUIRE_ERR_INVALID,
               "17");
  EXPECT_ERROR(quire_record_get_fields(txn, things, 3, nullptr, values.data(), 1),
               QUIRE_ERR_INVALID, "NULL");
  EXPECT_ERROR(quire_record_get_fields(txn, things, 99, fields.data(), values.data(), 1),
               QUIRE_ERR_NOT_FOUND, "number");
}

}  // namespace
}  // namespace quire::test
