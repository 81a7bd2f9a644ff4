// Points in time as texts.
#include "index/filter/time_text.h"

#include <random>

#include "tests/filter/filter_world.h"

namespace quire::filter {
namespace {

std::int64_t read(std::string_view text) { return test::must(read_timestamp(text)).i64; }

TEST(Time, IsReadInUtcOrWithAnOffset) {
  EXPECT_EQ(read("1970-01-01"), 0);
  EXPECT_EQ(read("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(read("1970-01-01 00:00:01"), 1'000'000);
  EXPECT_EQ(read("1970-01-01t00:01z"), 60'000'000);
  EXPECT_EQ(read("1970-01-01T01:00:00+01:00"), 0);
  EXPECT_EQ(read("1969-12-31T18:30:00-0530"), 0);
  EXPECT_EQ(read("1970-01-01T14:00+14"), 0);
  EXPECT_EQ(read("1970-01-01T00:00:00.5"), 500'000);
  EXPECT_EQ(read("1970-01-01T00:00:00.000001Z"), 1);
  EXPECT_EQ(read("1970-01-01T00:00:00.1234567899Z"), 123'456);
  EXPECT_EQ(read("2000-02-29"), 951'782'400'000'000);
  EXPECT_EQ(read("2026-11-20T10:00:00Z"), 1'795'168'800'000'000);
  EXPECT_EQ(read("1969-12-31T23:59:59.999999Z"), -1);
  EXPECT_EQ(read("0000-01-01"), -62'167'219'200'000'000);
  EXPECT_EQ(read("+10000-01-01"), 253'402'300'800'000'000);
  EXPECT_EQ(read("-0001-12-31"), read("0000-01-01") - 86'400'000'000);
  EXPECT_FALSE(read_timestamp("1900-02-29"));
  EXPECT_FALSE(read_timestamp("10000-01-01"));
  EXPECT_FALSE(read_timestamp("2026-1-01"));
  EXPECT_FALSE(read_timestamp("2026-01-01T"));
  EXPECT_FALSE(read_timestamp("2026-01-01T10:00+"));
  EXPECT_FALSE(read_timestamp("2026-01-01T10:00+01:"));
  EXPECT_FALSE(read_timestamp("2026-01-00"));
  EXPECT_FALSE(read_timestamp("2026-04-31"));
  EXPECT_FALSE(read_timestamp(""));
}

TEST(Time, IsWrittenAsItIsRead) {
  EXPECT_EQ(timestamp_text(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(timestamp_text(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(timestamp_text(1'500'000), "1970-01-01T00:00:01.5Z");
  EXPECT_EQ(timestamp_text(INT64_MAX), "+294247-01-10T04:00:54.775807Z");
  EXPECT_EQ(timestamp_text(INT64_MIN), "-290308-12-21T19:59:05.224192Z");
  EXPECT_EQ(read(timestamp_text(INT64_MAX)), INT64_MAX);
  EXPECT_EQ(read(timestamp_text(INT64_MIN)), INT64_MIN);
  EXPECT_FALSE(read_timestamp("+294247-01-10T04:00:54.775808Z"));
  EXPECT_FALSE(read_timestamp("-290308-12-21T19:59:05.224191Z"));
  std::mt19937_64 random(7);
  for (int round = 0; round < 20000; ++round) {
    const auto time = static_cast<std::int64_t>(random()) >> (random() % 40);
    EXPECT_EQ(read(timestamp_text(time)), time) << timestamp_text(time);
  }
  // Every day of some years of each kind.
  for (const std::int64_t first : {-25'567L, 10'000L, 47'000L})
    for (std::int64_t day = first; day < first + 1500; ++day)
      EXPECT_EQ(read(timestamp_text(day * 86'400'000'000)), day * 86'400'000'000);
}

TEST(Time, HasSpans) {
  const auto span = [](std::string_view text) { return test::must(read_interval(text)).i64; };
  constexpr std::int64_t kHour = 3'600'000'000;
  EXPECT_EQ(span("3 days"), 72 * kHour);
  EXPECT_EQ(span("1 day"), 24 * kHour);
  EXPECT_EQ(span("2 weeks"), 336 * kHour);
  EXPECT_EQ(span("1h 30min"), kHour + kHour / 2);
  EXPECT_EQ(span(" -1 HOUR 30 minutes "), -kHour / 2);
  EXPECT_EQ(span("1 s 2 ms 3 us"), 1'002'003);
  EXPECT_EQ(span("5 milliseconds 5 microseconds 1 second"), 1'005'005);
  EXPECT_FALSE(read_interval(""));
  EXPECT_FALSE(read_interval("1 month"));
  EXPECT_FALSE(read_interval("1.5 hours"));
  EXPECT_FALSE(read_interval("9223372036855 s"));
  EXPECT_FALSE(read_interval("9223372036854 s 9223372036854 s"));
}

}  // namespace
}  // namespace quire::filter
