// Codes and parameters of the quantizer. Training is in quantizer_training.cc.
#include "index/vector/quantizer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>

namespace quire {
namespace {

constexpr std::uint16_t kLayout = 1;
constexpr std::uint16_t kScalar8 = 1;

// The parameters in a page. low_i follows for each dimension, a f32. The page has a checksum.
struct ParametersHeader {
  std::uint16_t layout;     // kLayout; another is not read
  std::uint16_t kind;       // of quantizer: kScalar8
  std::uint32_t dimension;  // again: a mixed-up element is told
  std::uint32_t version;    // of the parameters, from 1
  float step;               // finite, above 0
  std::uint64_t trained_vectors;
  double trained_error;  // mean square over the sample
  double trained_cut;    // 0 to 1
};
static_assert(sizeof(ParametersHeader) == 40);
static_assert(offsetof(ParametersHeader, step) == 12);
static_assert(offsetof(ParametersHeader, trained_vectors) == 16);
static_assert(offsetof(ParametersHeader, trained_cut) == 32);

constexpr std::uint64_t kRecentVectors = 4'096;  // fewer say little about drift

float load_float(const void* from, std::size_t i) noexcept {
  float value;
  std::memcpy(&value, static_cast<const char*>(from) + i * sizeof value, sizeof value);
  return value;
}

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorrupt, "parameters of a quantizer: %s", what);
}

Status check_header(const ParametersHeader& header, std::uint32_t dimension) {
  if (header.layout != kLayout || header.kind != kScalar8)
    return fail(ErrorCode::kVersion,
                "parameters of a quantizer have layout %u of kind %u; this library reads %u of %u",
                header.layout, header.kind, kLayout, kScalar8);
  if (header.dimension != dimension)
    return fail(ErrorCode::kCorrupt,
                "parameters of a quantizer are of dimension %u, the vectors of %u",
                header.dimension, dimension);
  if (header.version == 0) return damaged("their version is 0");
  // The inverse has to be finite too.
  if (!std::isfinite(header.step) || !(header.step > 0) || !std::isfinite(1 / header.step))
    return damaged("their step is not a positive number");
  if (header.trained_vectors == 0) return damaged("they were trained from nothing");
  if (!std::isfinite(header.trained_error) || header.trained_error < 0)
    return damaged("their error is not a number from 0");
  if (!(header.trained_cut >= 0 && header.trained_cut <= 1))
    return damaged("their share of cut components is not 0 to 1");
  return {};
}

}  // namespace

std::size_t Quantizer::size_bytes(std::uint32_t dimension) noexcept {
  return sizeof(ParametersHeader) + std::size_t{dimension} * sizeof(float);
}

ByteVector Quantizer::encode_parameters() const {
  const ParametersHeader header{.layout = kLayout,
                                .kind = kScalar8,
                                .dimension = dimension(),
                                .version = version_,
                                .step = step_,
                                .trained_vectors = trained_vectors_,
                                .trained_error = trained_error_,
                                .trained_cut = trained_cut_};
  ByteVector bytes(size_bytes(dimension()));
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, low_.data(), low_.size() * sizeof(float));
  return bytes;
}

Result<Quantizer> Quantizer::decode_parameters(Bytes bytes, std::uint32_t dimension,
                                               const DistanceKernels& kernels) {
  if (bytes.size() != size_bytes(dimension))
    return fail(ErrorCode::kCorrupt,
                "parameters of a quantizer have %zu bytes; of dimension %u they have %zu",
                bytes.size(), dimension, size_bytes(dimension));
  ParametersHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  QUIRE_CHECK(check_header(header, dimension));
  Quantizer quantizer(header.version, kernels);
  quantizer.set_step(header.step);
  quantizer.trained_vectors_ = header.trained_vectors;
  quantizer.trained_error_ = header.trained_error;
  quantizer.trained_cut_ = header.trained_cut;
  quantizer.low_.resize(dimension);
  for (std::size_t i = 0; i < dimension; ++i) {
    quantizer.low_[i] = load_float(bytes.data() + sizeof header, i);
    if (!std::isfinite(quantizer.low_[i])) return damaged("the low end of a range is not a number");
  }
  return quantizer;
}

void Quantizer::decode(const std::byte* code, float* vector) const noexcept {
  for (std::size_t i = 0; i < low_.size(); ++i)
    vector[i] = low_[i] + step_ * static_cast<float>(code[i]);
}

CodeError Quantizer::error_of(const void* vector, const std::byte* code) const noexcept {
  CodeError error;
  const auto step = static_cast<double>(step_);
  for (std::size_t i = 0; i < low_.size(); ++i) {
    const float value = load_float(vector, i);
    if (!std::isfinite(value)) continue;
    const double above = static_cast<double>(value) - static_cast<double>(low_[i]);
    const double off = above - step * static_cast<double>(code[i]);
    ++error.components;
    // Half a step beyond the ends still rounds to them.
    if (above < -step / 2 || above > 255.5 * step) ++error.cut;
    error.squared += off * off;
  }
  return error;
}

bool retraining_due(const Quantizer& quantizer, const CodeError& recent, std::uint64_t vectors) {
  if (quantizer.trained_vectors() < kQuantizerSample && vectors / 4 >= quantizer.trained_vectors())
    return true;
  if (recent.components < kRecentVectors * quantizer.dimension()) return false;
  // Codes that were exact may get what rounding costs before anybody can do better.
  const double expected = std::max(quantizer.trained_error(), quantizer.rounding_error());
  if (recent.mean_squared() > 1.5 * expected) return true;
  return recent.cut_share() >= 0.001 && recent.cut_share() > 2 * quantizer.trained_cut();
}

bool worth_switching(const CodeError& with_old, const CodeError& with_new) noexcept {
  return with_new.mean_squared() < 0.9 * with_old.mean_squared();
}

}  // namespace quire
