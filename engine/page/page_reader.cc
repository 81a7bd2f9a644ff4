#include "engine/page/page_reader.h"

#include "engine/base/checksum.h"

namespace quire {

const std::byte* PageReader::verify(const PagePtr& ptr, PageNumber pages,
                                    const std::byte* page) noexcept {
  // A pointer without a checksum is met only in the process that wrote the page itself, in a frame
  // that was copied while the page was on its way to the file: there is nothing to compare with.
  if (ptr.checksum == 0 && frames_ != nullptr) return page;
  std::uint64_t found = 0;
  if (file_ != nullptr) {
    const auto hash = hash_from_file(ptr, pages);
    if (!hash) {
      failure_ = {.ptr = ptr, .pages = pages, .unreadable = hash.error()};
      return nullptr;
    }
    found = *hash;
  } else {
    found = page_checksum({page, static_cast<std::size_t>(pages) << shift_});
  }
  if (found != ptr.checksum) {
    failure_ = {.ptr = ptr, .pages = pages, .found = found};
    return nullptr;
  }
  seen_[ptr.page].store(seen_tag(ptr.checksum), std::memory_order_relaxed);
  return page;
}

std::expected<std::uint64_t, ErrorCode> PageReader::hash_from_file(const PagePtr& ptr,
                                                                   PageNumber pages) noexcept try {
  constexpr std::size_t kPiece = 1 << 20;
  const std::uint64_t size = static_cast<std::uint64_t>(pages) << shift_;
  std::uint64_t offset = static_cast<std::uint64_t>(ptr.page) << shift_;
  ByteVector buffer(std::min<std::uint64_t>(size, kPiece));
  Checksum sum;
  for (std::uint64_t left = size; left != 0;) {
    const MutableBytes piece = std::span(buffer).first(std::min<std::uint64_t>(left, kPiece));
    if (auto read = file_->read(offset, piece); !read) return std::unexpected(read.error().code());
    sum.update(piece);
    offset += piece.size();
    left -= piece.size();
  }
  return page_checksum_of(sum.digest());
} catch (const std::bad_alloc&) {
  return std::unexpected(ErrorCode::kNoMemory);
}

const std::byte* PageReader::fail_range(const PagePtr& ptr, PageNumber pages) noexcept {
  failure_ = {.ptr = ptr, .pages = pages, .found = 0, .out_of_range = true};
  return nullptr;
}

const std::byte* PageReader::fail_frame(const PagePtr& ptr, PageNumber pages) noexcept {
  failure_ = {.ptr = ptr, .pages = pages, .reused = true};
  return nullptr;
}

Error PageReader::take_error() {
  const auto& [ptr, pages, found, out_of_range, reused, unreadable] = failure_;
  if (unreadable == ErrorCode::kNoMemory) return Error(ErrorCode::kNoMemory);
  if (unreadable)
    return fail(ErrorCode::kCorrupt, "%s: page %u (%u pages) can't be read", map_->path().c_str(),
                ptr.page, pages)
        .error();
  if (out_of_range)
    return fail(ErrorCode::kCorrupt,
                "%s: a pointer names page %u (%u pages), but the snapshot has %u",
                map_->path().c_str(), ptr.page, pages, page_count_)
        .error();
  if (reused)
    return fail(ErrorCode::kCorrupt,
                "%s: a pointer names page %u (%u pages, born in transaction %llu), which is in use "
                "for another",
                map_->path().c_str(), ptr.page, pages, static_cast<unsigned long long>(ptr.birth))
        .error();
  return fail(ErrorCode::kCorrupt,
              "%s: page %u (%u pages, born in transaction %llu) has checksum %016llx, its pointer "
              "says %016llx",
              map_->path().c_str(), ptr.page, pages, static_cast<unsigned long long>(ptr.birth),
              static_cast<unsigned long long>(found), static_cast<unsigned long long>(ptr.checksum))
      .error();
}

}  // namespace quire
