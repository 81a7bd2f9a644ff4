#include "index/vector/hnsw/share_out.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <vector>

namespace quire::hnsw {
namespace {

class Sharing {
 public:
  explicit Sharing(const SharedWork& work) : work_(work), next_(work.first) {}

  Status run() {
    const std::size_t useful =
        std::min<std::size_t>(work_.threads, (work_.end - work_.first) / work_.worth + 1);
    std::vector<std::thread> threads;
    // Whatever happens, every thread has ended when this returns.
    const Status done = catch_out_of_memory([&]() -> Status {
      QUIRE_CHECK(work_.report(work_.first));
      threads.reserve(useful - 1);
      start(threads, useful - 1);
      return do_pieces(/*reports=*/true);
    });
    if (!done) stop(done.error());
    for (std::thread& thread : threads) thread.join();
    if (failure_) return std::unexpected(*failure_);
    return catch_out_of_memory([&] { return work_.report(work_.end); });
  }

 private:
  void start(std::vector<std::thread>& threads, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      try {
        threads.emplace_back([this] {
          const Status done = catch_out_of_memory([this] { return do_pieces(/*reports=*/false); });
          if (!done) stop(done.error());
        });
      } catch (const std::system_error&) {
        return;
      }
    }
  }

  Status do_pieces(bool reports) {
    const Worker worker = work_.make_worker();
    for (std::size_t done = 1; !stopped_.load(std::memory_order_relaxed); ++done) {
      const std::size_t piece = next_.fetch_add(1, std::memory_order_relaxed);
      if (piece >= work_.end) return {};
      if (reports && done % work_.worth == 0) QUIRE_CHECK(work_.report(piece));
      QUIRE_CHECK(worker(piece));
    }
    return {};
  }

  void stop(const Error& error) noexcept {
    stopped_.store(true, std::memory_order_relaxed);
    const std::scoped_lock lock(mutex_);
    if (!failure_) failure_ = error;
  }

  const SharedWork& work_;
  std::atomic<std::size_t> next_;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::optional<Error> failure_;  // the first
};

}  // namespace

Status share_out(const SharedWork& work) {
  if (work.first >= work.end) return catch_out_of_memory([&] { return work.report(work.end); });
  return Sharing(work).run();
}

}  // namespace quire::hnsw
