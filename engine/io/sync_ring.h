// A write and the fdatasync behind it as one linked submission to io_uring, so that the thread has
// its hands free while the device works.
//
// Thread safety: one user at a time. A ring belongs to the process that made it; a forked child
// may only destroy its copy, which leaves the parent's at work.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/base/bytes.h"

namespace quire::io {

class SyncRing {
 public:
  // Null where this build, this system or QUIRE_IO=plain has no ring. A system that refuses one
  // (old kernel, seccomp, memory limit) is not asked again.
  static std::unique_ptr<SyncRing> create();
  virtual ~SyncRing() = default;
  SyncRing(const SyncRing&) = delete;
  SyncRing& operator=(const SyncRing&) = delete;

  // Results as io_uring gives them: a count, 0, or a negative errno.
  struct Outcome {
    std::int64_t written = 0;
    int synced = 0;
  };

  // Starts both. False: nothing is under way and the ring is of no more use. The bytes (at most
  // kLargestTransfer) must stay until wait() is back.
  virtual bool submit(int descriptor, std::uint64_t offset, Bytes bytes) = 0;
  // Waits for both, once for each successful submit.
  virtual Outcome wait() = 0;

 protected:
  SyncRing() = default;
};

}  // namespace quire::io
