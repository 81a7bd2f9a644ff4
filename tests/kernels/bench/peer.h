// Distances as hnswlib computes them, where its header is installed: compiled for the best that it
// knows of what this machine has.
#pragma once

#include <cstddef>
#include <memory>

#include "index/kernels/distance.h"

namespace quire::bench {

class Peer {
 public:
  // l2 and the inner product of f32, on a machine that runs what it was compiled for.
  static bool has(Metric metric);

  Peer(Metric metric, std::size_t dimension);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  float distance(const void* a, const void* b) const { return function_(a, b, parameter_); }

 private:
  struct Space;
  std::unique_ptr<Space> space_;
  float (*function_)(const void*, const void*, const void*) = nullptr;
  void* parameter_ = nullptr;
};

}  // namespace quire::bench
