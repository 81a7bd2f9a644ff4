// Distances with AVX2 and FMA; compiled with -mavx2 -mfma.
#include <immintrin.h>

#include "index/kernels/distance_loops.h"

namespace quire {
namespace {

// A window into it that starts 8 - n words in loads exactly n elements.
alignas(32) constexpr std::int32_t kMasks[16] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                                 0,  0,  0,  0,  0,  0,  0,  0};

struct Avx2 {
  using Vector = __m256;
  static constexpr std::size_t kLanes = 8;

  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector load_first(const float* from, std::size_t n) {
    const __m256i mask =
        _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(kMasks + (kLanes - n)));
    return _mm256_maskload_ps(from, mask);
  }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static float sum(Vector v) {
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
  }
};

}  // namespace

extern const DistanceKernels kAvx2Kernels = kernels_of<Avx2>("avx2");

}  // namespace quire
