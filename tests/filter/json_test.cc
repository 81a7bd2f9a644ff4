// Paths into JSON, and what lies there.
#include "index/filter/json_reader.h"

#include "tests/filter/filter_world.h"

namespace quire::test {
namespace {

Record with(std::string_view json) { return Record().set("doc", Value::of_json(json)); }

const Record& order() {
  static const Record record = with(R"({
    "id": 17, "paid": true, "open": false, "note": null, "who": "Zoë",
    "price": {"net": 9.5, "gross": 11, "big": 12345678901, "odd key": 1, "": 2},
    "lines": [{"sku": "a", "n": 1}, {"sku": "b"}, {"sku": "c\n\"\\", "n": 3}],
    "tags": ["x", 5, null, [1], 2.5, true], "empty": [], "twice": 1, "twice": 2,
    "esc\"aped": "yes", "caf\u00e9": "yes", "and": {"or": 1}})");
  return record;
}

void check(std::initializer_list<std::pair<std::string, std::string>> cases) {
  for (const auto& [text, answer] : cases) EXPECT_EQ(test(text, order()), answer) << text;
}

TEST(Json, FollowsPaths) {
  check({{"doc.id = 17", "true"},
         {"doc.price.net = 9.5", "true"},
         {"doc.price.gross = 11", "true"},
         {"doc.price.gross = 11.0", "true"},
         {"doc.price.gross > 10.99", "true"},
         {"doc.lines[1].sku = 'b'", "true"},
         {"doc.lines[2].sku = 'c\n\"\\'", "true"},
         {"doc.lines[2].n = 3", "true"},
         {"doc[\"price\"][\"odd key\"] = 1", "true"},
         {"doc['price'][''] = 2", "true"},
         {"doc[\"esc\"\"aped\"] = 'yes'", "true"},
         {"doc.café = 'yes'", "true"},
         {"doc.and.or = 1", "true"},
         {"doc.who = 'Zoë'", "true"},
         {"doc.twice = 1", "true"},
         {"doc.paid", "true"},
         {"doc.open", "false"},
         {"not doc.open", "true"},
         {"doc.paid = true", "true"},
         {"doc.paid and doc.id > 5", "true"}});
}

TEST(Json, OfNullAndOfNothingIsNull) {
  check({{"doc.note is null", "true"},
         {"doc.nothing is null", "true"},
         {"doc.id.x is null", "true"},
         {"doc.id[0] is null", "true"},
         {"doc.lines[3] is null", "true"},
         {"doc.lines.sku is null", "true"},
         {"doc.lines[1].n is null", "true"},
         {"doc.price[0] is null", "true"},
         {"doc.price is null", "false"},
         {"doc.lines is null", "false"},
         {"doc.id is not null", "true"},
         {"doc.note = 1", "unknown"},
         {"doc.nothing <> 1", "unknown"},
         {"not doc.nothing", "unknown"}});
  EXPECT_EQ(test("doc is null", with("null")), "true");
  EXPECT_EQ(test("doc is null", with("5")), "false");
  EXPECT_EQ(test("doc = 5", with("5")), "true");
  EXPECT_EQ(test("doc = 'x'", with("\"x\"")), "true");
  EXPECT_EQ(test("doc.x = 5", with("5")), "unknown");
  EXPECT_EQ(test("doc[1] = 5", with("[4, 5]")), "true");
}

// Equal are values of two kinds never; which is less, nobody knows.
TEST(Json, OfAnotherKindIsNeverEqual) {
  check({{"doc.id = '17'", "false"},
         {"doc.id <> '17'", "true"},
         {"doc.id < '17'", "unknown"},
         {"doc.id >= '17'", "unknown"},
         {"doc.who = 5", "false"},
         {"doc.who > 5", "unknown"},
         {"doc.paid = 1", "false"},
         {"doc.id = true", "false"},
         {"doc.id", "unknown"},
         {"doc.who and true", "unknown"},
         {"doc.price = 5", "false"},
         {"doc.price <> 5", "true"},
         {"doc.price = doc.price", "unknown"},
         {"doc.lines < 5", "unknown"},
         {"doc.id in ('17', 17)", "true"},
         {"doc.id in ('17', true)", "false"},
         {"doc.id not in ('17')", "true"},
         {"doc.id between 'a' and 'z'", "unknown"},
         {"doc.id = doc.price.gross", "false"},
         {"doc.who = doc.who", "true"},
         {"doc.lines[0].sku < doc.lines[1].sku", "true"}});
}

TEST(Json, GoesIntoTheOtherOperators) {
  check({{"doc.who like 'Z%'", "true"},
         {"doc.id like '1%'", "unknown"},
         {"doc.who matches 'o'", "true"},
         {"lower(doc.who) = 'zoë'", "true"},
         {"lower(doc.id) is null", "true"},
         {"length(doc.who) = 3", "true"},
         {"length(doc.lines) = 3", "true"},
         {"length(doc.empty) = 0", "true"},
         {"length(doc.price) is null", "true"},
         {"length(doc.id) is null", "true"},
         {"doc.id + 1 = 18", "true"},
         {"doc.price.net * 2 = 19", "true"},
         {"doc.who + 1 is null", "true"},
         {"-doc.id = -17", "true"},
         {"doc.id = n", "unknown"},
         {"doc.tags has 'x'", "true"},
         {"doc.tags has 'y'", "false"},
         {"doc.tags has 5.0", "true"},
         {"doc.tags has 2.5", "true"},
         {"doc.tags has true", "true"},
         {"doc.tags has all ('x', 5)", "true"},
         {"doc.tags has any ('y', 6)", "false"},
         {"doc.empty has 'x'", "false"},
         {"doc.id has 17", "unknown"},
         {"doc.nothing has 17", "unknown"},
         {"doc has 17", "unknown"}});
  EXPECT_EQ(test("doc has 2", with("[1, 2]")), "true");
  EXPECT_EQ(test("length(doc) = 2", with("[1, 2]")), "true");
  const OwnedValue some = texts({"x", "y"});
  EXPECT_EQ(test("doc.tags has any $1", order(), {some.view()}), "true");
  EXPECT_EQ(test("doc.id = $1", order(), {Value::of_i64(17)}), "true");
  EXPECT_EQ(test("doc.id = $1", order(), {Value::of_text("17")}), "false");
}

TEST(Json, IsAValueOfAnExpression) {
  EXPECT_EQ(value("doc.price.net", order()), "f64 9.5");
  EXPECT_EQ(value("doc.price.big", order()), "i64 12345678901");
  EXPECT_EQ(value("doc.who", order()), "text 'Zoë'");
  EXPECT_EQ(value("doc.lines[1]", order()), "json '{\"sku\": \"b\"}'");
  EXPECT_EQ(value("doc.empty", order()), "json '[]'");
  EXPECT_EQ(value("doc.nothing", order()), "null null");
}

TEST(Json, NumbersAreWhatTheyAre) {
  const Record record = with(
      R"([9223372036854775807, -9223372036854775808, 9223372036854775808, 1e3, 1.0, -0.0, 1e300])");
  EXPECT_EQ(value("doc[0]", record), "i64 9223372036854775807");
  EXPECT_EQ(value("doc[1]", record), "i64 -9223372036854775808");
  EXPECT_EQ(value("doc[2]", record), "f64 9223372036854775808");
  EXPECT_EQ(value("doc[3]", record), "f64 1000");
  EXPECT_EQ(value("doc[6]", record), "f64 1e+300");
  EXPECT_EQ(test("doc[4] = 1", record), "true");
  EXPECT_EQ(test("doc[5] = 0", record), "true");
  EXPECT_EQ(test("doc[0] < doc[2]", record), "true");
}

// simdjson 3.0 looks for a name among the bytes as they are written, and would find this one.
TEST(Json, DoesNotTakeAQuoteInANameForTheEndOfOne) {
  EXPECT_EQ(test(R"(doc['a":1,"b'] is null)", with(R"({"a":1,"b":2})")), "true");
  EXPECT_EQ(test(R"(doc['a\u0062'] is null)", with(R"({"a\u0062":1})")), "true");
  EXPECT_EQ(test("doc.ab = 1", with(R"({"a\u0062":1})")), "true");
}

// One buffer serves documents of every size, and texts of one outlive the next.
TEST(Json, ReadsDocumentsOneAfterTheOther) {
  for (const std::size_t size : {1, 63, 64, 65, 4096, 1 << 20, 5}) {
    const std::string text(size, 'x');
    std::string json = R"({"a": ")";
    json.append(text).append(R"(", "b": ")").append(text).append("y\"}");
    const Record record = with(json);
    EXPECT_EQ(test("doc.a < doc.b and lower(doc.a) = doc.a and doc.a = $1", record,
                   {Value::of_text(text)}),
              "true");
  }
}

TEST(Json, ThatIsNoneIsNull) {
  for (const char* text : {"", "{", "{\"a\"", "{\"a\":", "[1,", "\"", "tru", "{\"a\":tru}",
                           "{\"a\":1", "{\"b\":[1,2,\"a\":1}", "1e999"}) {
    (void)test("doc.a = 1 or doc has 1 or doc[1] = 2 or length(doc) = 1 or doc = 5", with(text));
  }
  EXPECT_EQ(test("doc.a is null", with("{")), "true");
}

}  // namespace
}  // namespace quire::test
