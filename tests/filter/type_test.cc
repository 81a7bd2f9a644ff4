// Types that do not go together, and parameters.
#include "index/filter/typing.h"

#include "tests/filter/filter_world.h"

namespace quire::test {
namespace {

TEST(Types, ThatDoNotGoTogetherAreNamedWithTheirPlace) {
  const WrongFilter all[] = {
      {"t = 5", "at 2: text can't be compared with i64"},
      {"5 < t", "at 2: i64 can't be compared with text"},
      {"n = 'x'", "at 2: i64 can't be compared with text"},
      {"b = 1", "at 2: bool can't be compared with i64"},
      {"y = 'x'", "at 2: bytes can't be compared with text"},
      {"w = 5", "at 2: timestamp can't be compared with i64"},
      {"w = n", "at 2: timestamp can't be compared with i64"},
      {"w = t", "at 2: timestamp can't be compared with text"},
      {"tags = 'x'", "at 5: array of text can't be compared with text"},
      {"tags = tags", "at 5: array of text can't be compared with array of text"},
      {"v = 1.5", "at 2: vector f32 can't be compared with f64"},
      {"doc.x = y", "at 6: json can't be compared with bytes"},
      {"doc.x < w", "at 6: json can't be compared with timestamp"},
      {"n between 1 and 'x'", "at 2: i64 can't be compared with text"},
      {"n in (1, 2.5, true)", "at 2: i64 can't be compared with bool"},
      {"'2026-01-01' in (t, w)", "at 13: timestamp can't be compared with text"},
      {"'2026-01-01' in ('x', timestamp '2026-01-01', $1)",
       "at 13: text can't be compared with timestamp"},
      {"tags has 5", "at 9: i64 can't be an element of array of text"},
      {"tags has any ('a', 5)", "at 19: i64 can't be an element of array of text"},
      {"ns has 'a'", "at 7: text can't be an element of array of i64"},
      {"t has 'a'", "at 2: 'has' needs an array, but this is text"},
      {"$1 has 'a'", "at 3: 'has' needs an array, but this is a parameter"},
      {"n like 'a'", "at 0: 'like' needs text, but this is i64"},
      {"t like 5", "at 7: 'like' needs text, but this is i64"},
      {"t like u", "at 7: the pattern of 'like' can't depend on a field"},
      {"t matches lower(u)", "at 10: the pattern of 'matches' can't depend on a field"},
      {"y matches 'a'", "at 0: 'matches' needs text, but this is bytes"},
      {"t", "at 0: expected a condition, but this is text"},
      {"b and n", "at 6: expected a condition, but this is i64"},
      {"not t", "at 4: expected a condition, but this is text"},
      {"n + 1", "at 2: expected a condition, but this is i64"},
      {"t + 1 = 2", "at 2: '+' has no meaning for text and i64"},
      {"b * 2 = 2", "at 2: '*' has no meaning for bool and i64"},
      {"w * 2 = w", "at 2: '*' has no meaning for timestamp and i64"},
      {"w + 1.5 = w", "at 2: '+' has no meaning for timestamp and f64"},
      {"w + w = w", "at 2: '+' has no meaning for timestamp and timestamp"},
      {"1 - w = w", "at 2: '-' has no meaning for i64 and timestamp"},
      {"null + t = n", "at 5: '+' has no meaning for null and text"},
      {"-t = 1", "at 0: '-' has no meaning for text"},
      {"-w = w", "at 0: '-' has no meaning for timestamp"},
      {"length(n) = 1", "at 7: length() has no meaning for i64"},
      {"lower(y) = 'a'", "at 6: lower() needs text, but this is bytes"},
      {"t.x = 1", "at 0: 't' is text: only json has paths"},
      {"tags[0] = 'a'", "at 0: 'tags' is array of text: only json has paths"},
      {"n = $1 and t = $1", "at 15: parameter $1 can't be text here and a number elsewhere"},
      {"w = $x and t = $x", "at 15: parameter $x can't be text here and timestamp elsewhere"},
      {"n in $1 and n = $1", "at 14: i64 can't be compared with array of i64 or array of f64"},
      {"n = $1 and n in $1",
       "at 16: parameter $1 can't be array of i64 or array of f64 here and a number elsewhere"},
      {"v in $1", "at 2: vector f32 can't be in a list"},
  };
  for (const WrongFilter& wrong : all)
    EXPECT_EQ(problem(wrong.text), "type: filter, " + wrong.sentence) << wrong.text;
  EXPECT_EQ(problem("b and nothing = 1"), "not_found: filter, at 6: there is no field 'nothing'");
  EXPECT_EQ(problem("N = 1"), "not_found: filter, at 0: there is no field 'N'");
  EXPECT_EQ(problem("w > 'yesterday'"),
            "invalid: filter, at 4: this text is no timestamp: expected a date such as 2026-11-20");
  EXPECT_EQ(
      problem("w between '2026-01-01' and ''"),
      "invalid: filter, at 27: this text is no timestamp: expected a date such as 2026-11-20");
}

TEST(Types, OfParametersComeFromTheirPlaces) {
  const auto types = [](std::string_view text) {
    std::string all;
    const Filter filter = prepared(text);
    for (const FilterParameter& parameter : filter.parameters())
      all += parameter.name + ": " + filter::describe_types(parameter.types) + "; ";
    return all;
  };
  EXPECT_EQ(types("n = $1 and t = $2"), "1: a number; 2: text; ");
  EXPECT_EQ(types("$who = t or $when > w or w < $when"), "who: text; when: timestamp; ");
  EXPECT_EQ(types("$2 = n"), "1: a parameter; 2: a number; ");
  EXPECT_EQ(types("$1"), "1: bool; ");
  EXPECT_EQ(types("n in $1"), "1: array of i64 or array of f64; ");
  EXPECT_EQ(types("tags has any $1"), "1: array of text; ");
  EXPECT_EQ(types("w in $1"), "1: array of timestamp; ");
  EXPECT_EQ(types("w > now() - $1"), "1: i64; ");
  EXPECT_EQ(types("w > $1 + 5"), "1: timestamp; ");
  EXPECT_EQ(types("w > $1 - $2"), "1: timestamp; 2: i64; ");
  EXPECT_EQ(types("f > $1 + $2"), "1: a number; 2: a number; ");
  EXPECT_EQ(types("t like $1 and u matches $2"), "1: text; 2: text; ");
  EXPECT_EQ(types("n between $1 and $2"), "1: a number; 2: a number; ");
  EXPECT_EQ(types("doc.x = $1"), "1: json; ");
  EXPECT_EQ(types("$1 is null or n = $1"), "1: a number; ");
}

std::string refusal(std::string_view text, const Arguments& arguments) {
  const auto bound = prepared(text).bind(arguments);
  if (bound) return "";
  return std::string(error_name(bound.error().code())) + ": " + bound.error().message();
}

TEST(Parameters, AreCheckedWhenTheyAreBound) {
  using Values = std::vector<Value>;
  const Value five = Value::of_i64(5);
  EXPECT_EQ(refusal("n = $1", Values{five}), "");
  EXPECT_EQ(refusal("n = $1", Values{Value::null()}), "");
  EXPECT_EQ(refusal("n = $1", Values{Value::of_f64(1.5)}), "");
  EXPECT_EQ(refusal("n = $1", Values{}),
            "invalid: filter: it has 1 parameters, but there are 0 arguments");
  EXPECT_EQ(refusal("n = 1", Values{five}),
            "invalid: filter: it has 0 parameters, but there are 1 arguments");
  EXPECT_EQ(refusal("n = $1", Values{Value::of_text("x")}),
            "type: filter: parameter $1 is text, but wanted is a number");
  EXPECT_EQ(refusal("t = $1", Values{five}),
            "type: filter: parameter $1 is i64, but wanted is text");
  EXPECT_EQ(refusal("w = $1", Values{Value::of_text("2026-11-20")}), "");
  EXPECT_EQ(refusal("w = $1", Values{five}),
            "type: filter: parameter $1 is i64, but wanted is timestamp");
  EXPECT_EQ(refusal("w = $1", Values{Value::of_text("noon")}),
            "invalid: filter: parameter $1 is no timestamp: expected a date such as 2026-11-20");
  EXPECT_EQ(refusal("t = $1", Values{Value::of_text("\xff")}),
            "schema: filter: parameter $1 is not valid UTF-8");
  EXPECT_EQ(refusal("t = $1", Values{Value::of_json("{}")}),
            "type: filter: parameter $1 is json, but wanted is text");
  EXPECT_EQ(refusal("n in $1", Values{five}),
            "type: filter: parameter $1 is i64, but wanted is array of i64 or array of f64");
  EXPECT_EQ(refusal("n in $1", Values{Value::of_array(FieldType::kArrayI64, as_bytes("\x05"))}),
            "schema: filter: parameter $1 element 0 of the array is cut off");
  EXPECT_EQ(refusal("t matches $1", Values{Value::of_text("(")}).substr(0, 67),
            "invalid: filter, at 2: the regular expression '(' is wrong: missing");
  EXPECT_EQ(refusal("t like $1 escape '!'", Values{Value::of_text("a!")}),
            "invalid: filter, at 2: what follows the escape of a pattern is %, _ or itself");
  EXPECT_EQ(refusal("$1 is not null", Values{Value::of_vector(nullptr, 3)}).substr(0, 46),
            "type: filter: parameter $1 is vector f32, but ");
}

TEST(Parameters, HaveNumbersOrNames) {
  using Arguments = std::vector<Argument>;
  const Value five = Value::of_i64(5);
  EXPECT_EQ(refusal("n = $x and m = $y", Arguments{{"y", five}, {"x", five}}), "");
  EXPECT_EQ(refusal("n = $x and m = $y", Arguments{{"y", five}}),
            "invalid: filter: parameter $x has no argument");
  EXPECT_EQ(refusal("n = $x", Arguments{{"x", five}, {"z", five}}),
            "invalid: filter: it has no parameter $z");
  EXPECT_EQ(refusal("n = $x", Arguments{{"x", five}, {"x", five}}),
            "invalid: filter: parameter $x has two arguments");
  EXPECT_EQ(refusal("n = $x", Arguments{{"x", Value::of_bool(true)}}),
            "type: filter: parameter $x is bool, but wanted is a number");
  EXPECT_EQ(refusal("n = $x", std::vector<Value>{five}),
            "invalid: filter: its parameters have names, as $x");
  EXPECT_EQ(refusal("n = $1", Arguments{{"1", five}}),
            "invalid: filter: its parameters have numbers, not names");
}

TEST(Parameters, AreCopied) {
  std::string text = "abc";
  const BoundFilter bound =
      must(prepared("t = $1 and lower($1) = t").bind(std::vector{Value::of_text(text)}));
  text = "xyz";
  Record record;
  EXPECT_TRUE(bound.matches(RowSource(record.set("t", Value::of_text("abc")).row())));
}

TEST(Parameters, AndTheTimeAreKnownOnceTheyAreBound) {
  const Filter filter = prepared("w > now() - $1 and n = m + 1 and lower($2) = t");
  EXPECT_TRUE(filter.uses_now());
  EXPECT_TRUE(std::ranges::equal(filter.fields(), std::vector<std::uint32_t>{1, 2, 7, 10}));
  const BoundFilter bound =
      must(filter.bind(std::vector{Value::of_i64(100), Value::of_text("ABC")}, 1000));
  const auto& parts = bound.root().children;
  const Value* const time = bound.constant(parts[0].children[1]);
  ASSERT_NE(time, nullptr);
  EXPECT_EQ(time->type, FieldType::kTimestamp);
  EXPECT_EQ(time->i64, 900);
  EXPECT_EQ(bound.constant(parts[0].children[0]), nullptr);
  EXPECT_EQ(bound.constant(parts[1].children[1]), nullptr);
  ASSERT_NE(bound.constant(parts[2].children[0]), nullptr);
  EXPECT_EQ(bound.constant(parts[2].children[0])->text(), "abc");
}

TEST(Parameters, OfTheTimeComeFromTheClock) {
  const Filter filter = prepared("w < now()");
  Record record;
  record.set("w", Value::of_timestamp(1'700'000'000'000'000));
  EXPECT_TRUE(must(filter.bind()).matches(RowSource(record.row())));
}

}  // namespace
}  // namespace quire::test
