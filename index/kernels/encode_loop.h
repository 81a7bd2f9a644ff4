// Encoding a vector in 8-bit codes, written once for all instruction sets: see EncodeFunction.
//
// An `Encoder` takes kLanes elements at a time: encode(vector, low, inverse_step, code). It
// subtracts, multiplies, cuts and rounds as encode_rest does, so that all give the same.
//
// Internal linkage on purpose; distance.cc says why.
#pragma once

#include "index/kernels/kernel_types.h"

namespace quire {
namespace {

// Comparisons that a NaN fails make it 0.
inline void encode_rest(const char* vector, const float* low, float inverse_step, std::size_t count,
                        std::uint8_t* code) {
  for (std::size_t i = 0; i < count; ++i) {
    float value;
    __builtin_memcpy(&value, vector + i * sizeof value, sizeof value);
    value = (value - low[i]) * inverse_step;
    value = value > 0 ? value : 0;
    value = value < 255 ? value : 255;
    code[i] = static_cast<std::uint8_t>(__builtin_lrintf(value));
  }
}

template <class Encoder>
void encode_codes(const void* vector, const float* low, float inverse_step, std::size_t dimension,
                  void* code) {
  constexpr std::size_t kLanes = Encoder::kLanes;
  const char* from = static_cast<const char*>(vector);
  auto* to = static_cast<std::uint8_t*>(code);
  std::size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes)
    Encoder::encode(from + i * sizeof(float), low + i, inverse_step, to + i);
  encode_rest(from + i * sizeof(float), low + i, inverse_step, dimension - i, to + i);
}

}  // namespace
}  // namespace quire
