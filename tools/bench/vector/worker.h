// A process that has one engine and measures it when told to: so engines share no memory, and one
// measured point of each can be taken in turn.
#pragma once

#include "tools/bench/vector/engine.h"
#include "tools/bench/vector/process.h"

namespace quire::bench {

struct Point {
  std::size_t ef = 0;
  double recall = 0;  // at kMeasuredK
  double qps = 0;
  double p50_us = 0;
  double p99_us = 0;
};

// Throws std::runtime_error with what the process said of its failure.
class Worker {
 public:
  Worker(const Engine& engine, const DataSet& set, const IndexSettings& settings);

  // Seconds.
  double build();
  void open();
  // All queries one after the other, again and again for so long.
  Point measure(std::size_t ef, double seconds);

 private:
  Process process_;
};

}  // namespace quire::bench
