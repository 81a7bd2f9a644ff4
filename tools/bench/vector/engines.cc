#include "tools/bench/vector/engine.h"

namespace quire::bench {

std::vector<Engine> vector_engines() {
  return {
      quire_engine(),
#ifdef QUIRE_BENCH_HNSWLIB
      hnswlib_engine(),
#endif
  };
}

}  // namespace quire::bench
