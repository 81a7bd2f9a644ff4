// The 8-bit scalar quantizer: a vector of f32 as one byte a dimension.
//
// The byte of dimension i is (x - low(i)) / step, rounded and cut to 0 to 255. Each dimension has a
// range of its own, all have one step: so the squared distance of two codes, an integer that
// DistanceKernels::codes.l2 finds, times step^2 is the squared distance of the vectors that the
// codes stand for. docs/vector-indexes.md has why, and how the ranges are chosen.
//
// The parameters are trained from a sample, kept in pages, and never changed: other data gets other
// parameters, of a higher version, and other codes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "index/kernels/distance.h"

namespace quire {

// More vectors than this make a sample no better.
inline constexpr std::size_t kQuantizerSample = 16'384;
// Fewer make none that is worth training from.
inline constexpr std::size_t kQuantizerLeast = 1'024;

// How far codes are from their vectors, summed over some of these.
struct CodeError {
  std::uint64_t components = 0;  // finite ones
  std::uint64_t cut = 0;         // of these, outside of their range
  double squared = 0;            // sum of the squared differences

  double mean_squared() const noexcept {
    return components == 0 ? 0 : squared / static_cast<double>(components);
  }
  double cut_share() const noexcept {
    return components == 0 ? 0 : static_cast<double>(cut) / static_cast<double>(components);
  }
  CodeError& operator+=(const CodeError& other) noexcept {
    components += other.components;
    cut += other.cut;
    squared += other.squared;
    return *this;
  }
};

// Immutable; any thread.
class Quantizer {
 public:
  // From a sample of vectors of `dimension` floats: at least one. Components that are not finite
  // count for nothing. kInvalid for no vectors, a dimension of 0 or over kMaxMeasuredDimension, a
  // version of 0. O(sample * dimension), and memory for 2^20 floats.
  static Result<Quantizer> train(std::span<const float* const> sample, std::uint32_t dimension,
                                 std::uint32_t version,
                                 const DistanceKernels& kernels = distance_kernels());

  // Its bytes: as many as size_bytes() says.
  static std::size_t size_bytes(std::uint32_t dimension) noexcept;
  ByteVector encode_parameters() const;
  // Back from bytes that may be damaged: kCorrupt, naming what can't be. kVersion for a layout that
  // this library does not know.
  static Result<Quantizer> decode_parameters(Bytes bytes, std::uint32_t dimension,
                                             const DistanceKernels& kernels = distance_kernels());

  std::uint32_t dimension() const noexcept { return static_cast<std::uint32_t>(low_.size()); }
  std::uint32_t version() const noexcept { return version_; }
  float step() const noexcept { return step_; }
  float low(std::size_t i) const noexcept { return low_[i]; }
  // How many vectors there were when it was trained is the caller's to know; this is the sample.
  std::uint64_t trained_vectors() const noexcept { return trained_vectors_; }
  // The error over the sample.
  double trained_error() const noexcept { return trained_error_; }
  double trained_cut() const noexcept { return trained_cut_; }
  // What rounding alone costs where values are evenly spread: step^2 / 12.
  double rounding_error() const noexcept {
    return static_cast<double>(step_) * static_cast<double>(step_) / 12;
  }

  // `vector`: dimension() floats, at any address; `code`: as many bytes. The same from all kernels.
  void encode(const void* vector, std::byte* code) const noexcept {
    encode_(vector, low_.data(), inverse_step_, low_.size(), code);
  }
  // The vector that a code stands for.
  void decode(const std::byte* code, float* vector) const noexcept;
  // From the distance of two codes to that of their vectors.
  float distance_of(float codes) const noexcept { return codes * step_ * step_; }
  // Of a vector and its code.
  CodeError error_of(const void* vector, const std::byte* code) const noexcept;

 private:
  friend class QuantizerTraining;
  Quantizer(std::uint32_t version, const DistanceKernels& kernels)
      : encode_(kernels.encode), version_(version) {}
  void set_step(float step) noexcept {
    step_ = step;
    inverse_step_ = 1 / step;
  }

  EncodeFunction encode_;
  std::uint32_t version_;
  float step_ = 1;
  float inverse_step_ = 1;
  std::uint64_t trained_vectors_ = 0;
  double trained_error_ = 0;
  double trained_cut_ = 0;
  std::vector<float> low_;
};

// When parameters are due to be trained again. `recent`: the error of vectors encoded of late,
// which count only when there are enough; `vectors`: how many there are now.
bool retraining_due(const Quantizer& quantizer, const CodeError& recent, std::uint64_t vectors);
// Whether new parameters are worth encoding everything again, by the error of both over the same
// vectors.
bool worth_switching(const CodeError& with_old, const CodeError& with_new) noexcept;

}  // namespace quire
