#include <hnswlib/hnswlib.h>

#include "tests/kernels/bench/peer.h"

namespace quire::bench {

struct Peer::Space {
  std::unique_ptr<hnswlib::SpaceInterface<float>> space;
};

bool Peer::has(Metric metric) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") == 0) return false;
#endif
  return metric == Metric::kL2 || metric == Metric::kInnerProduct;
}

Peer::Peer(Metric metric, std::size_t dimension) : space_(std::make_unique<Space>()) {
  if (metric == Metric::kL2)
    space_->space = std::make_unique<hnswlib::L2Space>(dimension);
  else
    space_->space = std::make_unique<hnswlib::InnerProductSpace>(dimension);
  function_ = space_->space->get_dist_func();
  parameter_ = space_->space->get_dist_func_param();
}

Peer::~Peer() = default;

}  // namespace quire::bench
