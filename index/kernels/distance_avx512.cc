// Distances with AVX-512 as the first processors had it; compiled with -mavx512f -mavx512bw
// -mavx512vl.
#include "index/kernels/lanes_avx512.h"

namespace quire {

extern const DistanceKernels kAvx512Kernels =
    kernels_of<F32, F16, ByteLane<PlainBytes>, CodeEncoder>("avx512");

}  // namespace quire
