// Lanes of AVX-512 for the two files that are compiled with and without VNNI and VPOPCNTDQ.
#pragma once

#include <immintrin.h>

#include "index/kernels/kernels_of.h"

namespace quire {
namespace {

// Of 32-bit lanes, which may wrap around: the header's own reduction adds as int.
std::uint32_t sum_words(__m512i words) {
  const __m256i half =
      _mm256_add_epi32(_mm512_castsi512_si256(words), _mm512_extracti64x4_epi64(words, 1));
  const __m128i quarter =
      _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  const __m128i pair = _mm_add_epi32(quarter, _mm_unpackhi_epi64(quarter, quarter));
  return static_cast<std::uint32_t>(
      _mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 1))));
}

struct Floats {
  using Vector = __m512;
  static Vector zero() { return _mm512_setzero_ps(); }
  static Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
  static Vector subtract(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
  static Vector absolute(Vector a) { return _mm512_abs_ps(a); }
  static Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static float sum(Vector v) { return _mm512_reduce_add_ps(v); }
};

struct F32 {
  using Float = Floats;
  using Vector = __m512;
  static constexpr std::size_t kElementBytes = 4;
  static constexpr std::size_t kLanes = 16;
  static constexpr bool kMaskedLoads = true;
  static const NumberDistances& scalar() { return kScalarKernels.f32; }
  static Vector load(const void* from) { return _mm512_loadu_ps(from); }
  static Vector load_first(const void* from, std::size_t n) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1U << n) - 1), from);
  }
};

// Widened, so that sums keep the bits of a float: the arithmetic of AVX512-FP16 would lose them.
struct F16 {
  using Float = Floats;
  using Vector = __m512;
  static constexpr std::size_t kElementBytes = 2;
  static constexpr std::size_t kLanes = 16;
  static constexpr bool kMaskedLoads = true;
  static const NumberDistances& scalar() { return kScalarKernels.f16; }
  static Vector load(const void* from) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(static_cast<const __m256i_u*>(from)));
  }
  static Vector load_first(const void* from, std::size_t n) {
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1U << n) - 1), from));
  }
};

// The lesser and greater of a NaN and a number are the second operand.
struct CodeEncoder {
  static constexpr std::size_t kLanes = 16;
  static void encode(const char* vector, const float* low, float inverse_step, std::uint8_t* code) {
    const __m512 scaled = _mm512_mul_ps(_mm512_sub_ps(F32::load(vector), _mm512_loadu_ps(low)),
                                        _mm512_set1_ps(inverse_step));
    const __m512 cut =
        _mm512_min_ps(_mm512_max_ps(scaled, _mm512_setzero_ps()), _mm512_set1_ps(255));
    _mm_storeu_si128(reinterpret_cast<__m128i_u*>(code),
                     _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(cut)));
  }
};

// What it takes to multiply and to count bits, with instructions for that or without.
struct PlainBytes {
  using Vector = __m512i;
  using Words = __m512i;
  static Words add_pairs(Words words, Vector a, Vector b) {
    return _mm512_add_epi32(words, _mm512_madd_epi16(a, b));
  }
  // Two squares of up to 127 fit into 15 bits.
  static Words add_small_squares(Words words, Vector bytes) {
    return add_pairs(words, _mm512_maddubs_epi16(bytes, bytes), _mm512_set1_epi16(1));
  }
  static Words add_bytes(Words words, Vector bytes) {
    return _mm512_add_epi32(words, _mm512_sad_epu8(bytes, _mm512_setzero_si512()));
  }
  // The bits of each half byte from a table (Mula et al., "Faster population counts using AVX2
  // instructions", 2018).
  static Words add_bits(Words words, Vector bits) {
    const Vector table =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
    const Vector low = _mm512_set1_epi8(15);
    const Vector upper = _mm512_and_si512(_mm512_srli_epi16(bits, 4), low);
    return add_bytes(words, _mm512_add_epi8(_mm512_shuffle_epi8(table, _mm512_and_si512(bits, low)),
                                            _mm512_shuffle_epi8(table, upper)));
  }

  template <bool kSigned>
  struct Products {
    Words words = _mm512_setzero_si512();
    static Vector widen(__m256i half) {
      if constexpr (kSigned) return _mm512_cvtepi8_epi16(half);
      return _mm512_cvtepu8_epi16(half);
    }
    void add(Vector a, Vector b) {
      words = add_pairs(words, widen(_mm512_castsi512_si256(a)), widen(_mm512_castsi512_si256(b)));
      words = add_pairs(words, widen(_mm512_extracti64x4_epi64(a, 1)),
                        widen(_mm512_extracti64x4_epi64(b, 1)));
    }
    void merge(const Products& other) { words = _mm512_add_epi32(words, other.words); }
    std::uint32_t total() const { return sum_words(words); }
  };
};

#if defined(__AVX512VNNI__) && defined(__AVX512VPOPCNTDQ__)
struct VnniBytes {
  using Vector = __m512i;
  using Words = __m512i;
  static Words add_pairs(Words words, Vector a, Vector b) {
    return _mm512_dpwssd_epi32(words, a, b);
  }
  static Words add_small_squares(Words words, Vector bytes) {
    return _mm512_dpbusd_epi32(words, bytes, bytes);
  }
  static Words add_bytes(Words words, Vector bytes) {
    return _mm512_dpbusd_epi32(words, bytes, _mm512_set1_epi8(1));
  }
  static Words add_bits(Words words, Vector bits) {
    return _mm512_add_epi32(words, _mm512_popcnt_epi64(bits));
  }

  // The instruction multiplies unsigned bytes by signed ones. Where both are signed, a + 128 stands
  // for a, and 128 * b is counted apart; where neither is, b - 128 for b, and a is.
  template <bool kSigned>
  struct Products {
    Words words = _mm512_setzero_si512();
    Words apart = _mm512_setzero_si512();
    void add(Vector a, Vector b) {
      const Vector offset = _mm512_set1_epi8(-128);
      if constexpr (kSigned) {
        words = _mm512_dpbusd_epi32(words, _mm512_xor_si512(a, offset), b);
        apart = _mm512_dpbusd_epi32(apart, offset, b);
      } else {
        words = _mm512_dpbusd_epi32(words, a, _mm512_xor_si512(b, offset));
        apart = add_bytes(apart, a);
      }
    }
    void merge(const Products& other) {
      words = _mm512_add_epi32(words, other.words);
      apart = _mm512_add_epi32(apart, other.apart);
    }
    std::uint32_t total() const {
      const Words all = kSigned ? _mm512_sub_epi32(words, apart)
                                : _mm512_add_epi32(words, _mm512_slli_epi32(apart, 7));
      return sum_words(all);
    }
  };
};
#endif

template <class Base>
struct ByteLane : Base {
  using Vector = __m512i;
  using Words = __m512i;
  static constexpr std::size_t kElementBytes = 1;
  static constexpr std::size_t kLanes = 64;
  static constexpr bool kMaskedLoads = true;
  static Vector load(const void* from) { return _mm512_loadu_si512(from); }
  static Vector load_first(const void* from, std::size_t n) {
    return _mm512_maskz_loadu_epi8((std::uint64_t{1} << n) - 1, from);
  }

  static Words zero() { return _mm512_setzero_si512(); }
  static Words add(Words a, Words b) { return _mm512_add_epi32(a, b); }
  static std::uint32_t sum(Words words) { return sum_words(words); }

  static Vector both(Vector a, Vector b) { return _mm512_and_si512(a, b); }
  static Vector either(Vector a, Vector b) { return _mm512_or_si512(a, b); }
  static Vector differ(Vector a, Vector b) { return _mm512_xor_si512(a, b); }
  template <bool kSigned>
  static Vector distance_between(Vector a, Vector b) {
    if constexpr (kSigned)
      return _mm512_sub_epi8(_mm512_max_epi8(a, b), _mm512_min_epi8(a, b));
    else
      return _mm512_sub_epi8(_mm512_max_epu8(a, b), _mm512_min_epu8(a, b));
  }
  static Words add_squares(Words words, Vector bytes) {
    const Vector low = _mm512_unpacklo_epi8(bytes, zero());
    const Vector high = _mm512_unpackhi_epi8(bytes, zero());
    return Base::add_pairs(Base::add_pairs(words, low, low), high, high);
  }
};

}  // namespace
}  // namespace quire
