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

// One metric over one type of element, for one pair and for one query against many rows.
struct DistanceFunctions {
  DistanceFunction one = nullptr;
  DistanceRowsFunction rows = nullptr;
};

// What one instruction set offers; a type or metric that is added gets a member here, and a line in
// find_distance.
struct DistanceKernels {
  const char* name;  // "scalar", "avx2", "avx512" or "neon"
  DistanceFunctions l2_f32;
  DistanceFunctions inner_product_f32;
  DistanceFunctions cosine_f32;
};

extern const DistanceKernels kScalarKernels;
#if defined(__x86_64__)
extern const DistanceKernels kAvx2Kernels;    // needs AVX2 and FMA
extern const DistanceKernels kAvx512Kernels;  // needs AVX-512F
#elif defined(__aarch64__)
extern const DistanceKernels kNeonKernels;
#endif

}  // namespace quire
