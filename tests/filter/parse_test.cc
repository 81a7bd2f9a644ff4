// Texts that are no filters, and trees of those that are.
#include "index/filter/parser.h"

#include "tests/filter/filter_world.h"

namespace quire::test {
namespace {

TEST(Parse, SaysWhereItWentWrongAndWhatItExpected) {
  const WrongFilter all[] = {
      {"", "at 0: expected a value, found the end"},
      {"   ", "at 3: expected a value, found the end"},
      {"n = 1 and", "at 9: expected a value after 'and', found the end"},
      {"n = 1 and and b", "at 10: expected a value after 'and', found 'and'"},
      {"n =", "at 3: expected a value after '=', found the end"},
      {"n = = 1", "at 4: expected a value after '=', found '='"},
      {"= 1", "at 0: expected a value, found '='"},
      {"n = 1 2", "at 6: expected 'and', 'or' or the end after '1', found '2'"},
      {"n = 1 = 2", "at 6: expected 'and', 'or' or the end after '1', found '='"},
      {"n n", "at 2: expected 'and', 'or' or the end after 'n', found 'n'"},
      {"t 'x'", "at 2: expected 'and', 'or' or the end after 't', found a text"},
      {"(n = 1", "at 6: expected ')' after '1', found the end"},
      {"n = 1)", "at 5: expected 'and', 'or' or the end after '1', found ')'"},
      {"()", "at 1: expected a value after '(', found ')'"},
      {"not", "at 3: expected a value after 'not', found the end"},
      {"n not 5",
       "at 6: expected 'between', 'in', 'like', 'ilike', 'matches' or 'has' after 'not', found "
       "'5'"},
      {"n is 5", "at 5: expected 'null' or 'not null' after 'is', found '5'"},
      {"n is not 5", "at 9: expected 'null' after 'not', found '5'"},
      {"n between 1", "at 11: expected 'and' after '1', found the end"},
      {"n between 1 or 2", "at 12: expected 'and' after '1', found 'or'"},
      {"n in 5", "at 5: expected '(' or a parameter after 'in', found '5'"},
      {"n in ()", "at 6: expected a value after '(', found ')'"},
      {"n in (1", "at 7: expected ')' after '1', found the end"},
      {"n in (1,", "at 8: expected a value after ',', found the end"},
      {"n in (1 2)", "at 8: expected ')' after '1', found '2'"},
      {"t like 'a' escape",
       "at 17: expected a text of one character after 'escape', found the end"},
      {"t like 'a' escape 5", "at 18: expected a text of one character after 'escape', found '5'"},
      {"t like 'a' escape 'xy'", "at 18: the escape of a pattern is one character"},
      {"t like 'a' escape ''", "at 18: the escape of a pattern is one character"},
      {"t like 'ax' escape 'x'", "at 7: what follows the escape of a pattern is %, _ or itself"},
      {"t like 'axb' escape 'x'", "at 7: what follows the escape of a pattern is %, _ or itself"},
      {"tags has all 'x'", "at 13: expected '(' or a parameter after 'all', found a text"},
      {"t matches '('", "at 10: the regular expression '(' is wrong"},
      {"'abc", "at 0: the text that begins here has no end: expected '"},
      {"t = 'it''s", "at 4: the text that begins here has no end: expected '"},
      {"\"n = 1", "at 0: the name that begins here has no end: expected \""},
      {"\"\" = 1", "at 0: a name is empty"},
      {"y = x'0'", "at 4: expected two hexadecimal digits for each byte"},
      {"y = x'0g'", "at 4: expected hexadecimal digits between x' and '"},
      {"y = x'00", "at 4: the bytes literal that begins here has no end"},
      {"n = 5x", "at 5: a number ends in what is no digit"},
      {"n = 1.", "at 5: expected 'and', 'or' or the end after '1', found '.'"},
      {"n = 1.5e", "at 7: a number ends in what is no digit"},
      {"n = 9223372036854775808", "at 4: the number does not fit i64"},
      {"n = - 9223372036854775809", "at 6: the number does not fit i64"},
      {"f = 1e999", "at 4: the number is out of the range of f64"},
      {"n = $", "at 4: expected a number or a name after '$'"},
      {"n = $0", "at 4: parameters have numbers from 1 to 1000"},
      {"n = $1001", "at 4: parameters have numbers from 1 to 1000"},
      {"n = $1x", "at 4: a parameter is $ and a number, or $ and a name"},
      {"n = $1 or n = $x", "at 14: parameters with numbers and parameters with names are mixed"},
      {"n ! 1", "at 2: '!' means nothing here"},
      {"n = \x01", "at 4: byte 0x01 means nothing here"},
      {"n = \xff", "at 0: it is not valid UTF-8"},
      {"n == 1", "at 3: expected a value after '=', found '='"},
      {"w = timestamp 'x'", "at 14: expected a date such as 2026-11-20"},
      {"w = timestamp '2026-13-01'", "at 14: the month of the date does not exist"},
      {"w = timestamp '2026-02-29'", "at 14: the day of the date does not exist"},
      {"w = timestamp '2026-01-01T24:00'", "at 14: the time of the day does not exist"},
      {"w = timestamp '2026-01-01T10:00:60'", "at 14: the time of the day does not exist"},
      {"w = timestamp '2026-01-01T10'", "at 14: expected a time such as 10:00:00"},
      {"w = timestamp '2026-01-01T10:00:00.'", "at 14: expected digits after the point"},
      {"w = timestamp '2026-01-01T10:00X'", "at 14: expected Z or an offset such as +01:00"},
      {"w = timestamp '2026-01-01T10:00+25:00'", "at 14: the offset from UTC does not exist"},
      {"w = timestamp '2026-01-01T10:00Zx'", "at 14: there is something behind the time"},
      {"w = timestamp '+294300-01-01'", "at 14: the time is out of the range"},
      {"w = date '2026-01-01T10:00'", "at 9: there is something behind the date"},
      {"w = now() - interval '3'", "at 21: expected a unit"},
      {"w = now() - interval 'days'", "at 21: expected an interval such as '3 days'"},
      {"w = now() - interval '3 fortnights'", "at 21: expected a unit"},
      {"w = now() - interval '99999999999 days'", "at 21: the interval is too long"},
      {"f = f64 'big'", "at 8: expected 'nan', 'infinity' or '-infinity' after f64"},
      {"now( = w", "at 5: expected ')' after '(', found '='"},
      {"length() = 1", "at 7: expected a value after '(', found ')'"},
      {"lenght(t) = 1", "at 0: there is no function 'lenght'"},
      {"doc. = 1", "at 5: expected a name after '.', found '='"},
      {"doc[ = 1", "at 5: expected an index or a name after '[', found '='"},
      {"doc[-1] = 1", "at 4: expected an index or a name after '[', found '-'"},
      {"doc[1 = 1", "at 6: expected ']' after '1', found '='"},
      {"doc[4294967296] = 1", "at 4: the index is too large"},
      {"doc.5 = 1", "at 4: expected a name after '.', found '5'"},
  };
  for (const WrongFilter& wrong : all) {
    const std::string found = problem(wrong.text);
    EXPECT_NE(found.find(": filter, " + wrong.sentence), std::string::npos)
        << wrong.text << "\n  says " << found;
    const std::string code =
        wrong.sentence.find("no field") != std::string::npos ? "not_found" : "invalid";
    EXPECT_TRUE(found.starts_with(code + ":")) << found;
  }
}

TEST(Parse, KeepsItsLimits) {
  const auto repeated = [](std::string_view part, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) all += part;
    return all;
  };
  const auto deep = [](const std::string& text) {
    return problem(text).find("nested deeper than 200") != std::string::npos;
  };
  EXPECT_EQ(problem(repeated("(", 200) + "b" + repeated(")", 200)), "");
  EXPECT_TRUE(deep(repeated("(", 201) + "b" + repeated(")", 201)));
  EXPECT_TRUE(deep(repeated("(", 30000)));
  EXPECT_EQ(problem(repeated("not ", 199) + "b"), "");
  EXPECT_TRUE(deep(repeated("not ", 200) + "b"));
  EXPECT_TRUE(deep(repeated("not ", 16000) + "b"));
  EXPECT_EQ(problem("n = " + repeated("1 + ", 198) + "n"), "");
  EXPECT_TRUE(deep("n = " + repeated("1 + ", 200) + "n"));
  EXPECT_TRUE(deep("n = " + repeated("- ", 30000) + "n"));
  EXPECT_TRUE(deep("n in (" + repeated("lower(", 10000)));
  // Width is no depth.
  EXPECT_EQ(problem(repeated("n = 1 and ", 6000) + "b"), "");
  EXPECT_EQ(problem("n in (" + repeated("1, ", 20000) + "2)"), "");
  const std::string longest = "b" + std::string(filter::kMaxTextBytes - 1, ' ');
  EXPECT_EQ(problem(longest), "");
  EXPECT_NE(problem(longest + " ").find("longer than 65536 bytes"), std::string::npos);
}

// The canonical text shows the tree: what is written here says how the left side is understood.
TEST(Parse, Binds) {
  const WrongFilter all[] = {
      {"b or c and b", "b or c and b"},
      {"(b or c) and b", "(b or c) and b"},
      {"not b and c", "not b and c"},
      {"not (b and c)", "not (b and c)"},
      {"not n = 1", "not n = 1"},
      {"NOT n IN (1,2) AND b", "n not in (1, 2) and b"},
      {"not not b", "b"},
      {"(b and c) and (b or c or (b or c))", "b and c and (b or c or b or c)"},
      {"n + m * 2 = 7", "n + m * 2 = 7"},
      {"(n + m) * 2 = 7", "(n + m) * 2 = 7"},
      {"n - m - 1 = n - (m - 1)", "n - m - 1 = n - (m - 1)"},
      {"n / m * 2 = n / (m * 2)", "n / m * 2 = n / (m * 2)"},
      {"-n * 2 = -(n * 2)", "-n * 2 = -(n * 2)"},
      {"--n = - -5", "--n = 5"},
      {"n-1=n -1", "n - 1 = n - 1"},
      {"n != 1", "n <> 1"},
      {"n between 1 and 2 and b", "n between 1 and 2 and b"},
      {"(n = 1) = (m = 1)", "(n = 1) = (m = 1)"},
      {"(n is null) is not null", "(n is null) is not null"},
      {"n = 2 + 3 * 4", "n = 14"},
      {"f = 2", "f = 2.0"},
      {"n = 2.0", "n = 2"},
      {"n = 2.5", "n = 2.5"},
      {"n = -9223372036854775808", "n = -9223372036854775808"},
      {"w > '2026-11-20'", "w > timestamp '2026-11-20T00:00:00Z'"},
      {"'2026-11-20' < w", "timestamp '2026-11-20T00:00:00Z' < w"},
      {"w between '2026-11-20T10:00:00+01:00' and now()",
       "w between timestamp '2026-11-20T09:00:00Z' and now()"},
      {"w > now() - interval '1 day 2 h'", "w > now() - 93600000000"},
      {"w in ('2026-01-01', $1)", "w in (timestamp '2026-01-01T00:00:00Z', $1)"},
      {"'2026-01-01' in ('2026-01-02', w)",
       "timestamp '2026-01-01T00:00:00Z' in (timestamp '2026-01-02T00:00:00Z', w)"},
      {"1 in (2, g)", "1.0 in (2.0, g)"},
      {"1 between n and f", "1.0 between n and f"},
      {"y = X'00FF'", "y = x'00ff'"},
      {"t = 'it''s'", "t = 'it''s'"},
      {"f < f64 '-Infinity'", "f < f64 '-infinity'"},
      {"\"odd \"\"name\" = 1 or \"like\" = ''", "\"odd \"\"name\" = 1 or \"like\" = ''"},
      {"date = 1 and any is null", "\"date\" = 1 and \"any\" is null"},
      {"tags has any ('a')", "tags has 'a'"},
      {"tags has all ('a')", "tags has all ('a')"},
      {"tags has any ('a', $1)", "tags has any ('a', $1)"},
      {"tags has all $1", "tags has all $1"},
      {"tags has any and b", "tags has \"any\" and b"},
      {"tags not has 'a'", "tags not has 'a'"},
      {"doc . price [ 2 ] . \"a b\" = 1", "doc.price[2][\"a b\"] = 1"},
      {"doc['x'].and is null", "doc.x.and is null"},
      {"doc[''] is null", "doc[''] is null"},
      {"length(t) > 2 and LOWER(t) = upper(u)", "length(t) > 2 and lower(t) = upper(u)"},
      {"t like 'a!%' escape '!'", "t like 'a!%' escape '!'"},
      {"t not ilike 'a%' and t matches '^a'", "t not ilike 'a%' and t matches '^a'"},
      {"w < '2026-11-20' AND (n != 2.0 or (true and not (b)))",
       "w < timestamp '2026-11-20T00:00:00Z' and (n <> 2 or not b)"},
      {"b and true", "b"},
      {"false and n = 1", "false"},
      {"false and n = $1", "false and n = $1"},
      {"1 = 1 or b", "true"},
      {"1 / 0 = n", "null = n"},
      {"b and (true and (b or c)) or c", "b and (b or c) or c"},
      {"(true and (b or c)) or c", "b or c or c"},
  };
  for (const WrongFilter& one : all) {
    const auto filter = Filter::prepare(one.text, schema());
    ASSERT_TRUE(filter) << one.text << ": " << filter.error().message();
    EXPECT_EQ(filter->text(), one.sentence) << one.text;
    const auto again = Filter::prepare(filter->text(), schema());
    ASSERT_TRUE(again) << filter->text() << ": " << again.error().message();
    EXPECT_TRUE(filter::equal_trees(filter->root(), again->root())) << one.text;
  }
}

TEST(Parse, PutsPositionsInNodes) {
  const Filter filter = prepared("n = 1 and lower(t) like $1");
  const filter::Node& root = filter.root();
  ASSERT_EQ(root.kind, filter::Kind::kAnd);
  EXPECT_EQ(root.position, 6u);
  EXPECT_EQ(root.children[0].position, 2u);
  EXPECT_EQ(root.children[0].children[1].position, 4u);
  EXPECT_EQ(root.children[1].position, 19u);
  EXPECT_EQ(root.children[1].children[0].position, 10u);
  EXPECT_EQ(root.children[1].children[1].position, 24u);
}

}  // namespace
}  // namespace quire::test
