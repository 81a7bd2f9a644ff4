// The writer's turn: one transaction at a time, first come first served. Who has time lets others
// go first, for a while.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

namespace quire {

// Thread-safe. The turn may be given up by another thread than the one that took it.
class TurnQueue {
 public:
  bool try_take() {
    const std::scoped_lock lock(mutex_);
    if (taken_) return false;
    taken_ = true;
    return true;
  }
  void take() {
    std::unique_lock lock(mutex_);
    if (!taken_) {
      taken_ = true;
      return;
    }
    Waiter me;
    waiting_.push_back(&me);
    me.ready.wait(lock, [&me] { return me.mine; });
  }
  // Behind everybody who waits, and who comes to wait, within `patience`.
  void take_last(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    if (!taken_) {
      taken_ = true;
      return;
    }
    Waiter me{.since = std::chrono::steady_clock::now(), .patience = patience};
    patient_.push_back(&me);
    me.ready.wait(lock, [&me] { return me.mine; });
  }
  // Hands the turn to the one that has waited longest; nobody can get in between.
  void give_up() {
    const std::scoped_lock lock(mutex_);
    Waiter* next = pop_next_locked();
    taken_ = next != nullptr;
    if (next == nullptr) return;
    next->mine = true;
    next->ready.notify_one();  // under the lock: the waiter lives until it has it
  }
  bool taken() const {
    const std::scoped_lock lock(mutex_);
    return taken_;
  }
  std::size_t waiting() const {
    const std::scoped_lock lock(mutex_);
    return waiting_.size() + patient_.size();
  }

 private:
  struct Waiter {
    std::chrono::steady_clock::time_point since;  // of a patient one
    std::chrono::milliseconds patience{0};
    std::condition_variable ready;
    bool mine = false;
  };

  Waiter* pop_next_locked() {
    const bool others = !waiting_.empty();
    const bool patient = !patient_.empty() && (!others || out_of_patience(*patient_.front()));
    if (!patient && !others) return nullptr;
    std::deque<Waiter*>& from = patient ? patient_ : waiting_;
    Waiter* next = from.front();
    from.pop_front();
    return next;
  }
  static bool out_of_patience(const Waiter& waiter) {
    return std::chrono::steady_clock::now() - waiter.since >= waiter.patience;
  }

  mutable std::mutex mutex_;
  std::deque<Waiter*> waiting_;
  std::deque<Waiter*> patient_;
  bool taken_ = false;
};

}  // namespace quire
