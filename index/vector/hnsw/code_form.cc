#include "index/vector/hnsw/code_form.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>

namespace quire::hnsw {
namespace {

// The largest finite half.
constexpr float kMostHalf = 65504;

void to_halves(const std::byte* vector, std::uint32_t dimension, std::byte* code) noexcept {
  for (std::uint32_t i = 0; i < dimension; ++i) {
    float value;
    std::memcpy(&value, vector + std::size_t{i} * sizeof value, sizeof value);
    const auto half = static_cast<_Float16>(std::clamp(value, -kMostHalf, kMostHalf));
    std::memcpy(code + std::size_t{i} * sizeof half, &half, sizeof half);
  }
}

// The same direction, of length 1; zeros stay what they are.
void to_length_one(const std::byte* vector, std::uint32_t dimension, float* to) noexcept {
  std::memcpy(to, vector, std::size_t{dimension} * sizeof(float));
  double sum = 0;
  for (std::uint32_t i = 0; i < dimension; ++i) sum += static_cast<double>(to[i]) * to[i];
  if (sum == 0) return;
  const auto factor = static_cast<float>(1 / std::sqrt(sum));
  for (std::uint32_t i = 0; i < dimension; ++i) to[i] *= factor;
}

std::unexpected<Error> refuse(CodeKind kind, const std::string& words) {
  return std::unexpected(
      Error(ErrorCode::kNotSupported,
            "codes of the kind '" + std::string(code_kind_name(kind)) + "' are " + words));
}

}  // namespace

std::string_view code_kind_name(CodeKind kind) noexcept {
  switch (kind) {
    case CodeKind::kRaw:
      return "none";
    case CodeKind::kF16:
      return "f16";
    case CodeKind::kSq8:
      return "sq8";
  }
  return "unknown";
}

CodeKind usual_code_kind(Metric metric, ElementType elements) noexcept {
  if (elements != ElementType::kF32) return CodeKind::kRaw;
  return metric == Metric::kL2 || metric == Metric::kCosine ? CodeKind::kSq8 : CodeKind::kF16;
}

Result<CodeForm> CodeForm::make(CodeKind kind, Metric metric, ElementType elements,
                                std::uint32_t dimension) {
  CodeForm form;
  QUIRE_TRY(form.vector_distance_, find_distance(distance_kernels(), metric, elements));
  form.kind_ = kind;
  form.metric_ = metric;
  form.dimension_ = dimension;
  form.vector_bytes_ = static_cast<std::uint32_t>(quire::vector_bytes(elements, dimension));
  if (kind != CodeKind::kRaw && elements != ElementType::kF32)
    return refuse(kind, "for vectors of f32, not of " + std::string(element_type_name(elements)));
  if (kind == CodeKind::kSq8) {
    if (metric != Metric::kL2 && metric != Metric::kCosine)
      return refuse(kind, "for l2 and cosine, not for " + std::string(metric_name(metric)));
    form.code_bytes_ = dimension;
    form.code_metric_ = {distance_kernels().codes.l2, dimension};
  } else {
    const ElementType coded = kind == CodeKind::kF16 ? ElementType::kF16 : elements;
    form.code_bytes_ = static_cast<std::uint32_t>(quire::vector_bytes(coded, dimension));
    QUIRE_TRY(form.code_metric_.distance, find_distance(distance_kernels(), metric, coded));
    form.code_metric_.dimension = dimension;
  }
  return form;
}

Result<Quantizer> CodeForm::train(std::span<const std::byte* const> vectors,
                                  std::uint32_t version) const {
  // At addresses of floats, which pages do not promise.
  std::vector<float> copies(vectors.size() * dimension_);
  std::vector<const float*> sample;
  sample.reserve(vectors.size());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    float* copy = copies.data() + i * dimension_;
    if (metric_ == Metric::kCosine) {
      to_length_one(vectors[i], dimension_, copy);
    } else {
      std::memcpy(copy, vectors[i], vector_bytes_);
    }
    sample.push_back(copy);
  }
  return Quantizer::train(sample, dimension_, version);
}

void CodeForm::encode(const std::byte* vector, const Quantizer* quantizer, std::byte* code) const {
  if (kind_ == CodeKind::kRaw) {
    std::memcpy(code, vector, code_bytes_);
  } else if (kind_ == CodeKind::kF16) {
    to_halves(vector, dimension_, code);
  } else if (metric_ == Metric::kCosine) {
    const auto unit = std::make_unique_for_overwrite<float[]>(dimension_);
    to_length_one(vector, dimension_, unit.get());
    quantizer->encode(unit.get(), code);
  } else {
    quantizer->encode(vector, code);
  }
}

float CodeForm::to_code_distance(float distance, const Quantizer* quantizer) const noexcept {
  if (kind_ != CodeKind::kSq8) return distance;
  // Of vectors of length 1 the squared distance is twice that of cosine.
  const float l2 = metric_ == Metric::kCosine ? 2 * distance : distance;
  return l2 / (quantizer->step() * quantizer->step());
}

}  // namespace quire::hnsw
