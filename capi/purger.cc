#include "capi/purger.h"

#include <algorithm>
#include <chrono>

#include "engine/record/defaults.h"
#include "index/ordered/purge.h"

namespace quire::capi {

Purger::Purger(Database& database, CollectionCache& definitions, std::uint32_t interval_ms)
    : database_(database), definitions_(definitions), interval_ms_(interval_ms) {
  thread_ = std::thread([this] { run(); });
}

Purger::~Purger() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  stopping_.store(true);
  stopped_.notify_one();
  thread_.join();
}

Purger::Figures Purger::figures() const noexcept {
  return {.rounds = rounds_.load(), .purged = purged_.load(), .error = error_.load()};
}

void Purger::run() {
  std::unique_lock lock(mutex_);
  while (
      !stopped_.wait_for(lock, std::chrono::milliseconds(interval_ms_), [this] { return stop_; })) {
    lock.unlock();
    const Status done = catch_out_of_memory([this] { return round(); });
    error_.store(done ? ErrorCode::kOk : done.error().code());
    rounds_.fetch_add(1);
    lock.lock();
  }
}

Status Purger::round() {
  std::uint64_t purged = 0;
  std::uint64_t told = 0;
  const auto tell = [&] {
    purged_.fetch_add(purged - told);
    told = purged;
  };
  const PurgeTerms terms{
      .now_us = now_us(),
      // What a power loss takes back is purged again: no sync is worth it.
      .durability = std::max(database_.options().writer.durability, Durability::kOs),
      .go_on = [&](std::uint64_t /*purged*/) {
        tell();
        return !stopping_.load();
      }};
  Status done = purge_all_in_pieces(database_, &definitions_, terms, purged);
  tell();
  return done;
}

}  // namespace quire::capi
