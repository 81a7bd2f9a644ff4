// The table of distance functions that one instruction set provides. Included by the files that
// are compiled for one instruction set, so it must bring no inline function with it (distance.cc
// says why); users include distance.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace quire {

// Distance of two vectors of `dimension` elements. See distance.h.
using DistanceFunction = float (*)(const void* a, const void* b, std::size_t dimension);

// distances[i] = distance of `query` and the vector at `rows` + i * stride_bytes, for i < count.
using DistanceRowsFunction = void (*)(const void* query, const void* rows, std::size_t stride_bytes,
                                      std::size_t count, std::size_t dimension, float* distances);

// distances[i] = distance of `query` and vectors[i], for i < count. The caller has asked for their
// cache lines, where that is worth it: nothing is prefetched here.
using DistanceListFunction = void (*)(const void* query, const void* const* vectors,
                                      std::size_t count, std::size_t dimension, float* distances);

// One metric over one type of element, for one pair, and for one query against many vectors, which
// prepares the query once. All three give the same, bit by bit.
struct DistanceFunctions {
  DistanceFunction one = nullptr;
  DistanceRowsFunction rows = nullptr;
  DistanceListFunction list = nullptr;
};

// Over elements that are numbers.
struct NumberDistances {
  DistanceFunctions l2;
  DistanceFunctions inner_product;
  DistanceFunctions cosine;
  DistanceFunctions l1;
};

// Over bits.
struct BitDistances {
  DistanceFunctions hamming;
  DistanceFunctions jaccard;
};

// Over the 8-bit codes of a quantizer, one unsigned byte each.
struct CodeDistances {
  DistanceFunctions l2;             // codes 0 to 255
  DistanceFunctions l2_7bit;        // codes 0 to 127: what is more gives nonsense
  DistanceFunctions inner_product;  // codes 0 to 255
};

// code[i], a byte, = (vector[i] - low[i]) * inverse_step, rounded to the nearest integer, of two to
// the even one, and cut to 0 to 255; 0 for a NaN. `vector` is of floats, at any address. All
// instruction sets give the same.
using EncodeFunction = void (*)(const void* vector, const float* low, float inverse_step,
                                std::size_t dimension, void* code);

// What one instruction set offers.
struct DistanceKernels {
  const char* name;  // "scalar", "avx2", "avx512", "avx512vnni" or "neon"
  NumberDistances f32;
  NumberDistances f16;
  NumberDistances i8;
  BitDistances bits;
  CodeDistances codes;
  EncodeFunction encode;
};

extern const DistanceKernels kScalarKernels;
#if defined(__x86_64__)
extern const DistanceKernels kAvx2Kernels;        // needs AVX2, FMA and F16C
extern const DistanceKernels kAvx512Kernels;      // needs AVX-512 F, BW and VL
extern const DistanceKernels kAvx512VnniKernels;  // and VNNI and VPOPCNTDQ
#elif defined(__aarch64__)
extern const DistanceKernels kNeonKernels;
#endif

// The last steps that all instruction sets share, so that they give the same from the same sums.
float cosine_of_sums(double product, double a_square, double b_square) noexcept;
float jaccard_of_counts(std::uint32_t both, std::uint32_t either) noexcept;

}  // namespace quire
