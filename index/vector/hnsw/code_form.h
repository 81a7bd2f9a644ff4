// How the codes of an index stand for its vectors: what an element of `codes` is, how it is made,
// and how two are measured.
//
//   raw    the vector itself, measured by the index's metric: distances are exact
//   f16    an f32 vector in half precision, measured likewise
//   sq8    a byte a dimension (quantizer.h), for l2, and for cosine as l2 of vectors of length 1
#pragma once

#include <optional>
#include <string_view>

#include "index/vector/hnsw/graph.h"
#include "index/vector/quantizer.h"

namespace quire::hnsw {

// Stored; never renumbered.
enum class CodeKind : std::uint8_t { kRaw = 0, kF16 = 1, kSq8 = 2 };
std::string_view code_kind_name(CodeKind kind) noexcept;  // "none", "f16", "sq8"
// What is taken where nothing is said.
CodeKind usual_code_kind(Metric metric, ElementType elements) noexcept;

// Immutable; any thread.
class CodeForm {
 public:
  // kNotSupported where the metric is none of the elements, or the kind of code is none for both.
  static Result<CodeForm> make(CodeKind kind, Metric metric, ElementType elements,
                               std::uint32_t dimension);

  CodeKind kind() const noexcept { return kind_; }
  Metric metric() const noexcept { return metric_; }
  std::uint32_t dimension() const noexcept { return dimension_; }
  std::uint32_t vector_bytes() const noexcept { return vector_bytes_; }
  std::uint32_t code_bytes() const noexcept { return code_bytes_; }
  // Whether codes need a trained quantizer.
  bool is_trained() const noexcept { return kind_ == CodeKind::kSq8; }
  // Whether their distances are those of the vectors, to the last bit.
  bool is_exact() const noexcept { return kind_ == CodeKind::kRaw; }
  // Of codes; of vectors.
  const CodeMetric& code_metric() const noexcept { return code_metric_; }
  const DistanceFunctions& vector_distance() const noexcept { return vector_distance_; }

  // Parameters for these vectors, `count` one after the other; of a form that is trained.
  Result<Quantizer> train(std::span<const std::byte* const> vectors, std::uint32_t version) const;
  // `quantizer`: of a form that is trained. The vector and code may lie at any address.
  void encode(const std::byte* vector, const Quantizer* quantizer, std::byte* code) const;
  // From the distance of two vectors to what the distance of their codes should be: so that both
  // can be compared.
  float to_code_distance(float distance, const Quantizer* quantizer) const noexcept;

 private:
  CodeForm() = default;

  CodeKind kind_ = CodeKind::kRaw;
  Metric metric_ = Metric::kL2;
  std::uint32_t dimension_ = 0;
  std::uint32_t vector_bytes_ = 0;
  std::uint32_t code_bytes_ = 0;
  CodeMetric code_metric_;
  DistanceFunctions vector_distance_;
};

}  // namespace quire::hnsw
