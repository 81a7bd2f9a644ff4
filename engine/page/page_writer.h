// Writing pages in one transaction: copy on write into frames.
//
// A page may be changed in place while its frame was made by this transaction at the current
// savepoint epoch. Any other page is copied to a new number first and the old one is freed: dead at
// this transaction, reusable when nobody can see it (free_map.h).
#pragma once

#include <array>
#include <functional>
#include <mutex>
#include <vector>

#include "engine/page/frame_table.h"
#include "engine/page/free_map.h"
#include "engine/page/page_reader.h"

namespace quire {

// One thread at a time. A function that throws std::bad_alloc, or fails, leaves a state that
// abort() undoes in full; abort needs no memory. Invariants:
//  1. allocated_ holds every page number (first of its run) taken from the free map since begin or
//     the last savepoint mark, each once; abort gives them all back.
//  2. freed_ holds pages of committed state, and pages of this transaction from before an open
//     savepoint, that this transaction no longer uses; they reach the free map at commit only.
//  3. loose_ holds pages of this transaction, at the current epoch, that it no longer uses; it
//     takes these first.
class PageWriter {
 public:
  // Called when a page past the end of the map is needed: returns a larger map.
  using Remap = std::function<Result<PageMap*>(std::uint64_t pages)>;

  // `map` is the one that `reader` reads through.
  PageWriter(PageReader reader, PageMap* map, FrameTable& frames, FramePool& pool,
             FreeMap& free_map, io::File& file, TxnNumber txn, Remap remap);
  ~PageWriter();
  PageWriter(const PageWriter&) = delete;
  PageWriter& operator=(const PageWriter&) = delete;

  TxnNumber txn() const noexcept { return txn_; }
  std::uint32_t page_size() const noexcept { return reader_.page_size(); }
  // Sees this transaction's pages and everything committed before.
  PageReader& reader() noexcept { return reader_; }
  const std::byte* fetch(const PagePtr& ptr, PageNumber pages = 1) noexcept {
    return reader_.fetch(ptr, pages);
  }

  // Makes the page (block of `pages`) at `ptr` changeable and returns its bytes. When that needed a
  // copy, `ptr` gets the new page number, this transaction as birth, checksum 0; count stays. The
  // caller stores `ptr` in the parent, which it has touched before.
  Result<std::byte*> touch(PagePtr& ptr, PageNumber pages = 1);
  // The same for a page that is not writable and whose bytes the caller has fetched.
  Result<std::byte*> touch_fetched(PagePtr& ptr, const std::byte* old, PageNumber pages = 1);
  // True when touch would return the same bytes at once (the fast path of a caller that has kept
  // a pointer).
  bool writable(const PagePtr& ptr) const noexcept;
  // True when the page was made by this process and is not in the file yet: it needs no checking.
  bool in_memory(const PagePtr& ptr) const noexcept {
    const Frame* const frame = frames_.find(ptr.page);
    return frame != nullptr && frame->birth == ptr.birth;
  }
  // A new page or block; its content is zero. Sets all of `ptr` but count, which becomes 0.
  Result<std::byte*> allocate(PagePtr& ptr, PageNumber pages = 1);
  void free(const PagePtr& ptr, PageNumber pages = 1);

  // Writes a run of consecutive pages straight to the file (values too large for a frame): the
  // pieces one after the other, zeros up to the page's end. Returns its pointer, checksum set (over
  // whole pages), count 0.
  Result<PagePtr> write_run(std::span<const Bytes> pieces);
  // The same for a piece of whole pages that begins in the file at a multiple of its own size: of
  // 2 MiB, so that maps of it get huge pages. It is made of blocks of `block_pages`, each of which
  // is freed for itself. Returns its first page; the blocks' checksums are the caller's to work
  // out.
  Result<PageNumber> write_piece(Bytes piece, PageNumber block_pages);
  static PageNumber run_pages(std::uint64_t bytes, std::uint32_t page_size) noexcept {
    return static_cast<PageNumber>((bytes + page_size - 1) / page_size);
  }

  // Bytes of frames that this transaction holds.
  std::uint64_t private_bytes() const noexcept { return private_bytes_; }
  // How many runs commit() will return or give back, at most.
  std::size_t freed_count() const noexcept;
  // How many runs it has taken since begin. Any thread.
  std::size_t held_count() const {
    const std::scoped_lock lock(held_mutex_);
    return allocated_.size();
  }

  // Savepoints, numbered from 0, innermost last.
  std::size_t mark();               // begins one
  void rollback(std::size_t mark);  // gives back all since; ends those inside; the mark stays
  void release(std::size_t mark);   // keeps all since; ends it and those inside

  // Ends all savepoints: what may fail of a commit.
  void prepare_commit() {
    if (!marks_.empty()) release(0);
  }
  // After the root that refers to this transaction's pages is fixed, and prepare_commit: keeps the
  // frames in the table and returns what the transaction freed, for FreeMap::bury. No page may be
  // touched afterwards.
  std::vector<FreeMap::Dead> commit() noexcept;

  // Lists that many transactions use one after the other, so that a small one allocates nothing.
  struct Lists {
    std::vector<PageRun> allocated;
    std::vector<FreeMap::Dead> freed;
    std::vector<PageRun> loose;
    std::size_t usual = 1;  // pages that the last transaction took
  };
  void borrow(Lists&& lists) noexcept;
  // Once it has ended. What commit() returned is the caller's to put back.
  Lists give_lists_back() noexcept;
  // Gives everything back. Also done by the destructor of a writer that was not committed.
  void abort() noexcept;

  // Drops a frame of this transaction that was just written to the file, by the spill in
  // engine/txn. The page is then like one in the file: a later touch takes a new number.
  void spilled(PageNumber page);
  // The free pages of the committed state while this transaction runs: FreeMap::committed_free with
  // what it has taken since. Any thread.
  std::vector<PageRun> committed_free() const;
  // The free pages of the state that commit() will leave, after prepare_commit().
  std::vector<PageRun> free_when_committed() const;

 private:
  struct Mark {
    std::size_t allocated = 0;
    std::size_t freed = 0;
    std::vector<PageRun> loose;  // set aside: not to be used before the savepoint ends
  };
  bool mine(const PagePtr& ptr) const noexcept;
  Result<PageNumber> take_number(PageNumber pages);
  Result<PageRun> take_from_map(PageNumber pages);
  Result<PageNumber> take_piece(PageNumber pages, PageNumber block_pages);
  Status note_taken(std::size_t before);
  Result<Frame*> new_frame(PageNumber pages);
  Frame* take_frame(PageNumber pages) noexcept;
  void give_ready_back() noexcept;
  void drop_frame(PageNumber page) noexcept;
  void give_back(std::size_t from) noexcept;

  PageReader reader_;
  PageMap* map_;
  FrameTable& frames_;
  FramePool& pool_;
  FreeMap& free_map_;
  io::File& file_;
  Remap remap_;
  TxnNumber txn_;
  std::uint64_t epoch_ = 1;
  std::uint64_t private_bytes_ = 0;
  mutable std::mutex held_mutex_;  // allocated_, which a checkpoint reads from another thread
  std::vector<PageRun> allocated_;
  std::vector<FreeMap::Dead> freed_;
  std::vector<PageRun> loose_;
  std::size_t usual_ = 1;
  static constexpr std::size_t kUsualMax = 8;  // most that is taken before it is needed
  std::array<Frame*, kUsualMax> ready_{};      // frames not used yet
  std::size_t ready_count_ = 0;
  std::vector<Mark> marks_;
  bool ended_ = false;
};

}  // namespace quire
