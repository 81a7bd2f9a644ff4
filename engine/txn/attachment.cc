#include "engine/txn/attachment.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <new>

#include "engine/base/sync_point.h"

namespace quire {
namespace {

std::atomic<std::uint64_t> next_serial{1};

// Which slot a thread used last, for a few attachments: a hint, checked at each use.
struct SlotHint {
  std::uint64_t serial = 0;
  ReaderSlot* slot = nullptr;
};
constexpr std::size_t kHints = 4;
thread_local SlotHint slot_hints[kHints];

std::uint32_t thread_id() noexcept {
  static thread_local const auto id = static_cast<std::uint32_t>(::syscall(SYS_gettid));
  return id;
}

bool belongs(const LockHeader& head, const LockIdentity& identity) noexcept {
  return head.magic == kLockMagic && head.version == kLockVersion &&
         head.page_size == identity.page_size && head.database[0] == identity.database[0] &&
         head.database[1] == identity.database[1] && head.boot[0] == identity.boot[0] &&
         head.boot[1] == identity.boot[1] && head.device == identity.data.device &&
         head.inode == identity.data.inode;
}

}  // namespace

Result<std::unique_ptr<Attachment>> Attachment::join(io::Disk& disk, io::File& locks,
                                                     const std::string& path,
                                                     const LockIdentity& identity, bool writes,
                                                     bool may_create) {
  std::unique_ptr<Attachment> self(new Attachment(locks));
  self->serial_ = next_serial.fetch_add(1);
  auto opened = disk.open(path, io::OpenMode::kReadWrite);
  if (!opened && opened.error().code() != ErrorCode::kNotFound)
    return std::unexpected(std::move(opened).error());
  bool valid = false;
  if (opened) {
    self->file_ = std::move(*opened);
    QUIRE_TRY(valid, self->map_existing(identity));
  }
  if (!valid) {
    QUIRE_TRY(const bool in_use, locks.locked_elsewhere(lock_range::kProcesses, kMaxProcesses));
    if (in_use)
      return fail(ErrorCode::kLockLost,
                  "%s was deleted or replaced while processes have the database open: close it in "
                  "all of them first",
                  path.c_str());
    if (!may_create)
      return fail(ErrorCode::kNeedsRecovery, "%s is missing or of another boot", path.c_str());
    if (self->file_ == nullptr) {
      QUIRE_TRY(self->file_, disk.open(path, io::OpenMode::kOpenOrCreate));
    }
    QUIRE_CHECK(self->initialize(identity));
  }
  QUIRE_CHECK(self->take_place(writes));
  return self;
}

// Maps the file if it is one of this database, on this disk, in this boot.
Result<bool> Attachment::map_existing(const LockIdentity& identity) {
  QUIRE_TRY(const std::uint64_t size, file_->size());
  if (size < kSlotsOffset + kSlotsStart * sizeof(ReaderSlot)) return false;
  QUIRE_TRY(map_, file_->map_shared(kLockMapBytes));
  head_ = reinterpret_cast<LockHeader*>(map_->data());
  return belongs(*head_, identity) &&
         size >= kSlotsOffset + std::uint64_t{head_->slot_capacity} * sizeof(ReaderSlot);
}

// Makes the contents anew. Nobody is attached, and the caller keeps others from joining.
Status Attachment::initialize(const LockIdentity& identity) {
  map_.reset();
  QUIRE_CHECK(file_->resize(0));
  const std::uint64_t bytes = kSlotsOffset + kSlotsStart * sizeof(ReaderSlot);
  // Backed by space: a store into the map must not find the device full.
  QUIRE_CHECK(file_->allocate(0, bytes));
  QUIRE_TRY(map_, file_->map_shared(kLockMapBytes));
  head_ = reinterpret_cast<LockHeader*>(map_->data());
  head_->version = kLockVersion;
  head_->page_size = identity.page_size;
  std::memcpy(head_->database, identity.database.data(), sizeof head_->database);
  std::memcpy(head_->boot, identity.boot.data(), sizeof head_->boot);
  head_->device = identity.data.device;
  head_->inode = identity.data.inode;
  head_->slot_capacity.store(kSlotsStart);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  head_->magic = kLockMagic;
  fresh_ = true;
  return {};
}

// A place is taken by setting its owner word and then holding the shared lock on its byte. Only
// processes in join() take places, and they hold kInit, at least shared, which orders them against
// whoever makes the file anew, not against one another: hence compare-and-swap and a second look.
Status Attachment::take_place(bool writes) {
  for (std::uint32_t i = 0; i < kMaxProcesses; ++i) {
    ProcessEntry& entry = processes()[i];
    OwnerWord before = entry.owner.load();
    QUIRE_TRY(const bool held, locks_.locked_elsewhere(lock_range::kProcesses + i, 1));
    if (held) continue;
    const OwnerWord mine = (head_->generation.fetch_add(1) + 1) << 16 | (i + 1);
    if (!entry.owner.compare_exchange_strong(before, mine)) continue;
    QUIRE_TRY(const bool locked,
              locks_.try_lock(lock_range::kProcesses + i, 1, io::LockMode::kShared));
    QUIRE_TRY(const bool shared, locks_.locked_elsewhere(lock_range::kProcesses + i, 1));
    if (!locked || shared || entry.owner.load() != mine) {
      QUIRE_CHECK(locks_.unlock(lock_range::kProcesses + i, 1));
      continue;
    }
    entry.pid.store(static_cast<std::uint32_t>(::getpid()));
    entry.writes.store(writes ? 1 : 0);
    owner_ = mine;
    if (before == 0) head_->attached.fetch_add(1);  // else it counts for the dead one still
    // A dead process's slots may carry the place's old owner word; bury_dead() clears them.
    return {};
  }
  return fail(ErrorCode::kReadersFull, "%s: %u processes have the database open already",
              file_->path().c_str(), kMaxProcesses);
}

Attachment::~Attachment() {
  if (owner_ == 0) return;
  const std::uint32_t high = head_->slot_high.load();
  for (std::uint32_t i = 0; i < high; ++i) {
    ReaderSlot& slot = slots()[i];
    if (slot.owner.load() != owner_) continue;
    slot.txn.store(0);
    slot.owner.store(0);
  }
  ProcessEntry& entry = processes()[owner_index(owner_)];
  entry.pid.store(0);
  OwnerWord mine = owner_;
  if (entry.owner.compare_exchange_strong(mine, 0)) head_->attached.fetch_sub(1);
  (void)locks_.unlock(lock_range::kProcesses + owner_index(owner_), 1);
}

void Attachment::abandon() noexcept {
  owner_ = 0;
  file_->close_in_child();
}

ProcessEntry* Attachment::processes() const noexcept {
  return reinterpret_cast<ProcessEntry*>(map_->data() + kProcessesOffset);
}
ReaderSlot* Attachment::slots() const noexcept {
  return reinterpret_cast<ReaderSlot*>(map_->data() + kSlotsOffset);
}

// A slot belongs to the process by its owner word, and to one snapshot from the compare-and-swap of
// its number on; kMaxTxn stands there until the snapshot's own number does, and pins nothing.
Result<ReaderSlot*> Attachment::free_slot() {
  SlotHint& hint = slot_hints[serial_ % kHints];
  const auto claim = [this](ReaderSlot& slot) {
    TxnNumber idle = 0;
    if (slot.owner.load(std::memory_order_relaxed) != owner_) return false;
    return slot.txn.compare_exchange_strong(idle, kMaxTxn);
  };
  if (hint.serial == serial_ && claim(*hint.slot)) return hint.slot;

  for (;;) {
    const std::uint32_t capacity = head_->slot_capacity.load();
    const std::uint32_t high = std::min(head_->slot_high.load(), capacity);
    for (std::uint32_t i = 0; i < capacity; ++i) {
      ReaderSlot& slot = slots()[i];
      OwnerWord nobody = 0;
      if (slot.owner.load(std::memory_order_relaxed) == 0)
        slot.owner.compare_exchange_strong(nobody, owner_);
      if (!claim(slot)) continue;
      std::uint32_t seen = high;
      while (seen < i + 1 && !head_->slot_high.compare_exchange_weak(seen, i + 1)) {
      }
      slot.thread.store(thread_id(), std::memory_order_relaxed);
      hint = {serial_, &slot};
      return &slot;
    }
    QUIRE_CHECK(grow_slots(capacity + 1));
  }
}

Status Attachment::grow_slots(std::uint32_t wanted) {
  const std::scoped_lock lock(grow_);
  const std::uint32_t capacity = head_->slot_capacity.load();
  if (capacity >= wanted) return {};
  if (capacity >= kSlotsMax)
    return fail(ErrorCode::kReadersFull, "%s: %u read transactions are open already",
                file_->path().c_str(), kSlotsMax);
  const std::uint32_t larger = std::min(capacity * 2, kSlotsMax);
  QUIRE_CHECK(file_->allocate(0, kSlotsOffset + std::uint64_t{larger} * sizeof(ReaderSlot)));
  std::uint32_t expected = capacity;  // another process may have grown it further
  while (expected < larger && !head_->slot_capacity.compare_exchange_weak(expected, larger)) {
  }
  return {};
}

RootRing::Reading Attachment::register_at(ReaderSlot& slot, const RootRing& ring) noexcept {
  for (;;) {
    const RootRing::Reading reading = ring.read();
    if (reading.sequence == 0) return reading;
    sync_point::reach("register: root read");
    slot.txn.store(reading.image.txn, std::memory_order_seq_cst);
    sync_point::reach("register: slot set");
    if (ring.sequence() != reading.sequence) continue;
    slot.since_ns.store(coarse_clock_ns(), std::memory_order_relaxed);
    return reading;
  }
}

void Attachment::collect(LiveSet& all, LiveSet* own) const {
  const std::uint32_t high = head_->slot_high.load();
  for (std::uint32_t i = 0; i < high; ++i) {
    const ReaderSlot& slot = slots()[i];
    const TxnNumber txn = slot.txn.load(std::memory_order_seq_cst);
    if (txn == 0 || txn == kMaxTxn) continue;
    all.push_back(txn);
    if (own != nullptr && slot.owner.load(std::memory_order_relaxed) == owner_) own->push_back(txn);
  }
}

std::vector<ReaderInfo> Attachment::readers() const {
  std::vector<ReaderInfo> found;
  const std::uint64_t now = coarse_clock_ns();
  const std::uint32_t high = head_->slot_high.load();
  for (std::uint32_t i = 0; i < high; ++i) {
    const ReaderSlot& slot = slots()[i];
    const TxnNumber txn = slot.txn.load();
    const OwnerWord owner = slot.owner.load();
    if (txn == 0 || txn == kMaxTxn || owner == 0 || owner_index(owner) >= kMaxProcesses) continue;
    const std::uint64_t since = slot.since_ns.load();
    found.push_back({txn, processes()[owner_index(owner)].pid.load(), slot.thread.load(),
                     now > since ? (now - since) / 1'000'000 : 0});
  }
  return found;
}

bool Attachment::any_reader_before(TxnNumber before) const {
  LiveSet all;
  collect(all, nullptr);
  for (const TxnNumber txn : all) {
    if (txn < before) return true;
  }
  return false;
}

// A process is dead when nobody holds its byte. Processes join under kInit, so an owner word that
// is seen while kInit is held exclusively has its lock by then, or its process is dead.
Result<bool> Attachment::is_dead(OwnerWord owner) const {
  if (owner == 0 || owner == owner_) return false;
  const std::uint32_t index = owner_index(owner);
  if (index >= kMaxProcesses) return true;
  if (processes()[index].owner.load() != owner) return true;  // its place has another by now
  QUIRE_TRY(const bool held, locks_.locked_elsewhere(lock_range::kProcesses + index, 1));
  return !held;
}

// A slot is claimed only by a process that holds its byte, so slots need no kInit.
Result<std::size_t> Attachment::bury_dead(bool holds_init) {
  std::size_t buried = 0;
  const std::uint32_t high = head_->slot_high.load();
  for (std::uint32_t i = 0; i < high; ++i) {
    ReaderSlot& slot = slots()[i];
    OwnerWord owner = slot.owner.load();
    QUIRE_TRY(const bool dead, is_dead(owner));
    if (!dead) continue;
    slot.txn.store(0);
    slot.owner.compare_exchange_strong(owner, 0);
    ++buried;
  }
  if (!holds_init) {
    if (!locks_.writable()) return buried;
    QUIRE_TRY(const bool alone, locks_.try_lock(lock_range::kInit, 1, io::LockMode::kExclusive));
    if (!alone) return buried;
  }
  auto processes_buried = bury_dead_processes();
  if (!holds_init) QUIRE_CHECK(locks_.unlock(lock_range::kInit, 1));
  if (!processes_buried) return processes_buried;
  return buried + *processes_buried;
}

Result<std::size_t> Attachment::bury_dead_processes() {
  std::size_t buried = 0;
  for (std::uint32_t i = 0; i < kMaxProcesses; ++i) {
    ProcessEntry& entry = processes()[i];
    OwnerWord owner = entry.owner.load();
    QUIRE_TRY(const bool dead, is_dead(owner));
    if (!dead) continue;
    if (entry.owner.compare_exchange_strong(owner, 0)) head_->attached.fetch_sub(1);
    ++buried;
  }
  return buried;
}

void Attachment::wake_commit_waiters() noexcept {
  head_->commit_wake.fetch_add(1);
  if (head_->commit_waiters.load() != 0) futex_wake_all(head_->commit_wake);
}

void Attachment::wake_writer() noexcept {
  head_->writer_wake.fetch_add(1);
  futex_wake_all(head_->writer_wake);
}

}  // namespace quire
