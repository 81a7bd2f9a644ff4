// The maps of one process over one `data` file: the newest, and older ones that snapshots still
// use.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/page/page_map.h"

namespace quire {

// Thread-safe. A map stays until the space ends, so that a pointer handed out stays good; each new
// one is at least twice as large, so there are few.
class PageSpace {
 public:
  PageSpace(io::File& file, std::uint32_t page_size) : file_(file), page_size_(page_size) {}

  // A map with room for `pages` pages.
  Result<PageMap*> ensure(std::uint64_t pages) {
    PageMap* map = current_.load(std::memory_order_acquire);
    if (map != nullptr && pages <= map->reserved_pages()) [[likely]]
      return map;
    return enlarge(pages);
  }
  PageMap* current() const noexcept { return current_.load(std::memory_order_acquire); }

 private:
  Result<PageMap*> enlarge(std::uint64_t pages);

  io::File& file_;
  std::uint32_t page_size_;
  std::atomic<PageMap*> current_{nullptr};
  std::mutex mutex_;
  std::vector<std::unique_ptr<PageMap>> maps_;
};

}  // namespace quire
