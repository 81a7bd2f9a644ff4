#include "engine/base/zeroed_array.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>

namespace quire {
namespace {

constexpr std::size_t kHugeBytes = 2 << 20;

}  // namespace

void* allocate_zeroed(std::size_t bytes) {
  if (bytes > std::numeric_limits<std::size_t>::max() - kHugeBytes) throw std::bad_alloc();
  const std::size_t whole = (bytes + kHugeBytes - 1) / kHugeBytes * kHugeBytes;
  void* const memory = std::aligned_alloc(kHugeBytes, whole);
  if (memory == nullptr) throw std::bad_alloc();
  // A hint: nothing is lost where it is refused.
  (void)::madvise(memory, whole, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
  return memory;
}

void free_zeroed(void* memory) noexcept { std::free(memory); }

}  // namespace quire
