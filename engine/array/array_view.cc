#include <new>

#include "engine/array/array_format.h"

namespace quire {

ArrayView::ArrayView(PageReader reader, const ArrayRoot& array) : reader_(reader), array_(array) {
  if (auto status = array_check_root(array, reader.page_size()); !status)
    error_ = std::move(status).error();
  usable_ = !error_.has_value() && array.size > 0;
  if (!usable_) return;
  const ArrayGeometry geometry(array, reader.page_size());
  divide_ = Divider(geometry.per_block());
  blocks_of_table_ = array.height == 0 ? 1 : geometry.fanout();
  divide_by_table_ = Divider(geometry.per_block() * blocks_of_table_);
}

Error ArrayView::take_error() {
  if (error_.has_value()) return *error_;
  return fail(ErrorCode::kInvalid, "array %u: no call has failed", array_.id).error();
}

const std::byte* ArrayView::fetch_table(const PagePtr& ptr, unsigned level) {
  const std::byte* table = reader_.fetch(ptr);
  if (table == nullptr) {
    error_ = reader_.take_error().with_context("array table");
    return nullptr;
  }
  const ArrayGeometry geometry(array_, reader_.page_size());
  if (is_array_table(table, ptr, level, array_, geometry.fanout())) return table;
  error_ = not_array_table(table, ptr, level, array_).error();
  return nullptr;
}

const std::byte* ArrayView::fetch_block(const PagePtr& ptr) {
  const std::byte* data = reader_.fetch(ptr, block_pages_now());
  if (data == nullptr) error_ = reader_.take_error().with_context("array block");
  return data;
}

PagePtr ArrayView::find_table(std::uint64_t block) {
  const ArrayGeometry geometry(array_, reader_.page_size());
  PagePtr ptr = array_.root;
  for (unsigned level = array_.height; level > 1 && ptr; --level) {
    const std::byte* table = fetch_table(ptr, level);
    if (table == nullptr) return {};
    ptr = load_ptr(table_slot(table, geometry.slot_of(block, level)));
  }
  return ptr;
}

// Small arrays gain nothing from others.
void ArrayView::open_addresses() {
  const std::uint64_t blocks = array_.size / divide_.divisor() + 1;
  const std::uint64_t tables = (blocks + blocks_of_table_ - 1) / blocks_of_table_;
  const LentAddresses& lent = reader_.addresses();
  if (lent.cache == nullptr || array_.height == 0) {
    addresses_ = std::make_shared<ArrayAddresses>(tables);
  } else {
    addresses_ = lent.cache->array(array_.root, tables, ground());
  }
  tables_ = addresses_->size();
}

AddressCache::Ground ArrayView::ground() const noexcept {
  return {.base = reader_.base(),
          .map_bytes = std::size_t{reader_.page_count()} * reader_.page_size(),
          .framed = reader_.looks_at_frames(),
          .generation =
              addresses_ != nullptr ? addresses_->generation() : reader_.addresses().generation,
          .array = array_.id,
          .element_size = array_.element_size,
          .block_pages = array_.block_pages};
}

// What the readers before have found, or what takes no time to find.
std::shared_ptr<TableAddresses> ArrayView::addresses_of(std::uint64_t table, const PagePtr& ptr) {
  std::shared_ptr<TableAddresses> known;
  const bool shared = reader_.addresses().cache != nullptr && array_.height != 0;
  known = shared ? reader_.addresses().cache->table(ptr, blocks_of_table_, ground())
                 : std::make_shared<TableAddresses>(ptr, blocks_of_table_);
  if (shared) {
    const std::byte* page = fetch_table(ptr, 1);
    if (page == nullptr) return nullptr;
    for (std::size_t slot = 0; slot < blocks_of_table_; ++slot) {
      if (known->slots[slot].load(std::memory_order_relaxed) != nullptr) continue;
      const PagePtr block = load_ptr(table_slot(page, slot));
      if (!block) continue;
      if (const std::byte* data = reader_.find(block, array_.block_pages))
        known->slots[slot].store(data, std::memory_order_relaxed);
    }
  }
  addresses_->keep(table, known);
  return known;
}

// There are no more tables than pages, but an array that is mostly holes can have larger numbers of
// them than there is memory for; those past the limit are looked up each time.
const std::byte* ArrayView::load_block(std::uint64_t block) {
  if (addresses_ == nullptr) open_addresses();
  const std::uint64_t table = block / blocks_of_table_;
  const std::uint64_t slot = block - table * blocks_of_table_;
  std::shared_ptr<TableAddresses> known = table < tables_ ? addresses_->find(table) : nullptr;
  const PagePtr ptr = known != nullptr ? known->table : find_table(block);
  if (!ptr) return nullptr;
  if (known == nullptr && table < tables_) {
    known = addresses_of(table, ptr);
    if (known == nullptr) return nullptr;
  }
  if (known != nullptr) {
    if (const std::byte* data = known->slots[slot].load(std::memory_order_relaxed)) return data;
  }
  PagePtr block_ptr = ptr;
  if (array_.height != 0) {
    const std::byte* page = fetch_table(ptr, 1);
    if (page == nullptr) return nullptr;
    block_ptr = load_ptr(table_slot(page, slot));
    if (!block_ptr) return nullptr;
  }
  const std::byte* data = fetch_block(block_ptr);
  if (data != nullptr && known != nullptr)
    known->slots[slot].store(data, std::memory_order_relaxed);
  return data;
}

const std::byte* ArrayView::zero_element() {
  if (array_.element_size <= kArrayZeros) return array_zeros();
  if (zeros_ == nullptr) zeros_ = std::make_shared<std::byte[]>(array_.element_size);
  return zeros_.get();
}

const std::byte* ArrayView::at_unknown(std::uint64_t i) noexcept try {
  if (usable_) error_.reset();
  if (i >= array_.size && !error_.has_value())
    error_ =
        fail(ErrorCode::kInvalid, "array %u has %llu elements; there is no element %llu", array_.id,
             static_cast<unsigned long long>(array_.size), static_cast<unsigned long long>(i))
            .error();
  if (error_.has_value()) return nullptr;
  const std::uint64_t block = divide_(i);
  const std::byte* data = load_block(block);
  if (data != nullptr) return data + (i - block * divide_.divisor()) * array_.element_size;
  return error_.has_value() ? nullptr : zero_element();
} catch (const std::bad_alloc&) {
  error_ = fail(ErrorCode::kNoMemory, "out of memory to read array %u", array_.id).error();
  return nullptr;
}

ArrayView::Piece ArrayView::piece(std::uint64_t i) noexcept {
  const std::byte* data = i < array_.size ? at(i) : at_unknown(i);
  if (data == nullptr) return {nullptr, 0};
  const std::uint64_t end = std::min(array_.size, (divide_(i) + 1) * divide_.divisor());
  const bool hole = data == array_zeros() || data == zeros_.get();
  if (!hole) return {data, end - i};
  return {data, std::min(end - i, std::max<std::uint64_t>(1, kArrayZeros / array_.element_size))};
}

}  // namespace quire
