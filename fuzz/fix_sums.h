// Makes the checksums in pointers right again, from the leaves up, in a file whose pages were
// changed: so that what lies behind them is reached. Knows the format, trusts nothing of it: a
// pointer that leads nowhere, or back to a page above it, stays as it is.
#pragma once

#include <functional>
#include <vector>

#include "engine/array/array_format.h"
#include "engine/base/checksum.h"
#include "engine/tree/tree.h"

namespace quire::fuzz {

class SumFixer {
 public:
  // `value_in_catalog`: called with each value of a catalog's leaf, to fix the roots in there.
  using FixValue = std::function<void(Bytes key, MutableBytes value)>;

  // With `counts`, what a pointer says of the number of entries below is made right too.
  SumFixer(MutableBytes file, std::uint32_t page_size, bool counts, FixValue value_in_catalog = {})
      : file_(file),
        page_size_(page_size),
        counts_(counts),
        fix_value_(std::move(value_in_catalog)),
        state_(file.size() / page_size) {}

  void fix_tree(PagePtr& ptr) {
    if (!enter(ptr)) return;
    const MutableBytes page = run(ptr.page, 1);
    Node node(page.data(), page_size_);
    std::uint64_t entries = node.count();
    if (node.is_branch()) entries = 0;
    // Asked each time: a pointer may lie over the header.
    for (std::uint32_t i = 0; i < node.count() && node.slots_end() <= page_size_; ++i)
      fix_cell(node, i, entries);
    if (counts_) ptr.count = entries & kMaxCount;
    leave(ptr, 1);
  }

  // An array's root: a table, or the only block where the height is 0.
  void fix_array(ArrayRoot& array) {
    if (array.height == 0)
      fix_run(array.root, array.first_block_pages);
    else
      fix_table(array.root);
  }

  void fix_run(PagePtr& ptr, std::uint64_t pages) {
    if (ptr.page < kFirstPage || pages == 0 || ptr.page >= state_.size() ||
        pages > state_.size() - ptr.page)
      return;
    ptr.checksum = page_checksum(run(ptr.page, pages));
  }

 private:
  enum State : std::uint8_t { kNew, kInside, kDone };

  MutableBytes run(PageNumber page, std::uint64_t pages) const {
    return file_.subspan(std::size_t{page} * page_size_, pages * page_size_);
  }
  bool enter(PagePtr& ptr) {
    if (ptr.page < kFirstPage || ptr.page >= state_.size() || state_[ptr.page] == kInside)
      return false;
    // One that was met before is met again: what is below it has not changed since.
    if (state_[ptr.page] == kDone) {
      ptr.checksum = page_checksum(run(ptr.page, 1));
      return false;
    }
    state_[ptr.page] = kInside;
    return true;
  }
  void leave(PagePtr& ptr, std::uint64_t pages) {
    ptr.checksum = page_checksum(run(ptr.page, pages));
    state_[ptr.page] = kDone;
  }

  void fix_cell(Node& node, std::uint32_t i, std::uint64_t& entries) {
    if (!node.cell_fits(i)) return;
    std::byte* const payload = node.bytes() + node.payload_at(i);
    if (node.is_branch()) {
      PagePtr child = load_ptr(payload);
      fix_tree(child);
      store_ptr(payload, child);
      entries += child.count;
    } else if (node.slot(i).overflow()) {
      std::byte* const at = payload + offsetof(OverflowCell, pointer);
      PagePtr value = load_ptr(at);
      fix_run(value, (node.overflow_size(i) + page_size_ - 1) / page_size_);
      store_ptr(at, value);
    } else if (node.kind() == PageKind::kCatalogLeaf && fix_value_) {
      KeyBuffer key;
      node.key_of(i, key);
      const std::size_t size = node.inline_value(i).size();
      fix_value_({key.data(), key.size()}, {payload + kInlineHeader, size});
    }
  }

  void fix_table(PagePtr& ptr) {
    if (!enter(ptr)) return;
    const MutableBytes page = run(ptr.page, 1);
    const ArrayTableHeader header = load_table_header(page.data());
    const std::size_t fanout = (page_size_ - kPageHeaderSize) / kPagePtrSize;
    for (std::size_t slot = 0; slot < fanout; ++slot) {
      PagePtr child = load_ptr(table_slot(page.data(), slot));
      if (header.level == 1)
        fix_run(child, header.block_pages);
      else
        fix_table(child);
      if (child) store_ptr(table_slot(page.data(), slot), child);
    }
    leave(ptr, 1);
  }

  const MutableBytes file_;
  const std::uint32_t page_size_;
  const bool counts_;
  const FixValue fix_value_;
  std::vector<std::uint8_t> state_;
};

}  // namespace quire::fuzz
