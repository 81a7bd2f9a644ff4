#include "engine/txn/flusher.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "engine/base/checksum.h"
#include "engine/txn/catalog.h"

namespace quire {
namespace {

// Images are kept until this many bytes are together, so that neighbours are written as one piece.
constexpr std::uint64_t kBatchBytes = 4 << 20;
// One write is at most this long: a file first written in larger pieces gets large folios in the
// page cache, which make each later write of one page cost five times as much.
constexpr std::uint64_t kPieceBytes = 64 << 10;

bool is_branch(const std::byte* node) noexcept {
  return static_cast<PageKind>(node[0]) == PageKind::kBranch;
}

}  // namespace

Result<Root> Flusher::flush(const Root& root) {
  Root done = root;
  if (root.catalog && root.catalog.checksum == 0) {
    QUIRE_TRY(done.catalog.checksum, flush_node(root.catalog));
  }
  QUIRE_CHECK(write_staged());
  return done;
}

Result<Flusher::Buffer> Flusher::image_of(const PagePtr& ptr, PageNumber pages) {
  Frame* frame = frames_.find(ptr.page);
  if (frame == nullptr) return Buffer{};
  if (frame->pages != pages)
    return fail(ErrorCode::kCorrupt, "private page %u has %u pages, its pointer says %u", ptr.page,
                frame->pages, pages);
  const std::size_t bytes = static_cast<std::size_t>(pages) * page_size_;
  Buffer image(new (std::nothrow) std::byte[bytes]);
  if (image == nullptr)
    return fail(ErrorCode::kNoMemory, "out of memory for the image of page %u", ptr.page);
  std::memcpy(image.get(), frame->data, bytes);
  return image;
}

// A pointer can lack the checksum of a page that is in the file: its parent was copied for a later
// transaction while the page was on its way there.
Result<std::uint64_t> Flusher::checksum_in_file(const PagePtr& ptr, PageNumber pages) {
  QUIRE_TRY(const PageMap* map, space_.ensure(std::uint64_t{ptr.page} + pages));
  const std::byte* page = map->base() + static_cast<std::size_t>(ptr.page) * page_size_;
  return page_checksum({page, static_cast<std::size_t>(pages) * page_size_});
}

Result<std::uint64_t> Flusher::stage(const PagePtr& ptr, PageNumber pages, Buffer image) {
  const std::size_t bytes = static_cast<std::size_t>(pages) * page_size_;
  const std::uint64_t checksum = page_checksum({image.get(), bytes});
  staged_.push_back({ptr.page, pages, std::move(image)});
  written_.push_back(frames_.find(ptr.page));
  staged_bytes_ += bytes;
  if (staged_bytes_ >= kBatchBytes) QUIRE_CHECK(write_staged());
  return checksum;
}

Result<std::uint64_t> Flusher::flush_node(const PagePtr& ptr) {
  QUIRE_TRY(Buffer image, image_of(ptr, 1));
  if (image == nullptr) return checksum_in_file(ptr, 1);
  const MutableBytes bytes(image.get(), page_size_);
  const auto patch = [this](const ChildRef& child) -> Status {
    PagePtr below = load_ptr(child.at);
    if (!below || below.checksum != 0) return {};
    QUIRE_TRY(below.checksum, child.kind == ChildRef::Kind::kNode
                                  ? flush_node(below)
                                  : checksum_in_file(below, child.pages));
    store_ptr(child.at, below);
    return {};
  };
  QUIRE_CHECK(tree_for_each_pointer(bytes, patch));
  if (static_cast<PageKind>(image[0]) == PageKind::kCatalogLeaf) {
    QUIRE_CHECK(tree_for_each_value(
        bytes, [this](Bytes key, MutableBytes value) { return flush_catalog_value(key, value); }));
  }
  return stage(ptr, 1, std::move(image));
}

Status Flusher::flush_catalog_value(Bytes key, MutableBytes value) {
  if (key.size() != 5 || static_cast<char>(key[0]) != 'i') return {};
  const auto id = load_be<std::uint32_t>(key.data() + 1);
  QUIRE_TRY(CatalogEntry entry, CatalogEntry::decode(value, id));
  if (!entry.root || entry.root.checksum != 0) return {};
  if (entry.kind == StructureKind::kTree) {
    QUIRE_TRY(entry.root.checksum, flush_node(entry.root));
  } else if (entry.height == 0) {
    QUIRE_TRY(entry.root.checksum, flush_block(entry.root, entry.first_block_pages));
  } else {
    QUIRE_TRY(entry.root.checksum, flush_table(entry.root, entry.block_pages));
  }
  store_ptr(value.data() + CatalogEntry::kRootOffset, entry.root);
  return {};
}

Result<std::uint64_t> Flusher::flush_table(const PagePtr& ptr, PageNumber block_pages) {
  QUIRE_TRY(Buffer image, image_of(ptr, 1));
  if (image == nullptr) return checksum_in_file(ptr, 1);
  const MutableBytes bytes(image.get(), page_size_);
  QUIRE_CHECK(array_for_each_pointer(bytes, [&](const ArrayChildRef& child) -> Status {
    PagePtr below = load_ptr(child.at);
    if (!below || below.checksum != 0) return {};
    QUIRE_TRY(below.checksum,
              child.block ? flush_block(below, block_pages) : flush_table(below, block_pages));
    store_ptr(child.at, below);
    return {};
  }));
  return stage(ptr, 1, std::move(image));
}

Result<std::uint64_t> Flusher::flush_block(const PagePtr& ptr, PageNumber pages) {
  QUIRE_TRY(Buffer image, image_of(ptr, pages));
  if (image == nullptr) return checksum_in_file(ptr, pages);
  return stage(ptr, pages, std::move(image));
}

Status Flusher::write_staged() {
  std::ranges::sort(staged_, {}, &Staged::page);
  std::vector<Bytes> pieces;
  for (std::size_t i = 0; i < staged_.size();) {
    const std::uint64_t offset = std::uint64_t{staged_[i].page} * page_size_;
    std::uint64_t end = staged_[i].page;
    std::uint64_t bytes = 0;
    pieces.clear();
    do {
      const std::size_t size = static_cast<std::size_t>(staged_[i].pages) * page_size_;
      pieces.emplace_back(staged_[i].image.get(), size);
      bytes += size;
      end += staged_[i].pages;
      ++i;
    } while (i < staged_.size() && staged_[i].page == end && bytes < kPieceBytes);
    QUIRE_CHECK(data_.write_gather(offset, pieces));
  }
  staged_.clear();
  staged_bytes_ = 0;
  if (on_written_) on_written_(written_);
  written_.clear();
  return {};
}

Status Flusher::spill(PageWriter& pages, const TreeRoot& tree) {
  Frame* root = frames_.find(tree.root.page);
  if (!tree.root || root == nullptr || root->birth != pages.txn()) return {};
  if (is_branch(root->data)) QUIRE_CHECK(spill_children(pages, root->data, 1, false));
  return finish_spill(pages);
}

Status Flusher::spill(PageWriter& pages, const ArrayRoot& array) {
  if (array.height == 0) return {};
  Frame* root = frames_.find(array.root.page);
  if (!array.root || root == nullptr || root->birth != pages.txn()) return {};
  QUIRE_CHECK(spill_children(pages, root->data, array.block_pages, true));
  return finish_spill(pages);
}

// Branches and tables stay: they are few, and every later change needs them.
Status Flusher::spill_children(PageWriter& pages, std::byte* parent, PageNumber block_pages,
                               bool array) {
  const MutableBytes bytes(parent, page_size_);
  const auto own = [&](const PagePtr& ptr) -> Frame* {
    if (!ptr || ptr.checksum != 0) return nullptr;
    Frame* frame = frames_.find(ptr.page);
    return frame != nullptr && frame->birth == pages.txn() ? frame : nullptr;
  };
  if (array) {
    return array_for_each_pointer(bytes, [&](const ArrayChildRef& child) -> Status {
      const PagePtr ptr = load_ptr(child.at);
      Frame* frame = own(ptr);
      if (frame == nullptr) return {};
      if (!child.block) return spill_children(pages, frame->data, block_pages, true);
      return spill_page(pages, ptr, block_pages, child.at);
    });
  }
  return tree_for_each_pointer(bytes, [&](const ChildRef& child) -> Status {
    if (child.kind != ChildRef::Kind::kNode) return {};
    const PagePtr ptr = load_ptr(child.at);
    Frame* frame = own(ptr);
    if (frame == nullptr) return {};
    if (is_branch(frame->data)) return spill_children(pages, frame->data, 1, false);
    return spill_page(pages, ptr, 1, child.at);
  });
}

Status Flusher::spill_page(PageWriter& pages, const PagePtr& ptr, PageNumber count, std::byte* at) {
  QUIRE_TRY(Buffer image, image_of(ptr, count));
  PagePtr done = ptr;
  spilled_.push_back(ptr.page);
  QUIRE_TRY(done.checksum, stage(ptr, count, std::move(image)));
  store_ptr(at, done);
  if (staged_.empty()) return finish_spill(pages);
  return {};
}

Status Flusher::finish_spill(PageWriter& pages) {
  QUIRE_CHECK(write_staged());
  for (const PageNumber page : spilled_) pages.spilled(page);
  spilled_.clear();
  return {};
}

}  // namespace quire
