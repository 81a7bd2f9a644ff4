// Work that several threads share.
#pragma once

#include <cstddef>
#include <functional>

#include "engine/base/result.h"

namespace quire::hnsw {

// Does one piece of it.
using Worker = std::function<Status(std::size_t piece)>;

struct SharedWork {
  std::size_t first = 0;  // pieces [first, end), each once, in about this order
  std::size_t end = 0;
  unsigned threads = 1;  // the caller's among them
  // Fewer pieces are not worth another thread, nor a report: of those that take 10 to 200 us.
  std::size_t worth = 64;
  // Called in each thread: the worker that it calls from then on.
  std::function<Worker()> make_worker;
  // Called by the caller's thread with about how many pieces are done: before the first, now and
  // then, and when all are. An error ends all work.
  std::function<Status(std::uint64_t done)> report;
};

// Ends when all pieces are done, or with the first error, of which memory's is one; no thread runs
// then. Threads that the system does not give are done without.
Status share_out(const SharedWork& work);

}  // namespace quire::hnsw
