// The `lock` file: what the processes that have a database open know of one another.
//
//   0      LockHeader: who it belongs to, the published roots, counters, futex words
//   4096   ProcessEntry[1024]: one for each attached process
//   36864  ReaderSlot[...]: one for each open snapshot; the file grows with it
//
// Nothing in it has to survive: it is made anew when nobody has the database open, or when it is of
// another boot, another file or another format. Whether a process lives is told by an OFD lock that
// it holds on a byte of `data` (lock_range below), never by its pid.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/txn/root.h"

namespace quire {

// Bytes of `data`, far past any page, that stand for rights. Advisory OFD locks on them.
namespace lock_range {
inline constexpr std::uint64_t kBase = std::uint64_t{1} << 62;
inline constexpr std::uint64_t kWriter = kBase;    // exclusive: the read-write process; shared:
                                                   // readers that may not write `lock`
inline constexpr std::uint64_t kInit = kBase + 1;  // whoever makes, checks or joins `lock`
inline constexpr std::uint64_t kProcesses = kBase + 16;  // + index: shared, by an attached process
}  // namespace lock_range

inline constexpr std::uint64_t kLockMagic = 0x4B4F4C4552495551;  // "QUIRELOK"
inline constexpr std::uint32_t kLockVersion = 1;
inline constexpr std::uint32_t kMaxProcesses = 1024;

// Identifies one attachment of one process: generation << 16 | (index + 1). 0: nobody.
using OwnerWord = std::uint64_t;
inline std::uint32_t owner_index(OwnerWord owner) noexcept {
  return static_cast<std::uint32_t>(owner & 0xFFFF) - 1;
}

struct ProcessEntry {
  std::atomic<OwnerWord> owner;
  std::atomic<std::uint32_t> pid;  // for people; in the process's own pid namespace
  std::atomic<std::uint32_t> writes;
  std::uint64_t unused[2];
};
static_assert(sizeof(ProcessEntry) == 32);

struct alignas(64) ReaderSlot {
  std::atomic<TxnNumber> txn;           // the snapshot; 0: none
  std::atomic<OwnerWord> owner;         // 0: free
  std::atomic<std::uint64_t> since_ns;  // monotonic clock when it began
  std::atomic<std::uint32_t> thread;
  std::uint32_t unused[9];
};
static_assert(sizeof(ReaderSlot) == 64);

struct LockHeader {
  std::uint64_t magic;
  std::uint32_t version;
  std::uint32_t page_size;
  std::uint64_t database[2];
  std::uint64_t boot[2];
  std::uint64_t device;
  std::uint64_t inode;                       // of `data`
  std::atomic<std::uint64_t> generation;     // of the last process that attached
  std::atomic<std::uint64_t> committed_txn;  // newest commit that the writer's process can see
  std::atomic<std::uint64_t> highest_txn;    // no transaction has had a higher number
  std::atomic<std::uint32_t> attached;       // processes
  std::atomic<std::uint32_t> writer_pid;
  std::atomic<std::uint32_t> writer_wake;   // futex: something for the writer's background thread
  std::atomic<std::uint32_t> want_publish;  // an attaching process waits for publication
  std::atomic<std::uint32_t> commit_wake;   // futex: changes with each published root
  std::atomic<std::uint32_t> commit_waiters;
  std::atomic<std::uint32_t> slot_capacity;  // slots that the file has room for
  std::atomic<std::uint32_t> slot_high;      // one past the highest slot ever used
  // The writer's figures, for `stat` in other processes: told when they ask, and once in a while.
  std::atomic<std::uint64_t> durable_lsn;
  std::atomic<std::uint64_t> log_bytes;  // since the checkpoint
  std::atomic<std::uint64_t> private_bytes;
  std::atomic<std::uint64_t> pages_pinned;
  std::atomic<std::uint64_t> pages_free;
  std::atomic<std::uint64_t> oldest_pinned_bytes;
  std::atomic<std::uint64_t> quota_bytes;
  std::atomic<std::uint64_t> commits;
  std::atomic<std::uint64_t> syncs;
  std::atomic<std::uint64_t> checkpoints;
  std::atomic<std::uint32_t> want_figures;
  std::uint32_t unused0;
  // Newest `always` commit that was acknowledged while the writer was alone: who attaches has to
  // see it, published or not.
  std::atomic<std::uint64_t> acknowledged_txn;
  std::uint64_t unused[5];
  RootRing published;
};
static_assert(offsetof(LockHeader, generation) == 64);
static_assert(offsetof(LockHeader, published) % 64 == 0);
static_assert(sizeof(LockHeader) <= 4096);

inline constexpr std::size_t kProcessesOffset = 4096;
inline constexpr std::size_t kSlotsOffset = kProcessesOffset + kMaxProcesses * sizeof(ProcessEntry);
inline constexpr std::uint32_t kSlotsStart = 64;
inline constexpr std::uint32_t kSlotsMax = 65536;
inline constexpr std::uint64_t kLockMapBytes =
    kSlotsOffset + std::uint64_t{kSlotsMax} * sizeof(ReaderSlot);

// Sleeps until the word is no longer `expected`, it is woken, or the time is over. Works between
// processes. False: time over.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, std::uint32_t timeout_ms);
void futex_wake_all(std::atomic<std::uint32_t>& word);

// Monotonic milliseconds.
std::uint64_t now_ms() noexcept;
// Monotonic nanoseconds, to a few milliseconds, the same for all processes of the machine.
std::uint64_t coarse_clock_ns() noexcept;

}  // namespace quire
