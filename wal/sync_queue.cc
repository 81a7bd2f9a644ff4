#include "wal/sync_queue.h"

#include <limits>
#include <optional>

namespace quire::wal {

SyncQueue::Turn SyncQueue::wait_for(Lsn lsn) {
  std::optional<std::uint64_t> slept_in;
  while (true) {
    if (is_released(lsn)) {
      // Woken to lead, and nothing left to wait for?
      if (slept_in && group_.load(std::memory_order_acquire) <= *slept_in) hand_on();
      return Turn::kReleased;
    }
    int seen = 0;
    {
      const std::lock_guard lock(m_);
      if (is_released(lsn)) continue;
      if (failed_) return Turn::kFailed;
      if (!leading_) {
        leading_ = true;
        // Until the batch is taken, whoever comes has appended in time to be in it.
        target_ = std::numeric_limits<Lsn>::max();
        return Turn::kLead;
      }
      slept_in = group_.load(std::memory_order_relaxed) + (lsn <= target_ ? 0 : 1);
      seen = words_[*slept_in % 2].load(std::memory_order_relaxed);
    }
    words_[*slept_in % 2].wait(seen, std::memory_order_acquire);
  }
}

void SyncQueue::cover_until(Lsn target) {
  const std::lock_guard lock(m_);
  target_ = target;
}

void SyncQueue::end_turn() {
  std::uint64_t ended = 0;
  {
    const std::lock_guard lock(m_);
    leading_ = false;
    ended = group_.fetch_add(1, std::memory_order_release);
    for (auto& word : words_) word.fetch_add(1, std::memory_order_release);
  }
  words_[ended % 2].notify_all();
  words_[(ended + 1) % 2].notify_one();
}

// Wakes another of the group that has no leader.
void SyncQueue::hand_on() {
  std::atomic<int>* word = nullptr;
  {
    const std::lock_guard lock(m_);
    if (leading_) return;
    word = &words_[group_.load(std::memory_order_relaxed) % 2];
    word->fetch_add(1, std::memory_order_release);
  }
  word->notify_one();
}

void SyncQueue::fail() {
  {
    const std::lock_guard lock(m_);
    failed_ = true;
    for (auto& word : words_) word.fetch_add(1, std::memory_order_release);
  }
  for (auto& word : words_) word.notify_all();
}

}  // namespace quire::wal
