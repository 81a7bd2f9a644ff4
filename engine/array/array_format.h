// A table of an array: its bytes, and the arithmetic of blocks and levels.
//
// A table is one page: ArrayTableHeader (32 bytes), then slots, each a PagePtr of 24 bytes, as many
// as fit; bytes after the last slot are zero. A table at level 1 points to blocks, one at level n
// to tables at level n - 1. Slot s of a table at level n, the first of whose blocks is b, leads to
// the blocks from b + s * fanout^(n - 1) on. A null slot, all zeros, is a hole.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/array/array.h"
#include "engine/base/result.h"
#include "engine/page/page_ptr.h"

namespace quire {

struct ArrayTableHeader {
  std::uint8_t kind;   // PageKind::kArrayTable
  std::uint8_t level;  // 1: slots point to blocks
  std::uint16_t used;  // one past the last slot that is not null; at least 1
  std::uint32_t
      element_size;  // as in the root; with block_pages, enough to read the blocks without it
  std::uint32_t block_pages;
  std::uint32_t reserved;   // 0
  std::uint32_t page;       // its own number: tells a misdirected write, places it in salvage
  std::uint32_t array;      // id of the array: salvage puts tables back together by it
  std::uint32_t birth_low;  // transaction that made this page: the younger copy wins a salvage
  std::uint16_t birth_high;
  std::uint16_t reserved_end;  // 0
};
static_assert(sizeof(ArrayTableHeader) == kPageHeaderSize);
static_assert(offsetof(ArrayTableHeader, kind) == 0);
static_assert(offsetof(ArrayTableHeader, level) == 1);
static_assert(offsetof(ArrayTableHeader, used) == 2);
static_assert(offsetof(ArrayTableHeader, element_size) == 4);
static_assert(offsetof(ArrayTableHeader, block_pages) == 8);
static_assert(offsetof(ArrayTableHeader, reserved) == 12);
static_assert(offsetof(ArrayTableHeader, page) == 16);
static_assert(offsetof(ArrayTableHeader, array) == 20);
static_assert(offsetof(ArrayTableHeader, birth_low) == 24);
static_assert(offsetof(ArrayTableHeader, birth_high) == 28);
static_assert(offsetof(ArrayTableHeader, reserved_end) == 30);

inline ArrayTableHeader load_table_header(const std::byte* page) noexcept {
  ArrayTableHeader header;
  std::memcpy(&header, page, sizeof header);
  return header;
}
inline void store_table_header(std::byte* page, const ArrayTableHeader& header) noexcept {
  std::memcpy(page, &header, sizeof header);
}

inline std::byte* table_slot(std::byte* page, std::uint64_t slot) noexcept {
  return page + kPageHeaderSize + slot * kPagePtrSize;
}
inline const std::byte* table_slot(const std::byte* page, std::uint64_t slot) noexcept {
  return page + kPageHeaderSize + slot * kPagePtrSize;
}

// How an array of these sizes is laid out in pages of that size.
class ArrayGeometry {
 public:
  ArrayGeometry(const ArrayRoot& array, std::uint32_t page_size) noexcept
      : page_size_(page_size),
        element_size_(array.element_size),
        per_block_(elements_in(array.block_pages)),
        fanout_((page_size - kPageHeaderSize) / kPagePtrSize) {}

  std::uint64_t per_block() const noexcept { return per_block_; }
  std::uint64_t fanout() const noexcept { return fanout_; }
  std::uint64_t elements_in(PageNumber pages) const noexcept {
    return std::uint64_t{pages} * page_size_ / element_size_;
  }
  // Blocks under one slot of a table at `level` >= 1; saturates far above kMaxArraySize.
  std::uint64_t blocks_per_slot(unsigned level) const noexcept {
    constexpr std::uint64_t kLimit = std::uint64_t{1} << 50;
    std::uint64_t blocks = 1;
    for (unsigned i = 1; i < level && blocks < kLimit; ++i) blocks *= fanout_;
    return blocks;
  }
  std::uint64_t slot_of(std::uint64_t block, unsigned level) const noexcept {
    return block / blocks_per_slot(level) % fanout_;
  }
  std::uint64_t blocks_for(std::uint64_t size) const noexcept {
    return size / per_block_ + (size % per_block_ != 0 ? 1 : 0);
  }
  // Levels of tables over that many elements.
  unsigned height_for(std::uint64_t size) const noexcept {
    const std::uint64_t blocks = blocks_for(size);
    unsigned height = 0;
    while (blocks_per_slot(height + 1) < blocks) ++height;
    return height;
  }
  // Elements of the block that are below `size`.
  std::uint64_t count_in(std::uint64_t block, std::uint64_t size) const noexcept {
    const std::uint64_t begin = block * per_block_;
    return size <= begin ? 0 : std::min(size - begin, per_block_);
  }

 private:
  std::uint32_t page_size_;
  std::uint32_t element_size_;
  std::uint64_t per_block_;
  std::uint64_t fanout_;
};

// Whether the numbers of a root can be; kCorrupt says which can't.
Status array_check_root(const ArrayRoot& array, std::uint32_t page_size);

// Whether the page that `ptr` points to is the table at `level` that its root and parent say.
bool is_array_table(const std::byte* page, const PagePtr& ptr, unsigned level,
                    const ArrayRoot& array, std::uint64_t fanout) noexcept;
// The error for a page that is not.
std::unexpected<Error> not_array_table(const std::byte* page, const PagePtr& ptr, unsigned level,
                                       const ArrayRoot& array);

// Zeros that holes of elements up to this size read as.
inline constexpr std::size_t kArrayZeros = 65536;
const std::byte* array_zeros() noexcept;

}  // namespace quire
