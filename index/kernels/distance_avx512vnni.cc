// Distances with AVX-512 of Ice Lake, Zen 4 and later; compiled with -mavx512vnni and
// -mavx512vpopcntdq besides.
#include "index/kernels/lanes_avx512.h"

namespace quire {

extern const DistanceKernels kAvx512VnniKernels =
    kernels_of<F32, F16, ByteLane<VnniBytes>, CodeEncoder>("avx512vnni");

}  // namespace quire
