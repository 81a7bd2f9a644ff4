// Metrics over floats, of 32 bits or widened to that: sums are floats.
//
// A lane for them (distance_loops.h) has besides `Float`, its operations on vectors — zero, add,
// subtract, absolute, multiply_add (a * b + c, rounded once) and sum (of the lanes) — and scalar(),
// the functions of the specification, which compute again what leaves the range of float.
#pragma once

#include "index/kernels/distance_loops.h"

namespace quire {
namespace {

// Range in which float arithmetic on squares is as good as the tolerance promises: smaller ones
// lose bits to denormals, larger ones overflow.
constexpr float kSmallestSquare = 1e-30F;
constexpr float kLargestSquare = 1e30F;

inline bool finite(float value) { return value - value == 0; }

// One sum of terms.
template <class L, class Term>
struct FloatSums {
  using Float = typename L::Float;
  typename L::Vector sum = Float::zero();
  void add(typename L::Vector a, typename L::Vector b) { sum = Term::add(sum, a, b); }
  void merge(const FloatSums& other) { sum = Float::add(sum, other.sum); }
};

template <class Float>
struct SquaredDifference {
  template <class Vector>
  static Vector add(Vector sum, Vector a, Vector b) {
    const Vector difference = Float::subtract(a, b);
    return Float::multiply_add(difference, difference, sum);
  }
};

template <class Float>
struct Product {
  template <class Vector>
  static Vector add(Vector sum, Vector a, Vector b) {
    return Float::multiply_add(a, b, sum);
  }
};

template <class Float>
struct AbsoluteDifference {
  template <class Vector>
  static Vector add(Vector sum, Vector a, Vector b) {
    return Float::add(sum, Float::absolute(Float::subtract(a, b)));
  }
};

// A metric that is one sum, or minus that; kScalar is its specification.
template <class L, class Term, DistanceFunctions NumberDistances::* kScalar, bool kNegative>
struct FloatMetric {
  using Lane = L;
  using Sums = FloatSums<L, Term>;
  using Query = Nothing;
  static Query prepare(const void*, std::size_t) { return {}; }
  static std::size_t elements(std::size_t dimension) { return dimension; }
  static float distance(const Sums& sums, Query, const void* a, const void* b,
                        std::size_t dimension) {
    const float sum = L::Float::sum(sums.sum);
    if (!finite(sum)) [[unlikely]]
      return (L::scalar().*kScalar).one(a, b, dimension);
    return kNegative ? 0 - sum : sum;
  }
};

template <class L>
using FloatL2 = FloatMetric<L, SquaredDifference<typename L::Float>, &NumberDistances::l2, false>;
template <class L>
using FloatInnerProduct =
    FloatMetric<L, Product<typename L::Float>, &NumberDistances::inner_product, true>;
template <class L>
using FloatL1 = FloatMetric<L, AbsoluteDifference<typename L::Float>, &NumberDistances::l1, false>;

template <class L>
struct FloatCosine {
  using Lane = L;
  using Float = typename L::Float;
  using Sums = CosineSums<FloatSums<L, Product<Float>>>;
  using Query = float;  // its square
  static Query prepare(const void* query, std::size_t dimension) {
    return Float::sum(accumulate<FloatInnerProduct<L>, false>(query, query, dimension).sum);
  }
  static std::size_t elements(std::size_t dimension) { return dimension; }
  static bool ordinary(float square) { return square > kSmallestSquare && square < kLargestSquare; }
  // Zero vectors, NaN and extreme lengths all take the scalar way.
  static float distance(const Sums& sums, Query a_square, const void* a, const void* b,
                        std::size_t dimension) {
    const float b_square = Float::sum(sums.square.sum);
    if (!ordinary(a_square) || !ordinary(b_square)) [[unlikely]]
      return L::scalar().cosine.one(a, b, dimension);
    const float lengths = __builtin_sqrtf(a_square) * __builtin_sqrtf(b_square);
    const float distance = 1 - Float::sum(sums.product.sum) / lengths;
    return distance < 0 ? 0 : (distance > 2 ? 2 : distance);
  }
};

template <class L>
constexpr NumberDistances float_distances() {
  return {.l2 = functions_of<FloatL2<L>>(),
          .inner_product = functions_of<FloatInnerProduct<L>>(),
          .cosine = functions_of<FloatCosine<L>>(),
          .l1 = functions_of<FloatL1<L>>()};
}

}  // namespace
}  // namespace quire
