// Distances with AVX-512F; compiled with -mavx512f.
#include <immintrin.h>

#include "index/kernels/distance_loops.h"

namespace quire {
namespace {

struct Avx512 {
  using Vector = __m512;
  static constexpr std::size_t kLanes = 16;

  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector load_first(const float* from, std::size_t n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1), from);
  }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static float sum(Vector v) { return _mm512_reduce_add_ps(v); }
};

}  // namespace

extern const DistanceKernels kAvx512Kernels = kernels_of<Avx512>("avx512");

}  // namespace quire
