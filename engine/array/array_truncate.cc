// Cutting an array. What is to be freed is collected and checked first, so that a damaged table
// neither leaves the array cut in half nor frees a page twice.
#include "engine/array/array_format.h"

namespace quire {

Status ArrayWriter::clear() {
  if (unusable_.has_value()) return std::unexpected(*unusable_);
  std::vector<Run> runs;
  if (array_.root) QUIRE_CHECK(collect(array_.root, array_.height, runs));
  QUIRE_CHECK(check_runs(runs));
  for (const Run& run : runs) pages_->free(run.ptr, run.pages);
  last_ptr_ = {};
  array_.root = {};
  array_.size = 0;
  array_.height = 0;
  array_.first_block_pages = 0;
  return {};
}

Status ArrayWriter::truncate(std::uint64_t size) {
  if (unusable_.has_value()) return std::unexpected(*unusable_);
  if (size >= array_.size) return {};
  if (size == 0) return clear();
  if (array_.height == 0) {
    array_.size = size;
    if (array_.root) array_.root.count = size;
    last_ptr_ = {};
    return {};
  }
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::uint64_t block = (size - 1) / geometry.per_block();
  last_ptr_ = {};
  QUIRE_TRY(const Path path, touch_tables(block));
  std::vector<Run> runs;
  QUIRE_CHECK(collect_past(block, path, runs));
  QUIRE_CHECK(check_runs(runs));
  cut_tables(block, size, path);
  for (const Run& run : runs) pages_->free(run.ptr, run.pages);
  array_.size = size;
  return lower();
}

// Everything under the pointer. A table whose slots lead to one table over and over would take
// forever: no more is collected than the file has pages.
Status ArrayWriter::collect(const PagePtr& ptr, unsigned level, std::vector<Run>& runs) {
  if (runs.size() > pages_->reader().page_count())
    return fail(ErrorCode::kCorrupt,
                "array %u has more blocks than the file has pages (at page %u)", array_.id,
                ptr.page);
  runs.push_back({ptr, level == 0 ? block_pages_now() : 1});
  if (level == 0) return {};
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::byte* table = pages_->fetch(ptr);
  if (table == nullptr)
    return std::unexpected(pages_->reader().take_error().with_context("array table"));
  if (!is_array_table(table, ptr, level, array_, geometry.fanout()))
    return not_array_table(table, ptr, level, array_);
  const std::uint64_t used = load_table_header(table).used;
  for (std::uint64_t slot = 0; slot < used; ++slot) {
    if (const PagePtr child = load_ptr(table_slot(table, slot)); child) {
      QUIRE_CHECK(check_child(child, ptr, level == 1 ? array_.block_pages : 1));
      QUIRE_CHECK(collect(child, level - 1, runs));
    }
  }
  return {};
}

// Everything in the tables of `path` behind the way to `block`.
Status ArrayWriter::collect_past(std::uint64_t block, const Path& path, std::vector<Run>& runs) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  for (unsigned level = array_.height; level >= path.lowest; --level) {
    const std::uint64_t used = load_table_header(path.tables[level]).used;
    for (std::uint64_t slot = geometry.slot_of(block, level) + 1; slot < used; ++slot) {
      if (const PagePtr child = load_ptr(table_slot(path.tables[level], slot)); child)
        QUIRE_CHECK(collect(child, level - 1, runs));
    }
  }
  return {};
}

// Each page once, and none that can't be.
Status ArrayWriter::check_runs(const std::vector<Run>& runs) const {
  std::vector<std::pair<PageNumber, PageNumber>> places;
  places.reserve(runs.size());
  for (const Run& run : runs) places.emplace_back(run.ptr.page, run.pages);
  std::sort(places.begin(), places.end());
  std::uint64_t end = kFirstPage;
  for (const auto& [page, pages] : places) {
    if (page < end)
      return fail(ErrorCode::kCorrupt,
                  "array %u: page %u is in two places, or is none of its pages", array_.id, page);
    end = std::uint64_t{page} + pages;
  }
  if (end > pages_->reader().page_count() && !places.empty())
    return fail(ErrorCode::kCorrupt, "array %u: a pointer names page %u (%u pages), past the end",
                array_.id, places.back().first, places.back().second);
  return {};
}

// Clears what lies behind the way to `block`, the last one of `size` elements, drops tables that
// are empty then, and counts anew, from the lowest table up.
void ArrayWriter::cut_tables(std::uint64_t block, std::uint64_t size, const Path& path) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  if (path.lowest == 1 && load_ptr(path.slots[1]))
    store_ptr_count(path.slots[1], geometry.count_in(block, size));
  for (unsigned level = path.lowest; level <= array_.height; ++level) {
    std::byte* table = path.tables[level];
    ArrayTableHeader header = load_table_header(table);
    const std::uint64_t kept = geometry.slot_of(block, level) + 1;
    if (kept < header.used)
      std::memset(table_slot(table, kept), 0, (header.used - kept) * kPagePtrSize);
    std::uint64_t used = 0;
    std::uint64_t count = 0;
    for (std::uint64_t slot = 0; slot < std::min<std::uint64_t>(kept, header.used); ++slot) {
      if (!load_ptr(table_slot(table, slot))) continue;
      used = slot + 1;
      count += load_ptr_count(table_slot(table, slot));
    }
    header.used = static_cast<std::uint16_t>(used);
    store_table_header(table, header);

    const bool is_root = level == array_.height;
    PagePtr ptr = is_root ? array_.root : load_ptr(path.slots[level + 1]);
    ptr.count = count & kMaxCount;
    if (used == 0) {
      pages_->free(ptr);
      ptr = {};
    }
    if (is_root) {
      array_.root = ptr;
    } else {
      store_ptr(path.slots[level + 1], ptr);
    }
  }
}

}  // namespace quire
