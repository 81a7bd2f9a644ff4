// The thread that purges a database now and then, where quire_open_options asks for it.
//
// It is not the engine's background thread: it waits for the writer's turn, as any writer does, and
// the other thread must never wait for that.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "engine/db/database.h"
#include "engine/record/collection_cache.h"

namespace quire::capi {

// Thread-safe. Database and cache outlive it; whoever ends it holds no write transaction.
class Purger {
 public:
  struct Figures {
    std::uint64_t rounds = 0;
    std::uint64_t purged = 0;
    ErrorCode error = ErrorCode::kOk;  // of the last round
  };

  // Begins the first round after `interval_ms`, and each so long after the one before has ended.
  Purger(Database& database, CollectionCache& definitions, std::uint32_t interval_ms);
  // Ends the round that is under way behind its current transaction.
  ~Purger();
  Purger(const Purger&) = delete;
  Purger& operator=(const Purger&) = delete;

  std::uint32_t interval_ms() const noexcept { return interval_ms_; }
  Figures figures() const noexcept;

 private:
  void run();
  Status round();

  Database& database_;
  CollectionCache& definitions_;
  const std::uint32_t interval_ms_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;                  // under mutex_
  std::atomic<bool> stopping_{false};  // the same, for a round
  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<std::uint64_t> purged_{0};
  std::atomic<ErrorCode> error_{ErrorCode::kOk};
  std::thread thread_;  // the last: it uses the others
};

}  // namespace quire::capi
