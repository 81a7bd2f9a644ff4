// Metrics over bytes: integers of 8 bits, codes, bits. Sums are whole numbers, and exact: up to
// kMaxMeasuredDimension (distance.h) every one is less than 2^32 in size, so lanes and totals may
// wrap around on the way (of signed ones, to two's complement).
//
// The lane for them (distance_loops.h), B, has a Vector of kLanes bytes and besides a Words of
// counters with
//
//   zero, add, sum                       of Words
//   add_bytes, add_bits                  Words + the sum of unsigned bytes, or of their set bits
//   add_squares, add_small_squares       of unsigned bytes; small ones are at most 127
//   both, either, differ                 of bits
//   distance_between<kSigned>(a, b)      the unsigned |a - b| of each byte
//   Products<kSigned>                    add(a, b), merge, and total() of a * b
#pragma once

#include "index/kernels/distance_loops.h"

namespace quire {
namespace {

// One counter of what Term makes of a and b.
template <class B, class Term>
struct ByteSums {
  typename B::Words words = B::zero();
  void add(typename B::Vector a, typename B::Vector b) { words = Term::add(words, a, b); }
  void merge(const ByteSums& other) { words = B::add(words, other.words); }
  std::uint32_t total() const { return B::sum(words); }
};

template <class B, bool kSigned>
struct ByteSquaredDifference {
  template <class Words, class Vector>
  static Words add(Words words, Vector a, Vector b) {
    return B::add_squares(words, B::template distance_between<kSigned>(a, b));
  }
};

template <class B>
struct SmallSquaredDifference {
  template <class Words, class Vector>
  static Words add(Words words, Vector a, Vector b) {
    return B::add_small_squares(words, B::template distance_between<false>(a, b));
  }
};

template <class B>
struct ByteAbsoluteDifference {
  template <class Words, class Vector>
  static Words add(Words words, Vector a, Vector b) {
    return B::add_bytes(words, B::template distance_between<true>(a, b));
  }
};

template <class B>
struct BitsThatDiffer {
  template <class Words, class Vector>
  static Words add(Words words, Vector a, Vector b) {
    return B::add_bits(words, B::differ(a, b));
  }
};

// A metric that is one sum.
template <class B, class Term, bool kBits>
struct ByteMetric {
  using Lane = B;
  using Sums = ByteSums<B, Term>;
  using Query = Nothing;
  static Query prepare(const void*, std::size_t) { return {}; }
  static std::size_t elements(std::size_t dimension) {
    return kBits ? (dimension + 7) / 8 : dimension;
  }
  static float distance(const Sums& sums, Query, const void*, const void*, std::size_t) {
    return static_cast<float>(sums.total());
  }
};

template <class B, bool kSigned>
struct ByteInnerProduct {
  using Lane = B;
  using Sums = typename B::template Products<kSigned>;
  using Query = Nothing;
  static Query prepare(const void*, std::size_t) { return {}; }
  static std::size_t elements(std::size_t dimension) { return dimension; }
  static float product(const Sums& sums) {
    if constexpr (kSigned) return static_cast<float>(static_cast<std::int32_t>(sums.total()));
    return static_cast<float>(sums.total());
  }
  static float distance(const Sums& sums, Query, const void*, const void*, std::size_t) {
    return 0 - product(sums);
  }
};

template <class B>
struct ByteCosine {
  using Lane = B;
  using Sums = CosineSums<typename B::template Products<true>>;
  using Query = std::uint32_t;  // its square
  static Query prepare(const void* query, std::size_t dimension) {
    return accumulate<ByteInnerProduct<B, true>, false>(query, query, dimension).total();
  }
  static std::size_t elements(std::size_t dimension) { return dimension; }
  static float distance(const Sums& sums, Query square, const void*, const void*, std::size_t) {
    return cosine_of_sums(static_cast<std::int32_t>(sums.product.total()), square,
                          sums.square.total());
  }
};

template <class B>
struct JaccardSums {
  typename B::Words both = B::zero();
  typename B::Words either = B::zero();
  void add(typename B::Vector a, typename B::Vector b) {
    both = B::add_bits(both, B::both(a, b));
    either = B::add_bits(either, B::either(a, b));
  }
  void merge(const JaccardSums& other) {
    both = B::add(both, other.both);
    either = B::add(either, other.either);
  }
};

template <class B>
struct Jaccard {
  using Lane = B;
  using Sums = JaccardSums<B>;
  using Query = Nothing;
  static Query prepare(const void*, std::size_t) { return {}; }
  static std::size_t elements(std::size_t dimension) { return (dimension + 7) / 8; }
  static float distance(const Sums& sums, Query, const void*, const void*, std::size_t) {
    return jaccard_of_counts(B::sum(sums.both), B::sum(sums.either));
  }
};

template <class B>
constexpr NumberDistances byte_distances() {
  return {.l2 = functions_of<ByteMetric<B, ByteSquaredDifference<B, true>, false>>(),
          .inner_product = functions_of<ByteInnerProduct<B, true>>(),
          .cosine = functions_of<ByteCosine<B>>(),
          .l1 = functions_of<ByteMetric<B, ByteAbsoluteDifference<B>, false>>()};
}

template <class B>
constexpr BitDistances bit_distances() {
  return {.hamming = functions_of<ByteMetric<B, BitsThatDiffer<B>, true>>(),
          .jaccard = functions_of<Jaccard<B>>()};
}

template <class B>
constexpr CodeDistances code_distances() {
  return {.l2 = functions_of<ByteMetric<B, ByteSquaredDifference<B, false>, false>>(),
          .l2_7bit = functions_of<ByteMetric<B, SmallSquaredDifference<B>, false>>(),
          .inner_product = functions_of<ByteInnerProduct<B, false>>()};
}

}  // namespace
}  // namespace quire
