#include "engine/page/page_space.h"

#include <algorithm>

namespace quire {
namespace {

// Addresses are plenty, so the first map has room for what most files become. Where they are not
// (a limit on address space, a sanitizer), smaller ones are tried.
constexpr std::uint64_t kReserveBytesMin = std::uint64_t{16} << 30;
constexpr std::uint64_t kReserveFactor = 4;

}  // namespace

Result<PageMap*> PageSpace::enlarge(std::uint64_t pages) {
  const std::scoped_lock lock(mutex_);
  PageMap* map = current_.load(std::memory_order_acquire);
  if (map != nullptr && pages <= map->reserved_pages()) return map;
  const std::uint64_t least = pages + 1;
  std::uint64_t wanted = std::max(kReserveBytesMin / page_size_, pages * kReserveFactor);
  wanted = std::min<std::uint64_t>(wanted, std::uint64_t{1} << 32);
  for (;;) {
    auto made = PageMap::create(file_, page_size_, std::max(wanted, least));
    if (made) {
      maps_.push_back(std::move(*made));
      current_.store(maps_.back().get(), std::memory_order_release);
      return maps_.back().get();
    }
    if (wanted <= least || made.error().code() != ErrorCode::kNoMemory)
      return std::unexpected(std::move(made).error());
    wanted /= 4;
  }
}

}  // namespace quire
