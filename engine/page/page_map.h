// The read-only map of `data` and, beside it, which pages this process has verified.
#pragma once

#include <atomic>
#include <bit>
#include <memory>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "engine/page/page_ptr.h"

namespace quire {

// What is remembered of a verified page: 16 bits of its checksum, never 0.
inline std::uint16_t seen_tag(std::uint64_t checksum) noexcept {
  return static_cast<std::uint16_t>(checksum | 1);
}

// Thread safety: all may read; `seen` marks are relaxed atomics (losing one costs a second hash).
class PageMap {
 public:
  // Reserves addresses for `reserve_pages` pages of `file`.
  static Result<std::unique_ptr<PageMap>> create(io::File& file, std::uint32_t page_size,
                                                 std::uint64_t reserve_pages);
  ~PageMap();
  PageMap(const PageMap&) = delete;
  PageMap& operator=(const PageMap&) = delete;

  const std::byte* base() const noexcept { return map_->data(); }
  std::uint32_t page_shift() const noexcept { return shift_; }
  std::uint64_t reserved_pages() const noexcept { return reserved_pages_; }
  std::atomic<std::uint16_t>* seen() const noexcept { return seen_; }
  // The page will hold something else: what was verified no longer counts.
  void forget(PageNumber page) noexcept { seen_[page].store(0, std::memory_order_relaxed); }
  const std::string& path() const noexcept { return path_; }

 private:
  PageMap() = default;
  std::unique_ptr<io::Mapping> map_;
  std::atomic<std::uint16_t>* seen_ = nullptr;  // anonymous memory, reserved_pages_ long
  std::uint64_t reserved_pages_ = 0;
  std::uint32_t shift_ = 12;
  std::string path_;
};

}  // namespace quire
