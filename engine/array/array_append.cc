// Appending in whole pieces.
#include "engine/array/array_append.h"

#include <algorithm>

#include "engine/array/array_format.h"
#include "engine/base/checksum.h"

namespace quire {

Status ArrayWriter::append_blocks(Bytes blocks) {
  if (unusable_.has_value()) return std::unexpected(*unusable_);
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::size_t block_bytes = std::size_t{array_.block_pages} * pages_->page_size();
  const std::size_t count = blocks.size() / block_bytes;
  if (count == 0 || blocks.size() % block_bytes != 0 || array_.size % geometry.per_block() != 0)
    return fail(ErrorCode::kInvalid, "array %u: %zu bytes are not blocks that can be appended",
                array_.id, blocks.size());
  QUIRE_CHECK(check_index(array_.size + count * geometry.per_block() - 1));
  last_ptr_ = {};
  QUIRE_TRY(const PageNumber first, pages_->write_piece(blocks, array_.block_pages));
  for (std::size_t i = 0; i < count; ++i) {
    const auto page_of = [&](std::size_t block) {
      return first + static_cast<PageNumber>(block) * array_.block_pages;
    };
    const PagePtr block{.checksum = page_checksum(blocks.subspan(i * block_bytes, block_bytes)),
                        .count = 0,
                        .birth = pages_->txn(),
                        .page = page_of(i)};
    if (auto appended = append_block(block); !appended) {
      for (std::size_t left = i; left < count; ++left)
        pages_->free({.birth = pages_->txn(), .page = page_of(left)}, array_.block_pages);
      return appended;
    }
  }
  return {};
}

// One that is in the file, behind a last one that is full.
Status ArrayWriter::append_block(const PagePtr& block) {
  const ArrayGeometry geometry(array_, pages_->page_size());
  const std::uint64_t number = array_.size / geometry.per_block();
  const std::uint64_t new_size = array_.size + geometry.per_block();
  const auto prepare = [&]() -> Result<Path> {
    QUIRE_CHECK(raise(new_size));
    return touch_path(number, &block);
  };
  const auto path = prepare();
  if (!path) {
    QUIRE_CHECK(lower());
    return std::unexpected(path.error());
  }
  set_count(*path, number, new_size);
  array_.size = new_size;
  return {};
}

// ---------------------------------------------------------------- one after the other

ArrayAppender::ArrayAppender(ArrayWriter& array, std::uint64_t count, std::size_t piece_bytes)
    : array_(&array), left_(count) {
  const ArrayRoot& root = array.root();
  const std::uint64_t block_bytes = std::uint64_t{root.block_pages} * array.page_size();
  if (block_bytes == 0 || piece_bytes % block_bytes != 0) return;
  block_bytes_ = block_bytes;
  per_block_ = ArrayGeometry(root, array.page_size()).per_block();
  per_piece_ = piece_bytes / block_bytes * per_block_;
  if (count < per_piece_) return;
  piece_.assign(piece_bytes, std::byte{0});
}

bool ArrayAppender::begins_piece() const noexcept {
  return !piece_.empty() && left_ >= per_piece_ && array_->root().size % per_block_ == 0;
}

Result<std::byte*> ArrayAppender::next() {
  if (filled_ == per_piece_) QUIRE_CHECK(write());
  if (filled_ == 0 && !begins_piece()) {
    if (left_ != 0) --left_;
    return array_->touch(array_->root().size);
  }
  --left_;
  if (filled_ == 0) begun_ = array_->root().size;
  std::byte* const element = element_at(filled_);
  ++filled_;
  return element;
}

std::byte* ArrayAppender::element_at(std::uint64_t i) noexcept {
  return piece_.data() + i / per_block_ * block_bytes_ +
         i % per_block_ * array_->root().element_size;
}

Status ArrayAppender::write() {
  if (filled_ == 0) return {};
  if (filled_ == per_piece_) {
    auto appended = array_->append_blocks(piece_);
    if (appended) {
      filled_ = 0;
      std::ranges::fill(piece_, std::byte{0});
      return {};
    }
    const ErrorCode code = appended.error().code();
    if (code != ErrorCode::kFull && code != ErrorCode::kQuota) return appended;
  }
  // No room for a piece may be enough for its blocks, one by one. Some of it may be there already.
  for (std::uint64_t i = array_->root().size - begun_; i < filled_; ++i)
    QUIRE_CHECK(array_->set(array_->root().size, {element_at(i), array_->root().element_size}));
  filled_ = 0;
  piece_ = {};
  return {};
}

}  // namespace quire
