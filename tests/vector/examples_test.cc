// Queries that are made of examples, over every type of vector.
#include "index/vector/examples.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <limits>

namespace quire {
namespace {

template <class T>
std::vector<T> liked(ElementType type, Metric metric, const std::vector<std::vector<T>>& like,
                     const std::vector<std::vector<T>>& unlike, std::uint32_t dimension) {
  const auto examples_of = [](const std::vector<std::vector<T>>& vectors) {
    std::vector<Example> examples;
    for (const auto& each : vectors)
      examples.push_back({0, static_cast<const std::byte*>(static_cast<const void*>(each.data()))});
    return examples;
  };
  const ByteVector made =
      query_like(type, dimension, metric, examples_of(like), examples_of(unlike));
  std::vector<T> result(made.size() / sizeof(T));
  std::memcpy(result.data(), made.data(), made.size());
  return result;
}

using Floats = std::vector<float>;
using Bytes8 = std::vector<std::int8_t>;
using Bits = std::vector<std::uint8_t>;
using Halves = std::vector<_Float16>;

TEST(QueryLike, MeansOfFloats) {
  const auto of = [](const std::vector<Floats>& like, const std::vector<Floats>& unlike) {
    return liked(ElementType::kF32, Metric::kL2, like, unlike, 2);
  };
  EXPECT_EQ(of({{1, 2}}, {}), (Floats{1, 2}));
  EXPECT_EQ(of({{1, 2}, {3, 6}}, {}), (Floats{2, 4}));
  EXPECT_EQ(of({{1, 2}, {3, 6}}, {{1, 1}}), (Floats{3, 7}));
  EXPECT_EQ(of({{1, 2}}, {{1, 1}, {3, 5}}), (Floats{0, 1}));
  constexpr float kMost = std::numeric_limits<float>::max();
  EXPECT_EQ(of({{kMost, -kMost}}, {{-kMost, kMost}}), (Floats{kMost, -kMost}));
}

TEST(QueryLike, DirectionsForCosine) {
  const auto of = [](const std::vector<Floats>& like, const std::vector<Floats>& unlike) {
    return liked(ElementType::kF32, Metric::kCosine, like, unlike, 2);
  };
  EXPECT_EQ(of({{100, 0}, {0, 0.5}}, {}), (Floats{0.5, 0.5}));
  EXPECT_EQ(of({{0, 0}, {0, 2}}, {}), (Floats{0, 0.5}));
  EXPECT_EQ(of({{4, 0}}, {{0, 8}}), (Floats{2, -1}));
}

TEST(QueryLike, HalvesAndBytesAreCut) {
  EXPECT_EQ(
      liked<_Float16>(ElementType::kF16, Metric::kL2, {Halves{1, 60000}}, {Halves{3, -60000}}, 2),
      (Halves{-1, 65504}));
  EXPECT_EQ(liked<std::int8_t>(ElementType::kI8, Metric::kL2,
                               {Bytes8{1, 127, -128, 10}, Bytes8{2, 127, -128, 13}}, {}, 4),
            (Bytes8{2, 127, -128, 12}));  // 1.5 and 11.5: to the even one
  EXPECT_EQ(liked<std::int8_t>(ElementType::kI8, Metric::kL2, {Bytes8{100, -100}},
                               {Bytes8{-100, 100}}, 2),
            (Bytes8{127, -128}));
}

TEST(QueryLike, BitsByMajority) {
  const auto of = [](const std::vector<Bits>& like, const std::vector<Bits>& unlike) {
    return liked(ElementType::kBits, Metric::kHamming, like, unlike, 11);
  };
  EXPECT_EQ(of({{0b1010, 0b101}}, {}), (Bits{0b1010, 0b101}));
  EXPECT_EQ(of({{0b0011, 4}, {0b0101, 4}, {0b1001, 0}}, {}), (Bits{0b0001, 4}));
  EXPECT_EQ(of({{0b0011, 0}, {0b0001, 0}}, {}), (Bits{0b0001, 0}));  // a half is not over a half
  EXPECT_EQ(of({{0b0011, 0}}, {{0b0110, 7}}), (Bits{0b0011, 0}));
  EXPECT_EQ(of({{0b11, 0}, {0b01, 0}}, {{0b10, 0}}), (Bits{0b01, 0}));
}

}  // namespace
}  // namespace quire
