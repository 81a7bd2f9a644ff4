// The writer's turn: one transaction at a time, first come first served.
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
  // Hands the turn to the one that has waited longest; nobody can get in between.
  void give_up() {
    const std::scoped_lock lock(mutex_);
    if (waiting_.empty()) {
      taken_ = false;
      return;
    }
    Waiter* next = waiting_.front();
    waiting_.pop_front();
    next->mine = true;
    next->ready.notify_one();  // under the lock: the waiter lives until it has it
  }
  bool taken() const {
    const std::scoped_lock lock(mutex_);
    return taken_;
  }

 private:
  struct Waiter {
    std::condition_variable ready;
    bool mine = false;
  };
  mutable std::mutex mutex_;
  std::deque<Waiter*> waiting_;
  bool taken_ = false;
};

}  // namespace quire
