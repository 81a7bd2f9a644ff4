#include "tests/filter/naive.h"

#include <cmath>
#include <cstdio>
#include <ctime>

namespace quire::test {
namespace {

using Kind = Plain::Kind;

// ---- what values mean, as simply as it can be said ----

int family(const Plain& value) {
  return value.kind == Kind::kReal ? int(Kind::kInt) : int(value.kind);
}

// Every i64 and every double is exact in a long double of 64 or more bits.
long double wide(const Plain& value) {
  return value.kind == Kind::kInt ? static_cast<long double>(value.i)
                                  : static_cast<long double>(value.d);
}

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

int order(const Plain& a, const Plain& b) {
  switch (a.kind) {
    case Kind::kBool:
      return three_way(a.b, b.b);
    case Kind::kText:
      return a.s.compare(b.s);
    case Kind::kTime:
      return three_way(a.i, b.i);
    default:
      break;
  }
  const bool nan_a = std::isnan(wide(a));
  const bool nan_b = std::isnan(wide(b));
  if (nan_a || nan_b) return three_way(!nan_a, !nan_b);
  return three_way(wide(a), wide(b));
}

Truth3 compare(const std::string& op, const Plain& a, const Plain& b) {
  if (a.is_null() || b.is_null()) return {};
  if (family(a) != family(b)) {
    if (op == "=") return false;
    if (op == "<>" || op == "!=") return true;
    return {};
  }
  if (a.kind == Kind::kOther) return {};
  const int o = order(a, b);
  if (op == "=") return o == 0;
  if (op == "<") return o < 0;
  if (op == "<=") return o <= 0;
  if (op == ">") return o > 0;
  if (op == ">=") return o >= 0;
  return o != 0;
}

Truth3 both(Truth3 a, Truth3 b) {
  if ((a && !*a) || (b && !*b)) return false;
  if (a && b) return true;
  return {};
}
Truth3 opposite(Truth3 a) {
  if (!a) return {};
  return !*a;
}
Truth3 either(Truth3 a, Truth3 b) { return opposite(both(opposite(a), opposite(b))); }

Plain of_wide(__int128_t number, bool time) {
  if (number < INT64_MIN || number > INT64_MAX) return {};
  const auto i = static_cast<std::int64_t>(number);
  return time ? Plain::of_time(i) : Plain::of_int(i);
}

Plain calculate(char op, const Plain& a, const Plain& b) {
  const bool ints = (a.kind == Kind::kInt || a.kind == Kind::kTime) &&
                    (b.kind == Kind::kInt || b.kind == Kind::kTime);
  if (ints) {
    const bool time = (a.kind == Kind::kTime) != (b.kind == Kind::kTime);
    const __int128_t x = a.i;
    const __int128_t y = b.i;
    if (op == '+') return of_wide(x + y, time);
    if (op == '-') return of_wide(x - y, time);
    if (op == '*') return of_wide(x * y, false);
    if (y == 0) return {};
    return of_wide(op == '/' ? x / y : x % y, false);
  }
  if (!a.is_number() || !b.is_number()) return {};
  const double x = a.kind == Kind::kInt ? static_cast<double>(a.i) : a.d;
  const double y = b.kind == Kind::kInt ? static_cast<double>(b.i) : b.d;
  if (op == '+') return Plain::of_real(x + y);
  if (op == '-') return Plain::of_real(x - y);
  if (op == '*') return Plain::of_real(x * y);
  if (y == 0) return {};
  return Plain::of_real(op == '/' ? x / y : std::fmod(x, y));
}

std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> all;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) == 0x80)
      all.back() += c;
    else
      all.emplace_back(1, c);
  }
  return all;
}

std::string cased(std::string text, bool lower) {
  for (char& c : text) {
    if (lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (!lower && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  }
  return text;
}

// "%" and "_" are wildcards, others stand for themselves.
bool like_matches(const std::vector<std::string>& text, std::size_t t,
                  const std::vector<std::string>& pattern, std::size_t p) {
  if (p == pattern.size()) return t == text.size();
  if (pattern[p] == "%") {
    for (std::size_t next = t; next <= text.size(); ++next)
      if (like_matches(text, next, pattern, p + 1)) return true;
    return false;
  }
  if (t == text.size()) return false;
  // What is escaped came with the mark before it.
  const bool equal = pattern[p] == "_" || pattern[p] == text[t] || pattern[p] == "!" + text[t];
  return equal && like_matches(text, t + 1, pattern, p + 1);
}

std::string in_quotes(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

Value value_of(const Plain& plain) {
  switch (plain.kind) {
    case Kind::kBool:
      return Value::of_bool(plain.b);
    case Kind::kInt:
      return Value::of_i64(plain.i);
    case Kind::kReal:
      return Value::of_f64(plain.d);
    case Kind::kText:
      return Value::of_text(plain.s);
    case Kind::kTime:
      return Value::of_timestamp(plain.i);
    default:
      return Value::null();
  }
}

constexpr const char* kTexts[] = {"", "a", "b", "ab", "A", "é", "aé", "x%", "_", "ba'b", "abab"};

}  // namespace

// ---- making ----

std::string Maker::word(std::string_view lower) {
  std::string word(lower);
  if (one_in(4)) word = cased(word, false);
  return one_in(8) ? "\n\t" + word + "  " : " " + word + " ";
}

std::string Maker::in_parentheses(std::string text) { return "(" + std::move(text) + ")"; }

Plain Maker::literal_value(Sort sort) {
  if (one_in(20)) return {};
  constexpr std::int64_t kInts[] = {0,         1, 2, -1, 5, INT64_MAX, INT64_MIN, (1LL << 53) + 1,
                                    1LL << 53, 3};
  constexpr double kReals[] = {0.5,    1.0,     2.0, -1.5, 1e30, -1e30, 9007199254740992.0,
                               0x1p63, -0x1p63, 1e-9};
  switch (sort) {
    case Sort::kBool:
      return Plain::of_bool(one_in(2));
    case Sort::kNumber:
      if (one_in(30)) return Plain::of_real(NAN);
      return one_in(2) ? Plain::of_int(kInts[below(std::size(kInts))])
                       : Plain::of_real(kReals[below(std::size(kReals))]);
    case Sort::kText:
      return Plain::of_text(kTexts[below(std::size(kTexts))]);
    case Sort::kTime:
      return Plain::of_time(kTimes[below(std::size(kTimes))]);
    case Sort::kJson:
      return literal_value(static_cast<Sort>(below(3)));
  }
  return {};
}

std::string Maker::literal_text(const Plain& value) {
  char digits[64];
  switch (value.kind) {
    case Kind::kBool:
      return value.b ? "true" : "false";
    case Kind::kInt:
      return std::to_string(value.i);
    case Kind::kReal:
      if (std::isnan(value.d)) return "f64 'NaN'";
      std::snprintf(digits, sizeof digits, "%.17e", value.d);
      return digits;
    case Kind::kText:
      return in_quotes(value.s);
    case Kind::kTime: {
      const std::int64_t second =
          value.i >= 0 ? value.i / 1'000'000 : (value.i - 999'999) / 1'000'000;
      const std::time_t seconds = second;
      std::tm parts{};
      gmtime_r(&seconds, &parts);
      (void)std::strftime(digits, sizeof digits, "%Y-%m-%dT%H:%M:%S", &parts);
      char whole[96];
      std::snprintf(whole, sizeof whole, "timestamp '%s.%06lldZ'", digits,
                    static_cast<long long>(value.i - second * 1'000'000));
      return whole;
    }
    default:
      return "null";
  }
}

MadeValue Maker::literal(Sort sort) {
  Plain value = literal_value(sort);
  std::string text = literal_text(value);
  if (one_in(3)) {
    arguments_.emplace_back(value_of(value));
    text = "$" + std::to_string(arguments_.size());
  }
  return {text, [value](const PlainRecord&) { return value; }};
}

MadeValue Maker::field(const std::string& name) {
  return {name, [name](const PlainRecord& record) {
            const auto found = record.values.find(name);
            return found == record.values.end() ? Plain() : found->second;
          }};
}

MadeValue Maker::number(int depth) {
  constexpr const char* kFields[] = {"n", "m", "f", "g", "doc.x", "doc.l[1]"};
  const std::size_t choice = below(depth > 0 ? 6 : 3);
  if (choice < 2) return field(kFields[below(std::size(kFields))]);
  if (choice == 2) return literal(Sort::kNumber);
  if (choice == 3) {
    const MadeValue inner = text(depth - 1);
    return {"length(" + inner.text + ")", [inner](const PlainRecord& record) {
              const Plain value = inner.meaning(record);
              if (value.kind != Kind::kText) return Plain();
              return Plain::of_int(static_cast<std::int64_t>(characters(value.s).size()));
            }};
  }
  if (choice == 4) {
    const MadeValue inner = number(depth - 1);
    return {"-" + in_parentheses(inner.text), [inner](const PlainRecord& record) {
              const Plain value = inner.meaning(record);
              if (value.kind == Kind::kReal) return Plain::of_real(-value.d);
              return calculate('-', Plain::of_int(0), value);
            }};
  }
  const char op = "+-*/%"[below(5)];
  const MadeValue left = number(depth - 1);
  const MadeValue right = number(depth - 1);
  return {in_parentheses(left.text) + " " + op + " " + in_parentheses(right.text),
          [=](const PlainRecord& record) {
            return calculate(op, left.meaning(record), right.meaning(record));
          }};
}

MadeValue Maker::text(int depth) {
  constexpr const char* kFields[] = {"t", "u", "doc.x", "doc.s"};
  const std::size_t choice = below(depth > 0 ? 4 : 3);
  if (choice < 2) return field(kFields[below(std::size(kFields))]);
  if (choice == 2) return literal(Sort::kText);
  const bool lower = one_in(2);
  const MadeValue inner = text(depth - 1);
  return {(lower ? "lower(" : "upper(") + inner.text + ")", [=](const PlainRecord& record) {
            const Plain value = inner.meaning(record);
            return value.kind == Kind::kText ? Plain::of_text(cased(value.s, lower)) : Plain();
          }};
}

MadeValue Maker::time(int depth) {
  const std::size_t choice = below(depth > 0 ? 4 : 3);
  if (choice < 2) return field(one_in(2) ? "w" : "w2");
  if (choice == 2) return literal(Sort::kTime);
  const MadeValue left = time(0);
  const bool add = one_in(2);
  const std::int64_t span = literal_value(Sort::kTime).i;
  return {in_parentheses(left.text) + (add ? " + " : " - ") + "interval '" + std::to_string(span) +
              " us'",
          [=](const PlainRecord& record) {
            const Plain value = left.meaning(record);
            if (value.is_null()) return Plain();
            return calculate(add ? '+' : '-', value, Plain::of_int(span));
          }};
}

Maker::Sort Maker::any_sort() { return static_cast<Sort>(below(5)); }

Maker::Sort Maker::beside(Sort sort) {
  return sort == Sort::kJson ? static_cast<Sort>(below(3)) : sort;
}

MadeValue Maker::value(Sort sort, int depth) {
  switch (sort) {
    case Sort::kBool: {
      if (one_in(2)) return field(one_in(2) ? "b" : "c");
      return literal(sort);
    }
    case Sort::kNumber:
      return number(depth);
    case Sort::kText:
      return text(depth);
    case Sort::kTime:
      return time(depth);
    case Sort::kJson: {
      constexpr const char* kPaths[] = {"doc.x", "doc.s", "doc.l[0]", "doc.l[1]", "doc.none"};
      return field(kPaths[below(std::size(kPaths))]);
    }
  }
  return {};
}

MadeCondition Maker::comparison(int depth) {
  const Sort sort = any_sort();
  constexpr const char* kOps[] = {"=", "<>", "!=", "<", "<=", ">", ">="};
  const std::string op = kOps[below(std::size(kOps))];
  const MadeValue left = value(sort, depth);
  const MadeValue right = value(beside(sort), depth);
  return {left.text + " " + op + " " + right.text, [=](const PlainRecord& record) {
            return compare(op, left.meaning(record), right.meaning(record));
          }};
}

MadeCondition Maker::between(int depth) {
  const Sort sort = any_sort();
  const MadeValue middle = value(sort, depth);
  const MadeValue low = value(beside(sort), depth);
  const MadeValue high = value(beside(sort), depth);
  const bool no = one_in(3);
  return {
      middle.text + (no ? word("not") : "") + word("between") + low.text + word("and") + high.text,
      [=](const PlainRecord& record) {
        const Plain value = middle.meaning(record);
        const Truth3 is = both(compare(">=", value, low.meaning(record)),
                               compare("<=", value, high.meaning(record)));
        return no ? opposite(is) : is;
      }};
}

MadeCondition Maker::member(int depth) {
  const Sort sort = any_sort();
  const MadeValue left = value(sort, depth);
  std::vector<MadeValue> items;
  std::string list;
  const std::size_t count = 1 + below(one_in(5) ? 20 : 3);
  for (std::size_t i = 0; i < count; ++i) {
    items.push_back(one_in(4) ? value(beside(sort), 0) : literal(beside(sort)));
    list += (i == 0 ? "" : ",") + items.back().text;
  }
  const bool no = one_in(3);
  return {left.text + (no ? word("not") : "") + word("in") + in_parentheses(list),
          [=](const PlainRecord& record) {
            Truth3 is = false;
            for (const MadeValue& item : items)
              is = either(is, compare("=", left.meaning(record), item.meaning(record)));
            return no ? opposite(is) : is;
          }};
}

MadeCondition Maker::like() {
  const MadeValue left = text(1);
  const bool fold = one_in(3);
  const bool escape = one_in(3);
  std::vector<std::string> pattern;
  std::string written;
  constexpr const char* kParts[] = {"%", "_", "a", "b", "A", "é", "ab", "%"};
  for (std::size_t i = below(5); i > 0; --i) {
    if (escape && one_in(3)) {
      const std::string one = one_in(2) ? "%" : "_";
      pattern.push_back("!" + one);
      written += "!" + one;
      continue;
    }
    const std::string part = kParts[below(std::size(kParts))];
    for (const std::string& one : characters(part)) pattern.push_back(one);
    written += part;
  }
  if (fold)
    for (std::string& one : pattern) one = cased(one, true);
  return {left.text + word(fold ? "ilike" : "like") + in_quotes(written) +
              (escape ? word("escape") + "'!'" : ""),
          [=](const PlainRecord& record) -> Truth3 {
            const Plain value = left.meaning(record);
            if (value.kind != Kind::kText) return {};
            return like_matches(characters(fold ? cased(value.s, true) : value.s), 0, pattern, 0);
          }};
}

MadeCondition Maker::matches() {
  const MadeValue left = text(1);
  const std::string part = one_in(2) ? "a" : "é";
  const std::size_t anchor = below(3);
  const std::string pattern = (anchor == 0 ? "^" : "") + part + (anchor == 1 ? "$" : "");
  return {left.text + word("matches") + in_quotes(pattern),
          [=](const PlainRecord& record) -> Truth3 {
            const Plain value = left.meaning(record);
            if (value.kind != Kind::kText) return {};
            if (anchor == 0) return value.s.starts_with(part);
            if (anchor == 1) return value.s.ends_with(part);
            return value.s.find(part) != std::string::npos;
          }};
}

MadeCondition Maker::null_test(int depth) {
  const bool no = one_in(2);
  const std::string tail = word("is") + (no ? word("not") : "") + word("null");
  if (one_in(3)) {
    // Not any condition: a path alone would be asked whether it is null, not whether it is no bool.
    const MadeCondition inner = one_in(2) ? comparison(depth - 1) : joined(depth - 1);
    return {in_parentheses(inner.text) + tail, [=](const PlainRecord& record) -> Truth3 {
              return inner.meaning(record).has_value() == no;
            }};
  }
  const MadeValue inner = value(any_sort(), depth);
  return {in_parentheses(inner.text) + tail, [=](const PlainRecord& record) -> Truth3 {
            return inner.meaning(record).is_null() != no;
          }};
}

MadeCondition Maker::has() {
  constexpr const char* kArrays[] = {"tags", "ns", "doc.l"};
  const std::string array = kArrays[below(3)];
  const Sort sort = array == "tags" ? Sort::kText : array == "ns" ? Sort::kNumber : Sort::kJson;
  const bool every = one_in(2);
  std::vector<MadeValue> items;
  std::string list;
  for (std::size_t i = 1 + below(3); i > 0; --i) {
    items.push_back(one_in(4) ? value(beside(sort), 0) : literal(sort));
    list += items.back().text + (i == 1 ? "" : ", ");
  }
  const bool single = items.size() == 1 && one_in(2);
  return {array + word("has") +
              (single ? in_parentheses(list) : word(every ? "all" : "any") + in_parentheses(list)),
          [=](const PlainRecord& record) -> Truth3 {
            const auto found = record.arrays.find(array);
            if (found == record.arrays.end()) return {};
            Truth3 any = false;
            Truth3 all = true;
            for (const MadeValue& item : items) {
              const Plain wanted = item.meaning(record);
              Truth3 in = false;
              if (wanted.is_null()) in = {};
              for (const Plain& element : found->second)
                if (compare("=", element, wanted) == Truth3(true)) in = true;
              any = either(any, in);
              all = both(all, in);
            }
            return every ? all : any;
          }};
}

MadeCondition Maker::joined(int depth) {
  if (one_in(4)) {
    const MadeCondition inner = condition(depth - 1);
    return {word("not") + in_parentheses(inner.text),
            [=](const PlainRecord& record) { return opposite(inner.meaning(record)); }};
  }
  const bool conjunction = one_in(2);
  std::vector<MadeCondition> parts;
  std::string text;
  for (std::size_t i = 2 + below(2); i > 0; --i) {
    parts.push_back(condition(depth - 1));
    if (!text.empty()) text += word(conjunction ? "and" : "or");
    text += in_parentheses(parts.back().text);
  }
  return {text, [=](const PlainRecord& record) {
            Truth3 all = conjunction;
            for (const MadeCondition& part : parts)
              all =
                  conjunction ? both(all, part.meaning(record)) : either(all, part.meaning(record));
            return all;
          }};
}

MadeCondition Maker::condition(int depth) {
  if (depth > 0 && one_in(2)) return joined(depth);
  switch (below(9)) {
    case 0:
    case 1:
      return comparison(depth);
    case 2:
      return between(depth);
    case 3:
      return member(depth);
    case 4:
      return like();
    case 5:
      return matches();
    case 6:
      return depth > 0 ? null_test(depth) : comparison(0);
    case 7:
      return has();
    default: {
      const MadeValue inner = value(one_in(3) ? Sort::kJson : Sort::kBool, 0);
      return {inner.text, [inner](const PlainRecord& record) -> Truth3 {
                const Plain value = inner.meaning(record);
                if (value.kind != Kind::kBool) return {};
                return value.b;
              }};
    }
  }
}

}  // namespace quire::test
