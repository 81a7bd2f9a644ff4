// A query that was asked before answers like a new one: with other arguments, of another state, and
// where its old way is not the right one any more.
#include <limits>

#include "engine/record/collection_change.h"
#include "index/query/query_cache.h"
#include "tests/query/query_world.h"

namespace quire::test {
namespace {

// A text with parameters, and what is asked besides.
struct Shape {
  const char* filter;
  const char* select = "id";
  const char* order = "";
  const char* group = "";
  int parameters = 1;
  bool number = true;  // what the parameters are: sizes, or sections
};

constexpr std::array kShapes = std::to_array<Shape>({
    {.filter = "size = $1"},
    {.filter = "size > $1"},
    {.filter = "size between $1 and $2", .parameters = 2},
    {.filter = "size in ($1, $2)", .parameters = 2},
    {.filter = "size <> $1"},
    {.filter = "not (size < $1)"},
    {.filter = "size > $1 or size < $2 - 10", .parameters = 2},
    {.filter = "size = $1 and price > 20", .order = "price"},
    {.filter = "size > $1 and section = 's1'", .order = "section, size desc"},
    {.filter = "section = $1", .number = false},
    {.filter = "section = $1 and size > 20", .select = "id, size, price", .number = false},
    {.filter = "section like $1", .number = false},
    {.filter = "lower(section) = $1", .number = false},
    {.filter = "section in ($1, $2)", .parameters = 2, .number = false},
    {.filter = "section = $1", .select = "min(size), max(size)", .number = false},
    {.filter = "section = $1", .select = "max(size)", .number = false},
    {.filter = "size > $1", .select = "count()"},
    {.filter = "size > $1", .select = "section, count()", .group = "section"},
    {.filter = "codes has $1"},
    {.filter = "tags has any ('t1', 't2') and size = $1"},
    {.filter = "id = '0000007' and size > $1"},
    {.filter = "size + 0 = $1"},
    {.filter = "$1 = 3"},
    {.filter = "size >= $1 and size < $2", .parameters = 2},
    {.filter = "size > $1 and size >= $2", .parameters = 2},
    {.filter = "$1 > size and size > $2", .parameters = 2},
    {.filter = "size = $1 and size = $2", .parameters = 2},
    {.filter = "section = 's3' and size <= $1", .select = "id, price"},
    {.filter = "section = 's3' and size between $1 and $2 + 20", .parameters = 2},
    {.filter = "section = $1 and section > 's1'", .number = false},
    {.filter = "price = $1"},
    {.filter = "price >= $1 and price < $2", .select = "count()", .parameters = 2},
    {.filter = "price < $1", .select = "max(price), count()"},
    {.filter = "price > $1", .select = "min(price)"},
    {.filter = "size = $1", .select = "max(price)"},
    {.filter = "section = $1 and price > 50", .select = "max(size)", .number = false},
    {.filter = "doc.price = $1"},
    {.filter = "tags has all ('t1', 't2') and size > $1"},
    {.filter = "id > $1 and id < '0000150'", .number = false},
});

Value argument(Random& random, bool number, std::string& memory) {
  const std::uint64_t what = below(random, 12);
  if (what == 0) return Value::null();
  if (number) {
    const std::int64_t whole = static_cast<std::int64_t>(below(random, 130)) - 35;
    if (what == 1) return Value::of_f64(static_cast<double>(whole));
    if (what == 2) return Value::of_f64(static_cast<double>(whole) + 0.25);
    if (what == 3) {
      constexpr std::array kExtremes = {1e300, -1e300, 0x1p63,
                                        std::numeric_limits<double>::quiet_NaN()};
      return Value::of_f64(kExtremes[below(random, kExtremes.size())]);
    }
    return Value::of_i64(whole);
  }
  memory = what == 1 ? "" : what == 2 ? "s1%" : "s" + std::to_string(below(random, 13));
  return Value::of_text(memory);
}

// Rows as texts, in an order of their own where the query asks for none.
std::vector<std::string> rows_of(Query& query, bool ordered) {
  std::vector<std::string> rows;
  while (must(query.next())) {
    std::string row;
    for (const Value& value : query.values()) row += "|" + describe_value(value);
    rows.push_back(std::move(row));
  }
  if (!ordered) std::ranges::sort(rows);
  return rows;
}

class Asker {
 public:
  explicit Asker(QueryWorld& world, std::uint64_t seed) : world_(world), random_(seed) {}

  // One question, to a query that was asked before and to a new one.
  void ask() {
    const Shape& shape = kShapes[below(random_, kShapes.size())];
    std::array<std::string, 2> memory;
    std::vector<Value> arguments;
    for (int i = 0; i < shape.parameters; ++i)
      arguments.push_back(argument(random_, shape.number, memory[static_cast<std::size_t>(i)]));
    QueryRequest request{.filter = shape.filter,
                         .arguments = arguments,
                         .select = shape.select,
                         .group = shape.group,
                         .order = shape.order};
    if (below(random_, 4) == 0 && *shape.order == '\0' && *shape.group == '\0') request.offset = 2;
    if (below(random_, 8) == 0) request.no_index = true;
    compare(request, *shape.order != '\0' || *shape.group != '\0');
  }

  query::QueryCache& cache() noexcept { return cache_; }

 private:
  void compare(const QueryRequest& request, bool ordered) {
    auto again = cache_.open(world_.view(), world_.shop(), request);
    auto fresh = Query::open(world_.view(), world_.shop(), request);
    ASSERT_EQ(again.has_value(), fresh.has_value()) << request.filter;
    if (!again) {
      ASSERT_EQ(again.error().message(), fresh.error().message());
      return;
    }
    if (request.offset != 0) {
      // Which are left out may differ.
      ASSERT_EQ(rows_of(**again, true).size(), rows_of(**fresh, true).size()) << request.filter;
      return;
    }
    // Some are left in the middle.
    if (below(random_, 6) == 0) {
      (void)must((*again)->next());
      return;
    }
    std::vector<std::string> found = rows_of(**again, ordered);
    std::vector<std::string> expected = rows_of(**fresh, ordered);
    ASSERT_EQ(found, expected) << request.filter << "\n"
                               << (*again)->explain() << "\n"
                               << (*fresh)->explain();
  }

  QueryWorld& world_;
  Random random_;
  query::QueryCache cache_;
};

TEST(Again, AnswersAsANewQueryDoes) {
  QueryWorld world(2000);
  world.add_indexes();
  world.freeze();
  Asker asker(world, 21);
  for (int round = 0; round < 6000 && !::testing::Test::HasFatalFailure(); ++round) asker.ask();
}

TEST(Again, SeesWhatItsTransactionHasChangedSince) {
  QueryWorld world(600);
  world.add_indexes();
  Asker asker(world, 22);
  Random random(23);
  for (int round = 0; round < 1500 && !::testing::Test::HasFatalFailure(); ++round) {
    asker.ask();
    if (round % 7 == 0) must(world.world().insert(random_item(random, 5000 + round)));
    if (round % 11 == 0) (void)world.world().erase(shop_id(below(random, 600)));
  }
}

TEST(Again, TakesAnotherWayWhereTheOldOneIsTooLong) {
  QueryWorld world(3000);
  world.add_indexes();
  world.freeze();
  query::QueryCache cache;
  const auto explained = [&](const Value& size) {
    const std::array arguments = {size};
    const auto query =
        must(cache.open(world.view(), world.shop(),
                        {.filter = "size > $1", .arguments = arguments, .select = "id, doc"}));
    while (must(query->next())) {
    }
    return query->explain();
  };
  const auto goes_by = [&](const Value& size, const char* way) {
    EXPECT_NE(explained(size).find(std::string("\"by\": \"") + way), std::string::npos)
        << explained(size);
  };
  goes_by(Value::of_i64(78), "index");
  goes_by(Value::of_i64(-30), "all");
  goes_by(Value::of_i64(78), "index");
  goes_by(Value::null(), "nothing");
  goes_by(Value::of_i64(77), "index");
}

TEST(Again, ManyOfOneTextAtOnce) {
  QueryWorld world(300);
  world.add_indexes();
  world.freeze();
  query::QueryCache cache;
  std::vector<query::CachedQuery> open;
  for (int i = 0; i < 12; ++i) {
    const std::array arguments = {Value::of_i64(i)};
    open.push_back(must(
        cache.open(world.view(), world.shop(), {.filter = "size = $1", .arguments = arguments})));
  }
  for (int i = 0; i < 12; ++i) {
    const std::string filter = "size = " + std::to_string(i);
    std::size_t rows = 0;
    for (; must(open[static_cast<std::size_t>(i)]->next()); ++rows) {
    }
    EXPECT_EQ(rows, world.expected(filter).size()) << filter;
  }
}

TEST(Again, AfterAnErrorItCanBeAsked) {
  QueryWorld world(300);
  world.add_indexes();
  world.freeze();
  query::QueryCache cache;
  const auto ask = [&](const Value& value) {
    const std::array arguments = {value};
    return cache.open(world.view(), world.shop(), {.filter = "size = $1", .arguments = arguments});
  };
  EXPECT_TRUE(ask(Value::of_i64(5)).has_value());
  EXPECT_EQ(code_of(ask(Value::of_text("five"))), ErrorCode::kType);
  const auto query = must(ask(Value::of_i64(5)));
  std::size_t rows = 0;
  for (; must(query->next()); ++rows) {
  }
  EXPECT_EQ(rows, world.expected("size = 5").size());
}

// By whole unique keys: what there is, what there is not, and nulls, of which there may be several.
class AgainUnique : public ::testing::Test {
 protected:
  AgainUnique() {
    world_.world().add_index("one", R"({"fields": ["section", "id"], "unique": true})");
  }

  // Rows of the query that was asked before, and of the filter evaluated for each record.
  void expect_same(const std::string& section, std::uint64_t i) {
    const std::string id = shop_id(i);
    const std::array arguments = {Value::of_text(section), Value::of_text(id)};
    compare("section = $1 and id = $2", "section = '" + section + "' and id = '" + id + "'",
            arguments);
    compare("id = $1", "id = '" + id + "'", std::span(arguments).subspan(1));
  }
  void compare(const char* asked, const std::string& meant, std::span<const Value> arguments) {
    const auto query = must(cache_.open(world_.view(), world_.shop(),
                                        {.filter = asked, .arguments = arguments, .select = "id"}));
    std::vector<std::string> found;
    while (must(query->next())) found.emplace_back(query->values()[0].text());
    EXPECT_EQ(found, world_.expected(meant)) << meant;
  }

  QueryWorld world_{400};
  query::QueryCache cache_;
};

TEST_F(AgainUnique, FindsOneOrNone) {
  world_.freeze();
  for (std::uint64_t i = 0; i < 440; i += 3) {
    expect_same("s" + std::to_string(i % 13), i);
    expect_same("S" + std::to_string(i % 12), i);
  }
}

TEST_F(AgainUnique, SeesWhatItsTransactionHasChangedSince) {
  for (std::uint64_t i = 0; i < 60; ++i) {
    (void)world_.world().erase(shop_id(2 * i));
    Item item{.id = shop_id(1000 + i), .section = "s1"};
    must(world_.world().insert(item));
    expect_same("s1", 2 * i);
    expect_same("s1", 1000 + i);
  }
}

TEST_F(AgainUnique, SeesWhatIsChangedBetweenTheQuestionAndItsFirstRow) {
  const auto ask = [&](const std::string& id) {
    const std::array arguments = {Value::of_text("s1"), Value::of_text(id)};
    return must(cache_.open(
        world_.view(), world_.shop(),
        {.filter = "section = $1 and id = $2", .arguments = arguments, .select = "id"}));
  };
  for (int round = 0; round < 3; ++round) {
    const std::string id = shop_id(2000 + static_cast<std::uint64_t>(round));
    const auto before = ask(id);
    must(world_.world().insert(Item{.id = id, .section = "s1"}));
    EXPECT_TRUE(must(before->next()));
    const auto after = ask(id);
    must(world_.world().erase(id));
    EXPECT_FALSE(must(after->next()));
  }
}

TEST_F(AgainUnique, OfOneStateAndThenAnother) {
  std::vector<std::unique_ptr<Snapshot>> states;
  for (std::uint64_t i = 0; i < 4; ++i) {
    must(world_.world().insert(Item{.id = shop_id(3000 + i), .section = "s1"}));
    world_.world().commit();
    states.push_back(world_.world().snapshot());
  }
  for (int round = 0; round < 40; ++round) {
    const std::size_t state = static_cast<std::size_t>(round * 7) % 4;
    const std::uint64_t i = static_cast<std::uint64_t>(round * 5) % 4;
    const std::string id = shop_id(3000 + i);
    const std::array arguments = {Value::of_text("s1"), Value::of_text(id)};
    const auto query =
        must(cache_.open(*states[state], world_.shop(),
                         {.filter = "section = $1 and id = $2", .arguments = arguments}));
    EXPECT_EQ(must(query->next()), i <= state) << i << " in state " << state;
  }
}

TEST(Again, AfterAnIndexWasDroppedOrIsAnotherOne) {
  QueryWorld world(800);
  query::QueryCache cache;
  const auto ids_of = [&](std::int64_t size) {
    const std::array arguments = {Value::of_i64(size)};
    const auto query = must(
        cache.open(world.view(), world.shop(), {.filter = "size = $1", .arguments = arguments}));
    std::vector<std::string> found;
    while (must(query->next())) found.emplace_back(as_text(query->primary_key()).substr(1));
    std::ranges::sort(found);
    return found;
  };
  const auto expect_all = [&] {
    for (std::int64_t size = 0; size < 6; ++size)
      EXPECT_EQ(ids_of(size), world.expected("size = " + std::to_string(size)));
  };
  expect_all();
  for (const char* options :
       {R"({"fields": ["size"]})", R"({"fields": ["-size", "section"]})",
        R"({"fields": ["size"], "where": "section = 's1'"})", R"({"fields": ["section"]})"}) {
    world.world().add_index("x", options);
    expect_all();
    expect_all();
    world.world().set_shop(must(drop_index(world.world().txn(), world.shop(), "x", real_kinds())));
    expect_all();
  }
}

TEST(Again, QueriesThatRestAreOfTheirTextAndDefinition) {
  QueryWorld world(50);
  world.add_indexes();
  query::QueryCache cache;
  query::RestingQueries resting;
  const auto ask = [&](const char* filter) {
    auto query = must(cache.open(world.view(), world.shop(), {.filter = filter}, &resting));
    std::size_t rows = 0;
    while (must(query->next())) ++rows;
    EXPECT_EQ(rows, world.expected(filter).size()) << filter;
    return query;
  };
  const std::array filters = {"size > 1", "size > 2", "size > 3",
                              "size > 4", "size > 5", "size > 6"};
  for (int round = 0; round < 3; ++round) {
    for (const char* filter : filters) resting.put(ask(filter));
  }
  const Query* const last = resting.take(world.shop(), {.filter = "size > 6"}).get();
  EXPECT_NE(last, nullptr);
  EXPECT_EQ(resting.take(world.shop(), {.filter = "size > 1"}), nullptr);
  resting.put(ask("size > 4"));
  world.world().add_index("another", R"({"fields": ["size", "section"]})");
  EXPECT_EQ(resting.take(world.shop(), {.filter = "size > 4"}), nullptr);
  resting.put(ask("size > 4"));
  resting.clear();
  EXPECT_EQ(resting.take(world.shop(), {.filter = "size > 4"}), nullptr);
}

}  // namespace
}  // namespace quire::test
