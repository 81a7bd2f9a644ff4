// The specification of every distance, in plain C++; the other files are tested against this one.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "index/kernels/encode_loop.h"
#include "index/kernels/kernel_types.h"

namespace quire {
namespace {

// Partial sums: enough to hide the latency of an addition, few enough to stay plain.
constexpr std::size_t kSums = 4;

// Elements of a type: how one is read (vectors may lie at any address), and what sums of their
// products are, exact for whole numbers.
template <class Stored>
Stored stored(const void* vector, std::size_t i) noexcept {
  Stored value;
  std::memcpy(&value, static_cast<const char*>(vector) + i * sizeof value, sizeof value);
  return value;
}

struct F32 {
  using Number = double;
  static Number at(const void* vector, std::size_t i) noexcept {
    return static_cast<double>(stored<float>(vector, i));
  }
};

struct F16 {
  using Number = double;
  static Number at(const void* vector, std::size_t i) noexcept {
    const unsigned half = stored<std::uint16_t>(vector, i);
    const unsigned exponent = half >> 10 & 31;
    const unsigned fraction = half & 1023;
    double size = 0;
    if (exponent == 31)
      size = fraction == 0 ? std::numeric_limits<double>::infinity()
                           : std::numeric_limits<double>::quiet_NaN();
    else  // its bits in a float have an exponent that is too small by 127 - 15
      size = static_cast<double>(std::bit_cast<float>((half & 0x7FFF) << 13)) * 0x1p112;
    return half >> 15 != 0 ? -size : size;
  }
};

template <class Byte>
struct Whole {
  using Number = std::int64_t;
  static Number at(const void* vector, std::size_t i) noexcept { return stored<Byte>(vector, i); }
};
using I8 = Whole<std::int8_t>;
using Code = Whole<std::uint8_t>;

// Sum of term(a[i], b[i]): element i to partial sum i % 4.
template <class Type, class Term>
typename Type::Number sum_terms(const void* a, const void* b, std::size_t dimension,
                                Term term) noexcept {
  typename Type::Number sums[kSums] = {};
  std::size_t i = 0;
  for (; i + kSums <= dimension; i += kSums)
    for (std::size_t lane = 0; lane < kSums; ++lane)
      sums[lane] += term(Type::at(a, i + lane), Type::at(b, i + lane));
  for (std::size_t lane = 0; i < dimension; ++i, ++lane)
    sums[lane] += term(Type::at(a, i), Type::at(b, i));
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class Type>
typename Type::Number dot(const void* a, const void* b, std::size_t dimension) noexcept {
  return sum_terms<Type>(a, b, dimension, [](auto x, auto y) { return x * y; });
}

template <class Type>
float l2(const void* a, const void* b, std::size_t dimension) noexcept {
  return static_cast<float>(
      sum_terms<Type>(a, b, dimension, [](auto x, auto y) { return (x - y) * (x - y); }));
}

template <class Type>
float inner_product(const void* a, const void* b, std::size_t dimension) noexcept {
  // Subtracted, so that orthogonal vectors are at 0 and not at -0.
  return static_cast<float>(0 - dot<Type>(a, b, dimension));
}

template <class Type>
float cosine(const void* a, const void* b, std::size_t dimension) noexcept {
  return cosine_of_sums(static_cast<double>(dot<Type>(a, b, dimension)),
                        static_cast<double>(dot<Type>(a, a, dimension)),
                        static_cast<double>(dot<Type>(b, b, dimension)));
}

template <class Type>
float l1(const void* a, const void* b, std::size_t dimension) noexcept {
  return static_cast<float>(
      sum_terms<Type>(a, b, dimension, [](auto x, auto y) { return std::abs(x - y); }));
}

// Bits that are set in what `combine` makes of the bytes.
template <class Combine>
std::uint32_t count_bits(const void* a, const void* b, std::size_t dimension,
                         Combine combine) noexcept {
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < (dimension + 7) / 8; ++i) {
    const unsigned bits = combine(stored<std::uint8_t>(a, i), stored<std::uint8_t>(b, i));
    count += static_cast<std::uint32_t>(std::popcount(bits));
  }
  return count;
}

float hamming(const void* a, const void* b, std::size_t dimension) noexcept {
  return static_cast<float>(
      count_bits(a, b, dimension, [](unsigned x, unsigned y) { return x ^ y; }));
}

float jaccard(const void* a, const void* b, std::size_t dimension) noexcept {
  return jaccard_of_counts(
      count_bits(a, b, dimension, [](unsigned x, unsigned y) { return x & y; }),
      count_bits(a, b, dimension, [](unsigned x, unsigned y) { return x | y; }));
}

template <DistanceFunction kDistance>
void each_row(const void* query, const void* rows, std::size_t stride_bytes, std::size_t count,
              std::size_t dimension, float* distances) noexcept {
  for (std::size_t i = 0; i < count; ++i)
    distances[i] = kDistance(query, static_cast<const char*>(rows) + i * stride_bytes, dimension);
}

template <DistanceFunction kDistance>
void each_of(const void* query, const void* const* vectors, std::size_t count,
             std::size_t dimension, float* distances) noexcept {
  for (std::size_t i = 0; i < count; ++i) distances[i] = kDistance(query, vectors[i], dimension);
}

template <DistanceFunction kDistance>
constexpr DistanceFunctions functions_of() {
  return {kDistance, each_row<kDistance>, each_of<kDistance>};
}

template <class Type>
constexpr NumberDistances number_distances() {
  return {.l2 = functions_of<l2<Type>>(),
          .inner_product = functions_of<inner_product<Type>>(),
          .cosine = functions_of<cosine<Type>>(),
          .l1 = functions_of<l1<Type>>()};
}

void encode_each(const void* vector, const float* low, float inverse_step, std::size_t dimension,
                 void* code) noexcept {
  encode_rest(static_cast<const char*>(vector), low, inverse_step, dimension,
              static_cast<std::uint8_t*>(code));
}

}  // namespace

// Squares of floats neither overflow nor vanish in double, so only a zero vector has norm zero.
float cosine_of_sums(double product, double a_square, double b_square) noexcept {
  if (std::isnan(product)) return static_cast<float>(product);
  if (a_square == 0 || b_square == 0) return 1;
  const double distance = 1 - product / (std::sqrt(a_square) * std::sqrt(b_square));
  // Rounding may leave the range by an ulp; written so that NaN passes.
  return static_cast<float>(distance < 0 ? 0 : (distance > 2 ? 2 : distance));
}

// Two empty sets are the same.
float jaccard_of_counts(std::uint32_t both, std::uint32_t either) noexcept {
  if (either == 0) return 0;
  return static_cast<float>(1 - static_cast<double>(both) / static_cast<double>(either));
}

const DistanceKernels kScalarKernels = {
    .name = "scalar",
    .f32 = number_distances<F32>(),
    .f16 = number_distances<F16>(),
    .i8 = number_distances<I8>(),
    .bits = {.hamming = functions_of<hamming>(), .jaccard = functions_of<jaccard>()},
    .codes = {.l2 = functions_of<l2<Code>>(),
              .l2_7bit = functions_of<l2<Code>>(),
              .inner_product = functions_of<inner_product<Code>>()},
    .encode = encode_each,
};

}  // namespace quire
