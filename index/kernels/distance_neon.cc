// Distances with NEON, which every 64-bit ARM has.
#include <arm_neon.h>

#include "index/kernels/kernels_of.h"

namespace quire {
namespace {

// A window of 16 bytes into it that starts at byte n keeps the last n bytes.
alignas(16) constexpr unsigned char kZerosOnes[32] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

// At any address.
uint8x16_t load_bytes(const void* from) { return vld1q_u8(static_cast<const std::uint8_t*>(from)); }

struct Floats {
  using Vector = float32x4_t;
  static Vector zero() { return vdupq_n_f32(0); }
  static Vector add(Vector a, Vector b) { return vaddq_f32(a, b); }
  static Vector subtract(Vector a, Vector b) { return vsubq_f32(a, b); }
  static Vector absolute(Vector a) { return vabsq_f32(a); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
  static float sum(Vector v) { return vaddvq_f32(v); }
  static Vector keep_last(Vector v, std::size_t n) {
    return vreinterpretq_f32_u8(vandq_u8(vreinterpretq_u8_f32(v), load_bytes(kZerosOnes + 4 * n)));
  }
};

struct F32 {
  using Float = Floats;
  using Vector = float32x4_t;
  static constexpr std::size_t kElementBytes = 4;
  static constexpr std::size_t kLanes = 4;
  static constexpr bool kMaskedLoads = false;
  static const NumberDistances& scalar() { return kScalarKernels.f32; }
  static Vector load(const void* from) { return vreinterpretq_f32_u8(load_bytes(from)); }
  static Vector keep_last(Vector v, std::size_t n) { return Floats::keep_last(v, n); }
};

struct F16 {
  using Float = Floats;
  using Vector = float32x4_t;
  static constexpr std::size_t kElementBytes = 2;
  static constexpr std::size_t kLanes = 4;
  static constexpr bool kMaskedLoads = false;
  static const NumberDistances& scalar() { return kScalarKernels.f16; }
  static Vector load(const void* from) {
    const uint8x8_t bytes = vld1_u8(static_cast<const std::uint8_t*>(from));
    return vcvt_f32_f16(vreinterpret_f16_u8(bytes));
  }
  static Vector keep_last(Vector v, std::size_t n) { return Floats::keep_last(v, n); }
};

struct ByteLane {
  using Vector = uint8x16_t;
  using Words = uint32x4_t;
  static constexpr std::size_t kElementBytes = 1;
  static constexpr std::size_t kLanes = 16;
  static constexpr bool kMaskedLoads = false;
  static Vector load(const void* from) { return load_bytes(from); }
  static Vector keep_last(Vector v, std::size_t n) {
    return vandq_u8(v, load_bytes(kZerosOnes + n));
  }

  static Words zero() { return vdupq_n_u32(0); }
  static Words add(Words a, Words b) { return vaddq_u32(a, b); }
  static std::uint32_t sum(Words words) { return vaddvq_u32(words); }

  static Vector both(Vector a, Vector b) { return vandq_u8(a, b); }
  static Vector either(Vector a, Vector b) { return vorrq_u8(a, b); }
  static Vector differ(Vector a, Vector b) { return veorq_u8(a, b); }
  template <bool kSigned>
  static Vector distance_between(Vector a, Vector b) {
    if constexpr (kSigned)
      return vreinterpretq_u8_s8(vabdq_s8(vreinterpretq_s8_u8(a), vreinterpretq_s8_u8(b)));
    else
      return vabdq_u8(a, b);
  }

  static Words add_bytes(Words words, Vector bytes) {
    return vpadalq_u16(words, vpaddlq_u8(bytes));
  }
  static Words add_bits(Words words, Vector bits) { return add_bytes(words, vcntq_u8(bits)); }
  static Words add_squares(Words words, Vector bytes) {
    words = vpadalq_u16(words, vmull_u8(vget_low_u8(bytes), vget_low_u8(bytes)));
    return vpadalq_u16(words, vmull_high_u8(bytes, bytes));
  }
  static Words add_small_squares(Words words, Vector bytes) { return add_squares(words, bytes); }

  template <bool kSigned>
  struct Products {
    Words words = zero();
    void add(Vector a, Vector b) {
      if constexpr (kSigned) {
        const int8x16_t x = vreinterpretq_s8_u8(a);
        const int8x16_t y = vreinterpretq_s8_u8(b);
        int32x4_t sum = vreinterpretq_s32_u32(words);
        sum = vpadalq_s16(sum, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
        words = vreinterpretq_u32_s32(vpadalq_s16(sum, vmull_high_s8(x, y)));
      } else {
        words = vpadalq_u16(words, vmull_u8(vget_low_u8(a), vget_low_u8(b)));
        words = vpadalq_u16(words, vmull_high_u8(a, b));
      }
    }
    void merge(const Products& other) { words = ByteLane::add(words, other.words); }
    std::uint32_t total() const { return sum(words); }
  };
};

// The lesser and greater "number" of a NaN and a number are the number.
struct CodeEncoder {
  static constexpr std::size_t kLanes = 4;
  static void encode(const char* vector, const float* low, float inverse_step, std::uint8_t* code) {
    const float32x4_t scaled =
        vmulq_n_f32(vsubq_f32(F32::load(vector), vld1q_f32(low)), inverse_step);
    const float32x4_t cut = vminnmq_f32(vmaxnmq_f32(scaled, vdupq_n_f32(0)), vdupq_n_f32(255));
    const uint16x4_t words = vmovn_u32(vcvtnq_u32_f32(cut));
    const uint8x8_t bytes = vmovn_u16(vcombine_u16(words, words));
    __builtin_memcpy(code, &bytes, kLanes);
  }
};

}  // namespace

extern const DistanceKernels kNeonKernels = kernels_of<F32, F16, ByteLane, CodeEncoder>("neon");

}  // namespace quire
