#include <new>

#include "engine/array/array_format.h"

namespace quire {

ArrayView::ArrayView(PageReader reader, const ArrayRoot& array) : reader_(reader), array_(array) {
  if (auto status = array_check_root(array, reader.page_size()); !status)
    error_ = std::move(status).error();
  usable_ = !error_.has_value() && array.size > 0;
  if (usable_) divide_ = Divider(ArrayGeometry(array, reader.page_size()).per_block());
}

Error ArrayView::take_error() {
  if (error_.has_value()) return *error_;
  return fail(ErrorCode::kInvalid, "array %u: no call has failed", array_.id).error();
}

const std::byte* ArrayView::load_block(std::uint64_t block) {
  const ArrayGeometry geometry(array_, reader_.page_size());
  PagePtr ptr = array_.root;
  for (unsigned level = array_.height; level > 0 && ptr; --level) {
    const std::byte* table = reader_.fetch(ptr);
    if (table == nullptr) {
      error_ = reader_.take_error().with_context("array table");
      return nullptr;
    }
    if (!is_array_table(table, ptr, level, array_, geometry.fanout())) {
      error_ = not_array_table(table, ptr, level, array_).error();
      return nullptr;
    }
    ptr = load_ptr(table_slot(table, geometry.slot_of(block, level)));
  }
  if (!ptr) return nullptr;
  const PageNumber pages = array_.height == 0 ? array_.first_block_pages : array_.block_pages;
  const std::byte* data = reader_.fetch(ptr, pages);
  if (data == nullptr) {
    error_ = reader_.take_error().with_context("array block");
    return nullptr;
  }
  keep(block, data);
  return data;
}

// There are no more blocks than pages, but an array that is mostly holes can have larger numbers of
// blocks than there is memory for; those past the limit are looked up each time.
void ArrayView::keep(std::uint64_t block, const std::byte* data) {
  constexpr std::uint64_t kKeptBlocks = std::uint64_t{1} << 32;
  if (block >= kKeptBlocks) return;
  const std::uint64_t chunk = block >> kChunkBits;
  if (chunk >= chunks_.size()) chunks_.resize(chunk + 1);
  if (chunks_[chunk].empty()) chunks_[chunk].resize(std::size_t{1} << kChunkBits);
  chunks_[chunk][block & ((1U << kChunkBits) - 1)] = data;
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
