// Every implementation against the scalar one, which is the specification.
#include "index/kernels/distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace quire {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr Metric kMetrics[] = {Metric::kL2, Metric::kInnerProduct, Metric::kCosine};

DistanceFunctions functions(const DistanceKernels& kernels, Metric metric) {
  return find_distance(kernels, metric, ElementType::kF32).value();
}

// Floats at an address that is `shift` bytes off, ending where the allocation ends, so that the
// address sanitizer sees a read past the last element.
class Placed {
 public:
  Placed(const std::vector<float>& values, std::size_t shift) : bytes_(shift + values.size() * 4) {
    shift_ = shift;
    if (!values.empty()) std::memcpy(bytes_.data() + shift, values.data(), values.size() * 4);
  }
  const void* data() const { return bytes_.data() + shift_; }

 private:
  std::vector<char> bytes_;
  std::size_t shift_;
};

std::vector<float> random_vector(std::mt19937& random, std::size_t dimension) {
  std::normal_distribution<float> normal(0.2F, 1.0F);
  std::vector<float> values(dimension);
  for (float& value : values) value = normal(random);
  return values;
}

// Sum of the absolute values of the terms: what the documented tolerance scales with.
double term_sum(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
  if (metric == Metric::kCosine) return 2;
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i];
    const double y = b[i];
    sum += metric == Metric::kL2 ? (x - y) * (x - y) : std::abs(x * y);
  }
  return sum;
}

double tolerance(Metric metric, const std::vector<float>& a, const std::vector<float>& b) {
  const auto dimension = static_cast<double>(a.size());
  return (std::floor(dimension / 32) + 12) * std::ldexp(term_sum(metric, a, b), -24) +
         std::ldexp(dimension, -126);
}

class EachSet : public testing::TestWithParam<const DistanceKernels*> {
 protected:
  const DistanceKernels& kernels() const { return *GetParam(); }

  void expect_as_specified(Metric metric, const std::vector<float>& a, const std::vector<float>& b,
                           std::size_t shift) {
    const Placed at(a, shift);
    const Placed bt(b, (shift * 3) % 7);
    const float specified = functions(kScalarKernels, metric).one(at.data(), bt.data(), a.size());
    const float found = functions(kernels(), metric).one(at.data(), bt.data(), a.size());
    EXPECT_NEAR(found, specified, tolerance(metric, a, b))
        << kernels().name << " " << metric_name(metric) << " dimension " << a.size();
  }
};

TEST(ScalarDistance, HasTheDocumentedMeaning) {
  const float a[] = {1, 2, 3, 4, 5};
  const float b[] = {2, 0, 3, -1, 5};
  EXPECT_EQ(kScalarKernels.l2_f32.one(a, b, 5), 1 + 4 + 0 + 25 + 0);
  EXPECT_EQ(kScalarKernels.inner_product_f32.one(a, b, 5), -(2 + 0 + 9 - 4 + 25));
  EXPECT_FLOAT_EQ(kScalarKernels.cosine_f32.one(a, b, 5),
                  static_cast<float>(1 - 32 / (std::sqrt(55.0) * std::sqrt(39.0))));
}

TEST_P(EachSet, AgreesWithTheScalarOneAtEveryDimensionAndAddress) {
  std::mt19937 random(1);
  for (const Metric metric : kMetrics) {
    for (std::size_t dimension = 0; dimension <= 70; ++dimension)
      for (std::size_t shift = 0; shift < 5; ++shift)
        expect_as_specified(metric, random_vector(random, dimension),
                            random_vector(random, dimension), shift);
    for (const std::size_t dimension : {127, 128, 129, 383, 784, 1023, 1536, 4099, 65537})
      expect_as_specified(metric, random_vector(random, dimension),
                          random_vector(random, dimension), dimension % 4);
  }
}

// Each element must count once: a vector that is zero but for one place shows which does not.
TEST_P(EachSet, CountsEveryElementOnce) {
  for (std::size_t dimension = 1; dimension <= 140; ++dimension) {
    const std::vector<float> ones(dimension, 1.0F);
    for (std::size_t i = 0; i < dimension; ++i) {
      std::vector<float> unit(dimension, 0.0F);
      unit[i] = 2;
      const Placed a(unit, 1);
      const Placed b(ones, 2);
      const auto of = [&](Metric metric) {
        return functions(kernels(), metric).one(a.data(), b.data(), dimension);
      };
      ASSERT_EQ(of(Metric::kInnerProduct), -2) << dimension << " " << i;
      ASSERT_EQ(of(Metric::kL2), static_cast<float>(dimension)) << dimension << " " << i;
    }
  }
}

TEST_P(EachSet, RowsAreTheSameAsOneByOne) {
  std::mt19937 random(2);
  for (const Metric metric : kMetrics) {
    for (const std::size_t dimension : {1, 3, 16, 31, 64, 100, 129}) {
      constexpr std::size_t kRows = 9;
      for (const std::size_t gap : {0, 1, 4, 12}) {  // bytes between rows
        const std::size_t stride = dimension * 4 + gap;
        std::vector<char> rows(kRows * stride - gap);
        for (std::size_t i = 0; i < kRows; ++i) {
          const std::vector<float> row = random_vector(random, dimension);
          std::memcpy(rows.data() + i * stride, row.data(), dimension * 4);
        }
        const Placed query(random_vector(random, dimension), gap % 4);
        std::vector<float> found(kRows, kNan);
        const DistanceFunctions distance = functions(kernels(), metric);
        distance.rows(query.data(), rows.data(), stride, kRows, dimension, found.data());
        for (std::size_t i = 0; i < kRows; ++i)
          EXPECT_EQ(found[i], distance.one(query.data(), rows.data() + i * stride, dimension));
      }
    }
  }
}

TEST_P(EachSet, NanInEitherVectorGivesNan) {
  for (const Metric metric : kMetrics) {
    const DistanceFunctions distance = functions(kernels(), metric);
    for (std::size_t dimension = 1; dimension <= 70; ++dimension) {
      for (const std::size_t place : {std::size_t{0}, dimension / 2, dimension - 1}) {
        for (const float filler : {0.0F, 1.0F}) {
          const std::vector<float> plain(dimension, filler);
          std::vector<float> with_nan = plain;
          with_nan[place] = kNan;
          const Placed a(plain, 0);
          const Placed b(with_nan, 1);
          EXPECT_TRUE(std::isnan(distance.one(a.data(), b.data(), dimension)));
          EXPECT_TRUE(std::isnan(distance.one(b.data(), a.data(), dimension)));
          float row;
          distance.rows(b.data(), a.data(), dimension * 4, 1, dimension, &row);
          EXPECT_TRUE(std::isnan(row));
        }
      }
    }
  }
}

TEST_P(EachSet, InfinityGivesWhatTheScalarGives) {
  for (const Metric metric : kMetrics) {
    for (const std::size_t dimension : {1, 5, 16, 33, 70}) {
      for (const float other : {-kInfinity, 0.0F, 1.0F, kInfinity}) {
        std::vector<float> a(dimension, 1.0F);
        std::vector<float> b(dimension, 1.0F);
        a[dimension / 2] = kInfinity;
        b[dimension / 2] = other;
        const float specified =
            functions(kScalarKernels, metric).one(a.data(), b.data(), dimension);
        const float found = functions(kernels(), metric).one(a.data(), b.data(), dimension);
        if (std::isnan(specified))
          EXPECT_TRUE(std::isnan(found)) << metric_name(metric) << " " << other;
        else
          EXPECT_EQ(found, specified) << metric_name(metric) << " " << other;
      }
    }
  }
}

TEST_P(EachSet, VeryLargeAndVerySmallComponentsAreAsSpecified) {
  std::mt19937 random(3);
  for (const float scale : {1e-44F, 1e-38F, 1e-25F, 1e-18F, 1e-15F, 1e15F, 1e18F, 1e25F, 3e37F}) {
    for (const std::size_t dimension : {1, 7, 16, 40, 70, 300}) {
      std::vector<float> a = random_vector(random, dimension);
      std::vector<float> b = random_vector(random, dimension);
      for (std::size_t i = 0; i < dimension; ++i) {
        a[i] *= scale;
        b[i] *= scale;
      }
      for (const Metric metric : kMetrics) {
        const float specified =
            functions(kScalarKernels, metric).one(a.data(), b.data(), dimension);
        const float found = functions(kernels(), metric).one(a.data(), b.data(), dimension);
        if (std::isfinite(specified))
          EXPECT_NEAR(found, specified, tolerance(metric, a, b))
              << kernels().name << " " << metric_name(metric) << " " << scale;
        else
          EXPECT_EQ(found, specified);
      }
    }
  }
}

TEST_P(EachSet, CosineOfAZeroVectorIsOneAndOfParallelOnesNearZero) {
  for (const std::size_t dimension : {0, 1, 15, 16, 17, 70}) {
    const std::vector<float> zero(dimension, 0.0F);
    const std::vector<float> some(dimension, -3.5F);
    const DistanceFunction cosine = kernels().cosine_f32.one;
    EXPECT_EQ(cosine(zero.data(), some.data(), dimension), 1);
    EXPECT_EQ(cosine(some.data(), zero.data(), dimension), 1);
    EXPECT_EQ(cosine(zero.data(), zero.data(), dimension), 1);
    if (dimension == 0) continue;
    const std::vector<float> opposite(dimension, 7.0F);
    EXPECT_NEAR(cosine(some.data(), some.data(), dimension), 0, 1e-6);
    EXPECT_GE(cosine(some.data(), some.data(), dimension), 0);
    EXPECT_NEAR(cosine(some.data(), opposite.data(), dimension), 2, 1e-6);
    EXPECT_LE(cosine(some.data(), opposite.data(), dimension), 2);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EachSet,
                         testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const auto& set) { return std::string(set.param->name); });

TEST(ChoiceOfKernels, TheScalarOnesAreAlwaysThereAndLast) {
  ASSERT_FALSE(supported_kernels().empty());
  EXPECT_EQ(supported_kernels().back(), &kScalarKernels);
  for (const DistanceKernels* kernels : supported_kernels())
    EXPECT_EQ(find_kernels(kernels->name).value(), kernels);
}

TEST(ChoiceOfKernels, AnUnknownNameIsToldFromOneThatCannotRunHere) {
  const auto unknown = find_kernels("sse9");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kInvalid);
  EXPECT_NE(unknown.error().message().find("sse9"), std::string::npos);
#if defined(__x86_64__)
  EXPECT_EQ(find_kernels("neon").error().code(), ErrorCode::kNotSupported);
#endif
}

// The choice is made once a process, so the child is where a variable can be tried.
const char* chosen_with(const char* name) {
  ::setenv("QUIRE_KERNELS", name, 1);
  return distance_kernels().name;
}

TEST(ChoiceOfKernelsDeathTest, TheEnvironmentForcesOneAndAWrongNameIsIgnoredButReported) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const std::string best = supported_kernels().front()->name;
  for (const DistanceKernels* kernels : supported_kernels())
    EXPECT_EXIT(std::exit(std::string(chosen_with(kernels->name)) == kernels->name &&
                                  check_kernels_environment().has_value()
                              ? 0
                              : 1),
                testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(chosen_with("nonsense") == best && !check_kernels_environment() ? 0 : 1),
              testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(chosen_with("") == best && check_kernels_environment() ? 0 : 1),
              testing::ExitedWithCode(0), "");
}

TEST(FindDistance, SaysWhatIsNotComputedYet) {
  const auto missing = find_distance(distance_kernels(), Metric::kHamming, ElementType::kBits);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotSupported);
  EXPECT_NE(missing.error().message().find("hamming"), std::string::npos);
}

TEST(VectorBytes, CountsBitsInBytes) {
  EXPECT_EQ(vector_bytes(ElementType::kF32, 784), 3136u);
  EXPECT_EQ(vector_bytes(ElementType::kF16, 3), 6u);
  EXPECT_EQ(vector_bytes(ElementType::kI8, 3), 3u);
  EXPECT_EQ(vector_bytes(ElementType::kBits, 9), 2u);
}

}  // namespace
}  // namespace quire
