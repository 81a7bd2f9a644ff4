#include "tools/half.h"

#include <gtest/gtest.h>

namespace quire::tools {
namespace {

TEST(Half, EveryNumberSurvivesTheWayThere) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float number = float_of_half(half);
    if (std::isnan(number)) continue;
    ASSERT_EQ(half_of_float(number), half) << number;
  }
}

TEST(Half, KnownNumbers) {
  EXPECT_EQ(float_of_half(0x3C00), 1.0f);
  EXPECT_EQ(float_of_half(0xC000), -2.0f);
  EXPECT_EQ(float_of_half(0x7BFF), 65504.0f);
  EXPECT_EQ(float_of_half(0x0001), 0x1p-24f);
  EXPECT_EQ(half_of_float(0.1f), 0x2E66);
}

TEST(Half, RoundsToTheNearestAndTiesToEven) {
  EXPECT_EQ(half_of_float(1.0f + 0x1p-11f), 0x3C00);
  EXPECT_EQ(half_of_float(1.0f + 0x3p-11f), 0x3C02);
  EXPECT_EQ(half_of_float(1.0f + 0x1.1p-11f), 0x3C01);
  EXPECT_EQ(half_of_float(2.0f - 0x1p-12f), 0x4000);  // carries into the exponent
  EXPECT_EQ(half_of_float(0x1p-25f), 0x0000);
  EXPECT_EQ(half_of_float(0x1.8p-25f), 0x0001);
  EXPECT_EQ(half_of_float(0x1.ff8p-15f), 0x03FF);
  EXPECT_EQ(half_of_float(0x1.ffcp-15f), 0x0400);
  EXPECT_EQ(half_of_float(65519.0f), 0x7BFF);
  EXPECT_EQ(half_of_float(65520.0f), 0x7C00);
  EXPECT_EQ(half_of_float(-1e30f), 0xFC00);
}

}  // namespace
}  // namespace quire::tools
