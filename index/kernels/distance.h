// Distances between vectors: one meaning for each metric, several implementations of it.
//
//   metric          over             distance (smaller is nearer)    range
//   l2              f32, f16, i8     sum of (a - b)^2, no root        [0, inf]
//   inner product   f32, f16, i8     -(sum of a * b)                  [-inf, inf]
//   cosine          f32, f16, i8     1 - a.b / (|a| |b|)              [0, 2]; 1 when either vector
//                                                                     is all zeros
//   l1              f32, f16, i8     sum of |a - b|                   [0, inf]
//   hamming         bits             how many bits differ             [0, dimension]
//   jaccard         bits             1 - |a and b| / |a or b|         [0, 1]; 0 when both vectors
//                                                                     are all zeros
//
// Over bits the first four would be Hamming's, its square, or say little; over numbers Hamming and
// Jaccard have several meanings. So find_distance refuses what is not in the table.
//
// The scalar functions are the specification. Over i8, bits and codes sums are whole numbers and
// exact, and all implementations give the same, bit by bit. Over f32 and f16 the scalar functions
// add up in double, element i to partial sum i % 4, and round to float once; the vectorised ones
// add up in float (f16 is widened first). For finite input they differ from the scalar result by at
// most
//
//   (dimension / 16 + 12) * 2^-24 * S + dimension * 2^-126
//
// where S is the sum of the absolute values of the terms (for cosine, S = 2). Where a vectorised
// sum leaves the range of float (components beyond about 1e18, or for cosine below about 1e-18) the
// function computes again with the scalar one, so no range is lost and none is silently wrong.
// A NaN in either vector gives NaN, from every implementation; an infinity gives what IEEE
// arithmetic gives. Denormals count as what they are.
//
// Vectors are `dimension` elements one after the other, at most kMaxMeasuredDimension. Of bits
// these are (dimension + 7) / 8 bytes, the lowest bit first, and bits past the last are 0 in both
// vectors. They may lie at any address: raw blocks of an array promise no alignment. Nothing past
// their last byte is read. Nothing here allocates, locks or fails. Cost: O(dimension) for one,
// O(count * dimension) for many; at 784 dimensions of f32 a scan is bound by memory.
//
// Thread safety: all functions may be called by any thread.
#pragma once

#include <span>
#include <string_view>

#include "engine/base/result.h"
#include "index/kernels/kernel_types.h"

namespace quire {

// The sum of 65,535 squares of 255 is less than 2^32.
inline constexpr std::size_t kMaxMeasuredDimension = 65'535;

// Values are stored in files: never renumbered.
enum class Metric : std::uint8_t {
  kL2 = 1,
  kInnerProduct = 2,
  kCosine = 3,
  kL1 = 4,
  kHamming = 5,
  kJaccard = 6,
};

// Type of a vector's elements. Values are stored in files.
enum class ElementType : std::uint8_t {
  kF32 = 1,
  kF16 = 2,
  kI8 = 3,
  kBits = 4,  // eight a byte
};

// Bytes of a vector.
constexpr std::size_t vector_bytes(ElementType type, std::size_t dimension) noexcept {
  switch (type) {
    case ElementType::kF32:
      return dimension * 4;
    case ElementType::kF16:
      return dimension * 2;
    case ElementType::kI8:
      return dimension;
    case ElementType::kBits:
      return (dimension + 7) / 8;
  }
  return 0;
}

// The kernels of this process, chosen at the first call: those that the environment variable
// QUIRE_KERNELS names, else the fastest that this machine runs. A name that is unknown, or that
// this machine can't run, is ignored here — a wrong variable must not stop a database from being
// opened — and reported by check_kernels_environment().
const DistanceKernels& distance_kernels() noexcept;

// kInvalid for a name that no implementation has, kNotSupported for one that is not in this build
// or that this machine can't run; the message lists what there is.
Result<const DistanceKernels*> find_kernels(std::string_view name);

// The error of find_kernels for the value of QUIRE_KERNELS; fine when it is unset or empty.
Status check_kernels_environment();

// What this machine can run, fastest first; "scalar" is always last.
std::span<const DistanceKernels* const> supported_kernels() noexcept;

// Resolve once per index or query, not per distance. kNotSupported where there is no such function:
// the message says which metrics the type has. The distances of codes are members of the table.
Result<DistanceFunctions> find_distance(const DistanceKernels& kernels, Metric metric,
                                        ElementType type);

std::string_view metric_name(Metric metric) noexcept;           // "l2", "inner_product", ...
std::string_view element_type_name(ElementType type) noexcept;  // "f32", "f16", "i8", "bits"

}  // namespace quire
