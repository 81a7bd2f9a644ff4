// Every implementation against the scalar one, which is the specification, and that against sums
// written down anew.
#include "index/kernels/distance.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "tests/kernels/kinds.h"

namespace quire {
namespace {

using namespace test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Numbers of which every type of element sees many different ones.
std::vector<double> random_numbers(std::mt19937& random, const Kind& kind, std::size_t dimension) {
  const bool real = !kind.exact();
  const bool codes = kind.elements == Elements::kCodes || kind.elements == Elements::kSmallCodes;
  std::normal_distribution<double> normal(real ? 0.2 : codes ? 100 : 10, real ? 1 : 60);
  std::vector<double> numbers(dimension);
  for (double& number : numbers) number = normal(random);
  return numbers;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

class EachSet : public testing::TestWithParam<const DistanceKernels*> {
 protected:
  const DistanceKernels& kernels() const { return *GetParam(); }

  float one(const Kind& kind, const Placed& a, const Placed& b) const {
    return kind.of(kernels()).one(a.data(), b.data(), a.dimension());
  }

  void expect_as_specified(const Kind& kind, const std::vector<double>& x,
                           const std::vector<double>& y, std::size_t shift = 0) const {
    const Placed a(kind, x, shift);
    const Placed b(kind, y, (shift * 3) % 7);
    const float specified = kind.of(kScalarKernels).one(a.data(), b.data(), x.size());
    const float found = one(kind, a, b);
    const std::string what = std::string(kernels().name) + " " + kind.name + " dimension " +
                             std::to_string(x.size()) + " shift " + std::to_string(shift);
    if (std::isfinite(specified) && !kind.exact())
      EXPECT_NEAR(found, specified, tolerance(kind, a, b)) << what;
    else
      EXPECT_TRUE(same(found, specified)) << found << " not " << specified << ": " << what;
  }
};

// The documented meaning, in long double and as plain as can be.
long double meaning(const Kind& kind, const Placed& a, const Placed& b) {
  long double l2 = 0, l1 = 0, ab = 0, aa = 0, bb = 0, differ = 0, either = 0;
  for (std::size_t i = 0; i < a.dimension(); ++i) {
    const auto x = static_cast<long double>(a.at(kind.elements, i));
    const auto y = static_cast<long double>(b.at(kind.elements, i));
    l2 += (x - y) * (x - y);
    l1 += std::fabs(x - y);
    ab += x * y;
    aa += x * x;
    bb += y * y;
    differ += x != y ? 1 : 0;
    either += x != 0 || y != 0 ? 1 : 0;
  }
  switch (kind.metric) {
    case Metric::kL2:
      return l2;
    case Metric::kInnerProduct:
      return -ab;
    case Metric::kCosine:
      return aa == 0 || bb == 0 ? 1 : 1 - ab / (std::sqrt(aa) * std::sqrt(bb));
    case Metric::kL1:
      return l1;
    case Metric::kHamming:
      return differ;
    case Metric::kJaccard:
      return either == 0 ? 0 : differ / either;
  }
  return kNan;
}

TEST(ScalarDistance, HasTheDocumentedMeaning) {
  std::mt19937 random(4);
  for (const Kind& kind : kKinds) {
    for (const std::size_t dimension : {0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 100, 1001}) {
      const Placed a(kind, random_numbers(random, kind, dimension), 1);
      const Placed b(kind, random_numbers(random, kind, dimension), 2);
      const long double expected = meaning(kind, a, b);
      const auto near = static_cast<double>(std::fabs(expected)) * 1e-6 + 1e-6;
      EXPECT_NEAR(kind.of(kScalarKernels).one(a.data(), b.data(), dimension),
                  static_cast<double>(expected), kind.exact() && dimension < 100 ? 1e-6 : near)
          << kind.name << " " << dimension;
    }
  }
}

TEST(ScalarDistance, ReadsEveryHalfFloat) {
  const Kind& kind = kKinds[5];  // f16 ip
  ASSERT_STREQ(kind.name, "f16 ip");
  const std::uint16_t one = 0x3C00;
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float expected = tools::float_of_half(half);
    for (const DistanceKernels* kernels : supported_kernels()) {
      const float found = kernels->f16.inner_product.one(&half, &one, 1);
      ASSERT_TRUE(same(-found, expected)) << kernels->name << " " << bits;
    }
  }
}

TEST_P(EachSet, AgreesWithTheScalarOneAtEveryDimensionAndAddress) {
  std::mt19937 random(1);
  const auto expect = [&](const Kind& kind, std::size_t dimension, std::size_t shift) {
    expect_as_specified(kind, random_numbers(random, kind, dimension),
                        random_numbers(random, kind, dimension), shift);
  };
  for (const Kind& kind : kKinds) {
    for (std::size_t dimension = 0; dimension <= 300; ++dimension)
      for (std::size_t shift = 0; shift < 5; ++shift) expect(kind, dimension, shift);
    for (const std::size_t dimension : {383, 511, 512, 784, 1023, 1536, 2047, 2048, 4099, 65535})
      expect(kind, dimension, dimension % 4);
  }
}

// Each element must count once: a vector that is zero but for one place shows which does not.
TEST_P(EachSet, CountsEveryElementOnce) {
  for (const Kind& kind : kKinds) {
    for (std::size_t dimension = 1; dimension <= 300; dimension += dimension < 70 ? 1 : 23) {
      const std::vector<double> ones(dimension, 1.0);
      for (std::size_t i = 0; i < dimension; ++i) {
        std::vector<double> unit(dimension, 0.0);
        unit[i] = 2;
        expect_as_specified(kind, unit, ones, i % 3);
        expect_as_specified(kind, ones, unit, i % 3);
      }
    }
  }
}

TEST_P(EachSet, RowsAndListsAreTheSameAsOneByOne) {
  std::mt19937 random(2);
  constexpr std::size_t kRows = 9;
  for (const Kind& kind : kKinds) {
    const DistanceFunctions distance = kind.of(kernels());
    for (const std::size_t dimension : {1, 3, 16, 31, 64, 100, 129, 700}) {
      const std::size_t size = kind.bytes(dimension);
      for (const std::size_t gap : {0, 1, 4, 12}) {  // bytes between rows
        const std::size_t stride = size + gap;
        std::vector<char> rows(kRows * stride - gap);
        std::vector<const void*> list;
        for (std::size_t i = 0; i < kRows; ++i) {
          const Placed row(kind, random_numbers(random, kind, dimension));
          std::memcpy(rows.data() + i * stride, row.data(), size);
          list.insert(list.begin(), rows.data() + i * stride);
        }
        const Placed query(kind, random_numbers(random, kind, dimension), gap % 4);
        std::vector<float> by_rows(kRows, 0.5F), by_list(kRows, 0.5F);
        distance.rows(query.data(), rows.data(), stride, kRows, dimension, by_rows.data());
        distance.list(query.data(), list.data(), kRows, dimension, by_list.data());
        for (std::size_t i = 0; i < kRows; ++i) {
          const float one = distance.one(query.data(), rows.data() + i * stride, dimension);
          EXPECT_EQ(by_rows[i], one) << kind.name << " " << dimension;
          EXPECT_EQ(by_list[kRows - 1 - i], one) << kind.name << " " << dimension;
        }
      }
    }
  }
}

TEST_P(EachSet, NanInEitherVectorGivesNan) {
  for (const Kind& kind : kKinds) {
    if (kind.exact()) continue;
    for (std::size_t dimension = 1; dimension <= 70; ++dimension) {
      for (const std::size_t place : {std::size_t{0}, dimension / 2, dimension - 1}) {
        for (const double filler : {0.0, 1.0}) {
          std::vector<double> numbers(dimension, filler);
          const Placed plain(kind, numbers);
          numbers[place] = kNan;
          const Placed with_nan(kind, numbers, 1);
          EXPECT_TRUE(std::isnan(one(kind, plain, with_nan))) << kind.name;
          EXPECT_TRUE(std::isnan(one(kind, with_nan, plain))) << kind.name;
          float row = 0;
          kind.of(kernels()).rows(with_nan.data(), plain.data(), 0, 1, dimension, &row);
          EXPECT_TRUE(std::isnan(row)) << kind.name;
        }
      }
    }
  }
}

TEST_P(EachSet, InfinityGivesWhatTheScalarGives) {
  for (const Kind& kind : kKinds) {
    if (kind.exact()) continue;
    for (const std::size_t dimension : {1, 5, 16, 33, 70}) {
      for (const double other : {-kInfinity, 0.0, 1.0, kInfinity}) {
        std::vector<double> a(dimension, 1.0), b(dimension, 1.0);
        a[dimension / 2] = kInfinity;
        b[dimension / 2] = other;
        expect_as_specified(kind, a, b);
        expect_as_specified(kind, b, a);
      }
    }
  }
}

TEST_P(EachSet, VeryLargeAndVerySmallComponentsAreAsSpecified) {
  std::mt19937 random(3);
  for (const Kind& kind : kKinds) {
    if (kind.exact()) continue;
    const bool wide = kind.elements == Elements::kF32;
    // Of halves: from the least denormal to beyond the greatest, which is infinite.
    const std::vector<double> scales =
        wide ? std::vector{1e-44, 1e-38, 1e-25, 1e-18, 1e-15, 1e15, 1e18, 1e25, 3e37}
             : std::vector{3e-8, 1e-6, 6e-5, 1e3, 2e4, 6e4};
    for (const double scale : scales) {
      for (const std::size_t dimension : {1, 7, 16, 40, 70, 300}) {
        std::vector<double> a = random_numbers(random, kind, dimension);
        std::vector<double> b = random_numbers(random, kind, dimension);
        for (std::size_t i = 0; i < dimension; ++i) {
          a[i] *= scale;
          b[i] *= scale;
        }
        expect_as_specified(kind, a, b, dimension % 3);
      }
    }
  }
}

// Sums are the largest there are: of 65,535 squares of 255, and of products of -128 with itself.
TEST_P(EachSet, TheLeastAndGreatestBytesDoNotOverflow) {
  for (const Kind& kind : kKinds) {
    if (!kind.exact()) continue;
    for (const std::size_t dimension : {std::size_t{1}, std::size_t{33}, std::size_t{257},
                                        std::size_t{4096}, kMaxMeasuredDimension}) {
      for (const double x : {-128.0, 0.0, 127.0, 255.0})
        for (const double y : {-128.0, 0.0, 127.0, 255.0})
          expect_as_specified(kind, std::vector(dimension, x), std::vector(dimension, y));
    }
  }
  const std::vector<double> least(kMaxMeasuredDimension, -128);
  const std::vector<double> greatest(kMaxMeasuredDimension, 127);
  const Kind& l2 = kKinds[8];
  ASSERT_STREQ(l2.name, "i8 l2");
  EXPECT_EQ(one(l2, Placed(l2, least), Placed(l2, greatest)),
            static_cast<float>(65'535.0 * 255 * 255));
}

TEST_P(EachSet, CosineOfAZeroVectorIsOneAndOfParallelOnesNearZero) {
  for (const Kind& kind : kKinds) {
    if (kind.metric != Metric::kCosine) continue;
    for (const std::size_t dimension : {0, 1, 15, 16, 17, 70}) {
      const Placed zero(kind, std::vector(dimension, 0.0));
      const Placed some(kind, std::vector(dimension, -3.0));
      EXPECT_EQ(one(kind, zero, some), 1);
      EXPECT_EQ(one(kind, some, zero), 1);
      EXPECT_EQ(one(kind, zero, zero), 1);
      if (dimension == 0) continue;
      const Placed opposite(kind, std::vector(dimension, 7.0));
      EXPECT_NEAR(one(kind, some, some), 0, 1e-6);
      EXPECT_GE(one(kind, some, some), 0);
      EXPECT_NEAR(one(kind, some, opposite), 2, 1e-6);
      EXPECT_LE(one(kind, some, opposite), 2);
    }
  }
}

TEST_P(EachSet, JaccardOfEmptySetsIsZeroAndOfDisjointOnesOne) {
  for (const Kind& kind : kKinds) {
    if (kind.metric != Metric::kJaccard) continue;
    for (const std::size_t dimension : {1, 7, 8, 63, 65, 511, 512, 700}) {
      std::vector<double> numbers(dimension, 0.0);
      const Placed none(kind, numbers);
      numbers[0] = 1;
      const Placed first(kind, numbers);
      const Placed all(kind, std::vector(dimension, 1.0));
      numbers.assign(dimension, 1.0);
      numbers[0] = 0;
      const Placed rest(kind, numbers);
      EXPECT_EQ(one(kind, none, none), 0);
      EXPECT_EQ(one(kind, none, all), 1);
      EXPECT_EQ(one(kind, all, all), 0);
      EXPECT_EQ(one(kind, first, rest), 1);
      EXPECT_EQ(one(kind, first, all), static_cast<float>(1 - 1 / static_cast<double>(dimension)));
    }
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
#else
  EXPECT_EQ(find_kernels("avx512vnni").error().code(), ErrorCode::kNotSupported);
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

TEST(FindDistance, RefusesWhatATypeDoesNotHave) {
  const auto refused = [](Metric metric, ElementType type) {
    const auto found = find_distance(distance_kernels(), metric, type);
    return found ? std::string() : found.error().message();
  };
  for (const ElementType type : {ElementType::kF32, ElementType::kF16, ElementType::kI8}) {
    for (const Metric metric : {Metric::kHamming, Metric::kJaccard}) {
      const std::string message = refused(metric, type);
      EXPECT_NE(message.find(metric_name(metric)), std::string::npos) << message;
      EXPECT_NE(message.find(element_type_name(type)), std::string::npos) << message;
      EXPECT_NE(message.find("l1"), std::string::npos) << message;
    }
  }
  for (const Metric metric : {Metric::kL2, Metric::kInnerProduct, Metric::kCosine, Metric::kL1}) {
    const auto found = find_distance(distance_kernels(), metric, ElementType::kBits);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code(), ErrorCode::kNotSupported);
    EXPECT_NE(found.error().message().find("jaccard"), std::string::npos);
  }
}

TEST(VectorBytes, CountsBitsInBytes) {
  EXPECT_EQ(vector_bytes(ElementType::kF32, 784), 3136u);
  EXPECT_EQ(vector_bytes(ElementType::kF16, 3), 6u);
  EXPECT_EQ(vector_bytes(ElementType::kI8, 3), 3u);
  EXPECT_EQ(vector_bytes(ElementType::kBits, 9), 2u);
}

}  // namespace
}  // namespace quire
