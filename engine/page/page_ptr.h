// A pointer to a page, and what is known of the page without reading it.
//
// On disk, 24 bytes, little-endian, any alignment:
//
//   0  u64 checksum    XXH3-64 of the page (of all its pages for a run or block)
//   8  u32 page        number of the (first) page; 0: no page
//  12  u16 count_high  entries below, bits 32..47
//  14  u16 birth_high  transaction that made it, bits 32..47
//  16  u32 count_low   bits 0..31
//  20  u32 birth_low   bits 0..31
#pragma once

#include <cstdint>

#include "engine/base/bytes.h"

namespace quire {

using PageNumber = std::uint32_t;
// Number of a transaction that changed something. 48 bits: at a million commits a second, 8 years
// of nothing else; the engine refuses to begin one past the end.
using TxnNumber = std::uint64_t;
inline constexpr TxnNumber kMaxTxn = (std::uint64_t{1} << 48) - 1;
inline constexpr std::uint64_t kMaxCount = (std::uint64_t{1} << 48) - 1;

struct PagePtr {
  std::uint64_t checksum = 0;  // 0: not computed yet; the page is private to the writer's process
  std::uint64_t count = 0;     // entries (tree) or elements (array) below
  TxnNumber birth = 0;
  PageNumber page = 0;

  explicit operator bool() const noexcept { return page != 0; }
  bool operator==(const PagePtr&) const = default;
};

inline constexpr std::size_t kPagePtrSize = 24;

inline PagePtr load_ptr(const std::byte* from) noexcept {
  PagePtr ptr;
  ptr.checksum = load_le<std::uint64_t>(from);
  ptr.page = load_le<std::uint32_t>(from + 8);
  const std::uint64_t highs = load_le<std::uint32_t>(from + 12);
  ptr.count = ((highs & 0xFFFF) << 32) | load_le<std::uint32_t>(from + 16);
  ptr.birth = ((highs >> 16) << 32) | load_le<std::uint32_t>(from + 20);
  return ptr;
}

inline void store_ptr(std::byte* to, const PagePtr& ptr) noexcept {
  store_le<std::uint64_t>(to, ptr.checksum);
  store_le<std::uint32_t>(to + 8, ptr.page);
  store_le<std::uint32_t>(to + 12, static_cast<std::uint32_t>(((ptr.count >> 32) & 0xFFFF) |
                                                              ((ptr.birth >> 32) << 16)));
  store_le<std::uint32_t>(to + 16, static_cast<std::uint32_t>(ptr.count));
  store_le<std::uint32_t>(to + 20, static_cast<std::uint32_t>(ptr.birth));
}

inline std::uint64_t load_ptr_count(const std::byte* from) noexcept {
  return (std::uint64_t{load_le<std::uint16_t>(from + 12)} << 32) |
         load_le<std::uint32_t>(from + 16);
}
inline void store_ptr_count(std::byte* to, std::uint64_t count) noexcept {
  store_le<std::uint16_t>(to + 12, static_cast<std::uint16_t>(count >> 32));
  store_le<std::uint32_t>(to + 16, static_cast<std::uint32_t>(count));
}

// The 32 bytes that every page with a structure of its own begins with (tree nodes and array
// tables; raw blocks and overflow runs have none). Enough for a salvage to tell what a stray page
// was.
enum class PageKind : std::uint8_t {
  kLeaf = 1,    // tree: keys and values
  kBranch = 2,  // tree: separators and pointers
  kCatalogLeaf =
      3,            // a leaf whose values begin with the root of a structure (engine/txn/catalog.h)
  kArrayTable = 4,  // array: pointers to tables or blocks
};

inline constexpr std::size_t kPageHeaderSize = 32;
inline constexpr std::uint32_t kMinPageSize = 512;  // below 4096 is for tests: trees get deep
inline constexpr std::uint32_t kDefaultPageSize = 4096;
inline constexpr std::uint32_t kMaxPageSize = 65536;
inline constexpr PageNumber kFirstPage = 2;  // 0 and 1 are the meta pages

}  // namespace quire
