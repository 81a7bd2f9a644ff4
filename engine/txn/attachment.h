// One process's place in a database's `lock` file: joining it, snapshots' slots, and what is known
// of the other processes.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "engine/page/free_map.h"
#include "engine/txn/shared_head.h"

namespace quire {

// What makes a `lock` file belong to a database as it lies on this disk, in this boot.
struct LockIdentity {
  wal::DatabaseId database{};
  std::uint32_t page_size = 0;
  std::array<std::uint64_t, 2> boot{};
  io::FileIdentity data;
};

struct ReaderInfo {
  TxnNumber txn = 0;
  std::uint32_t pid = 0;
  std::uint32_t thread = 0;
  std::uint64_t age_ms = 0;
};

// Thread-safe but for join and leave.
//
// Reader registration, and why it is right: a reader reads the newest root R, stores R's number in
// its slot, and looks at the ring again; only if R is still the newest does it use it. Who wants to
// reuse pages first makes a newer root visible and then reads the slots. All four accesses are
// sequentially consistent, so either the reader sees the newer root and begins again, or the other
// sees the slot.
class Attachment {
 public:
  // Opens (or, if `create`, makes) the lock file and takes a place in it. `locks` is
  // `data`, opened for locks alone; the caller holds lock_range::kInit on it. Errors: kLockLost
  // when the file does not belong to the database although processes hold ranges of `data`. `fresh`
  // says whether the contents were made anew: no roots, no readers.
  static Result<std::unique_ptr<Attachment>> join(io::Disk& disk, io::File& locks,
                                                  const std::string& path,
                                                  const LockIdentity& identity, bool writes,
                                                  bool may_create);
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  bool fresh() const noexcept { return fresh_; }
  LockHeader& head() noexcept { return *head_; }
  const LockHeader& head() const noexcept { return *head_; }
  OwnerWord owner() const noexcept { return owner_; }
  // Whether other processes (or other opens in this one) are attached.
  bool others() const noexcept { return head_->attached.load() > 1; }

  // A slot of this process with no snapshot in it. Cached by thread, so usually one load.
  Result<ReaderSlot*> free_slot();
  // Registers at the newest root of `ring`; returns its image. Lock-free.
  static RootRing::Reading register_at(ReaderSlot& slot, const RootRing& ring) noexcept;
  static void unregister(ReaderSlot& slot) noexcept {
    slot.txn.store(0, std::memory_order_release);
  }

  // Numbers of all registered snapshots, unsorted; `own` gets those of this process as well.
  void collect(LiveSet& all, LiveSet* own) const;
  std::vector<ReaderInfo> readers() const;
  // Clears what dead processes left behind. Returns how many were cleared. Takes kInit for a moment
  // unless the caller `holds_init`; when somebody else has it, only slots are cleared.
  Result<std::size_t> bury_dead(bool holds_init = false);
  // Snapshots older than `before` that somebody holds.
  bool any_reader_before(TxnNumber before) const;

  void wake_commit_waiters() noexcept;
  void wake_writer() noexcept;
  // In a forked child: forget the file without touching what is the parent's.
  void abandon() noexcept;

 private:
  Attachment(io::File& locks) : locks_(locks) {}
  Result<bool> map_existing(const LockIdentity& identity);
  Status initialize(const LockIdentity& identity);
  Status take_place(bool writes);
  Status grow_slots(std::uint32_t wanted);
  Result<bool> is_dead(OwnerWord owner) const;
  Result<std::size_t> bury_dead_processes();
  ProcessEntry* processes() const noexcept;
  ReaderSlot* slots() const noexcept;

  io::File& locks_;
  std::unique_ptr<io::File> file_;
  std::unique_ptr<io::Mapping> map_;
  LockHeader* head_ = nullptr;
  OwnerWord owner_ = 0;
  bool fresh_ = false;
  std::uint64_t serial_ = 0;  // tells attachments apart in the threads' caches
  std::mutex grow_;
};

}  // namespace quire
