// What each operator means, on each type and on null.
#include "index/filter/evaluate.h"

#include <cmath>
#include <limits>

#include "tests/filter/filter_world.h"

namespace quire::test {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Case {
  std::string text;
  std::string answer;
};

void check(const Record& record, std::initializer_list<Case> cases) {
  for (const Case& one : cases) EXPECT_EQ(test(one.text, record), one.answer) << one.text;
}

Record full() {
  Record record;
  record.set("n", Value::of_i64(5)).set("m", Value::of_i64(-3)).set("f", Value::of_f64(2.5));
  record.set("g", Value::of_f64(kNan))
      .set("b", Value::of_bool(true))
      .set("c", Value::of_bool(false));
  record.set("t", Value::of_text("Grüße 7%")).set("u", Value::of_text(""));
  record.set("y", Value::of_bytes(as_bytes(std::string_view("\0\xff", 2))));
  record.set("w", Value::of_timestamp(1'000'000)).set("w2", Value::of_timestamp(3'000'000));
  record.set("doc", Value::of_json(R"({"a":1})"));
  record.set("tags", texts({"gui", "net", "gui"})).set("ns", integers({1, 2, 3}));
  record.set("fs", array(FieldType::kArrayF64, {Value::of_f64(1), Value::of_f64(kNan)}));
  record.set("bs", array(FieldType::kArrayBool, {Value::of_bool(true)}));
  record.set("ys", array(FieldType::kArrayBytes, {Value::of_bytes(as_bytes("ab"))}));
  record.set("ws", array(FieldType::kArrayTimestamp, {Value::of_timestamp(0)}));
  record.set("v", Value::of_vector(nullptr, 2));
  return record;
}

TEST(Evaluate, ComparesEachType) {
  check(full(), {
                    {"n = 5", "true"},
                    {"n <> 5", "false"},
                    {"n < 5", "false"},
                    {"n <= 5", "true"},
                    {"n > 4", "true"},
                    {"n >= 6", "false"},
                    {"5 = n", "true"},
                    {"n > m", "true"},
                    {"n = f", "false"},
                    {"f < n", "true"},
                    {"f = 2.5", "true"},
                    {"f > 2", "true"},
                    {"f >= 3", "false"},
                    {"b", "true"},
                    {"c", "false"},
                    {"b = true", "true"},
                    {"b > c", "true"},
                    {"not c", "true"},
                    {"b <> c", "true"},
                    {"t = 'Grüße 7%'", "true"},
                    {"t > 'Gr'", "true"},
                    {"t < 'H'", "true"},
                    {"u = ''", "true"},
                    {"u < t", "true"},
                    {"y = x'00ff'", "true"},
                    {"y > x'00'", "true"},
                    {"y < x'01'", "true"},
                    {"w = '1970-01-01T00:00:01Z'", "true"},
                    {"w < w2", "true"},
                    {"w >= timestamp '1970-01-01T00:00:01.000001'", "false"},
                    {"w < now()", "true"},
                    {"(n = 5) = b", "true"},
                    {"(n = 4) < (n = 5)", "true"},
                });
}

TEST(Evaluate, OfNullAnyComparisonIsUnknown) {
  const Record none;
  for (const char* text : {"n = 5",
                           "n <> 5",
                           "n < 5",
                           "n = m",
                           "f > 1.5",
                           "b",
                           "not b",
                           "b = c",
                           "t = ''",
                           "y = x''",
                           "w < now()",
                           "t like '%'",
                           "t ilike '%'",
                           "t matches ''",
                           "n in (1, 2)",
                           "n not in (1)",
                           "n between 1 and 2",
                           "tags has 'a'",
                           "tags has all ('a')",
                           "doc.x = 1",
                           "length(t) = 0",
                           "lower(t) = ''",
                           "n + 1 = 1",
                           "-n = 1",
                           "n = null",
                           "null = null",
                           "null",
                           "null and b"})
    EXPECT_EQ(test(text, none), "unknown") << text;
  for (const char* text : {"n is null", "b is null", "t is null", "y is null", "w is null",
                           "doc is null", "doc.x is null", "tags is null", "v is null",
                           "n + 1 is null", "(n = 1) is null", "null is null"}) {
    EXPECT_EQ(test(text, none), "true") << text;
    EXPECT_EQ(test("not (" + std::string(text) + ")", none), "false") << text;
  }
  check(full(), {{"n is null", "false"},
                 {"n is not null", "true"},
                 {"tags is not null", "true"},
                 {"v is not null", "true"},
                 {"doc is not null", "true"},
                 {"n = null", "unknown"},
                 {"n in (1, null)", "unknown"},
                 {"n in (5, null)", "true"},
                 {"n not in (5, null)", "false"},
                 {"n between null and 4", "false"},
                 {"n between 4 and null", "unknown"},
                 {"n between 6 and null", "false"},
                 {"tags has any ('gui', null)", "true"},
                 {"tags has any ('x', null)", "unknown"},
                 {"tags has all ('gui', null)", "unknown"},
                 {"tags has all ('x', null)", "false"},
                 {"t like null", "unknown"},
                 {"t matches null", "unknown"}});
}

TEST(Evaluate, JoinsThreeValues) {
  // n is 5, m is null: what is false, true and unknown of the row, not of constants.
  Record record;
  record.set("n", Value::of_i64(5));
  const std::string words[] = {"n = 4", "n = 5", "m = 5"};
  const std::string ands[3][3] = {
      {"false", "false", "false"}, {"false", "true", "unknown"}, {"false", "unknown", "unknown"}};
  const std::string ors[3][3] = {
      {"false", "true", "unknown"}, {"true", "true", "true"}, {"unknown", "true", "unknown"}};
  const std::string nots[] = {"true", "false", "unknown"};
  for (int a = 0; a < 3; ++a) {
    EXPECT_EQ(test("not " + words[a], record), nots[a]);
    for (int b = 0; b < 3; ++b) {
      EXPECT_EQ(test(words[a] + " and " + words[b], record), ands[a][b]) << a << b;
      EXPECT_EQ(test(words[a] + " or " + words[b], record), ors[a][b]) << a << b;
    }
  }
  // The same with constants, which are folded.
  const std::string constants[] = {"false", "true", "null"};
  for (int a = 0; a < 3; ++a) {
    EXPECT_EQ(test("not " + constants[a], record), nots[a]);
    for (int b = 0; b < 3; ++b) {
      EXPECT_EQ(test(constants[a] + " and " + constants[b], record), ands[a][b]);
      EXPECT_EQ(test(constants[a] + " or " + constants[b], record), ors[a][b]);
      EXPECT_EQ(test(words[a] + " and " + constants[b], record), ands[a][b]);
      EXPECT_EQ(test(constants[a] + " or " + words[b], record), ors[a][b]);
      EXPECT_EQ(
          test("$1 or " + words[b], record, {a == 2 ? Value::null() : Value::of_bool(a == 1)}),
          ors[a][b]);
    }
  }
}

TEST(Evaluate, ComparesIntegersAndFloatsExactly) {
  const auto with = [](std::int64_t n) { return Record().set("n", Value::of_i64(n)); };
  constexpr std::int64_t kTwo53 = std::int64_t{1} << 53;
  check(with(kTwo53 + 1), {{"n = 9007199254740992.0", "false"},
                           {"n > 9007199254740992.0", "true"},
                           {"n < 9007199254740994.0", "true"},
                           {"n = 9007199254740993", "true"}});
  check(with(0), {{"n = 0.5", "false"},
                  {"n <> 0.5", "true"},
                  {"n < 0.5", "true"},
                  {"n > -0.5", "true"},
                  {"n = -0.0", "true"},
                  {"n < 1e-300", "true"},
                  {"n between -0.1 and 0.1", "true"},
                  {"n in (0.5, 0.0)", "true"},
                  {"n in (0.5, 1.5)", "false"}});
  check(with(kMax), {{"n < 1e30", "true"},
                     {"n > -1e30", "true"},
                     {"n = 9223372036854775808.0", "false"},
                     {"n < 9223372036854775808.0", "true"},
                     {"n < f64 'infinity'", "true"},
                     {"n > f64 'nan'", "true"},
                     {"n = f64 'nan'", "false"}});
  check(with(kMin), {{"n = -9223372036854775808.0", "true"},
                     {"n >= -9223372036854775808.0", "true"},
                     {"n > -9223372036854777856.0", "true"},
                     {"n > f64 '-infinity'", "true"}});
  const auto real = [](double f) { return Record().set("f", Value::of_f64(f)); };
  check(real(9007199254740992.0), {{"f = 9007199254740993", "false"},
                                   {"f < 9007199254740993", "true"},
                                   {"f = 9007199254740992", "true"}});
  check(real(0x1p63), {{"f > 9223372036854775807", "true"}, {"f = 9223372036854775807", "false"}});
  // The same of a parameter, whose type is known late.
  EXPECT_EQ(test("n = $1", with(kTwo53 + 1), {Value::of_f64(9007199254740992.0)}), "false");
  EXPECT_EQ(test("n in ($1, $2)", with(kTwo53 + 1),
                 {Value::of_f64(9007199254740992.0), Value::of_i64(kTwo53 + 1)}),
            "true");
}

TEST(Evaluate, PutsNanBeforeAllNumbers) {
  check(full(), {{"g = f64 'nan'", "true"},
                 {"g = g", "true"},
                 {"g < f64 '-infinity'", "true"},
                 {"g < 0", "true"},
                 {"g > 0", "false"},
                 {"g <> 1.5", "true"},
                 {"g between f64 'nan' and 0", "true"},
                 {"f > f64 'nan'", "true"},
                 {"g in (1.5, f64 'nan')", "true"},
                 {"fs has f64 'nan'", "true"},
                 {"g < n", "true"}});
}

TEST(Evaluate, FindsMembers) {
  check(full(), {{"n in (1, 5)", "true"},
                 {"n in (1, 6)", "false"},
                 {"n not in (1, 6)", "true"},
                 {"n in (m, n)", "true"},
                 {"n in (m, 6)", "false"},
                 {"t in ('x', 'Grüße 7%')", "true"},
                 {"y in (x'', x'00ff')", "true"},
                 {"b in (false)", "false"},
                 {"w in ('1970-01-01', '1970-01-01T00:00:01')", "true"},
                 {"f in (2, 2.5)", "true"},
                 {"id in (5, 3, 1, 3, 1)", "true"}});
  const Record record = full();
  const OwnedValue some = integers({9, 5, 7});
  const OwnedValue none = integers({});
  EXPECT_EQ(test("n in $1", record, {some.view()}), "true");
  EXPECT_EQ(test("m in $1", record, {some.view()}), "false");
  EXPECT_EQ(test("n in $1", record, {none.view()}), "false");
  EXPECT_EQ(test("n in $1", record, {Value::null()}), "unknown");
  EXPECT_EQ(test("n in $1", Record(), {some.view()}), "unknown");
  EXPECT_EQ(test("n in $1", Record(), {none.view()}), "false");
  const OwnedValue reals = array(FieldType::kArrayF64, {Value::of_f64(5)});
  EXPECT_EQ(test("n in $1", record, {reals.view()}), "true");
  const OwnedValue times = texts({"1970-01-01T00:00:01Z"});
  EXPECT_EQ(test("w in $1", record, {times.view()}), "true");
}

// What was bound before leaves nothing behind, least of all where the next argument is null.
TEST(Evaluate, AnswersTheSameWhenItIsBoundAgain) {
  const Record whole = full();
  const RowSource record(whole.row());
  const OwnedValue some = integers({9, 5, 7});
  const OwnedValue none = integers({});
  const OwnedValue tags = texts({"x", "net"});
  const auto expect_same = [&](const char* text, std::initializer_list<Value> arguments) {
    const Filter filter = prepared(text);
    BoundFilter again = must(filter.bind(std::span(arguments.begin(), 1)));
    for (int round = 0; round < 2; ++round) {
      for (const Value& argument : arguments) {
        must(again.bind_again(std::span(&argument, 1)));
        const BoundFilter fresh = must(filter.bind(std::span(&argument, 1)));
        EXPECT_EQ(again.test(record), fresh.test(record)) << text;
        // A copy keeps what it was bound to.
        const BoundFilter copy = again;
        const Value other = Value::null();
        must(again.bind_again(std::span(&other, 1)));
        EXPECT_EQ(copy.test(record), fresh.test(record)) << text;
      }
    }
  };
  expect_same("n in $1", {some.view(), Value::null(), none.view(), some.view()});
  expect_same("tags has any $1", {tags.view(), Value::null(), tags.view()});
  expect_same("t like $1", {Value::of_text("Gr%"), Value::null(), Value::of_text("x%")});
  expect_same("t matches $1", {Value::of_text("^Gr"), Value::null(), Value::of_text("^x")});
  expect_same("n = $1 and t like 'Gr%' and n in (5, 6)",
              {Value::of_i64(5), Value::null(), Value::of_f64(5), Value::of_i64(6)});
  expect_same("lower(t) = lower($1)",
              {Value::of_text("GRüße 7%"), Value::null(), Value::of_text("GR")});
}

TEST(Evaluate, LooksIntoArrays) {
  check(full(), {{"tags has 'gui'", "true"},
                 {"tags has 'x'", "false"},
                 {"tags has any ('x', 'net')", "true"},
                 {"tags has any ('x', 'y')", "false"},
                 {"tags has all ('net', 'gui')", "true"},
                 {"tags has all ('net', 'x')", "false"},
                 {"tags not has 'x'", "true"},
                 {"tags has t", "false"},
                 {"ns has 2", "true"},
                 {"ns has 2.0", "true"},
                 {"ns has 2.5", "false"},
                 {"ns has all (1, 2, 3, 1)", "true"},
                 {"ns has length(tags)", "true"},
                 {"ns has any (n, length(u))", "false"},
                 {"fs has 1", "true"},
                 {"bs has true", "true"},
                 {"bs has false", "false"},
                 {"ys has x'6162'", "true"},
                 {"ws has '1970-01-01'", "true"},
                 {"length(tags) = 3", "true"},
                 {"length(ys) = 1", "true"}});
  const Record record = full();
  const OwnedValue some = texts({"x", "net"});
  const OwnedValue none = texts({});
  EXPECT_EQ(test("tags has any $1", record, {some.view()}), "true");
  EXPECT_EQ(test("tags has all $1", record, {some.view()}), "false");
  EXPECT_EQ(test("tags has any $1", record, {none.view()}), "false");
  EXPECT_EQ(test("tags has all $1", record, {none.view()}), "true");
  EXPECT_EQ(test("tags has all $1", record, {Value::null()}), "unknown");
  EXPECT_EQ(test("tags has $1", record, {Value::of_text("net")}), "true");
  const Record empty = Record().set("tags", none);
  check(empty,
        {{"tags has 'a'", "false"}, {"tags has all ('a')", "false"}, {"length(tags) = 0", "true"}});
}

TEST(Evaluate, Calculates) {
  const Record record = full();
  const std::vector<std::pair<std::string, std::string>> all = {
      {"n + m", "i64 2"},
      {"n - m", "i64 8"},
      {"n * m", "i64 -15"},
      {"n / m", "i64 -1"},
      {"n % m", "i64 2"},
      {"-n / 2", "i64 -2"},
      {"-n % 3", "i64 -2"},
      {"n + f", "f64 7.5"},
      {"f / 2", "f64 1.25"},
      {"-f % 2", "f64 -0.5"},
      {"n / 0", "null null"},
      {"n % 0", "null null"},
      {"f / 0", "null null"},
      {"f % 0.0", "null null"},
      {"9223372036854775807 + n", "null null"},
      {"-9223372036854775808 - n", "null null"},
      {"-9223372036854775807 - 1 - n", "null null"},
      {"9223372036854775807 * n", "null null"},
      {"(n - 5 - 9223372036854775807 - 1) / (n - 6)", "null null"},
      {"(n - 5 - 9223372036854775807 - 1) % (n - 6)", "i64 0"},
      {"-(n - 5 - 9223372036854775807 - 1)", "null null"},
      {"1e308 * 10 * f", "f64 inf"},
      {"w + 5", "timestamp 1000005"},
      {"5 + w", "timestamp 1000005"},
      {"w - interval '1 second'", "timestamp 0"},
      {"w2 - w", "i64 2000000"},
      {"w + 9223372036854775807", "null null"},
      {"length(t)", "i64 8"},
      {"length(y)", "i64 2"},
      {"length(u)", "i64 0"},
      {"lower(t)", "text 'grüße 7%'"},
      {"upper(t)", "text 'GRüßE 7%'"},
      {"upper(lower(t))", "text 'GRüßE 7%'"},
      {"n > 4", "bool true"},
      {"n = null", "null null"},
      {"t", "text 'Grüße 7%'"},
      {"tags", "array of text ['gui', 'net', 'gui']"},
      {"doc", "json '{\"a\":1}'"},
      {"now()", "timestamp 1795000000000000"},
      {"null", "null null"},
  };
  for (const auto& [text, expected] : all) EXPECT_EQ(value(text, record), expected) << text;
  EXPECT_EQ(value("n * $1", record, {Value::of_f64(0.5)}), "f64 2.5");
  EXPECT_EQ(value("n * $1", record, {Value::of_i64(2)}), "i64 10");
  EXPECT_EQ(value("$1", record, {Value::of_text("x")}), "text 'x'");
  const auto vector = Expression::prepare("v", schema());
  ASSERT_FALSE(vector);
  EXPECT_EQ(vector.error().message(), "expression, at 0: a vector is no value of an expression");
}

TEST(Evaluate, MatchesPatterns) {
  const auto like = [](std::string_view text, std::string_view pattern,
                       std::string_view rest = "") {
    const Record record = Record().set("t", Value::of_text(text));
    return test("t " + std::string(pattern) + std::string(rest), record) == "true";
  };
  EXPECT_TRUE(like("abc", "like 'abc'"));
  EXPECT_FALSE(like("abcd", "like 'abc'"));
  EXPECT_FALSE(like("Abc", "like 'abc'"));
  EXPECT_TRUE(like("", "like ''"));
  EXPECT_TRUE(like("", "like '%'"));
  EXPECT_TRUE(like("", "like '%%'"));
  EXPECT_FALSE(like("", "like '_'"));
  EXPECT_TRUE(like("abc", "like 'a%'"));
  EXPECT_TRUE(like("abc", "like '%c'"));
  EXPECT_TRUE(like("abc", "like '%b%'"));
  EXPECT_FALSE(like("abc", "like '%d%'"));
  EXPECT_TRUE(like("abc", "like 'a%c'"));
  EXPECT_FALSE(like("ac", "like 'ac%c'"));
  EXPECT_FALSE(like("aba", "like 'ab%ba'"));
  EXPECT_TRUE(like("abba", "like 'ab%ba'"));
  EXPECT_TRUE(like("abcabc", "like '%bc'"));
  EXPECT_TRUE(like("a1b2c", "like 'a_b_c'"));
  EXPECT_TRUE(like("aaab", "like '%a_b'"));
  EXPECT_TRUE(like("xabyab", "like '%a_y%'"));
  EXPECT_FALSE(like("xab", "like '%a__%'"));
  EXPECT_TRUE(like("Grüße", "like 'Gr__e'"));
  EXPECT_TRUE(like("Grüße", "like '%_e'"));
  EXPECT_FALSE(like("ü", "like '__'"));
  EXPECT_TRUE(like("日本語", "like '_本%'"));
  EXPECT_TRUE(like("日本語", "like '%_語'"));
  EXPECT_TRUE(like("日本語", "like '%_語%'"));
  EXPECT_TRUE(like("a\nb", "like 'a%b'"));
  EXPECT_TRUE(like("a\nb", "like 'a_b'"));
  EXPECT_TRUE(like("50%", "like '%!%' escape '!'"));
  EXPECT_FALSE(like("50!", "like '%!%' escape '!'"));
  EXPECT_TRUE(like("a_b", "like 'a!_b' escape '!'"));
  EXPECT_FALSE(like("axb", "like 'a!_b' escape '!'"));
  EXPECT_TRUE(like("a!b", "like 'a!!b' escape '!'"));
  EXPECT_TRUE(like("aéb%", "like 'aééb!%' escape 'é'") == false);
  EXPECT_TRUE(like("aéb%", "like 'aéébé%' escape 'é'"));
  EXPECT_TRUE(like("50%", "like '50%%' escape '%'"));
  EXPECT_TRUE(like("a\\b", "like 'a\\b'"));
  EXPECT_TRUE(like("ABC", "ilike 'a%C'"));
  EXPECT_TRUE(like("xABCx", "ilike '%bc%'"));
  EXPECT_FALSE(like("Ü", "ilike 'ü'"));
  EXPECT_TRUE(like("Übung", "ilike '_BUNG'"));
  EXPECT_TRUE(like("abc", "matches 'b'"));
  EXPECT_FALSE(like("abc", "matches '^b'"));
  EXPECT_TRUE(like("abc", "matches '^a.c$'"));
  EXPECT_TRUE(like("Grüße", "matches 'r..e$'"));
  EXPECT_TRUE(like("abc", "matches ''"));
  EXPECT_TRUE(like("ABC", "matches '(?i)b'"));
  const Record record = Record().set("t", Value::of_text("abc"));
  EXPECT_EQ(test("t like $1", record, {Value::of_text("a%")}), "true");
  EXPECT_EQ(test("t like $1", record, {Value::null()}), "unknown");
  EXPECT_EQ(test("t matches $1", record, {Value::of_text("c$")}), "true");
  EXPECT_EQ(test("t matches $1", record, {Value::null()}), "unknown");
  EXPECT_EQ(test("t like lower($1)", record, {Value::of_text("A%")}), "true");
  EXPECT_EQ(test("'abc' like $1 and t = t", record, {Value::of_text("%d")}), "false");
}

TEST(Evaluate, EndsAPatternOfManyPartsInTime) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "%aaaaaaaaaaaaaaa";
  const std::string text(1 << 20, 'a');
  const Record record = Record().set("t", Value::of_text(text));
  EXPECT_EQ(test("t like '" + pattern + "b%'", record), "false");
}

TEST(Evaluate, GivesThePrefixOfAPattern) {
  const auto prefix = [](std::string_view text) {
    const BoundFilter bound = must(prepared(text).bind());
    const filter::LikePattern* const pattern = bound.like_pattern(bound.root());
    const filter::LikePattern::Prefix& begin = pattern->prefix();
    return begin.text + (begin.exact ? " exact" : "") + (begin.alone ? " alone" : "");
  };
  EXPECT_EQ(prefix("t like 'abc'"), "abc exact");
  EXPECT_EQ(prefix("t like 'abc%'"), "abc alone");
  EXPECT_EQ(prefix("t like 'abc%%'"), "abc alone");
  EXPECT_EQ(prefix("t like 'abc_'"), "abc");
  EXPECT_EQ(prefix("t like 'a%c'"), "a");
  EXPECT_EQ(prefix("t like '%c'"), "");
  EXPECT_EQ(prefix("t like '%'"), " alone");
  EXPECT_EQ(prefix("t like 'a!%b%' escape '!'"), "a%b alone");
  EXPECT_EQ(prefix("t ilike '12a%'"), "12");
  EXPECT_EQ(prefix("t ilike '12%'"), "12 alone");
}

}  // namespace
}  // namespace quire::test
