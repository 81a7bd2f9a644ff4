// The table of an instruction set, from its lanes for f32, f16 and bytes, and its encoder.
#pragma once

#include "index/kernels/byte_metrics.h"
#include "index/kernels/encode_loop.h"
#include "index/kernels/float_metrics.h"

namespace quire {
namespace {

template <class F32, class F16, class B, class Encoder>
constexpr DistanceKernels kernels_of(const char* name) {
  return {.name = name,
          .f32 = float_distances<F32>(),
          .f16 = float_distances<F16>(),
          .i8 = byte_distances<B>(),
          .bits = bit_distances<B>(),
          .codes = code_distances<B>(),
          .encode = encode_codes<Encoder>};
}

}  // namespace
}  // namespace quire
