// Points in time, spans of time and the odd numbers, as a filter writes them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/base/result.h"
#include "engine/record/value.h"

namespace quire::filter {

// '2026-11-20', '2026-11-20T10:00', '2026-11-20 10:00:00.25+01:00': in UTC where no offset is
// given; digits behind the microseconds are dropped. Years over 9999 and under 0 have a sign and
// four to six digits. kInvalid, saying what was expected.
Result<Value> read_timestamp(std::string_view text);
// '2026-11-20': the beginning of that day in UTC.
Result<Value> read_date(std::string_view text);
// '3 days', '-1 hour 30 min': i64 microseconds. A day has 24 hours, a week seven days; the sign
// holds for its number alone.
Result<Value> read_interval(std::string_view text);
// 'nan', 'infinity', '-infinity'.
Result<Value> read_special_f64(std::string_view text);

// What read_timestamp reads as the same time: "2026-11-20T10:00:00Z", with a fraction where there
// is one.
std::string timestamp_text(std::int64_t microseconds);

}  // namespace quire::filter
