// Changing elements, and growing. Cutting is in array_truncate.cc.
#include <cstring>

#include "engine/array/array_format.h"

namespace quire {

ArrayWriter::ArrayWriter(PageWriter* pages, const ArrayRoot& array) : pages_(pages) {
  reset(array);
}

void ArrayWriter::reset(const ArrayRoot& array) {
  array_ = array;
  last_ptr_ = {};
  unusable_.reset();
  if (array_.block_pages == 0 && array_.size == 0 && !array_.root)
    array_.block_pages = array_block_pages(array_.element_size, pages_->page_size());
  if (auto status = array_check_root(array_, pages_->page_size()); !status)
    unusable_ = std::move(status).error();
}

Status ArrayWriter::set(std::uint64_t i, Bytes element) {
  if (element.size() != array_.element_size)
    return fail(ErrorCode::kInvalid, "array %u has elements of %u bytes, not of %zu", array_.id,
                array_.element_size, element.size());
  QUIRE_TRY(std::byte * to, touch_element(i));
  std::memcpy(to, element.data(), element.size());
  return {};
}

Result<std::byte*> ArrayWriter::touch(std::uint64_t i) {
  const bool grows = i >= array_.size;
  QUIRE_TRY(std::byte * to, touch_element(i));
  if (grows) std::memset(to, 0, array_.element_size);
  return to;
}

Result<Bytes> ArrayWriter::get(std::uint64_t i) {
  if (unusable_.has_value()) return std::unexpected(*unusable_);
  if (i >= array_.size)
    return fail(ErrorCode::kInvalid, "array %u has %llu elements; there is no element %llu",
                array_.id, static_cast<unsigned long long>(array_.size),
                static_cast<unsigned long long>(i));
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::uint64_t block = i / geometry.per_block();
  PagePtr ptr = last_ptr_;
  if (!ptr || block != last_block_) {
    QUIRE_TRY(ptr, find_block(block));
  }
  if (!ptr) {
    if (array_.element_size <= kArrayZeros) return Bytes(array_zeros(), array_.element_size);
    zeros_.resize(array_.element_size);
    return Bytes(zeros_);
  }
  const std::byte* data = pages_->fetch(ptr, block_pages_now());
  if (data == nullptr)
    return std::unexpected(pages_->reader().take_error().with_context("array block"));
  return Bytes(data + i % geometry.per_block() * array_.element_size, array_.element_size);
}

// The block that the pointers lead to; null for a hole.
Result<PagePtr> ArrayWriter::find_block(std::uint64_t block) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  PagePtr ptr = array_.root;
  for (unsigned level = array_.height; level > 0 && ptr; --level) {
    const std::byte* table = pages_->fetch(ptr);
    if (table == nullptr)
      return std::unexpected(pages_->reader().take_error().with_context("array table"));
    if (!is_array_table(table, ptr, level, array_, geometry.fanout()))
      return not_array_table(table, ptr, level, array_);
    ptr = load_ptr(table_slot(table, geometry.slot_of(block, level)));
  }
  return ptr;
}

Status ArrayWriter::check_index(std::uint64_t i) const {
  if (unusable_.has_value()) return std::unexpected(*unusable_);
  if (i >= kMaxArraySize)
    return fail(ErrorCode::kTooLarge, "array %u: no array has an element %llu", array_.id,
                static_cast<unsigned long long>(i));
  return {};
}

void ArrayWriter::remember(std::uint64_t block, const Path& path) noexcept {
  last_block_ = block;
  last_ptr_ = array_.height == 0 ? array_.root : load_ptr(path.slots[1]);
}

// The element's bytes; those of an element that is new are undefined.
Result<std::byte*> ArrayWriter::touch_element(std::uint64_t i) {
  QUIRE_CHECK(check_index(i));
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::uint64_t block = i / geometry.per_block();
  const std::uint64_t offset = i % geometry.per_block() * array_.element_size;
  if (i < array_.size && last_ptr_ && block == last_block_ && pages_->writable(last_ptr_)) {
    QUIRE_TRY(std::byte * data, pages_->touch(last_ptr_, block_pages_now()));
    return data + offset;
  }
  last_ptr_ = {};
  const std::uint64_t new_size = std::max(array_.size, i + 1);
  const auto prepare = [&]() -> Result<std::pair<Path, Path>> {
    QUIRE_CHECK(raise(new_size));
    QUIRE_TRY(Path old_path, touch_partial_block(block));
    QUIRE_TRY(Path path, touch_path(block));
    return std::pair(old_path, path);
  };
  auto paths = prepare();
  if (!paths) {
    QUIRE_CHECK(lower());
    return std::unexpected(std::move(paths).error());
  }
  // Nothing fails from here on.
  const auto& [old_path, path] = *paths;
  const std::uint64_t old_block = array_.size / geometry.per_block();
  if (std::byte* partial = old_block == block ? path.block : old_path.block;
      i > array_.size && partial != nullptr) {
    const std::uint64_t from = array_.size % geometry.per_block();
    const std::uint64_t to = std::min(geometry.per_block(), from + (i - array_.size));
    std::memset(partial + from * array_.element_size, 0, (to - from) * array_.element_size);
  }
  if (old_path.block != nullptr) set_count(old_path, old_block, new_size);
  set_count(path, block, new_size);
  array_.size = new_size;
  remember(block, path);
  return path.block + offset;
}

// Growing past a last block that is not full makes more of it elements, which must read as zeros:
// it is touched. Where it is `new_block` that is done anyway.
Result<ArrayWriter::Path> ArrayWriter::touch_partial_block(std::uint64_t new_block) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::uint64_t old_block = array_.size / geometry.per_block();
  if (array_.size % geometry.per_block() == 0 || new_block <= old_block) return Path{};
  QUIRE_TRY(const PagePtr ptr, find_block(old_block));
  if (!ptr) return Path{};
  return touch_path(old_block);
}

// Makes everything on the way to the block, and the block, this transaction's; where there is a
// hole, makes what is missing. `made`: the block, which is in the file already; there is a hole.
Result<ArrayWriter::Path> ArrayWriter::touch_path(std::uint64_t block, const PagePtr* made) {
  Path path;
  if (!array_.root) {
    QUIRE_TRY(array_.root, build_chain(block, array_.height, made, path));
    return path;
  }
  QUIRE_TRY(path, touch_tables(block));
  if (array_.height == 0) {
    QUIRE_TRY(path.block, pages_->touch(array_.root, array_.first_block_pages));
    return path;
  }
  const unsigned level = path.lowest;
  PagePtr ptr = load_ptr(path.slots[level]);
  if (ptr && made != nullptr)
    return fail(ErrorCode::kCorrupt, "array %u has a block %llu, which is past its end", array_.id,
                static_cast<unsigned long long>(block));
  if (ptr) {
    QUIRE_TRY(path.block, pages_->touch(ptr, array_.block_pages));
  } else {
    QUIRE_TRY(ptr, build_chain(block, level - 1, made, path));
    const ArrayGeometry geometry(array_, pages_->page_size());
    ArrayTableHeader header = load_table_header(path.tables[level]);
    header.used =
        std::max(header.used, static_cast<std::uint16_t>(geometry.slot_of(block, level) + 1));
    store_table_header(path.tables[level], header);
  }
  store_ptr(path.slots[level], ptr);
  return path;
}

// Makes the tables on the way to the block this transaction's, as far as there are any.
Result<ArrayWriter::Path> ArrayWriter::touch_tables(std::uint64_t block) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  Path path;
  PagePtr ptr = array_.root;
  for (unsigned level = array_.height; level > 0 && ptr; --level) {
    QUIRE_TRY(path.tables[level], touch_table(ptr, level));
    if (level == array_.height) {
      array_.root = ptr;
    } else {
      store_ptr(path.slots[level + 1], ptr);
    }
    path.slots[level] = table_slot(path.tables[level], geometry.slot_of(block, level));
    path.lowest = level;
    ptr = load_ptr(path.slots[level]);
  }
  return path;
}

// Looks at the page before it takes it for a table: touching frees the page that the pointer names.
// One that comes from the file is looked at whole, as its children may be freed next.
Result<std::byte*> ArrayWriter::touch_table(PagePtr& ptr, unsigned level) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::byte* old = pages_->fetch(ptr);
  if (old == nullptr)
    return std::unexpected(pages_->reader().take_error().with_context("array table"));
  if (!is_array_table(old, ptr, level, array_, geometry.fanout()))
    return not_array_table(old, ptr, level, array_);
  if (!pages_->in_memory(ptr)) QUIRE_CHECK(check_children(old, ptr));
  QUIRE_TRY(std::byte * table, pages_->touch(ptr));
  write_header(table, ptr, level, load_table_header(table).used);
  return table;
}

Status ArrayWriter::check_children(const std::byte* table, const PagePtr& ptr) const {
  const ArrayTableHeader header = load_table_header(table);
  for (std::uint64_t slot = 0; slot < header.used; ++slot) {
    if (const PagePtr child = load_ptr(table_slot(table, slot)); child)
      QUIRE_CHECK(check_child(child, ptr, header.level == 1 ? array_.block_pages : 1));
  }
  return {};
}

// Whether the pages can be freed: they lie in the file, and are no younger than the table that
// points to them. What looks as if this transaction had made it would be used again at once.
Status ArrayWriter::check_child(const PagePtr& child, const PagePtr& table,
                                PageNumber pages) const {
  const PageNumber count = pages_->reader().page_count();
  if (child.page < kFirstPage || pages > count || child.page > count - pages)
    return fail(ErrorCode::kCorrupt, "array %u: a pointer names page %u (%u pages), past the end",
                array_.id, child.page, pages);
  if (child.birth > table.birth)
    return fail(ErrorCode::kCorrupt,
                "array %u: page %u is younger than the table at page %u that points to it",
                array_.id, child.page, table.page);
  return {};
}

// A new block, or one that is `made`, and tables over it up to `level`, not linked yet: all or
// nothing.
Result<PagePtr> ArrayWriter::build_chain(std::uint64_t block, unsigned level, const PagePtr* made,
                                         Path& path) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const PageNumber pages = block_pages_now();
  std::array<PagePtr, kMaxArrayHeight + 1> chain;
  if (made != nullptr) {
    chain[0] = *made;
  } else {
    QUIRE_TRY(path.block, pages_->allocate(chain[0], pages));
  }
  for (unsigned at = 1; at <= level; ++at) {
    auto table = pages_->allocate(chain[at]);
    if (!table) {
      for (unsigned i = at; i-- > 1;) pages_->free(chain[i]);
      if (made == nullptr) pages_->free(chain[0], pages);
      return std::unexpected(std::move(table).error());
    }
    const std::uint64_t slot = geometry.slot_of(block, at);
    write_header(*table, chain[at], at, slot + 1);
    path.tables[at] = *table;
    path.slots[at] = table_slot(*table, slot);
    store_ptr(path.slots[at], chain[at - 1]);
  }
  return chain[level];
}

// Brings the counts on the way to the block to what they are in an array of `size` elements.
void ArrayWriter::set_count(const Path& path, std::uint64_t block, std::uint64_t size) noexcept {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::uint64_t old = array_.height == 0 ? array_.root.count : load_ptr_count(path.slots[1]);
  // Counts may come from a damaged file: wraps around, and is cut to 48 bits.
  const std::uint64_t more = geometry.count_in(block, size) - old;
  for (unsigned level = 1; level <= array_.height; ++level)
    store_ptr_count(path.slots[level], load_ptr_count(path.slots[level]) + more);
  array_.root.count = (array_.root.count + more) & kMaxCount;
}

void ArrayWriter::write_header(std::byte* table, const PagePtr& ptr, unsigned level,
                               std::uint64_t used) noexcept {
  store_table_header(table, {.kind = static_cast<std::uint8_t>(PageKind::kArrayTable),
                             .level = static_cast<std::uint8_t>(level),
                             .used = static_cast<std::uint16_t>(used),
                             .element_size = array_.element_size,
                             .block_pages = array_.block_pages,
                             .reserved = 0,
                             .page = ptr.page,
                             .array = array_.id,
                             .birth_low = static_cast<std::uint32_t>(ptr.birth),
                             .birth_high = static_cast<std::uint16_t>(ptr.birth >> 32),
                             .reserved_end = 0});
}

// Makes the array high enough for `size` elements, and its only block long enough.
Status ArrayWriter::raise(std::uint64_t size) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const unsigned height = geometry.height_for(size);
  PageNumber first_pages = array_.block_pages;
  if (height == 0) {
    first_pages = std::max<PageNumber>(array_.first_block_pages, 1);
    while (geometry.elements_in(first_pages) < size)
      first_pages = std::min(first_pages * 2, array_.block_pages);
  }
  if (!array_.root) {
    array_.height = static_cast<std::uint8_t>(height);
    array_.first_block_pages = height == 0 ? first_pages : 0;
    return {};
  }
  if (array_.height == 0) QUIRE_CHECK(raise_first_block(first_pages));
  while (array_.height < height) QUIRE_CHECK(add_level());
  return {};
}

Status ArrayWriter::raise_first_block(PageNumber pages) {
  if (pages == array_.first_block_pages) return {};
  PagePtr ptr;
  QUIRE_TRY(std::byte * to, pages_->allocate(ptr, pages));
  const std::byte* from = pages_->fetch(array_.root, array_.first_block_pages);
  if (from == nullptr) {
    pages_->free(ptr, pages);
    return std::unexpected(pages_->reader().take_error().with_context("array block"));
  }
  std::memcpy(to, from, array_.size * array_.element_size);
  ptr.count = array_.root.count;
  pages_->free(array_.root, array_.first_block_pages);
  array_.root = ptr;
  array_.first_block_pages = pages;
  return {};
}

Status ArrayWriter::add_level() {
  PagePtr ptr;
  QUIRE_TRY(std::byte * table, pages_->allocate(ptr));
  ++array_.height;
  array_.first_block_pages = 0;
  write_header(table, ptr, array_.height, 1);
  store_ptr(table_slot(table, 0), array_.root);
  ptr.count = array_.root.count;
  array_.root = ptr;
  return {};
}

// Takes off the levels that `size` does not need. Allocates nothing, and the tables it reads are
// ones that this transaction has just made or touched.
Status ArrayWriter::lower() {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const unsigned height = geometry.height_for(array_.size);
  while (array_.root && array_.height > height) {
    const std::byte* table = pages_->fetch(array_.root);
    if (table == nullptr) return pages_->reader().failure();
    const PagePtr below = load_ptr(table_slot(table, 0));
    pages_->free(array_.root);
    array_.root = below;
    if (--array_.height == 0) array_.first_block_pages = array_.block_pages;
  }
  if (!array_.root) {
    array_.height = 0;
    array_.first_block_pages = 0;
  }
  return {};
}

}  // namespace quire
