// Private pages: the writer's pages that are not in the file yet, in its own memory.
//
// A frame holds one page, or one run of pages that is read as a whole (an array's block), under the
// number of its first page. Only its owning transaction changes it, and only until it commits;
// after that it is as immutable as a page in the file. It is found by number from any thread of the
// process, without locks.
//
// Why a lock-free reader is right: it looks up only pages of its snapshot. A frame leaves the table
// when its page is in the file (the map then has the same content) or is dead for every live
// snapshot; its memory is given back only when no snapshot that could have found it is open
// (engine/txn/reclaim.h). So a pointer that a lookup returned stays good.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_set>
#include <vector>

#include "engine/page/page_ptr.h"

namespace quire {

struct Frame {
  std::byte* data = nullptr;
  TxnNumber birth = 0;      // transaction that owns it, and may change it while it runs
  std::uint64_t epoch = 0;  // savepoint epoch of that transaction when it was made
  PageNumber page = 0;
  PageNumber pages = 1;
  std::uint32_t slab = 0;  // where its memory came from (FramePool)
};

// Thread safety: find by any thread; insert and erase under the caller's ordering (one thread at a
// time for one page number).
class FrameTable {
 public:
  FrameTable();
  ~FrameTable();
  FrameTable(const FrameTable&) = delete;
  FrameTable& operator=(const FrameTable&) = delete;

  Frame* find(PageNumber page) const noexcept {
    const std::atomic<Frame*>* chunk = chunks_[page >> kChunkBits].load(std::memory_order_acquire);
    if (chunk == nullptr) return nullptr;
    return chunk[page & kChunkMask].load(std::memory_order_acquire);
  }
  // False: out of memory; nothing changed.
  [[nodiscard]] bool insert(Frame* frame) noexcept;
  Frame* erase(PageNumber page) noexcept;  // returns what was there
  std::size_t size() const noexcept { return size_.load(std::memory_order_relaxed); }

 private:
  static constexpr unsigned kChunkBits = 16;
  static constexpr PageNumber kChunkMask = (1u << kChunkBits) - 1;
  std::atomic<std::atomic<Frame*>*>* chunks_;  // 2^16 of them, untouched memory until used
  std::mutex grow_;
  std::size_t chunks_end_ = 0;  // one past the last that is there; under grow_
  std::atomic<std::size_t> size_{0};
};

// Memory for frames. Thread-safe. Buffers are page-aligned and recycled.
class FramePool {
 public:
  explicit FramePool(std::uint32_t page_size);
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  // A block of more than one page; null: out of memory. Content is undefined.
  Frame* acquire_block(PageNumber pages) noexcept;
  // Several of one page; returns how many there was memory for.
  std::size_t acquire_some(std::span<Frame*> into) noexcept;
  void release(std::span<Frame* const> frames) noexcept;
  void release(Frame* frame) noexcept { release({&frame, 1}); }
  // Bytes of frames handed out, for the budget and `stat`.
  std::uint64_t used_bytes() const noexcept { return used_.load(std::memory_order_relaxed); }
  // Gives slabs in which no frame is in use back to the system, while more than `keep_bytes` of
  // them, used or not, are there. O(slabs), and O(free frames) where one goes.
  void trim(std::uint64_t keep_bytes) noexcept;
  std::uint64_t held_bytes() const;  // of all slabs

 private:
  struct Slab;
  bool add_slab() noexcept;
  std::uint64_t held_locked() const noexcept;
  static void free_block(Frame* frame) noexcept;
  std::uint32_t page_size_;
  mutable std::mutex mutex_;
  std::vector<Frame*> free_;
  std::vector<std::unique_ptr<Slab>> slabs_;
  std::unordered_set<Frame*>
      blocks_;  // frames of more than one page, which have memory of their own
  std::atomic<std::uint64_t> used_{0};
};

}  // namespace quire
