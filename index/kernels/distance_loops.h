// The loops over vectors, written once for all instruction sets.
//
// `Simd` is a policy: a Vector of kLanes floats with zero, load, load_first (n < kLanes elements,
// the rest zero, nothing read past them), add, subtract, multiply_add (a * b + c, rounded once) and
// sum (of the lanes).
//
// All of this has internal linkage on purpose; distance.cc says why. For the same reason nothing of
// the standard library that has code of its own is used.
#pragma once

#include "index/kernels/kernel_types.h"

namespace quire {
namespace {

// How far ahead of a row's elements the rows are fetched, in bytes; the rows of a block follow one
// another, so this is in the row itself or the next ones. Prefetching never faults, so it may be
// past the last. Measured on 60,000 x 784 (tests/kernels/distance_benchmark.cc): 1 to 3 KiB are
// alike, none costs up to 5%, 4 KiB and more 10%.
constexpr std::size_t kPrefetchBytes = 1024;

// Range in which float arithmetic on squares is as good as the tolerance promises: smaller ones
// lose bits to denormals, larger ones overflow.
constexpr float kSmallestSquare = 1e-30F;
constexpr float kLargestSquare = 1e30F;

template <class Simd>
struct L2Sums {
  using Vector = typename Simd::Vector;
  Vector sum = Simd::zero();
  void add(Vector a, Vector b) {
    const Vector difference = Simd::subtract(a, b);
    sum = Simd::multiply_add(difference, difference, sum);
  }
  void merge(const L2Sums& other) { sum = Simd::add(sum, other.sum); }
};

template <class Simd>
struct DotSums {
  using Vector = typename Simd::Vector;
  Vector sum = Simd::zero();
  void add(Vector a, Vector b) { sum = Simd::multiply_add(a, b, sum); }
  void merge(const DotSums& other) { sum = Simd::add(sum, other.sum); }
};

// The product and the square of b; the square of a is the query's, and is known.
template <class Simd>
struct CosineSums {
  using Vector = typename Simd::Vector;
  Vector product = Simd::zero();
  Vector square = Simd::zero();
  void add(Vector a, Vector b) {
    product = Simd::multiply_add(a, b, product);
    square = Simd::multiply_add(b, b, square);
  }
  void merge(const CosineSums& other) {
    product = Simd::add(product, other.product);
    square = Simd::add(square, other.square);
  }
};

// Four sums at once: an FMA has a latency of four cycles, and two start in each. Four names rather
// than an array, which compilers keep in memory here.
template <class Simd, class Sums, bool kPrefetch>
inline Sums accumulate(const void* a_bytes, const void* b_bytes, std::size_t dimension) {
  constexpr std::size_t kLanes = Simd::kLanes;
  const auto* a = static_cast<const float*>(a_bytes);
  const auto* b = static_cast<const float*>(b_bytes);
  Sums sums0, sums1, sums2, sums3;
  std::size_t left = dimension;
  for (; left >= 4 * kLanes; left -= 4 * kLanes, a += 4 * kLanes, b += 4 * kLanes) {
    if constexpr (kPrefetch) {
      const char* ahead = reinterpret_cast<const char*>(b) + kPrefetchBytes;
      for (std::size_t line = 0; line < 4 * kLanes * sizeof(float); line += 64)
        __builtin_prefetch(ahead + line);
    }
    sums0.add(Simd::load(a), Simd::load(b));
    sums1.add(Simd::load(a + kLanes), Simd::load(b + kLanes));
    sums2.add(Simd::load(a + 2 * kLanes), Simd::load(b + 2 * kLanes));
    sums3.add(Simd::load(a + 3 * kLanes), Simd::load(b + 3 * kLanes));
  }
  const std::size_t whole = left / kLanes;
  if (whole > 0) sums0.add(Simd::load(a), Simd::load(b));
  if (whole > 1) sums1.add(Simd::load(a + kLanes), Simd::load(b + kLanes));
  if (whole > 2) sums2.add(Simd::load(a + 2 * kLanes), Simd::load(b + 2 * kLanes));
  const std::size_t done = whole * kLanes;
  if (done < left)
    sums3.add(Simd::load_first(a + done, left - done), Simd::load_first(b + done, left - done));
  sums0.merge(sums1);
  sums2.merge(sums3);
  sums0.merge(sums2);
  return sums0;
}

inline bool finite(float value) { return value - value == 0; }

template <class Simd, bool kPrefetch>
inline float l2(const void* a, const void* b, std::size_t dimension) {
  const float sum = Simd::sum(accumulate<Simd, L2Sums<Simd>, kPrefetch>(a, b, dimension).sum);
  if (!finite(sum)) [[unlikely]]
    return kScalarKernels.l2_f32.one(a, b, dimension);
  return sum;
}

template <class Simd, bool kPrefetch>
inline float inner_product(const void* a, const void* b, std::size_t dimension) {
  const float sum = Simd::sum(accumulate<Simd, DotSums<Simd>, kPrefetch>(a, b, dimension).sum);
  if (!finite(sum)) [[unlikely]]
    return kScalarKernels.inner_product_f32.one(a, b, dimension);
  return 0 - sum;
}

// Squared length of a vector.
template <class Simd>
inline float square(const void* a, std::size_t dimension) {
  return Simd::sum(accumulate<Simd, DotSums<Simd>, false>(a, a, dimension).sum);
}

inline bool ordinary_square(float square) {
  return square > kSmallestSquare && square < kLargestSquare;
}

// Zero vectors, NaN and extreme lengths all take the scalar way.
template <class Simd, bool kPrefetch>
inline float cosine_to(const void* a, float a_square, const void* b, std::size_t dimension) {
  const auto sums = accumulate<Simd, CosineSums<Simd>, kPrefetch>(a, b, dimension);
  const float b_square = Simd::sum(sums.square);
  if (!ordinary_square(a_square) || !ordinary_square(b_square)) [[unlikely]]
    return kScalarKernels.cosine_f32.one(a, b, dimension);
  const float distance =
      1 - Simd::sum(sums.product) / (__builtin_sqrtf(a_square) * __builtin_sqrtf(b_square));
  return distance < 0 ? 0 : (distance > 2 ? 2 : distance);
}

template <class Simd>
struct Kernels {
  static float l2_one(const void* a, const void* b, std::size_t dimension) {
    return l2<Simd, false>(a, b, dimension);
  }
  static float inner_product_one(const void* a, const void* b, std::size_t dimension) {
    return inner_product<Simd, false>(a, b, dimension);
  }
  static float cosine_one(const void* a, const void* b, std::size_t dimension) {
    return cosine_to<Simd, false>(a, square<Simd>(a, dimension), b, dimension);
  }

  static void l2_rows(const void* query, const void* rows, std::size_t stride_bytes,
                      std::size_t count, std::size_t dimension, float* distances) {
    const char* row = static_cast<const char*>(rows);
    for (std::size_t i = 0; i < count; ++i, row += stride_bytes)
      distances[i] = l2<Simd, true>(query, row, dimension);
  }
  static void inner_product_rows(const void* query, const void* rows, std::size_t stride_bytes,
                                 std::size_t count, std::size_t dimension, float* distances) {
    const char* row = static_cast<const char*>(rows);
    for (std::size_t i = 0; i < count; ++i, row += stride_bytes)
      distances[i] = inner_product<Simd, true>(query, row, dimension);
  }
  static void cosine_rows(const void* query, const void* rows, std::size_t stride_bytes,
                          std::size_t count, std::size_t dimension, float* distances) {
    const float query_square = square<Simd>(query, dimension);
    const char* row = static_cast<const char*>(rows);
    for (std::size_t i = 0; i < count; ++i, row += stride_bytes)
      distances[i] = cosine_to<Simd, true>(query, query_square, row, dimension);
  }
};

template <class Simd>
constexpr DistanceKernels kernels_of(const char* name) {
  return {
      .name = name,
      .l2_f32 = {Kernels<Simd>::l2_one, Kernels<Simd>::l2_rows},
      .inner_product_f32 = {Kernels<Simd>::inner_product_one, Kernels<Simd>::inner_product_rows},
      .cosine_f32 = {Kernels<Simd>::cosine_one, Kernels<Simd>::cosine_rows},
  };
}

}  // namespace
}  // namespace quire
