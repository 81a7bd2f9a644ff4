// The loop over vectors, written once for all instruction sets, types and metrics.
//
// A `Lane` is how an instruction set sees elements of one type, of kElementBytes each: a Vector of
// kLanes of them, load (from any address), and one of
//
//   kMaskedLoads true    load_first(from, n): n < kLanes elements, the rest zero
//   kMaskedLoads false   keep_last(vector, n): all but the last n lanes become zero
//
// A `Metric` is what is done with them: its Lane; Sums with add(a, b) and merge(other), to which
// zeros in both vectors add nothing; a Query that prepare(query, dimension) makes once;
// elements(dimension), how many elements there are; and distance(sums, query, ...) of it all.
// float_metrics.h and byte_metrics.h have them.
//
// All of this has internal linkage on purpose; distance.cc says why. For the same reason nothing of
// the standard library that has code of its own is used.
#pragma once

#include "index/kernels/kernel_types.h"

namespace quire {
namespace {

// How far ahead of a row's elements the rows are fetched, in bytes; the rows of a block follow one
// another, so this is in the row itself or the next ones. Prefetching never faults, so it may be
// past the last. Measured on 60,000 x 784 f32 (tests/kernels/bench): 1 to 3 KiB are alike, none
// costs up to 5%, 4 KiB and more 10%.
constexpr std::size_t kPrefetchBytes = 1024;

// Fewer than 2 * kPiece bytes, in pieces of known size: a call of memcpy costs more than they do.
template <std::size_t kPiece>
inline void copy_short(char* to, const char* from, std::size_t size) {
  if ((size & kPiece) != 0) {
    __builtin_memcpy(to, from, kPiece);
    to += kPiece;
    from += kPiece;
  }
  if constexpr (kPiece > 1) copy_short<kPiece / 2>(to, from, size);
}

// The last n < kLanes elements of a vector; nothing past them is read. Where `more_before`, at
// least kLanes elements end there, and those that were counted already are loaded and dropped.
template <class Lane>
inline typename Lane::Vector load_rest(const char* from, std::size_t n, bool more_before) {
  if constexpr (Lane::kMaskedLoads) {
    return Lane::load_first(from, n);
  } else {
    const std::size_t size = n * Lane::kElementBytes;
    constexpr std::size_t kWhole = Lane::kLanes * Lane::kElementBytes;
    if (more_before) return Lane::keep_last(Lane::load(from + size - kWhole), n);
    char first[kWhole] = {};
    copy_short<kWhole / 2>(first, from, size);
    return Lane::load(first);
  }
}

// Four sums at once: an FMA has a latency of four cycles, and two start in each. Four names rather
// than an array, which compilers keep in memory here.
template <class Metric, bool kPrefetch>
inline typename Metric::Sums accumulate(const void* a_start, const void* b_start,
                                        std::size_t count) {
  using Lane = typename Metric::Lane;
  constexpr std::size_t kLanes = Lane::kLanes;
  constexpr std::size_t kStep = kLanes * Lane::kElementBytes;
  const char* a = static_cast<const char*>(a_start);
  const char* b = static_cast<const char*>(b_start);
  typename Metric::Sums sums0, sums1, sums2, sums3;
  std::size_t left = count;
  for (; left >= 4 * kLanes; left -= 4 * kLanes, a += 4 * kStep, b += 4 * kStep) {
    if constexpr (kPrefetch) {
      for (std::size_t line = 0; line < 4 * kStep; line += 64)
        __builtin_prefetch(b + kPrefetchBytes + line);
    }
    sums0.add(Lane::load(a), Lane::load(b));
    sums1.add(Lane::load(a + kStep), Lane::load(b + kStep));
    sums2.add(Lane::load(a + 2 * kStep), Lane::load(b + 2 * kStep));
    sums3.add(Lane::load(a + 3 * kStep), Lane::load(b + 3 * kStep));
  }
  const std::size_t whole = left / kLanes;
  if (whole > 0) sums0.add(Lane::load(a), Lane::load(b));
  if (whole > 1) sums1.add(Lane::load(a + kStep), Lane::load(b + kStep));
  if (whole > 2) sums2.add(Lane::load(a + 2 * kStep), Lane::load(b + 2 * kStep));
  if (const std::size_t rest = left % kLanes; rest != 0) {
    const bool more_before = count >= kLanes;
    sums3.add(load_rest<Lane>(a + whole * kStep, rest, more_before),
              load_rest<Lane>(b + whole * kStep, rest, more_before));
  }
  sums0.merge(sums1);
  sums2.merge(sums3);
  sums0.merge(sums2);
  return sums0;
}

template <class Metric, bool kPrefetch>
inline float measure(const typename Metric::Query& prepared, const void* query, const void* vector,
                     std::size_t dimension) {
  const auto sums = accumulate<Metric, kPrefetch>(query, vector, Metric::elements(dimension));
  return Metric::distance(sums, prepared, query, vector, dimension);
}

template <class Metric>
float measure_one(const void* a, const void* b, std::size_t dimension) {
  return measure<Metric, false>(Metric::prepare(a, dimension), a, b, dimension);
}

template <class Metric>
void measure_rows(const void* query, const void* rows, std::size_t stride_bytes, std::size_t count,
                  std::size_t dimension, float* distances) {
  const auto prepared = Metric::prepare(query, dimension);
  const char* row = static_cast<const char*>(rows);
  for (std::size_t i = 0; i < count; ++i, row += stride_bytes)
    distances[i] = measure<Metric, true>(prepared, query, row, dimension);
}

template <class Metric>
void measure_list(const void* query, const void* const* vectors, std::size_t count,
                  std::size_t dimension, float* distances) {
  const auto prepared = Metric::prepare(query, dimension);
  for (std::size_t i = 0; i < count; ++i)
    distances[i] = measure<Metric, false>(prepared, query, vectors[i], dimension);
}

template <class Metric>
constexpr DistanceFunctions functions_of() {
  return {measure_one<Metric>, measure_rows<Metric>, measure_list<Metric>};
}

// What most metrics prepare.
struct Nothing {};

// Of the cosine, from what sums products: the product, and the square of b. The square of a is the
// query's, and is known.
template <class Products>
struct CosineSums {
  Products product, square;
  template <class Vector>
  void add(Vector a, Vector b) {
    product.add(a, b);
    square.add(b, b);
  }
  void merge(const CosineSums& other) {
    product.merge(other.product);
    square.merge(other.square);
  }
};

}  // namespace
}  // namespace quire
