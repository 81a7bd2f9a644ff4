// How the ranges and the step of a quantizer come from a sample.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "index/vector/quantizer.h"

namespace quire {
namespace {

constexpr double kSteps = 255;              // of a range
constexpr std::size_t kMeasured = 1 << 20;  // deviations that the step is chosen by
// Of all deviations, those beyond this quantile may be cut: 1/510 of them is where one more unit of
// half-width costs in resolution, summed as absolute error, what it saves in cutting.
constexpr double kQuantile = 1 - 1.0 / 510;
// Those beyond the quantile widen the step by two bits at most.
constexpr double kWidest = 4;
// What is left out at each end of a dimension: for where its middle is, and for how far it reaches.
constexpr double kTrimMiddle = 0.01;
constexpr double kTrimReach = 0.001;
constexpr float kLeastStep = 1e-30F;  // its inverse is a float

struct Interval {
  double low = 0;
  double high = 0;
  double middle() const noexcept { return low / 2 + high / 2; }
  double width() const noexcept { return high - low; }
};

// The values but for a share of them at each end. Reorders them; there is one at least.
Interval trimmed(std::vector<float>& values, double share) {
  const auto cut = static_cast<std::size_t>(static_cast<double>(values.size()) * share);
  const auto first = values.begin() + static_cast<std::ptrdiff_t>(cut);
  const auto last = values.end() - 1 - static_cast<std::ptrdiff_t>(cut);
  std::nth_element(values.begin(), first, values.end());
  const double low = static_cast<double>(*first);
  std::nth_element(values.begin(), last, values.end());
  return {low, static_cast<double>(*last)};
}

// The half-width r that makes the least of: the squares of what lies beyond r, and for each value
// the square of a step, 2r/255, over 12. Both are convex in r; the derivative is 0 where
//
//   sum over d > r of (d - r)  =  count * r * 4 / (12 * 255^2)
//
// and with the j largest deviations beyond r, of sum S: r = S / (j + count / 195075). `largest`:
// sorted, the largest first, as many as may lie beyond r; the last of them does not.
double least_loss(const std::vector<double>& largest, std::size_t count) {
  const double weight = static_cast<double>(count) * 4 / (12 * kSteps * kSteps);
  double sum = 0;
  for (std::size_t j = 1; j <= largest.size(); ++j) {
    sum += largest[j - 1];
    const double r = sum / (static_cast<double>(j) + weight);
    if (j == largest.size() || r >= largest[j]) return r;
  }
  return 0;
}

// `deviations` are absolute, and some. 0 where all are.
double half_width(std::vector<double>& deviations) {
  std::ranges::sort(deviations, std::greater<>());
  const std::size_t count = deviations.size();
  const auto beyond = static_cast<std::size_t>(static_cast<double>(count) * (1 - kQuantile));
  const double widest = kWidest * deviations[beyond];
  if (widest > 0)
    for (double& deviation : deviations) deviation = std::min(deviation, widest);
  return least_loss(deviations, count);
}

}  // namespace

class QuantizerTraining {
 public:
  QuantizerTraining(std::span<const float* const> sample, std::uint32_t dimension)
      : sample_(sample), dimension_(dimension) {}

  void run(Quantizer& quantizer) {
    quantizer.low_.resize(dimension_);
    if (!fit_integers(quantizer)) fit_ranges(quantizer);
    measure(quantizer);
  }

 private:
  // One offset and the step 1, where all values are integers that 256 codes hold.
  bool fit_integers(Quantizer& quantizer) const {
    float least = std::numeric_limits<float>::infinity();
    float greatest = -least;
    for (const float* vector : sample_) {
      for (std::size_t i = 0; i < dimension_; ++i) {
        const float value = vector[i];
        if (!std::isfinite(value)) continue;
        if (std::fabs(value) > 0x1p20F || value != std::nearbyint(value)) return false;
        least = std::min(least, value);
        greatest = std::max(greatest, value);
      }
    }
    if (least > greatest) least = greatest = 0;  // nothing is finite
    if (greatest - least > 255) return false;
    // The usual ranges of bytes, where they hold all; else the rest of the room on both sides.
    float low = std::floor(least - (255 - (greatest - least)) / 2);
    if (least >= -128 && greatest <= 127) low = -128;
    if (least >= 0 && greatest <= 255) low = 0;
    std::ranges::fill(quantizer.low_, low);
    quantizer.set_step(1);
    return true;
  }

  // Twice: where a dimension reaches beyond what the first middle gives it, but is not wider than a
  // range, its range is moved, and then all may be narrower.
  void fit_ranges(Quantizer& quantizer) {
    find_dimensions();
    double half = half_width_now();
    for (std::size_t i = 0; i < dimension_; ++i)
      if (reaches_[i].width() <= 2 * half) middles_[i] = reaches_[i].middle();
    half = std::min(half, half_width_now());
    const float step = least_step(half);
    quantizer.set_step(step);
    constexpr double kGreatest = std::numeric_limits<float>::max();
    for (std::size_t i = 0; i < dimension_; ++i)
      quantizer.low_[i] = static_cast<float>(
          std::clamp(middles_[i] - kSteps / 2 * static_cast<double>(step), -kGreatest, kGreatest));
  }

  void find_dimensions() {
    std::vector<float> values;
    values.reserve(sample_.size());
    for (std::size_t i = 0; i < dimension_; ++i) {
      values.clear();
      for (const float* vector : sample_)
        if (std::isfinite(vector[i])) values.push_back(vector[i]);
      if (values.empty()) values.push_back(0);
      middles_.push_back(trimmed(values, kTrimMiddle).middle());
      reaches_.push_back(trimmed(values, kTrimReach));
    }
  }

  double half_width_now() const {
    const std::size_t every = sample_.size() * dimension_ / kMeasured + 1;
    std::vector<double> deviations;
    deviations.reserve(sample_.size() * dimension_ / every + dimension_);
    for (std::size_t v = 0; v < sample_.size(); v += every) {
      for (std::size_t i = 0; i < dimension_; ++i)
        if (const float value = sample_[v][i]; std::isfinite(value))
          deviations.push_back(std::fabs(static_cast<double>(value) - middles_[i]));
    }
    return deviations.empty() ? 0 : half_width(deviations);
  }

  // Values are no finer than floats are where they lie.
  float least_step(double half) const {
    double farthest = 0;
    for (const double middle : middles_) farthest = std::max(farthest, std::fabs(middle));
    const double step = std::max(2 * half / kSteps, farthest * 0x1p-22);
    return std::max(static_cast<float>(step), kLeastStep);
  }

  void measure(Quantizer& quantizer) const {
    ByteVector code(dimension_);
    CodeError error;
    for (const float* vector : sample_) {
      quantizer.encode(vector, code.data());
      error += quantizer.error_of(vector, code.data());
    }
    quantizer.trained_vectors_ = sample_.size();
    quantizer.trained_error_ = error.mean_squared();
    quantizer.trained_cut_ = error.cut_share();
  }

  std::span<const float* const> sample_;
  std::size_t dimension_;
  std::vector<double> middles_;
  std::vector<Interval> reaches_;
};

Result<Quantizer> Quantizer::train(std::span<const float* const> sample, std::uint32_t dimension,
                                   std::uint32_t version, const DistanceKernels& kernels) {
  if (sample.empty()) return fail(ErrorCode::kInvalid, "a quantizer needs a vector to train from");
  if (dimension == 0 || dimension > kMaxMeasuredDimension)
    return fail(ErrorCode::kInvalid, "a quantizer of dimension %u; it must be 1 to %zu", dimension,
                kMaxMeasuredDimension);
  if (version == 0) return fail(ErrorCode::kInvalid, "versions of a quantizer begin at 1");
  Quantizer quantizer(version, kernels);
  QuantizerTraining(sample, dimension).run(quantizer);
  return quantizer;
}

}  // namespace quire
