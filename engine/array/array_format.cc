#include "engine/array/array_format.h"

namespace quire {
namespace {

// Largest block where the element allows it: a copy of it at its first change in a transaction must
// stay cheap.
constexpr std::uint32_t kMaxBlockBytes = 65536;
// 1 / kWasteShare of a block may be waste.
constexpr std::uint64_t kWasteShare = 20;

}  // namespace

PageNumber array_block_pages(std::uint32_t element_size, std::uint32_t page_size) noexcept {
  if (element_size == 0) return 1;
  if (element_size > kMaxBlockBytes)
    return static_cast<PageNumber>((std::uint64_t{element_size} + page_size - 1) / page_size);
  PageNumber best = 0;
  std::uint64_t best_waste = 0;
  for (PageNumber pages = 1; pages <= kMaxBlockBytes / page_size; ++pages) {
    const std::uint64_t bytes = std::uint64_t{pages} * page_size;
    if (bytes < element_size) continue;
    const std::uint64_t waste = bytes % element_size;
    if (waste * kWasteShare < bytes) return pages;
    // waste / bytes < best_waste / best_bytes
    if (best == 0 || waste * best < best_waste * pages) {
      best = pages;
      best_waste = waste;
    }
  }
  return best;
}

Status array_check_root(const ArrayRoot& array, std::uint32_t page_size) {
  const auto bad = [&](const char* what, std::uint64_t value) {
    return fail(ErrorCode::kCorrupt, "array %u: %s is %llu, which can't be", array.id, what,
                static_cast<unsigned long long>(value));
  };
  if (array.element_size == 0 || array.element_size > kMaxArrayElement)
    return bad("the size of an element", array.element_size);
  if (!array.root && array.first_block_pages != 0)
    return bad("the number of pages of the first block, which there is none of,",
               array.first_block_pages);
  // Never written: the writer chooses when it opens it.
  if (array.block_pages == 0 && array.size == 0 && !array.root && array.height == 0) return {};
  const std::uint64_t block_bytes = std::uint64_t{array.block_pages} * page_size;
  // Twice: a block of one element that fills little over half of its last page.
  if (block_bytes < array.element_size || block_bytes > 2 * std::uint64_t{kMaxArrayElement})
    return bad("the number of pages of a block", array.block_pages);
  if (array.size > kMaxArraySize) return bad("the number of elements", array.size);
  const ArrayGeometry geometry(array, page_size);
  if (!array.root) {
    if (array.height != 0) return bad("the height without a root", array.height);
    return {};
  }
  if (array.size == 0 || array.height != geometry.height_for(array.size))
    return bad("the height", array.height);
  if (array.height == 0 && (array.first_block_pages > array.block_pages ||
                            geometry.elements_in(array.first_block_pages) < array.size))
    return bad("the number of pages of the first block", array.first_block_pages);
  return {};
}

bool is_array_table(const std::byte* page, const PagePtr& ptr, unsigned level,
                    const ArrayRoot& array, std::uint64_t fanout) noexcept {
  const ArrayTableHeader header = load_table_header(page);
  return header.kind == static_cast<std::uint8_t>(PageKind::kArrayTable) && header.level == level &&
         header.used >= 1 && header.used <= fanout && header.page == ptr.page &&
         header.element_size == array.element_size && header.block_pages == array.block_pages &&
         header.array == array.id;
}

std::unexpected<Error> not_array_table(const std::byte* page, const PagePtr& ptr, unsigned level,
                                       const ArrayRoot& array) {
  const ArrayTableHeader header = load_table_header(page);
  return fail(ErrorCode::kCorrupt,
              "page %u should be a table at level %u of array %u; it says kind %u, level %u, array "
              "%u, page %u, %u slots, elements of %u bytes in blocks of %u pages",
              ptr.page, level, array.id, header.kind, header.level, header.array, header.page,
              header.used, header.element_size, header.block_pages);
}

const std::byte* array_zeros() noexcept {
  static std::byte zeros[kArrayZeros];  // not const: costs no space in the library's file
  return zeros;
}

Status array_for_each_pointer(MutableBytes page,
                              const std::function<Status(const ArrayChildRef&)>& visit) {
  const ArrayTableHeader header = load_table_header(page.data());
  const std::uint64_t fanout = (page.size() - kPageHeaderSize) / kPagePtrSize;
  if (header.kind != static_cast<std::uint8_t>(PageKind::kArrayTable) || header.level == 0 ||
      header.level > kMaxArrayHeight || header.used > fanout || header.block_pages == 0)
    return fail(ErrorCode::kCorrupt, "page %u is no table of an array: kind %u, level %u, %u slots",
                header.page, header.kind, header.level, header.used);
  const bool block = header.level == 1;
  for (std::uint64_t slot = 0; slot < header.used; ++slot) {
    std::byte* at = table_slot(page.data(), slot);
    if (!load_ptr(at)) continue;
    QUIRE_CHECK(visit({.at = at, .block = block, .pages = block ? header.block_pages : 1}));
  }
  return {};
}

}  // namespace quire
