// Distances between vectors.
//
// What the input is: which kind of distance (type and metric), a dimension, how far the two vectors
// lie from an aligned address, and their bytes, used again from the first where there are too few.
//
// What is promised. Every implementation that this machine runs gives what the scalar one gives:
// over whole numbers and bits the same float; over floats one within the documented tolerance, NaN
// for NaN and infinity for infinity. One against one, against rows and against a list are the same,
// and nothing past a vector's last byte is read.
#include <cfloat>

#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "tests/kernels/kinds.h"

namespace quire::fuzz {
namespace {

using namespace test;

constexpr std::size_t kMostDimensions = 1100;  // more than twice what any loop takes at a time

Placed vector_of(const Kind& kind, Bytes bytes, std::size_t first, std::size_t dimension,
                 std::size_t shift) {
  std::vector<unsigned char> own(kind.bytes(dimension));
  for (std::size_t i = 0; i < own.size() && !bytes.empty(); ++i)
    own[i] = static_cast<unsigned char>(bytes[(first + i) % bytes.size()]);
  return {kind, own.data(), dimension, shift};
}

// A sum at the end of the range of float may round to infinity in one way of adding up alone.
bool both_huge(float a, float b) {
  constexpr float kHuge = FLT_MAX * 0.999F;
  return (a > kHuge && b > kHuge) || (a < -kHuge && b < -kHuge);
}

bool as_specified(const Kind& kind, float found, float specified, double tolerance) {
  if (std::isnan(specified)) return std::isnan(found);
  if (found == specified) return true;
  if (kind.exact()) return false;
  if (std::isinf(specified)) return both_huge(found, specified);
  return std::fabs(static_cast<double>(found) - static_cast<double>(specified)) <= tolerance;
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }

void try_kernels(const DistanceKernels& kernels, const Kind& kind, const Placed& a,
                 const Placed& b) {
  const std::size_t dimension = a.dimension();
  const DistanceFunctions distance = kind.of(kernels);
  const float specified = kind.of(kScalarKernels).one(a.data(), b.data(), dimension);
  const float one = distance.one(a.data(), b.data(), dimension);
  if (!as_specified(kind, one, specified, tolerance(kind, a, b)))
    found(std::string(kernels.name) + " " + kind.name + " of dimension " +
          std::to_string(dimension) + " gives " + std::to_string(one) + ", the scalar one " +
          std::to_string(specified));
  float row = 0;
  distance.rows(a.data(), b.data(), 0, 1, dimension, &row);
  demand(same(row, one), "a row has another distance");
  const void* list[] = {b.data(), a.data()};
  float listed[2];
  distance.list(a.data(), list, 2, dimension, listed);
  demand(same(listed[0], one), "a vector of a list has another distance");
  demand(same(listed[1], distance.one(a.data(), a.data(), dimension)), "the second of a list has");
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const Kind& kind = kKinds[input.below(std::size(kKinds))];
  const std::size_t dimension = input.below(kMostDimensions + 1);
  const std::size_t shift = input.byte();
  const Bytes rest = input.rest();
  const Placed a = vector_of(kind, rest, 0, dimension, shift % 16);
  const Placed b = vector_of(kind, rest, kind.bytes(dimension), dimension, shift / 16);
  for (const DistanceKernels* kernels : supported_kernels()) try_kernels(*kernels, kind, a, b);
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::size_t kind = 0; kind < std::size(kKinds); ++kind) {
    for (const std::size_t dimension : {1, 17, 70, 300}) {
      ByteVector seed(4);
      seed[0] = static_cast<std::byte>(kind);
      store_le(seed.data() + 1, static_cast<std::uint16_t>(dimension));
      seed[3] = static_cast<std::byte>(dimension);
      const std::size_t size = 2 * kKinds[kind].bytes(dimension);
      for (std::size_t i = 0; i < size; ++i)
        seed.push_back(static_cast<std::byte>(i * 0x9E3779B1U >> 13 & 0x7F));
      all.push_back(std::move(seed));
    }
  }
  return all;
}

}  // namespace quire::fuzz
