#include "tools/text_codec.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace quire::tools {
namespace {

TEST(Utf8, AcceptsAllLengthsAndRefusesWhatRfc3629Refuses) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"));
  EXPECT_TRUE(is_valid_utf8("\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF"));
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "a\xE2\x82", "\xE2\x28\xA1"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << to_hex(bad);
  }
}

TEST(Hex, RoundTrips) {
  const std::string bytes("\x00\x01\xFEz\xFF", 5);
  EXPECT_EQ(to_hex(bytes), "0001fe7aff");
  EXPECT_EQ(from_hex("0001FE7aff"), bytes);
  EXPECT_EQ(from_hex(""), "");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kVectors) {
    EXPECT_EQ(to_base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, RefusesWhatNoEncoderWrites) {
  for (const char* bad :
       {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v Zg==", "Zm-_"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

TEST(Numbers, RoundTripForRandomBits) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    const auto back = parse_f64(format_f64(number));
    ASSERT_TRUE(back) << format_f64(number);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(*back), std::bit_cast<std::uint64_t>(number));
    const auto narrow = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(narrow)) continue;
    const auto narrow_back = parse_f32(format_f32(narrow));
    ASSERT_TRUE(narrow_back) << format_f32(narrow);
    ASSERT_EQ(std::bit_cast<std::uint32_t>(*narrow_back), std::bit_cast<std::uint32_t>(narrow));
  }
}

TEST(Numbers, DoublesLookLikeDoubles) {
  EXPECT_EQ(format_f64(1), "1.0");
  EXPECT_EQ(format_f64(-0.0), "-0.0");
  EXPECT_EQ(format_f64(0.1), "0.1");
  EXPECT_EQ(format_f64(std::nan("")), "NaN");
  EXPECT_EQ(format_f64(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(format_f32(1), "1");
  EXPECT_EQ(format_f32(-0.0f), "-0.0");
  EXPECT_EQ(format_f32(0.1f), "0.1");
}

TEST(Numbers, OutOfRangeIsNothing) {
  EXPECT_EQ(parse_i64("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parse_i64("-9223372036854775808"), INT64_MIN);
  EXPECT_FALSE(parse_i64("9223372036854775808"));
  EXPECT_FALSE(parse_i64(""));
  EXPECT_FALSE(parse_i64("1 "));
  EXPECT_FALSE(parse_f64("1e999"));
  EXPECT_FALSE(parse_f64("nan"));
  EXPECT_FALSE(parse_f64("inf"));
  EXPECT_FALSE(parse_f32("1e39"));
  EXPECT_FALSE(parse_f32("nan"));
  EXPECT_FALSE(parse_f32("inf"));
  EXPECT_EQ(parse_f32("1e-60"), 0.0f);
}

TEST(Numbers, FormIsThatOfJson) {
  for (const char* integer : {"0", "-0", "12", "-7", "123456789012345678901234567890"}) {
    EXPECT_EQ(number_form(integer), NumberForm::kInteger) << integer;
  }
  for (const char* number : {"0.5", "-1.25", "1e5", "1E-5", "2.5e+10"}) {
    EXPECT_EQ(number_form(number), NumberForm::kFloat) << number;
  }
  for (const char* none :
       {"", "-", "007", "-01", "+1", ".5", "1.", "1e", "1e+", "1-2", "0x10", "NaN"}) {
    EXPECT_EQ(number_form(none), NumberForm::kNone) << none;
  }
}

TEST(Timestamps, FormatsAsIso8601) {
  EXPECT_EQ(format_timestamp(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_timestamp(1'714'564'800'500'000), "2024-05-01T12:00:00.5Z");
  EXPECT_EQ(format_timestamp(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_timestamp(INT64_MAX), std::to_string(INT64_MAX));
  EXPECT_EQ(format_timestamp(INT64_MIN), std::to_string(INT64_MIN));
}

TEST(Timestamps, ReadsDatesTimesZonesAndIntegers) {
  EXPECT_EQ(parse_timestamp("2024-05-01T12:00:00.5Z"), 1'714'564'800'500'000);
  EXPECT_EQ(parse_timestamp("2024-05-01 14:00+02:00"), 1'714'564'800'000'000);
  EXPECT_EQ(parse_timestamp("2024-05-01T14:00:00+0200"), 1'714'564'800'000'000);
  EXPECT_EQ(parse_timestamp("1970-01-02"), 86'400'000'000);
  EXPECT_EQ(parse_timestamp("-17"), -17);
  for (const char* bad :
       {"", "2024-05", "2024-13-01", "2023-02-29", "2024-05-01T", "2024-05-01T25:00",
        "2024-05-01T12:00:00.", "2024-05-01T12:00:00.1234567Z", "2024-05-01T12:00:00X",
        "2024-05-01T12:00:00+2", "2024-05-01x"}) {
    EXPECT_FALSE(parse_timestamp(bad)) << bad;
  }
}

TEST(Timestamps, RoundTripForRandomTimes) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto micros = static_cast<std::int64_t>(random());
    ASSERT_EQ(parse_timestamp(format_timestamp(micros)), micros);
    const std::int64_t near = micros % 250'000'000'000'000'000;
    ASSERT_EQ(parse_timestamp(format_timestamp(near)), near) << format_timestamp(near);
  }
}

}  // namespace
}  // namespace quire::tools
