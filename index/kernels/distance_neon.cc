// Distances with NEON, which every 64-bit ARM has.
#include <arm_neon.h>

#include "index/kernels/distance_loops.h"

namespace quire {
namespace {

struct Neon {
  using Vector = float32x4_t;
  static constexpr std::size_t kLanes = 4;

  static Vector zero() { return vdupq_n_f32(0); }
  static Vector load(const float* from) {
    return vreinterpretq_f32_u8(vld1q_u8(reinterpret_cast<const std::uint8_t*>(from)));
  }
  static Vector load_first(const float* from, std::size_t n) {
    float first[kLanes] = {};
    __builtin_memcpy(first, from, n * sizeof(float));
    return vld1q_f32(first);
  }
  static Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector subtract(Vector a, Vector b) { return vsubq_f32(a, b); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static float sum(Vector v) { return vaddvq_f32(v); }
};

}  // namespace

extern const DistanceKernels kNeonKernels = kernels_of<Neon>("neon");

}  // namespace quire
