// Encoding vectors in 8-bit codes: what it means, and that all kernels do the same.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "index/kernels/distance.h"

namespace quire {
namespace {

using Codes = std::vector<std::uint8_t>;

// From an address that is `shift` bytes off; memory ends where vector and code do.
Codes encode(const DistanceKernels& kernels, const std::vector<float>& vector,
             const std::vector<float>& low, float inverse_step, std::size_t shift = 0) {
  std::vector<char> placed(shift + vector.size() * sizeof(float));
  std::memcpy(placed.data() + shift, vector.data(), vector.size() * sizeof(float));
  Codes code(vector.size(), 77);
  kernels.encode(placed.data() + shift, low.data(), inverse_step, vector.size(), code.data());
  return code;
}

TEST(ScalarEncoding, RoundsToTheNearestOfTwoToTheEvenAndCuts) {
  const std::vector<float> vector = {0, 0.4F, 0.5F, 1.5F, 2.5F, 254.5F, 255.4F, 256, -1, -1e30F};
  const std::vector<float> low(vector.size());
  EXPECT_EQ(encode(kScalarKernels, vector, low, 1), (Codes{0, 0, 0, 2, 2, 254, 255, 255, 0, 0}));
  EXPECT_EQ(encode(kScalarKernels, {3, 4}, {1, -4}, 0.5F), (Codes{1, 4}));
}

TEST(ScalarEncoding, OfInfinityIsAnEndAndOfNanZero) {
  constexpr float kEndless = std::numeric_limits<float>::infinity();
  EXPECT_EQ(encode(kScalarKernels, {kEndless, -kEndless, std::nanf("")}, {0, 0, 0}, 1),
            (Codes{255, 0, 0}));
}

TEST(Encoding, IsTheSameFromAllKernelsAtEveryDimensionAndAddress) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<float> value(-2, 3);
  constexpr float kEndless = std::numeric_limits<float>::infinity();
  const float odd[] = {kEndless, -kEndless, std::nanf(""), 1e-42F, -0.0F, 3e38F, -3e38F, 0.5F};
  for (const DistanceKernels* kernels : supported_kernels()) {
    for (std::size_t dimension = 1; dimension < 140; ++dimension) {
      std::vector<float> vector(dimension);
      std::vector<float> low(dimension);
      for (std::size_t i = 0; i < dimension; ++i) {
        vector[i] = random() % 8 == 0 ? odd[random() % std::size(odd)] : value(random);
        low[i] = value(random) - 2;
      }
      ASSERT_EQ(encode(*kernels, vector, low, 51.3F, dimension % 5),
                encode(kScalarKernels, vector, low, 51.3F))
          << kernels->name << " at " << dimension;
    }
  }
}

}  // namespace
}  // namespace quire
