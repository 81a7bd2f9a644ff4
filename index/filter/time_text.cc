#include "index/filter/time_text.h"

#include <array>
#include <cstdio>
#include <limits>
#include <optional>

#include "index/filter/ascii.h"

namespace quire::filter {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// Days from 1970-01-01 to the first day of a month, in the calendar of Gregory extended both ways.
// Years are counted from March, so that the odd day is their last; 400 of them have 146097 days.
std::int64_t days_before_month(std::int64_t year, unsigned month) noexcept {
  const std::int64_t y = month > 2 ? year : year - 1;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t months = month > 2 ? month - 3 : month + 9;
  // Months from March have 31, 30, 31, 30, 31 days, and again: 153 in five.
  const std::int64_t day_of_year = (153 * months + 2) / 5;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;  // days from 0000-03-01 to 1970-01-01
}

unsigned days_of_month(std::int64_t year, unsigned month) noexcept {
  const bool december = month == 12;
  return static_cast<unsigned>(
      days_before_month(december ? year + 1 : year, december ? 1 : month + 1) -
      days_before_month(year, month));
}

// Takes digits and signs from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : rest_(text) {}

  bool empty() const noexcept { return rest_.empty(); }
  char peek() const noexcept { return rest_.empty() ? '\0' : rest_[0]; }
  bool skip(char c) noexcept {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_spaces() noexcept {
    while (!rest_.empty() && is_space(rest_[0])) rest_.remove_prefix(1);
  }
  // A number of so many digits; as many as there are, up to the most.
  std::optional<std::int64_t> digits(std::size_t least, std::size_t most) noexcept {
    std::int64_t number = 0;
    std::size_t count = 0;
    for (; count < most && count < rest_.size() && is_digit(rest_[count]); ++count)
      number = number * 10 + (rest_[count] - '0');
    if (count < least) return {};
    rest_.remove_prefix(count);
    return number;
  }
  std::string_view word() noexcept {
    std::size_t size = 0;
    while (size < rest_.size() && is_letter(rest_[size])) ++size;
    const std::string_view word = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return word;
  }

 private:
  std::string_view rest_;
};

std::unexpected<Error> expected(const char* what) { return fail(ErrorCode::kInvalid, "%s", what); }

// Days since 1970.
Result<std::int64_t> scan_date(Scanner& in) {
  constexpr const char* kWhat = "expected a date such as 2026-11-20";
  const bool minus = in.skip('-');
  const bool sign = minus || in.skip('+');
  const auto year = in.digits(4, sign ? 6 : 4);
  if (!year || !in.skip('-')) return expected(kWhat);
  const auto month = in.digits(2, 2);
  if (!month || !in.skip('-')) return expected(kWhat);
  const auto day = in.digits(2, 2);
  if (!day) return expected(kWhat);
  if (*month < 1 || *month > 12) return expected("the month of the date does not exist");
  const std::int64_t signed_year = minus ? -*year : *year;
  const auto m = static_cast<unsigned>(*month);
  if (*day < 1 || *day > days_of_month(signed_year, m))
    return expected("the day of the date does not exist");
  return days_before_month(signed_year, m) + *day - 1;
}

Result<std::int64_t> scan_fraction(Scanner& in) {
  std::int64_t fraction = 0;
  std::int64_t unit = kSecond;
  if (!is_digit(in.peek())) return expected("expected digits after the point of the seconds");
  while (const auto digit = in.digits(1, 1)) {
    unit /= 10;
    fraction += *digit * unit;
  }
  return fraction;
}

Result<std::int64_t> scan_clock(Scanner& in) {
  constexpr const char* kWhat = "expected a time such as 10:00:00 after the date";
  const auto hour = in.digits(2, 2);
  if (!hour || !in.skip(':')) return expected(kWhat);
  const auto minute = in.digits(2, 2);
  if (!minute) return expected(kWhat);
  std::int64_t second = 0;
  std::int64_t fraction = 0;
  if (in.skip(':')) {
    const auto given = in.digits(2, 2);
    if (!given) return expected(kWhat);
    second = *given;
    if (in.skip('.')) {
      QUIRE_TRY(fraction, scan_fraction(in));
    }
  }
  if (*hour > 23 || *minute > 59 || second > 59)
    return expected("the time of the day does not exist");
  return *hour * kHour + *minute * kMinute + second * kSecond + fraction;
}

// What the clock there is ahead of UTC.
Result<std::int64_t> scan_offset(Scanner& in) {
  if (in.empty() || in.skip('Z') || in.skip('z')) return 0;
  const bool minus = in.skip('-');
  if (!minus && !in.skip('+')) return expected("expected Z or an offset such as +01:00 at the end");
  const auto hours = in.digits(2, 2);
  const bool colon = in.skip(':');
  const auto minutes = in.empty() && !colon ? 0 : in.digits(2, 2);
  if (!hours || !minutes) return expected("expected an offset such as +01:00");
  if (*hours > 23 || *minutes > 59) return expected("the offset from UTC does not exist");
  const std::int64_t offset = *hours * kHour + *minutes * kMinute;
  return minus ? -offset : offset;
}

struct Unit {
  std::string_view name;
  std::int64_t microseconds;
};
constexpr Unit kUnits[] = {{"microsecond", 1},  {"us", 1},           {"millisecond", 1000},
                           {"ms", 1000},        {"second", kSecond}, {"s", kSecond},
                           {"minute", kMinute}, {"min", kMinute},    {"hour", kHour},
                           {"h", kHour},        {"day", kDay},       {"d", kDay},
                           {"week", 7 * kDay},  {"w", 7 * kDay}};

std::optional<std::int64_t> unit_of(std::string_view word) {
  std::string lower = lower_text(word);
  for (const Unit& unit : kUnits) {
    if (lower == unit.name || (unit.name.size() > 2 && lower == std::string(unit.name) + "s"))
      return unit.microseconds;
  }
  return {};
}

}  // namespace

Result<Value> read_timestamp(std::string_view text) {
  Scanner in(text);
  QUIRE_TRY(const std::int64_t days, scan_date(in));
  std::int64_t rest = 0;
  if (!in.empty()) {
    if (!in.skip('T') && !in.skip('t') && !in.skip(' '))
      return expected("expected a date such as 2026-11-20, and 'T' and a time after it");
    QUIRE_TRY(const std::int64_t clock, scan_clock(in));
    QUIRE_TRY(const std::int64_t offset, scan_offset(in));
    if (!in.empty()) return expected("there is something behind the time");
    rest = clock - offset;
  }
  // One day nearer to 1970 first: the ends of the range are in the middle of a day.
  const std::int64_t nearer = days > 0 ? 1 : days < 0 ? -1 : 0;
  std::int64_t time = 0;
  if (__builtin_mul_overflow(days - nearer, kDay, &time) ||
      __builtin_add_overflow(time, nearer * kDay + rest, &time))
    return expected("the time is out of the range of a timestamp");
  return Value::of_timestamp(time);
}

Result<Value> read_date(std::string_view text) {
  Scanner in(text);
  QUIRE_CHECK(scan_date(in));
  if (!in.empty()) return expected("there is something behind the date");
  return read_timestamp(text);
}

Result<Value> read_interval(std::string_view text) {
  Scanner in(text);
  std::int64_t sum = 0;
  in.skip_spaces();
  do {
    const bool minus = in.skip('-');
    const auto number = in.digits(1, 18);
    in.skip_spaces();
    if (!number || is_digit(in.peek()))
      return expected("expected an interval such as '3 days' or '1 hour 30 minutes'");
    const auto unit = unit_of(in.word());
    if (!unit)
      return expected(
          "expected a unit: weeks, days, hours, minutes, seconds, milliseconds or microseconds");
    std::int64_t part = 0;
    if (__builtin_mul_overflow(minus ? -*number : *number, *unit, &part) ||
        __builtin_add_overflow(sum, part, &sum))
      return expected("the interval is too long");
    in.skip_spaces();
  } while (!in.empty());
  return Value::of_i64(sum);
}

Result<Value> read_special_f64(std::string_view text) {
  const std::string lower = lower_text(text);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (lower == "nan") return Value::of_f64(std::numeric_limits<double>::quiet_NaN());
  if (lower == "infinity") return Value::of_f64(kInfinity);
  if (lower == "-infinity") return Value::of_f64(-kInfinity);
  return expected("expected 'nan', 'infinity' or '-infinity' after f64");
}

std::string timestamp_text(std::int64_t microseconds) {
  std::int64_t day = microseconds / kDay;
  std::int64_t rest = microseconds % kDay;
  if (rest < 0) {
    rest += kDay;
    --day;
  }
  // 400 years have 146097 days: a guess that is at most a year off.
  std::int64_t year = 1970 + day * 400 / 146097;
  while (days_before_month(year, 1) > day) --year;
  while (days_before_month(year + 1, 1) <= day) ++year;
  unsigned month = 12;
  while (days_before_month(year, month) > day) --month;
  const long long day_of_month = day - days_before_month(year, month) + 1;
  const long long second = rest / kSecond;
  const bool plain = year >= 0 && year <= 9999;
  std::array<char, 48> text;
  const int size = std::snprintf(text.data(), text.size(),
                                 plain ? "%04lld-%02u-%02lldT%02lld:%02lld:%02lld"
                                       : "%+05lld-%02u-%02lldT%02lld:%02lld:%02lld",
                                 static_cast<long long>(year), month, day_of_month, second / 3600,
                                 second / 60 % 60, second % 60);
  std::string whole(text.data(), static_cast<std::size_t>(size));
  if (rest % kSecond != 0) {
    const std::string digits = std::to_string(kSecond + rest % kSecond);
    whole += "." + digits.substr(1);
    while (whole.back() == '0') whole.pop_back();
  }
  return whole + "Z";
}

}  // namespace quire::filter
