#include "engine/io/sync_ring.h"

#include <cerrno>
#include <cstdlib>
#include <string_view>

#ifdef QUIRE_HAVE_URING
#include <liburing.h>

#include <array>
#include <atomic>
#include <chrono>
#include <new>
#include <thread>
#endif

namespace quire::io {

#ifdef QUIRE_HAVE_URING
namespace {

bool plain_io_wanted() {
  static const bool wanted = [] {
    const char* value = std::getenv("QUIRE_IO");
    return value != nullptr && std::string_view(value) == "plain";
  }();
  return wanted;
}

class UringSyncRing final : public SyncRing {
 public:
  UringSyncRing() : setup_error_(io_uring_queue_init(2, &ring_, 0)) {}
  ~UringSyncRing() override {
    if (setup_error_ == 0) io_uring_queue_exit(&ring_);
  }
  int setup_error() const { return setup_error_; }

  bool submit(int descriptor, std::uint64_t offset, Bytes bytes) override {
    io_uring_sqe* const write = io_uring_get_sqe(&ring_);
    io_uring_sqe* const sync = io_uring_get_sqe(&ring_);
    if (write == nullptr || sync == nullptr) return false;
    io_uring_prep_write(write, descriptor, bytes.data(), static_cast<unsigned>(bytes.size()),
                        offset);
    write->flags |= IOSQE_IO_LINK;
    write->user_data = kWrite;
    io_uring_prep_fsync(sync, descriptor, IORING_FSYNC_DATASYNC);
    sync->user_data = kSync;
    results_ = {0, -ECANCELED};
    int submitted = io_uring_submit(&ring_);
    while (submitted == -EINTR) submitted = io_uring_submit(&ring_);
    if (submitted == 2) return true;
    // The write alone may have gone out; its bytes must not be given back while it runs. The
    // caller writes them again, to the same place.
    if (submitted == 1) collect(1);
    return false;
  }

  Outcome wait() override {
    collect(2);
    return {results_[kWrite], results_[kSync]};
  }

 private:
  static constexpr std::size_t kWrite = 0;
  static constexpr std::size_t kSync = 1;

  // There is no giving up: until the completions are here the kernel may read the bytes.
  void collect(int count) {
    while (count > 0) {
      io_uring_cqe* entry = nullptr;
      const int error = io_uring_wait_cqe(&ring_, &entry);
      if (error != 0) {
        if (error != -EINTR) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      results_[entry->user_data] = entry->res;
      io_uring_cqe_seen(&ring_, entry);
      --count;
    }
  }

  io_uring ring_{};
  int setup_error_;
  std::array<int, 2> results_{};
};

}  // namespace

std::unique_ptr<SyncRing> SyncRing::create() {
  static std::atomic<bool> refused = false;
  if (plain_io_wanted() || refused.load(std::memory_order_relaxed)) return nullptr;
  std::unique_ptr<UringSyncRing> ring(new (std::nothrow) UringSyncRing());
  if (ring == nullptr) return nullptr;
  if (ring->setup_error() == 0) return ring;
  refused.store(true, std::memory_order_relaxed);
  return nullptr;
}

#else

std::unique_ptr<SyncRing> SyncRing::create() { return nullptr; }

#endif

}  // namespace quire::io
