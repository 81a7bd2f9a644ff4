// Distances with AVX2, FMA and F16C; compiled with -mavx2 -mfma -mf16c.
#include <immintrin.h>

#include "index/kernels/kernels_of.h"

namespace quire {
namespace {

// A window of 32 bytes into it that starts at byte n keeps the last n bytes; one that starts at
// 64 - n the first n.
alignas(32) constexpr unsigned char kZerosOnesZeros[96] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

__m256i window(std::size_t begin) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i_u*>(kZerosOnesZeros + begin));
}

struct Floats {
  using Vector = __m256;
  static Vector zero() { return _mm256_setzero_ps(); }
  static Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
  static Vector absolute(Vector a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static float sum(Vector v) {
    const __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 pair = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
  }
};

struct F32 {
  using Float = Floats;
  using Vector = __m256;
  static constexpr std::size_t kElementBytes = 4;
  static constexpr std::size_t kLanes = 8;
  static constexpr bool kMaskedLoads = true;
  static const NumberDistances& scalar() { return kScalarKernels.f32; }
  static Vector load(const void* from) { return _mm256_loadu_ps(static_cast<const float*>(from)); }
  static Vector load_first(const void* from, std::size_t n) {
    return _mm256_maskload_ps(static_cast<const float*>(from), window(64 - 4 * n));
  }
};

struct F16 {
  using Float = Floats;
  using Vector = __m256;
  static constexpr std::size_t kElementBytes = 2;
  static constexpr std::size_t kLanes = 8;
  static constexpr bool kMaskedLoads = false;
  static const NumberDistances& scalar() { return kScalarKernels.f16; }
  static Vector load(const void* from) {
    return _mm256_cvtph_ps(_mm_loadu_si128(static_cast<const __m128i_u*>(from)));
  }
  static Vector keep_last(Vector v, std::size_t n) {
    return _mm256_and_ps(v, _mm256_castsi256_ps(window(4 * n)));
  }
};

struct ByteLane {
  using Vector = __m256i;
  using Words = __m256i;
  static constexpr std::size_t kElementBytes = 1;
  static constexpr std::size_t kLanes = 32;
  static constexpr bool kMaskedLoads = false;
  static Vector load(const void* from) {
    return _mm256_loadu_si256(static_cast<const __m256i_u*>(from));
  }
  static Vector keep_last(Vector v, std::size_t n) { return _mm256_and_si256(v, window(n)); }

  static Words zero() { return _mm256_setzero_si256(); }
  static Words add(Words a, Words b) { return _mm256_add_epi32(a, b); }
  static std::uint32_t sum(Words words) {
    const __m128i half =
        _mm_add_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    const __m128i pair = _mm_add_epi32(half, _mm_unpackhi_epi64(half, half));
    return static_cast<std::uint32_t>(
        _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 1))));
  }

  static Vector both(Vector a, Vector b) { return _mm256_and_si256(a, b); }
  static Vector either(Vector a, Vector b) { return _mm256_or_si256(a, b); }
  static Vector differ(Vector a, Vector b) { return _mm256_xor_si256(a, b); }
  template <bool kSigned>
  static Vector distance_between(Vector a, Vector b) {
    if constexpr (kSigned)
      return _mm256_sub_epi8(_mm256_max_epi8(a, b), _mm256_min_epi8(a, b));
    else
      return _mm256_sub_epi8(_mm256_max_epu8(a, b), _mm256_min_epu8(a, b));
  }

  // In 64-bit lanes, whose upper halves stay empty.
  static Words add_bytes(Words words, Vector bytes) {
    return add(words, _mm256_sad_epu8(bytes, zero()));
  }
  // The bits of each half byte from a table (Mula et al., "Faster population counts using AVX2
  // instructions", 2018).
  static Words add_bits(Words words, Vector bits) {
    const Vector table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,  //
                                          0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
    const Vector low = _mm256_set1_epi8(15);
    const Vector upper = _mm256_and_si256(_mm256_srli_epi16(bits, 4), low);
    return add_bytes(words, _mm256_add_epi8(_mm256_shuffle_epi8(table, _mm256_and_si256(bits, low)),
                                            _mm256_shuffle_epi8(table, upper)));
  }
  static Words add_pairs(Words words, Vector a, Vector b) {
    return add(words, _mm256_madd_epi16(a, b));
  }
  static Words add_squares(Words words, Vector bytes) {
    const Vector low = _mm256_unpacklo_epi8(bytes, zero());
    const Vector high = _mm256_unpackhi_epi8(bytes, zero());
    return add_pairs(add_pairs(words, low, low), high, high);
  }
  // Two squares of up to 127 fit into 15 bits.
  static Words add_small_squares(Words words, Vector bytes) {
    return add_pairs(words, _mm256_maddubs_epi16(bytes, bytes), _mm256_set1_epi16(1));
  }

  template <bool kSigned>
  struct Products {
    Words words = zero();
    static Vector widen(__m128i half) {
      if constexpr (kSigned) return _mm256_cvtepi8_epi16(half);
      return _mm256_cvtepu8_epi16(half);
    }
    void add(Vector a, Vector b) {
      words = add_pairs(words, widen(_mm256_castsi256_si128(a)), widen(_mm256_castsi256_si128(b)));
      words = add_pairs(words, widen(_mm256_extracti128_si256(a, 1)),
                        widen(_mm256_extracti128_si256(b, 1)));
    }
    void merge(const Products& other) { words = ByteLane::add(words, other.words); }
    std::uint32_t total() const { return sum(words); }
  };
};

// The lesser and greater of a NaN and a number are the second operand.
struct CodeEncoder {
  static constexpr std::size_t kLanes = 8;
  static void encode(const char* vector, const float* low, float inverse_step, std::uint8_t* code) {
    const __m256 scaled = _mm256_mul_ps(_mm256_sub_ps(F32::load(vector), F32::load(low)),
                                        _mm256_set1_ps(inverse_step));
    const __m256 cut =
        _mm256_min_ps(_mm256_max_ps(scaled, _mm256_setzero_ps()), _mm256_set1_ps(255));
    const __m256i whole = _mm256_cvtps_epi32(cut);
    const __m128i words =
        _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i_u*>(code), _mm_packus_epi16(words, words));
  }
};

}  // namespace

extern const DistanceKernels kAvx2Kernels = kernels_of<F32, F16, ByteLane, CodeEncoder>("avx2");

}  // namespace quire
