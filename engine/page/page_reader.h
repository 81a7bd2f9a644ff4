// Reading pages at one snapshot: from the pointer to the bytes.
//
// A page's bytes lie in the map of the file, or, for pages that the writer's process has not
// written yet, in a frame of its memory (frame_table.h). Bytes handed out stay where they are, and
// stay as they are, until the snapshot they were read at is closed.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>

#include "engine/base/result.h"
#include "engine/page/frame_table.h"
#include "engine/page/page_map.h"
#include "engine/page/page_ptr.h"

namespace quire {

class AddressCache;  // engine/array/block_addresses.h

// What readers of one snapshot may take from those of others.
struct LentAddresses {
  AddressCache* cache = nullptr;  // null: nothing
  std::uint64_t generation = 0;   // read after the snapshot was registered
};

// A small value; copy it to read one snapshot from several threads. Each copy is for one thread.
class PageReader {
 public:
  PageReader() = default;
  // `frames` is null in a process that does not write. `page_count` bounds every page number.
  PageReader(const PageMap* map, const FrameTable* frames, PageNumber page_count) noexcept
      : base_(map->base()),
        seen_(map->seen()),
        frames_(frames),
        map_(map),
        page_count_(page_count),
        shift_(map->page_shift()) {}

  std::uint32_t page_size() const noexcept { return std::uint32_t{1} << shift_; }
  PageNumber page_count() const noexcept { return page_count_; }
  void set_page_count(PageNumber count) noexcept { page_count_ = count; }

  // The page's (run's, block's) bytes, or null when it can't be trusted: then take_error() has why.
  // O(1); the first touch of a page by the process hashes it.
  const std::byte* fetch(const PagePtr& ptr, PageNumber pages = 1) noexcept {
    if (frames_ != nullptr) {
      if (const Frame* frame = frames_->find(ptr.page); frame != nullptr) {
        if (frame->birth == ptr.birth && frame->pages >= pages) [[likely]]
          return frame->data;
        return fail_frame(ptr, pages);  // no state has both: the pointer is damaged
      }
    }
    if (ptr.page < kFirstPage || pages > page_count_ || ptr.page > page_count_ - pages) [[unlikely]]
      return fail_range(ptr, pages);
    const std::byte* page = base_ + (static_cast<std::size_t>(ptr.page) << shift_);
    if (seen_[ptr.page].load(std::memory_order_relaxed) != seen_tag(ptr.checksum)) [[unlikely]]
      return verify(ptr, pages, page);
    return page;
  }

  // The bytes of a page, where it takes no hashing to trust it; else null, and nothing failed.
  const std::byte* find(const PagePtr& ptr, PageNumber pages) const noexcept {
    if (frames_ != nullptr) {
      if (const Frame* frame = frames_->find(ptr.page); frame != nullptr)
        return frame->birth == ptr.birth && frame->pages >= pages ? frame->data : nullptr;
    }
    if (ptr.page < kFirstPage || pages > page_count_ || ptr.page > page_count_ - pages ||
        file_ != nullptr ||
        seen_[ptr.page].load(std::memory_order_relaxed) != seen_tag(ptr.checksum))
      return nullptr;
    return base_ + (static_cast<std::size_t>(ptr.page) << shift_);
  }

  // Addresses of blocks that are kept for all snapshots.
  void lend(const LentAddresses& addresses) noexcept { addresses_ = addresses; }
  const LentAddresses& addresses() const noexcept { return addresses_; }
  const std::byte* base() const noexcept { return base_; }
  bool looks_at_frames() const noexcept { return frames_ != nullptr; }

  // From here on pages are hashed as pread gives them, before anything touches them through the
  // map: an I/O error is then an error, not a signal (check, salvage). Needs a map of its own, on
  // which nothing has been seen yet.
  void read_with(io::File* file) noexcept { file_ = file; }

  // Hint that the page is about to be fetched.
  void prefetch(const PagePtr& ptr) const noexcept {
    if (ptr.page < page_count_)
      __builtin_prefetch(base_ + (static_cast<std::size_t>(ptr.page) << shift_));
  }

  // The error of the last fetch that returned null. Structures add what pointed to the page with
  // Error::with_context.
  Error take_error();
  std::unexpected<Error> failure() { return std::unexpected(take_error()); }

 private:
  const std::byte* verify(const PagePtr& ptr, PageNumber pages, const std::byte* page) noexcept;
  std::expected<std::uint64_t, ErrorCode> hash_from_file(const PagePtr& ptr,
                                                         PageNumber pages) noexcept;
  const std::byte* fail_range(const PagePtr& ptr, PageNumber pages) noexcept;
  const std::byte* fail_frame(const PagePtr& ptr, PageNumber pages) noexcept;

  const std::byte* base_ = nullptr;
  std::atomic<std::uint16_t>* seen_ = nullptr;
  const FrameTable* frames_ = nullptr;
  const PageMap* map_ = nullptr;
  io::File* file_ = nullptr;
  LentAddresses addresses_;
  PageNumber page_count_ = 0;
  std::uint32_t shift_ = 12;
  struct Failure {
    PagePtr ptr;
    PageNumber pages = 0;
    std::uint64_t found = 0;
    bool out_of_range = false;
    bool reused = false;                                 // the page is another one now
    std::optional<ErrorCode> unreadable = std::nullopt;  // kNoMemory, or another
  };
  Failure failure_;
};

}  // namespace quire
