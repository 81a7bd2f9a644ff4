// Removing one entry, and putting nodes together that have become small.
#include "engine/tree/node_edit.h"
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

bool underfull(const NodeView& node) {
  return node.used() < (node.page_size() - kNodeFixedSize) / 4;
}

}  // namespace

Result<bool> TreeWriter::erase(Bytes key) {
  if (tree_.height == 0) return false;
  QUIRE_TRY(const Found found, locate(key));
  if (!found.equal) return false;
  ++version_;
  QUIRE_CHECK(touch_path());
  Node leaf = node_at(leaf_depth());
  free_overflow(leaf, found.slot);
  leaf.remove(found.slot, found.slot + 1);
  add_to_counts(leaf_depth(), -1);
  last_leaf_ = 0;
  if (leaf.count() == 0 || underfull(leaf)) shrink();
  return true;
}

// Goes up the touched path: a node without entries goes, a small one is merged with a neighbour
// where both fit in one. Needs no new page, so it can't fail; a neighbour that can't be read is
// left for its reader to report.
void TreeWriter::shrink() {
  bool changed = false;
  for (std::size_t depth = leaf_depth(); depth > 0; --depth) {
    const Node node = node_at(depth);
    if (node.count() == 0) {
      const std::uint32_t slot = path_[depth - 1].slot;
      pages_->free(path_[depth].ptr);
      node_at(depth - 1).remove(slot, slot + 1);
      changed = true;
    } else if (underfull(node) && merge_with_neighbour(depth)) {
      changed = true;
    }
  }
  const Node root = node_at(0);
  if (root.count() == 0 || (root.is_branch() && root.count() == 1)) {
    collapse_root();
    changed = true;
  }
  // Slots of the path have moved.
  if (changed) drop_path();
}

namespace {

// Whether the keys of both, which are in order in each, are in order over both.
bool in_order(const NodeView& left, Bytes separator, const NodeView& right) {
  const std::uint32_t first = left.is_branch() ? 1 : 0;  // the first child of a branch has no key
  KeyBuffer key;
  if (left.count() > first) {
    left.key_of(left.count() - 1, key);
    if (compare_bytes({key.data(), key.size()}, separator) >= 0) return false;
  }
  if (right.count() > first) {
    right.key_of(first, key);
    const int order = compare_bytes({key.data(), key.size()}, separator);
    return right.is_branch() ? order > 0 : order >= 0;
  }
  return true;
}

}  // namespace

bool TreeWriter::merge_with_neighbour(std::size_t depth) {
  const std::uint32_t slot = path_[depth - 1].slot;
  if (slot + 1 < node_at(depth - 1).count() && merge_children(depth, slot)) return true;
  return slot > 0 && merge_children(depth, slot - 1);
}

// Merges the children at left_slot and after it, one of which is the path's node at `depth`, into
// that node's page.
bool TreeWriter::merge_children(std::size_t depth, std::uint32_t left_slot) {
  Node parent = node_at(depth - 1);
  const Node ours = node_at(depth);
  const bool ours_is_left = path_[depth - 1].slot == left_slot;
  const PagePtr other_ptr = parent.child(ours_is_left ? left_slot + 1 : left_slot);
  const NodeView other = load_node(pages_->reader(), other_ptr, level_at(depth));
  if (other.data() == nullptr) return false;
  const bool checked = pages_->in_memory(other_ptr) ||
                       (node_check_at(other, other_ptr, tree_.id) && check_overflows(other));
  if (!checked) return false;

  KeyBuffer separator;
  parent.key_of(left_slot + 1, separator);
  const NodeView copy = keep_copy(ours);
  const NodeView& left = ours_is_left ? copy : other;
  const NodeView& right = ours_is_left ? other : copy;
  const Bytes between(separator.data(), separator.size());
  if (!in_order(left, between, right)) return false;  // damaged; found when it is touched
  const NodeMerge merge(left, right, between);
  if (!merge.fits()) return false;
  PagePtr merged = path_[depth].ptr;
  merge.write(ours.bytes(), identity_of(merged, level_at(depth)));
  merged.count += other_ptr.count;
  parent.set_child(left_slot, merged);
  parent.remove(left_slot + 1, left_slot + 2);
  pages_->free(other_ptr);
  return true;
}

// An empty root goes; a branch with one child gives way to it.
void TreeWriter::collapse_root() {
  NodeView root = node_at(0);
  if (root.count() == 0) {
    pages_->free(tree_.root);
    tree_.root = {};
    tree_.height = 0;
    return;
  }
  while (tree_.height > 1 && root.count() == 1 && root.cell_fits(0)) {
    const PagePtr child = root.child(0);
    if (child.birth > tree_.root.birth) return;  // damaged; found when it is touched
    pages_->free(tree_.root);
    tree_.root = child;
    --tree_.height;
    root = load_node(pages_->reader(), child, tree_.height - 1u);
    if (root.data() == nullptr) return;
  }
}

}  // namespace quire
