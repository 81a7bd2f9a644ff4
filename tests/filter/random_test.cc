// Filters made at random against plain functions, canonical texts against their trees, and terms
// against comparisons.
#include <climits>
#include <cmath>
#include <limits>

#include "index/filter/term.h"
#include "tests/filter/filter_world.h"
#include "tests/filter/naive.h"

namespace quire::test {
namespace {

using Kind = Plain::Kind;

struct Pair {
  PlainRecord plain;
  Record record;
};

std::string json_text(const Plain& value) {
  char digits[40];
  switch (value.kind) {
    case Kind::kBool:
      return value.b ? "true" : "false";
    case Kind::kInt:
      return std::to_string(value.i);
    case Kind::kReal:
      std::snprintf(digits, sizeof digits, "%.17e", value.d);
      return digits;
    case Kind::kText:
      return "\"" + value.s + "\"";
    case Kind::kOther:
      return "{\"x\": [1]}";
    default:
      return "null";
  }
}

// A record of values that meet those of the filters often.
class Records {
 public:
  explicit Records(std::mt19937_64& random) : random_(random) {}

  Pair make() {
    Pair pair;
    for (const char* name : {"n", "m"}) number(pair, name, true);
    for (const char* name : {"f", "g"}) number(pair, name, false);
    for (const char* name : {"b", "c"}) {
      if (!given()) continue;
      const bool b = below(2) == 0;
      put(pair, name, Plain::of_bool(b), Value::of_bool(b));
    }
    for (const char* name : {"t", "u"}) {
      if (!given()) continue;
      const std::string text = texts_[below(texts_.size())];
      put(pair, name, Plain::of_text(text), Value::of_text(text));
    }
    for (const char* name : {"w", "w2"}) {
      if (!given()) continue;
      const std::int64_t time = Maker::kTimes[below(std::size(Maker::kTimes))];
      put(pair, name, Plain::of_time(time), Value::of_timestamp(time));
    }
    arrays(pair);
    if (given()) document(pair);
    return pair;
  }

 private:
  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool given() { return below(5) != 0; }

  static void put(Pair& pair, const char* name, const Plain& plain, const Value& value) {
    pair.plain.values[name] = plain;
    pair.record.set(name, value);
  }

  void number(Pair& pair, const char* name, bool integer) {
    if (!given()) return;
    if (integer) {
      const std::int64_t i = ints_[below(ints_.size())];
      return put(pair, name, Plain::of_int(i), Value::of_i64(i));
    }
    const double d = reals_[below(reals_.size())];
    put(pair, name, Plain::of_real(d), Value::of_f64(d));
  }

  void arrays(Pair& pair) {
    if (given()) {
      std::vector<std::string> elements;
      for (std::size_t i = below(4); i > 0; --i) elements.push_back(texts_[below(texts_.size())]);
      pair.record.set("tags", texts(elements));
      auto& plain = pair.plain.arrays["tags"];
      for (const std::string& element : elements) plain.push_back(Plain::of_text(element));
    }
    if (!given()) return;
    std::vector<std::int64_t> elements;
    for (std::size_t i = below(4); i > 0; --i) elements.push_back(ints_[below(ints_.size())]);
    pair.record.set("ns", integers(elements));
    auto& plain = pair.plain.arrays["ns"];
    for (const std::int64_t element : elements) plain.push_back(Plain::of_int(element));
  }

  Plain json_value() {
    switch (below(7)) {
      case 0:
        return Plain::of_bool(below(2) == 0);
      case 1:
        return Plain::of_int(ints_[below(ints_.size())]);
      case 2: {
        const double d = reals_[below(reals_.size())];
        return std::isfinite(d) ? Plain::of_real(d) : Plain();
      }
      case 3:
      case 4:
        return Plain::of_text(texts_[below(texts_.size())]);
      case 5:
        return Plain::other();
      default:
        return {};
    }
  }

  void document(Pair& pair) {
    const Plain x = json_value();
    const Plain s = json_value();
    std::string text = "{ \"x\": " + json_text(x) + ", \"s\":" + json_text(s);
    pair.plain.values["doc.x"] = x;
    pair.plain.values["doc.s"] = s;
    if (given()) {
      auto& list = pair.plain.arrays["doc.l"];
      std::string elements;
      const std::size_t count = below(4);
      for (std::size_t i = 0; i < count; ++i) {
        list.push_back(json_value());
        elements += (i == 0 ? "" : ",") + json_text(list.back());
        pair.plain.values["doc.l[" + std::to_string(i) + "]"] = list.back();
      }
      text += ", \"l\": [" + elements + "]";
    }
    pair.record.set("doc", Value::of_json(text + "}"));
  }

  std::mt19937_64& random_;
  const std::vector<std::int64_t> ints_ = {0, 1, 2, -1, 5, INT64_MAX, INT64_MIN, (1LL << 53) + 1,
                                           3};
  const std::vector<double> reals_ = {
      0.5, 1.0, 2.0, -1.5, 1e30, -1e30, 9007199254740992.0, 0x1p63, -0x1p63, NAN, INFINITY, -0.0};
  const std::vector<std::string> texts_ = {"",   "a",  "b", "ab",   "A",  "é",
                                           "aé", "x%", "_", "abab", "bab"};
};

Truth3 answer(const BoundFilter& bound, const Record& record) {
  const filter::Truth truth = bound.test(RowSource(record.row()));
  if (truth == filter::Truth::kUnknown) return {};
  return truth == filter::Truth::kTrue;
}

std::string shown(const Record& record) {
  std::string all;
  for (std::size_t i = 0; i < schema().size(); ++i)
    if (const Value value = record.row().value(i); !value.is_null())
      all += schema().field(i).name + ": " + describe_value(value) + "; ";
  return all;
}

TEST(Random, FiltersMeanWhatPlainFunctionsSay) {
  // Others with --gtest_random_seed.
  std::mt19937_64 random(20261121 + static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)));
  constexpr std::size_t kRecords = 60;
  std::vector<Pair> pairs;
  pairs.reserve(kRecords);
  Records records(random);
  for (std::size_t i = 0; i < kRecords; ++i) pairs.push_back(records.make());
  int answers[3] = {};
  for (int round = 0; round < 6000; ++round) {
    Maker maker(random);
    const MadeCondition made = maker.condition(static_cast<int>(random() % 4));
    const auto filter = Filter::prepare(made.text, schema());
    ASSERT_TRUE(filter) << made.text << "\n" << filter.error().message();
    const auto again = Filter::prepare(filter->text(), schema());
    ASSERT_TRUE(again) << filter->text() << "\n" << again.error().message();
    ASSERT_TRUE(filter::equal_trees(filter->root(), again->root())) << made.text << "\n"
                                                                    << filter->text() << "\n"
                                                                    << again->text();
    std::vector<Value> arguments;
    arguments.reserve(maker.arguments().size());
    for (const OwnedValue& argument : maker.arguments()) arguments.push_back(argument.view());
    const BoundFilter bound = must(filter->bind(arguments, kNow));
    for (std::size_t i = 0; i < 12; ++i) {
      const Pair& pair = pairs[random() % pairs.size()];
      const Truth3 expected = made.meaning(pair.plain);
      ASSERT_EQ(answer(bound, pair.record), expected) << made.text << "\n"
                                                      << filter->text() << "\n"
                                                      << shown(pair.record);
      ++answers[expected ? int{*expected} : 2];
    }
  }
  // Of each there is enough for the comparison to say something.
  for (const int count : answers) EXPECT_GT(count, 5000);
}

TEST(Random, TermsSelectWhatComparisonsDo) {
  std::vector<Value> values;
  for (const long long i : {LLONG_MIN, LLONG_MIN + 1, -(1LL << 53) - 1, -1LL, 0LL, 1LL, (1LL << 53),
                            (1LL << 53) + 1, LLONG_MAX - 1, LLONG_MAX})
    values.push_back(Value::of_i64(i));
  for (const double d :
       {-0x1p63, std::nextafter(-0x1p63, -INFINITY), -9007199254740994.0, -1.5, -0.5, -0.0, 0.5,
        1.0, 9007199254740992.0, 9007199254740994.0, 0x1p63, 1e30, static_cast<double>(NAN),
        static_cast<double>(INFINITY), static_cast<double>(-INFINITY)})
    values.push_back(Value::of_f64(d));
  values.push_back(Value::of_text("x"));
  values.push_back(Value::null());
  for (const Value& field : values) {
    if (field.is_null()) continue;
    for (const Value& constant : values) {
      for (int op = 0; op < 6; ++op) {
        const auto compare = static_cast<filter::CompareOp>(op);
        const filter::Term term = filter::term_for(field.type, compare, constant);
        bool found = term.what == filter::Term::What::kNotNull;
        if (term.what == filter::Term::What::kCompare) {
          ASSERT_EQ(term.value.type, field.type);
          found = filter::holds(term.op, filter::total_order(field, term.value));
        }
        EXPECT_EQ(found, filter::compare_values(compare, field, constant) == filter::Truth::kTrue)
            << describe_value(field) << filter::symbol(compare) << describe_value(constant);
      }
    }
  }
}

}  // namespace
}  // namespace quire::test
