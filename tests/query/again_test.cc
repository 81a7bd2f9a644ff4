// A query that was asked before answers like a new one: with other arguments, of another state, and
// where its old way is not the right one any more.
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
});

Value argument(Random& random, bool number, std::string& memory) {
  const std::uint64_t what = below(random, 12);
  if (what == 0) return Value::null();
  if (number) return Value::of_i64(static_cast<std::int64_t>(below(random, 130)) - 35);
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

}  // namespace
}  // namespace quire::test
