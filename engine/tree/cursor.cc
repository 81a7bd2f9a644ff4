// Cursors: the path from the root to one slot.
//
// Every level of the path was loaded with load_node and its slot checked, so key() and value() have
// nothing left to check. The level of a node is its depth counted from tree_.height, never what
// the page says, so a pointer that leads upwards is an error and no loop.
#include <algorithm>
#include <cstring>

#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

// Entries between what a scan asks memory for and what it reads.
constexpr std::uint32_t kScanAhead = 6;
// Entries before the end of a leaf at which a scan asks for the next leaf, and for its first cells.
constexpr std::uint32_t kLeafAhead = 12;
constexpr std::uint32_t kLeafCellsAhead = 4;

}  // namespace

void TreeCursor::reset(PageReader* reader, const TreeRoot& tree) {
  reader_ = reader;
  tree_ = tree;
  clear();
}

void TreeCursor::clear() noexcept {
  path_.clear();
  valid_ = false;
  key_ready_ = false;
  key_node_ = nullptr;
  next_leaf_ = nullptr;
}

NodeView TreeCursor::node_at(const Level& level) const noexcept {
  return {level.node, reader_->page_size()};
}

// Loads the node at `ptr` and puts it at the end of the path; its slot is for the caller to set.
Status TreeCursor::push(const PagePtr& ptr) {
  const auto level = static_cast<std::uint32_t>(tree_.height - 1 - path_.size());
  const NodeView node = load_node(*reader_, ptr, level);
  if (node.data() == nullptr) [[unlikely]]
    return node_failure(*reader_, ptr, level);
  path_.push_back({node.data(), 0, node.count()});
  return {};
}

// Sets the slot of the last level, which exists.
Status TreeCursor::take_slot(std::uint32_t slot) {
  Level& last = path_.back();
  last.slot = slot;
  const NodeView node = node_at(last);
  if (path_.size() == tree_.height) return take_entry(node, slot);
  if (!node.cell_fits(slot)) [[unlikely]]
    return slot_failure(node, slot);
  return {};
}

// The same as NodeView::cell_fits, keeping what it found.
Status TreeCursor::take_entry(const NodeView& leaf, std::uint32_t slot) {
  const NodeSlot s = leaf.slot(slot);
  const std::uint32_t payload = std::uint32_t{s.offset} + s.size();
  std::uint32_t size = sizeof(OverflowCell);
  if (!s.overflow()) [[likely]] {
    if (payload + kInlineHeader > leaf.page_size()) [[unlikely]]
      return slot_failure(leaf, slot);
    size = kInlineHeader + load_le<std::uint16_t>(leaf.data() + payload);
  }
  if (payload + size > leaf.page_size()) [[unlikely]]
    return slot_failure(leaf, slot);
  entry_ = {leaf.data() + s.offset, leaf.data() + payload, s.overflow()};
  key_ready_ = false;
  return {};
}

// From the child under the last level's slot to the first or last entry below it.
Status TreeCursor::descend(bool to_last) {
  while (path_.size() < tree_.height) {
    const Level& parent = path_.back();
    QUIRE_CHECK(push(node_at(parent).child(parent.slot)));
    QUIRE_CHECK(take_slot(to_last ? path_.back().count - 1 : 0));
  }
  valid_ = true;
  return {};
}

Status TreeCursor::to_end(bool to_last) {
  clear();
  if (tree_.height == 0) return {};
  QUIRE_CHECK(push(tree_.root));
  QUIRE_CHECK(take_slot(to_last ? path_.back().count - 1 : 0));
  return descend(to_last);
}

Status TreeCursor::first() { return to_end(false); }
Status TreeCursor::last() { return to_end(true); }

// Leaves the path at the leaf that `key` belongs to and returns the slot there, which may be one
// past the last.
Result<std::uint32_t> TreeCursor::find_leaf(Bytes key) {
  clear();
  PagePtr ptr = tree_.root;
  for (std::uint32_t level = tree_.height - 1u;; --level) {
    const NodeView node = load_node(*reader_, ptr, level);
    if (node.data() == nullptr) [[unlikely]]
      return node_failure(*reader_, ptr, level);
    const Found found = level == 0 ? node.find(key) : node.find_child(key);
    if (found.damaged || (level != 0 && !node.cell_fits(found.slot))) [[unlikely]]
      return slot_failure(node, found.slot);
    path_.push_back({node.data(), found.slot, node.count()});
    if (level == 0) return found.slot;
    ptr = node.child(found.slot);
  }
}

Status TreeCursor::seek(Bytes key) {
  if (tree_.height == 0) {
    clear();
    return {};
  }
  QUIRE_TRY(const std::uint32_t slot, find_leaf(key));
  if (slot == path_.back().count) return leave_forward();
  valid_ = true;
  return guarded(take_slot(slot));
}

Status TreeCursor::seek_before(Bytes key) {
  if (tree_.height == 0) {
    clear();
    return {};
  }
  QUIRE_TRY(const std::uint32_t slot, find_leaf(key));
  if (slot == 0) return leave_backward();
  valid_ = true;
  return guarded(take_slot(slot - 1));
}

Status TreeCursor::seek_rank(std::uint64_t n) {
  clear();
  if (n >= tree_.count() || tree_.height == 0) return {};
  QUIRE_CHECK(push(tree_.root));
  while (path_.size() < tree_.height) {
    const NodeView node = node_at(path_.back());
    std::uint32_t slot = 0;
    for (;; ++slot) {
      if (slot == node.count())
        return fail(ErrorCode::kCorrupt, "page %u: tree node: entry counts are wrong", node.page());
      if (!node.cell_fits(slot)) [[unlikely]]
        return slot_failure(node, slot);
      const std::uint64_t entries = node.child_count(slot);
      if (n < entries) break;
      n -= entries;
    }
    path_.back().slot = slot;
    QUIRE_CHECK(push(node.child(slot)));
  }
  if (n >= path_.back().count)
    return fail(ErrorCode::kCorrupt, "page %u: tree node: entry counts are wrong",
                node_at(path_.back()).page());
  valid_ = true;
  return guarded(take_slot(static_cast<std::uint32_t>(n)));
}

// A cursor that met an error is off the ends.
Status TreeCursor::guarded(Status status) {
  if (!status) [[unlikely]]
    clear();
  return status;
}

Status TreeCursor::next() {
  if (!valid_) return {};
  Level& leaf = path_.back();
  if (leaf.slot + 1 == leaf.count) [[unlikely]]
    return leave_forward();
  ++leaf.slot;
  const NodeView node(leaf.node, reader_->page_size());
  look_ahead(node, leaf.slot, leaf.count);
  return guarded(take_entry(node, leaf.slot));
}

Status TreeCursor::previous() {
  if (!valid_) return {};
  Level& leaf = path_.back();
  if (leaf.slot == 0) [[unlikely]]
    return leave_backward();
  return guarded(take_slot(leaf.slot - 1));
}

// Asks memory for what a scan will read soon: cells lie in the order they came in, so the hardware
// can't guess the next, and the next leaf, its slots and its cells are misses one behind the other.
void TreeCursor::look_ahead(const NodeView& leaf, std::uint32_t slot,
                            std::uint32_t count) noexcept {
  if (slot + kScanAhead < count) {
    const std::byte* const ahead = leaf.data() + leaf.slot(slot + kScanAhead).offset;
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 64);
  }
  if (slot + kLeafAhead == count) {
    next_leaf_ = next_leaf();
  } else if (slot + kLeafCellsAhead == count && next_leaf_ != nullptr) {
    const NodeView next(next_leaf_, leaf.page_size());
    const std::uint32_t first = std::min(next.count(), kScanAhead);
    for (std::uint32_t i = 0; i < first; ++i) {
      const std::byte* const cell = next_leaf_ + next.slot(i).offset;
      __builtin_prefetch(cell);
      __builtin_prefetch(cell + 64);
    }
    next_leaf_ = nullptr;
  }
}

// To the first entry of the next leaf, or off the end.
Status TreeCursor::leave_forward() {
  next_leaf_ = nullptr;
  path_.pop_back();
  while (!path_.empty() && path_.back().slot + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) {
    clear();
    return {};
  }
  QUIRE_CHECK(guarded(take_slot(path_.back().slot + 1)));
  return guarded(descend(false));
}

// The leaf behind the cursor's, under the same parent; null where there is none, or where something
// is wrong with it: that is met again, and reported, when the leaf is entered.
const std::byte* TreeCursor::next_leaf() const noexcept {
  if (path_.size() < 2) return nullptr;
  const Level& parent = path_[path_.size() - 2];
  if (parent.slot + 1 >= parent.count) return nullptr;
  const NodeView node = node_at(parent);
  if (!node.cell_fits(parent.slot + 1)) return nullptr;
  return load_node(*reader_, node.child(parent.slot + 1), 0).data();
}

Status TreeCursor::leave_backward() {
  next_leaf_ = nullptr;
  path_.pop_back();
  while (!path_.empty() && path_.back().slot == 0) path_.pop_back();
  if (path_.empty()) {
    clear();
    return {};
  }
  QUIRE_CHECK(guarded(take_slot(path_.back().slot - 1)));
  return guarded(descend(true));
}

// The prefix is copied once for each leaf.
void TreeCursor::put_key_together() const {
  assert(valid_);
  const NodeView leaf = node_at(path_.back());
  const std::size_t prefix = leaf.prefix_size();
  const auto rest = static_cast<std::size_t>(entry_.payload - entry_.rest);
  key_size_ = prefix + rest;
  if (key_.size() < key_size_) key_.resize(key_size_, boost::container::default_init);
  if (key_node_ != leaf.data()) {
    std::memcpy(key_.data(), leaf.prefix().data(), prefix);
    key_node_ = leaf.data();
  }
  std::memcpy(key_.data() + prefix, entry_.rest, rest);
  key_ready_ = true;
}

Result<Bytes> TreeCursor::long_value() const {
  assert(valid_);
  return load_overflow(*reader_, node_at(path_.back()), path_.back().slot);
}

Result<std::uint64_t> TreeCursor::rank() const {
  assert(valid_);
  std::uint64_t before = path_.back().slot;
  for (std::size_t depth = 0; depth + 1 < path_.size(); ++depth) {
    const NodeView node = node_at(path_[depth]);
    for (std::uint32_t i = 0; i < path_[depth].slot; ++i) {
      if (!node.cell_fits(i)) [[unlikely]]
        return slot_failure(node, i);
      before += node.child_count(i);
    }
  }
  return before;
}

}  // namespace quire
