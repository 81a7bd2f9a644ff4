#include "engine/page/page_map.h"

#include <sys/mman.h>

#include <cerrno>

namespace quire {

Result<std::unique_ptr<PageMap>> PageMap::create(io::File& file, std::uint32_t page_size,
                                                 std::uint64_t reserve_pages) {
  std::unique_ptr<PageMap> map(new PageMap());
  map->shift_ = static_cast<std::uint32_t>(std::countr_zero(page_size));
  map->reserved_pages_ = reserve_pages;
  map->path_ = file.path();
  QUIRE_TRY(map->map_, file.map_read(reserve_pages * page_size));
  const std::size_t bytes = reserve_pages * sizeof(std::uint16_t);
  void* seen = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (seen == MAP_FAILED)
    return fail_errno(errno, "reserve %zu bytes of addresses for %s", bytes, map->path_.c_str());
  map->seen_ = static_cast<std::atomic<std::uint16_t>*>(seen);
  return map;
}

PageMap::~PageMap() {
  if (seen_ != nullptr) ::munmap(seen_, reserved_pages_ * sizeof(std::uint16_t));
}

}  // namespace quire
