// All kinds of distance that there are, and vectors for them: what tests and the fuzzer go through.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "index/kernels/distance.h"
#include "tools/half.h"

namespace quire::test {

enum class Elements { kF32, kF16, kI8, kBits, kCodes, kSmallCodes };

struct Kind {
  const char* name;
  Elements elements;
  Metric metric;
  DistanceFunctions (*of)(const DistanceKernels& kernels);

  bool exact() const { return elements != Elements::kF32 && elements != Elements::kF16; }
  std::size_t bytes(std::size_t dimension) const {
    switch (elements) {
      case Elements::kF32:
        return 4 * dimension;
      case Elements::kF16:
        return 2 * dimension;
      case Elements::kBits:
        return (dimension + 7) / 8;
      default:
        return dimension;
    }
  }
};

template <Metric kMetric, ElementType kType>
DistanceFunctions found(const DistanceKernels& kernels) {
  return find_distance(kernels, kMetric, kType).value();
}

inline constexpr Kind kKinds[] = {
    {"f32 l2", Elements::kF32, Metric::kL2, found<Metric::kL2, ElementType::kF32>},
    {"f32 ip", Elements::kF32, Metric::kInnerProduct,
     found<Metric::kInnerProduct, ElementType::kF32>},
    {"f32 cosine", Elements::kF32, Metric::kCosine, found<Metric::kCosine, ElementType::kF32>},
    {"f32 l1", Elements::kF32, Metric::kL1, found<Metric::kL1, ElementType::kF32>},
    {"f16 l2", Elements::kF16, Metric::kL2, found<Metric::kL2, ElementType::kF16>},
    {"f16 ip", Elements::kF16, Metric::kInnerProduct,
     found<Metric::kInnerProduct, ElementType::kF16>},
    {"f16 cosine", Elements::kF16, Metric::kCosine, found<Metric::kCosine, ElementType::kF16>},
    {"f16 l1", Elements::kF16, Metric::kL1, found<Metric::kL1, ElementType::kF16>},
    {"i8 l2", Elements::kI8, Metric::kL2, found<Metric::kL2, ElementType::kI8>},
    {"i8 ip", Elements::kI8, Metric::kInnerProduct, found<Metric::kInnerProduct, ElementType::kI8>},
    {"i8 cosine", Elements::kI8, Metric::kCosine, found<Metric::kCosine, ElementType::kI8>},
    {"i8 l1", Elements::kI8, Metric::kL1, found<Metric::kL1, ElementType::kI8>},
    {"bits hamming", Elements::kBits, Metric::kHamming,
     found<Metric::kHamming, ElementType::kBits>},
    {"bits jaccard", Elements::kBits, Metric::kJaccard,
     found<Metric::kJaccard, ElementType::kBits>},
    {"codes l2", Elements::kCodes, Metric::kL2,
     [](const DistanceKernels& kernels) { return kernels.codes.l2; }},
    {"codes ip", Elements::kCodes, Metric::kInnerProduct,
     [](const DistanceKernels& kernels) { return kernels.codes.inner_product; }},
    {"small codes l2", Elements::kSmallCodes, Metric::kL2,
     [](const DistanceKernels& kernels) { return kernels.codes.l2_7bit; }},
};

// A vector by its numbers, in memory that is `shift` bytes off and ends where the allocation ends,
// so that the address sanitizer sees a read past the last element.
class Placed {
 public:
  // Numbers that are not the elements' are made to fit: rounded, cut off, 0 or 1.
  Placed(const Kind& kind, const std::vector<double>& numbers, std::size_t shift = 0)
      : bytes_(shift + kind.bytes(numbers.size())), shift_(shift), size_(numbers.size()) {
    for (std::size_t i = 0; i < size_; ++i) put(kind.elements, i, numbers[i]);
  }
  // The same by its bytes, of which there are enough; those that no vector may have are mended.
  Placed(const Kind& kind, const unsigned char* bytes, std::size_t dimension, std::size_t shift)
      : bytes_(shift + kind.bytes(dimension)), shift_(shift), size_(dimension) {
    std::copy_n(bytes, kind.bytes(dimension), bytes_.begin() + static_cast<std::ptrdiff_t>(shift));
    if (kind.elements == Elements::kBits && dimension % 8 != 0)
      bytes_.back() = static_cast<unsigned char>(bytes_.back() & ((1U << (dimension % 8)) - 1));
    if (kind.elements == Elements::kSmallCodes)
      for (unsigned char& byte : bytes_) byte &= 127;
  }
  const void* data() const { return bytes_.data() + shift_; }
  std::size_t dimension() const { return size_; }

  // What an element is.
  double at(Elements elements, std::size_t i) const {
    const unsigned char* from = bytes_.data() + shift_;
    switch (elements) {
      case Elements::kF32: {
        float value;
        std::memcpy(&value, from + 4 * i, sizeof value);
        return static_cast<double>(value);
      }
      case Elements::kF16:
        return static_cast<double>(
            tools::float_of_half(static_cast<std::uint16_t>(from[2 * i] | from[2 * i + 1] << 8)));
      case Elements::kI8:
        return static_cast<signed char>(from[i]);
      case Elements::kBits:
        return from[i / 8] >> (i % 8) & 1;
      default:
        return from[i];
    }
  }

 private:
  void put(Elements elements, std::size_t i, double number) {
    unsigned char* to = bytes_.data() + shift_;
    switch (elements) {
      case Elements::kF32: {
        const auto value = static_cast<float>(number);
        std::memcpy(to + 4 * i, &value, sizeof value);
        break;
      }
      case Elements::kF16: {
        const std::uint16_t half = tools::half_of_float(static_cast<float>(number));
        std::memcpy(to + 2 * i, &half, sizeof half);
        break;
      }
      case Elements::kI8:
        to[i] = static_cast<unsigned char>(whole(number, -128, 127));
        break;
      case Elements::kBits:
        to[i / 8] = static_cast<unsigned char>(to[i / 8] | (number > 0 ? 1 << (i % 8) : 0));
        break;
      case Elements::kCodes:
        to[i] = static_cast<unsigned char>(whole(number, 0, 255));
        break;
      case Elements::kSmallCodes:
        to[i] = static_cast<unsigned char>(whole(number, 0, 127));
        break;
    }
  }
  static int whole(double number, int least, int most) {
    return static_cast<int>(std::lround(std::fmin(std::fmax(number, least), most)));
  }

  std::vector<unsigned char> bytes_;
  std::size_t shift_;
  std::size_t size_;
};

// Sum of the absolute values of the terms: what the documented tolerance scales with.
inline double term_sum(const Kind& kind, const Placed& a, const Placed& b) {
  if (kind.metric == Metric::kCosine) return 2;
  double sum = 0;
  for (std::size_t i = 0; i < a.dimension(); ++i) {
    const double x = a.at(kind.elements, i);
    const double y = b.at(kind.elements, i);
    const double difference = std::fabs(x - y);
    sum += kind.metric == Metric::kL1   ? difference
           : kind.metric == Metric::kL2 ? difference * difference
                                        : std::fabs(x * y);
  }
  return sum;
}

// How far a vectorised distance may be from the scalar one: see distance.h.
inline double tolerance(const Kind& kind, const Placed& a, const Placed& b) {
  if (kind.exact()) return 0;
  const auto dimension = static_cast<double>(a.dimension());
  return (std::floor(dimension / 16) + 12) * std::ldexp(term_sum(kind, a, b), -24) +
         std::ldexp(dimension, -126);
}

}  // namespace quire::test
