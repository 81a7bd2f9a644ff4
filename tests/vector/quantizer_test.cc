// The 8-bit quantizer: that codes keep what they can, on data of every kind, and that bad
// parameters are refused.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "index/vector/quantizer.h"

namespace quire {
namespace {

class Vectors {
 public:
  Vectors(std::size_t count, std::uint32_t dimension)
      : dimension_(dimension), values_(count * dimension) {
    for (std::size_t i = 0; i < count; ++i) rows_.push_back(values_.data() + i * dimension);
  }
  Vectors(const Vectors&) = delete;
  Vectors& operator=(const Vectors&) = delete;

  template <class Make>
  void fill(const Make& make) {
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] = make(i % dimension_);
  }
  float& at(std::size_t row, std::size_t i) { return values_[row * dimension_ + i]; }
  const float* row(std::size_t i) const { return rows_[i]; }
  std::size_t count() const { return rows_.size(); }
  std::uint32_t dimension() const { return dimension_; }
  std::span<const float* const> rows() const { return rows_; }
  Quantizer train(std::uint32_t version = 1) const {
    return Quantizer::train(rows_, dimension_, version).value();
  }

 private:
  std::uint32_t dimension_;
  std::vector<float> values_;
  std::vector<const float*> rows_;
};

ByteVector code_of(const Quantizer& quantizer, const float* vector) {
  ByteVector code(quantizer.dimension());
  quantizer.encode(vector, code.data());
  return code;
}

CodeError error_of(const Quantizer& quantizer, const Vectors& vectors) {
  CodeError error;
  for (std::size_t i = 0; i < vectors.count(); ++i)
    error += quantizer.error_of(vectors.row(i), code_of(quantizer, vectors.row(i)).data());
  return error;
}

float distance(const Quantizer& quantizer, const float* a, const float* b) {
  return quantizer.distance_of(distance_kernels().codes.l2.one(
      code_of(quantizer, a).data(), code_of(quantizer, b).data(), quantizer.dimension()));
}

double exact_distance(const float* a, const float* b, std::size_t dimension) {
  double sum = 0;
  for (std::size_t i = 0; i < dimension; ++i) sum += std::pow(double{a[i]} - double{b[i]}, 2);
  return sum;
}

void fill_normal(Vectors& vectors, unsigned seed, float deviation = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  vectors.fill([&](std::size_t) { return normal(random); });
}

TEST(Quantizer, DistancesOfCodesAreNearThoseOfRandomVectors) {
  Vectors vectors(1000, 48);
  std::mt19937_64 random(1);
  std::normal_distribution<float> normal;
  // Means far apart cost nothing: each dimension has its own range.
  vectors.fill([&](std::size_t i) { return normal(random) + 100 * static_cast<float>(i); });
  const Quantizer quantizer = vectors.train();
  for (std::size_t i = 1; i < vectors.count(); ++i) {
    const double exact = exact_distance(vectors.row(0), vectors.row(i), 48);
    EXPECT_NEAR(distance(quantizer, vectors.row(0), vectors.row(i)), exact, 0.06 * exact + 0.1);
  }
  EXPECT_LT(quantizer.trained_cut(), 0.002);
  EXPECT_LT(quantizer.trained_error(), 2 * quantizer.rounding_error());
}

TEST(Quantizer, ValuesThatAreEvenlySpreadAreOffByHalfAStep) {
  Vectors vectors(2000, 16);
  std::mt19937_64 random(2);
  std::uniform_real_distribution<float> even(-3, 5);
  vectors.fill([&](std::size_t) { return even(random); });
  const Quantizer quantizer = vectors.train();
  EXPECT_NEAR(quantizer.step(), 8.0F / 255, 0.02F * 8 / 255);
  std::vector<float> back(16);
  for (std::size_t row = 0; row < vectors.count(); ++row) {
    const ByteVector code = code_of(quantizer, vectors.row(row));
    quantizer.decode(code.data(), back.data());
    for (std::size_t i = 0; i < 16; ++i)
      EXPECT_NEAR(back[i], vectors.at(row, i), 2 * quantizer.step());
  }
}

TEST(Quantizer, BytesAndOtherIntegersOfThatSpreadAreKeptExactly) {
  struct Case {
    int least, greatest;
    float low;
  };
  for (const Case& each : {Case{0, 255, 0}, Case{3, 100, 0}, Case{-128, 127, -128},
                           Case{-7, 7, -128}, Case{1000, 1255, 1000}, Case{-600, -500, -678}}) {
    Vectors vectors(300, 20);
    std::mt19937_64 random(3);
    std::uniform_int_distribution<int> integer(each.least, each.greatest);
    vectors.fill([&](std::size_t) { return static_cast<float>(integer(random)); });
    vectors.at(0, 0) = static_cast<float>(each.least);
    vectors.at(0, 1) = static_cast<float>(each.greatest);
    const Quantizer quantizer = vectors.train();
    EXPECT_EQ(quantizer.step(), 1);
    EXPECT_EQ(quantizer.low(5), each.low) << each.least;
    EXPECT_EQ(quantizer.trained_error(), 0) << each.least;
    EXPECT_EQ(distance(quantizer, vectors.row(1), vectors.row(2)),
              static_cast<float>(exact_distance(vectors.row(1), vectors.row(2), 20)));
  }
}

TEST(Quantizer, ConstantDataIsKeptAndOtherValuesAreToldApart) {
  for (const float value : {0.0F, 7.0F, 0.3F, -1234.5678F, 1e20F, 1e-20F}) {
    Vectors vectors(100, 8);
    vectors.fill([&](std::size_t) { return value; });
    const Quantizer quantizer = vectors.train();
    EXPECT_EQ(distance(quantizer, vectors.row(0), vectors.row(1)), 0) << value;
    EXPECT_EQ(quantizer.trained_cut(), 0) << value;
    EXPECT_LE(std::sqrt(quantizer.trained_error()), std::fabs(value) * 1e-6F) << value;
    Vectors other(1, 8);
    other.fill([&](std::size_t) { return value == 0 ? 100 : -value; });
    // Squares of what is very small are 0 in float; those of codes are not.
    EXPECT_NE(code_of(quantizer, vectors.row(0)), code_of(quantizer, other.row(0))) << value;
  }
}

TEST(Quantizer, AFewOutliersOfAnySizeCostTheOthersTwoBitsAtMost) {
  Vectors vectors(2000, 32);
  fill_normal(vectors, 4);
  const Quantizer without = vectors.train();
  for (const float size : {1e3F, 1e9F, 1e30F, 3e38F}) {
    Vectors with(2000, 32);
    fill_normal(with, 4);
    for (std::size_t i = 0; i < 40; ++i) with.at(i * 50, i % 32) = i % 2 == 0 ? size : -size;
    const Quantizer quantizer = with.train();
    EXPECT_LT(quantizer.step(), 4.1F * without.step()) << size;
    const ByteVector code = code_of(quantizer, with.row(0));
    EXPECT_EQ(code[0], std::byte{255}) << "cut, not wrapped around";
  }
}

TEST(Quantizer, InfinitiesAndNansOfASampleCountForNothing) {
  Vectors vectors(500, 8);
  fill_normal(vectors, 5);
  const Quantizer clean = vectors.train();
  vectors.at(1, 1) = std::numeric_limits<float>::infinity();
  vectors.at(2, 2) = -std::numeric_limits<float>::infinity();
  vectors.at(3, 3) = std::nanf("");
  const Quantizer quantizer = vectors.train();
  EXPECT_NEAR(quantizer.step(), clean.step(), 0.05F * clean.step());
  EXPECT_TRUE(std::isfinite(quantizer.trained_error()));
  Vectors nothing(3, 2);
  nothing.fill([](std::size_t) { return std::nanf(""); });
  EXPECT_EQ(nothing.train().trained_error(), 0);
}

TEST(Quantizer, AWideDimensionIsNotCutToSaveTheNarrowOnes) {
  Vectors vectors(2000, 16);
  std::mt19937_64 random(6);
  std::normal_distribution<float> normal;
  vectors.fill([&](std::size_t i) { return normal(random) * (i == 3 ? 100.0F : 1.0F); });
  const Quantizer quantizer = vectors.train();
  EXPECT_GT(quantizer.step() * 255, 500);
  EXPECT_LT(quantizer.trained_cut(), 0.002);
}

TEST(Quantizer, AskewDimensionsGetAllOfWhatTheyHave) {
  // Most of dimension 0 is zero, the rest reaches as far as the others do.
  Vectors vectors(4000, 8);
  std::mt19937_64 random(7);
  std::uniform_real_distribution<float> even(0, 1);
  vectors.fill([&](std::size_t i) {
    const float value = even(random);
    return i == 0 && random() % 50 != 0 ? 0 : value;
  });
  const Quantizer quantizer = vectors.train();
  EXPECT_LT(quantizer.trained_cut(), 0.002);
  EXPECT_NEAR(quantizer.step(), 1.0F / 255, 0.1F / 255);
}

TEST(Quantizer, ItsErrorCountsWhatIsCutAtBothEndsAndNothingThatIsNotFinite) {
  Vectors bytes(2, 4);
  bytes.at(0, 0) = 255;
  const Quantizer quantizer = bytes.train();  // 0 to 255, step 1
  const auto error = [&](std::vector<float> vector) {
    return quantizer.error_of(vector.data(), code_of(quantizer, vector.data()).data());
  };
  const CodeError inside = error({0, 255, 7.25F, -0.5F});
  EXPECT_EQ(inside.components, 4u);
  EXPECT_EQ(inside.cut, 0u);
  EXPECT_EQ(inside.squared, 0.0625 + 0.25);
  EXPECT_EQ(error({256, 0, 0, 0}).cut, 1u);
  EXPECT_EQ(error({-1, 0, 0, 300}).cut, 2u);
  EXPECT_EQ(error({-1, 0, 0, 300}).squared, 1.0 + 45 * 45);
  EXPECT_EQ(error({std::nanf(""), 1, 1, std::numeric_limits<float>::infinity()}).components, 2u);
  CodeError sum = inside;
  sum += error({256, 0, 0, 0});
  EXPECT_EQ(sum.cut_share(), 1.0 / 8);
}

TEST(Quantizer, RefusesSamplesThatMakeNoSense) {
  const float value = 1;
  const float* row = &value;
  EXPECT_EQ(Quantizer::train({}, 1, 1).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(Quantizer::train({&row, 1}, 0, 1).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(Quantizer::train({&row, 1}, 70'000, 1).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(Quantizer::train({&row, 1}, 1, 0).error().code(), ErrorCode::kInvalid);
}

TEST(QuantizerParameters, ComeBackAsTheyWere) {
  Vectors vectors(200, 33);
  fill_normal(vectors, 8);
  const Quantizer quantizer = vectors.train(5);
  const ByteVector bytes = quantizer.encode_parameters();
  ASSERT_EQ(bytes.size(), Quantizer::size_bytes(33));
  const Quantizer back = Quantizer::decode_parameters(bytes, 33).value();
  EXPECT_EQ(back.version(), 5u);
  EXPECT_EQ(back.trained_vectors(), 200u);
  EXPECT_EQ(back.encode_parameters(), bytes);
  EXPECT_EQ(code_of(back, vectors.row(3)), code_of(quantizer, vectors.row(3)));
}

TEST(QuantizerParameters, ThatAreBadAreRefusedWithAReason) {
  Vectors vectors(50, 4);
  fill_normal(vectors, 9);
  const ByteVector good = vectors.train().encode_parameters();
  const auto refused = [&](std::size_t at, auto value, ErrorCode code, const char* word) {
    ByteVector bad = good;
    std::memcpy(bad.data() + at, &value, sizeof value);
    const auto result = Quantizer::decode_parameters(bad, 4);
    ASSERT_FALSE(result) << word;
    EXPECT_EQ(result.error().code(), code) << result.error().message();
    EXPECT_NE(result.error().message().find(word), std::string::npos) << result.error().message();
  };
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  refused(0, std::uint16_t{2}, ErrorCode::kVersion, "layout 2");
  refused(2, std::uint16_t{9}, ErrorCode::kVersion, "kind 9");
  refused(4, std::uint32_t{5}, ErrorCode::kCorrupt, "dimension 5");
  refused(8, std::uint32_t{0}, ErrorCode::kCorrupt, "version");
  for (const float step : {0.0F, -1.0F, std::nanf(""), std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::denorm_min()})
    refused(12, step, ErrorCode::kCorrupt, "step");
  refused(16, std::uint64_t{0}, ErrorCode::kCorrupt, "nothing");
  refused(24, kNan, ErrorCode::kCorrupt, "error");
  refused(24, -1.0, ErrorCode::kCorrupt, "error");
  refused(32, 1.5, ErrorCode::kCorrupt, "share");
  refused(32, kNan, ErrorCode::kCorrupt, "share");
  refused(44, std::nanf(""), ErrorCode::kCorrupt, "low end");
  for (const std::size_t size : {std::size_t{0}, good.size() - 1})
    EXPECT_EQ(Quantizer::decode_parameters(Bytes(good).first(size), 4).error().code(),
              ErrorCode::kCorrupt);
}

TEST(Retraining, IsDueWhenThereIsFourTimesAsMuchUntilTheSampleIsFull) {
  Vectors vectors(1024, 4);
  fill_normal(vectors, 10);
  const Quantizer quantizer = vectors.train();
  EXPECT_FALSE(retraining_due(quantizer, {}, 4095));
  EXPECT_TRUE(retraining_due(quantizer, {}, 4096));
  Vectors many(kQuantizerSample, 4);
  fill_normal(many, 10);
  EXPECT_FALSE(retraining_due(many.train(), {}, 10'000'000));
}

TEST(Retraining, IsDueWhenDataHasDriftedAndWorthItWhenItHelps) {
  Vectors vectors(kQuantizerSample, 8);
  fill_normal(vectors, 11);
  const Quantizer quantizer = vectors.train();
  EXPECT_FALSE(retraining_due(quantizer, error_of(quantizer, vectors), kQuantizerSample));
  Vectors drifted(5000, 8);
  fill_normal(drifted, 12, 1.6F);
  const CodeError recent = error_of(quantizer, drifted);
  EXPECT_TRUE(retraining_due(quantizer, recent, kQuantizerSample));
  EXPECT_TRUE(worth_switching(recent, error_of(drifted.train(2), drifted)));
  EXPECT_FALSE(worth_switching(error_of(quantizer, vectors), error_of(vectors.train(2), vectors)));
  Vectors few(1000, 8);
  fill_normal(few, 12, 1.6F);
  EXPECT_FALSE(retraining_due(quantizer, error_of(quantizer, few), kQuantizerSample))
      << "too few to tell";
}

TEST(Retraining, ExactCodesThatBecomeRoundedOnesAreNoDrift) {
  Vectors bytes(kQuantizerSample, 4);
  std::mt19937_64 random(13);
  bytes.fill([&](std::size_t) { return static_cast<float>(random() % 256); });
  const Quantizer quantizer = bytes.train();
  Vectors halves(5000, 4);
  std::uniform_real_distribution<float> even(0, 255);
  halves.fill([&](std::size_t) { return even(random); });
  EXPECT_FALSE(retraining_due(quantizer, error_of(quantizer, halves), kQuantizerSample));
}

}  // namespace
}  // namespace quire
