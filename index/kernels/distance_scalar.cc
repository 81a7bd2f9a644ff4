// The specification of every distance, in plain C++; the other files are tested against this one.
#include <cmath>
#include <cstring>

#include "index/kernels/kernel_types.h"

namespace quire {
namespace {

// Partial sums: enough to hide the latency of an addition, few enough to stay plain.
constexpr std::size_t kSums = 4;

double element(const void* vector, std::size_t i) noexcept {
  float value;  // vectors may lie at any address
  std::memcpy(&value, static_cast<const char*>(vector) + i * sizeof value, sizeof value);
  return static_cast<double>(value);
}

// Sum of term(a[i], b[i]): element i to partial sum i % 4.
template <class Term>
double sum_terms(const void* a, const void* b, std::size_t dimension, Term term) noexcept {
  double sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= dimension; i += kSums)
    for (std::size_t lane = 0; lane < kSums; ++lane)
      sums[lane] += term(element(a, i + lane), element(b, i + lane));
  for (std::size_t lane = 0; i < dimension; ++i, ++lane)
    sums[lane] += term(element(a, i), element(b, i));
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

double dot(const void* a, const void* b, std::size_t dimension) noexcept {
  return sum_terms(a, b, dimension, [](double x, double y) { return x * y; });
}

float l2(const void* a, const void* b, std::size_t dimension) noexcept {
  return static_cast<float>(
      sum_terms(a, b, dimension, [](double x, double y) { return (x - y) * (x - y); }));
}

float inner_product(const void* a, const void* b, std::size_t dimension) noexcept {
  // Subtracted, so that orthogonal vectors are at 0 and not at -0.
  return static_cast<float>(0.0 - dot(a, b, dimension));
}

// Squares of floats neither overflow nor vanish in double, so only a zero vector has norm zero.
float cosine_of_sums(double product, double a_square, double b_square) noexcept {
  if (std::isnan(product)) return static_cast<float>(product);
  if (a_square == 0 || b_square == 0) return 1;
  const double distance = 1 - product / (std::sqrt(a_square) * std::sqrt(b_square));
  // Rounding may leave the range by an ulp; written so that NaN passes.
  return static_cast<float>(distance < 0 ? 0 : (distance > 2 ? 2 : distance));
}

float cosine(const void* a, const void* b, std::size_t dimension) noexcept {
  return cosine_of_sums(dot(a, b, dimension), dot(a, a, dimension), dot(b, b, dimension));
}

template <DistanceFunction kDistance>
void each_row(const void* query, const void* rows, std::size_t stride_bytes, std::size_t count,
              std::size_t dimension, float* distances) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    distances[i] = kDistance(query, static_cast<const char*>(rows) + i * stride_bytes, dimension);
}

}  // namespace

const DistanceKernels kScalarKernels = {
    .name = "scalar",
    .l2_f32 = {l2, each_row<l2>},
    .inner_product_f32 = {inner_product, each_row<inner_product>},
    .cosine_f32 = {cosine, each_row<cosine>},
};

}  // namespace quire
