// Cursors: the path from the root to one slot.
//
// Every level of the path was loaded with load_node and its slot checked with cell_fits, so key()
// has nothing left to check. The level of a node is its depth counted from tree_.height, never what
// the page says, so a pointer that leads upwards is an error and no loop.
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

// Entries between what a scan asks memory for and what it reads.
constexpr std::uint32_t kScanAhead = 6;
// Entries before the end of a leaf at which a scan asks for the next leaf.
constexpr std::uint32_t kLeafAhead = 10;

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
  if (!node.cell_fits(slot)) [[unlikely]]
    return slot_failure(node, slot);
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
  QUIRE_CHECK(push(tree_.root));
  while (path_.size() < tree_.height) {
    const NodeView node = node_at(path_.back());
    const Found found = node.find_child(key);
    if (found.damaged) [[unlikely]]
      return slot_failure(node, found.slot);
    QUIRE_CHECK(take_slot(found.slot));
    QUIRE_CHECK(push(node.child(found.slot)));
  }
  const NodeView leaf = node_at(path_.back());
  const Found found = leaf.find(key);
  if (found.damaged) [[unlikely]]
    return slot_failure(leaf, found.slot);
  return found.slot;
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
  key_ready_ = false;
  Level& leaf = path_.back();
  if (leaf.slot + 1 == leaf.count) [[unlikely]]
    return leave_forward();
  ++leaf.slot;
  const NodeView node(leaf.node, reader_->page_size());
  // Cells lie in the order they came in, so the hardware can't guess the next.
  if (leaf.slot + kScanAhead < leaf.count) {
    const std::byte* const ahead = leaf.node + node.slot(leaf.slot + kScanAhead).offset;
    __builtin_prefetch(ahead);
    __builtin_prefetch(ahead + 64);
  }
  if (leaf.slot + kLeafAhead == leaf.count) prefetch_next_leaf();
  if (!node.cell_fits(leaf.slot)) [[unlikely]]
    return guarded(slot_failure(node, leaf.slot));
  return {};
}

Status TreeCursor::previous() {
  if (!valid_) return {};
  key_ready_ = false;
  Level& leaf = path_.back();
  if (leaf.slot == 0) [[unlikely]]
    return leave_backward();
  return guarded(take_slot(leaf.slot - 1));
}

// To the first entry of the next leaf, or off the end.
Status TreeCursor::leave_forward() {
  path_.pop_back();
  while (!path_.empty() && path_.back().slot + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) {
    clear();
    return {};
  }
  QUIRE_CHECK(guarded(take_slot(path_.back().slot + 1)));
  return guarded(descend(false));
}

// A scan near the end of its leaf will need the next: finding it, and its first lines, takes
// several misses in a row. What goes wrong here goes wrong again, and is reported, when the leaf is
// entered.
void TreeCursor::prefetch_next_leaf() const noexcept {
  if (path_.size() < 2) return;
  const Level& parent = path_[path_.size() - 2];
  if (parent.slot + 1 >= parent.count) return;
  const NodeView node = node_at(parent);
  if (node.cell_fits(parent.slot + 1)) load_node(*reader_, node.child(parent.slot + 1), 0);
}

Status TreeCursor::leave_backward() {
  path_.pop_back();
  while (!path_.empty() && path_.back().slot == 0) path_.pop_back();
  if (path_.empty()) {
    clear();
    return {};
  }
  QUIRE_CHECK(guarded(take_slot(path_.back().slot - 1)));
  return guarded(descend(true));
}

Bytes TreeCursor::key() const {
  assert(valid_);
  if (!key_ready_) {
    node_at(path_.back()).key_of(path_.back().slot, key_);
    key_ready_ = true;
  }
  return {key_.data(), key_.size()};
}

Result<Bytes> TreeCursor::value() const {
  assert(valid_);
  return load_value(*reader_, node_at(path_.back()), path_.back().slot);
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
