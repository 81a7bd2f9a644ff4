// Who waits for the device: one leads, the others sleep and wake once.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "wal/log.h"

namespace quire::wal {

// Those who wait form two groups: the group of the running sync, whose records it covers, and the
// next one. Each sleeps on a word of its own, words_[group % 2]. When a sync ends, the leader lets
// its whole group go with one call to the system and wakes one of the next group, which leads.
// Nobody else wakes on the way, and a woken thread needs no lock to see that it is done.
//
// No wake-up is lost: a waiter reads its word under m_ after it has seen that somebody leads; the
// leader changes both words under m_ as it gives up the role. So either the waiter sleeps before
// that and is in the group that is woken, or its word has changed and it does not sleep. Nobody of
// the next group is left without a leader: one of them is woken if one sleeps, and whoever leads
// next covers them all, as they appended before they waited. The one that is woken may have nothing
// left to wait for, when a change of segment has synced its record: then it wakes another
// (hand_on). A failure wakes all.
//
// Thread safety: all methods by any thread; cover_until and end_turn by the one that leads.
class SyncQueue {
 public:
  enum class Turn : std::uint8_t {
    kReleased,  // what was waited for is on the device
    kLead,      // the caller syncs for all and then calls end_turn
    kFailed,    // fail was called
  };

  bool is_released(Lsn lsn) const noexcept {
    return lsn <= released_.load(std::memory_order_acquire);
  }
  // Everything up to `lsn` is on the device; ascending. Wakes nobody yet: end_turn does.
  void release(Lsn lsn) noexcept { released_.store(lsn, std::memory_order_release); }

  // `lsn` was appended before. Blocks while another leads.
  Turn wait_for(Lsn lsn);
  // What the sync of the leader will cover, as soon as it is known. No record above may be appended
  // before this returns.
  void cover_until(Lsn target);
  void end_turn();
  // Every wait that is not over fails, from now on.
  void fail();

 private:
  void hand_on();

  std::atomic<Lsn> released_{0};
  std::mutex m_;
  bool leading_ = false;
  bool failed_ = false;
  Lsn target_ = 0;                       // what the running sync covers
  std::atomic<std::uint64_t> group_{0};  // of the running sync, or of the next when there is none
  std::atomic<int> words_[2] = {0, 0};   // int: what libstdc++ hands to the system as it is
};

}  // namespace quire::wal
