// Filters made at random, each twice: as a text, and as functions over a plain record that know
// nothing of the library. What the two say of a record has to be the same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/record/owned_value.h"

namespace quire::test {

// Any value: of a field, of something in JSON, of a calculation.
struct Plain {
  enum class Kind { kNull, kBool, kInt, kReal, kText, kTime, kOther };
  Kind kind = Kind::kNull;
  bool b = false;
  std::int64_t i = 0;
  double d = 0;
  std::string s;

  static Plain of_bool(bool b) { return {.kind = Kind::kBool, .b = b}; }
  static Plain of_int(std::int64_t i) { return {.kind = Kind::kInt, .i = i}; }
  static Plain of_real(double d) { return {.kind = Kind::kReal, .d = d}; }
  static Plain of_text(std::string s) { return {.kind = Kind::kText, .s = std::move(s)}; }
  static Plain of_time(std::int64_t i) { return {.kind = Kind::kTime, .i = i}; }
  static Plain other() { return {.kind = Kind::kOther}; }
  bool is_null() const { return kind == Kind::kNull; }
  bool is_number() const { return kind == Kind::kInt || kind == Kind::kReal; }
};

struct PlainRecord {
  std::map<std::string, Plain> values;               // of fields, and of paths such as doc.x
  std::map<std::string, std::vector<Plain>> arrays;  // a field that is not here is null
};

using Truth3 = std::optional<bool>;

template <class T>
struct Made {
  std::string text;
  std::function<T(const PlainRecord&)> meaning;
};
using MadeValue = Made<Plain>;
using MadeCondition = Made<Truth3>;

// Makes one filter; its parameters come with it.
class Maker {
 public:
  explicit Maker(std::mt19937_64& random) : random_(random) {}
  MadeCondition condition(int depth);
  const std::vector<OwnedValue>& arguments() const { return arguments_; }

  static constexpr std::int64_t kTimes[] = {0, 1'000'000, -1, 1'795'000'000'000'000};

 private:
  enum class Sort { kBool, kNumber, kText, kTime, kJson };

  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool one_in(std::size_t n) { return below(n) == 0; }
  std::string word(std::string_view lower);
  std::string in_parentheses(std::string text);

  Plain literal_value(Sort sort);
  std::string literal_text(const Plain& value);
  MadeValue literal(Sort sort);
  MadeValue field(const std::string& name);
  MadeValue value(Sort sort, int depth);
  MadeValue number(int depth);
  MadeValue text(int depth);
  MadeValue time(int depth);
  Sort any_sort();
  // Of a sort that may be compared with it.
  Sort beside(Sort sort);

  MadeCondition comparison(int depth);
  MadeCondition between(int depth);
  MadeCondition member(int depth);
  MadeCondition like();
  MadeCondition matches();
  MadeCondition null_test(int depth);
  MadeCondition has();
  MadeCondition joined(int depth);

  std::mt19937_64& random_;
  std::vector<OwnedValue> arguments_;
};

}  // namespace quire::test
