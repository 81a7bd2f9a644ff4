// Putting an entry into the leaf at the end of the path, splitting what is too full.
#include <algorithm>

#include "engine/tree/node_edit.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

// The bytes of a key or value that lie in `node` itself (put(k, get(other))), as they are in a copy
// of it, which outlives the node's being written anew.
Bytes in_copy(Bytes bytes, const NodeView& node, const NodeView& copy) {
  const auto at = reinterpret_cast<std::uintptr_t>(bytes.data());
  const auto begin = reinterpret_cast<std::uintptr_t>(node.data());
  if (at < begin || at >= begin + node.page_size()) return bytes;
  return {copy.data() + (at - begin), bytes.size()};
}

NodeEdit in_copy(NodeEdit edit, const NodeView& node, const NodeView& copy) {
  edit.cell.key = in_copy(edit.cell.key, node, copy);
  edit.cell.value = in_copy(edit.cell.value, node, copy);
  return edit;
}

// Whether a separator may stand in a branch behind the slot: it is between the keys there.
bool fits_behind(const NodeView& branch, std::uint32_t slot, Bytes separator) {
  KeyBuffer key;
  if (slot > 0) {
    branch.key_of(slot, key);
    if (compare_bytes({key.data(), key.size()}, separator) >= 0) return false;
  }
  if (slot + 1 == branch.count()) return true;
  branch.key_of(slot + 1, key);
  return compare_bytes(separator, {key.data(), key.size()}) < 0;
}

std::uint64_t entries_below(const NodeView& node) {
  if (!node.is_branch()) return node.count();
  std::uint64_t entries = 0;
  for (std::uint32_t i = 0; i < node.count(); ++i) entries += node.child_count(i);
  return entries;
}

}  // namespace

NodeView TreeWriter::keep_copy(const NodeView& node) {
  scratch_.assign(node.data(), node.data() + node.page_size());
  return {scratch_.data(), node.page_size()};
}

void TreeWriter::rebuild(std::size_t depth, const NodeEdit& edit) {
  const Node node = node_at(depth);
  const NodeView copy = keep_copy(node);
  write_part(node.bytes(), identity_of(path_[depth].ptr, level_at(depth)), copy,
             in_copy(edit, node, copy), 0, edit.entries(copy));
}

Status TreeWriter::put_cell(const NewCell& cell, const Found& found) {
  Node leaf = node_at(leaf_depth());
  const NodeEdit edit{cell, found.slot, found.equal};
  NewCell replaced;
  if (found.equal && leaf.slot(found.slot).overflow())
    replaced =
        NewCell::of_overflow({}, leaf.overflow_size(found.slot), leaf.overflow_ptr(found.slot));
  const NodeRoom room = room_for(leaf, edit);
  if (room == NodeRoom::kSplit) {
    QUIRE_CHECK(split_and_put(edit));
  } else {
    if (room == NodeRoom::kInPlace)
      apply_in_place(leaf, edit);
    else
      rebuild(leaf_depth(), edit);
    if (!edit.replace) {
      add_to_counts(leaf_depth(), 1);
      note_insert(edit, nullptr);
    }
  }
  discard_cell(replaced);
  return {};
}

// Remembers where a new key went. `path_` still leads to the leaf.
void TreeWriter::note_insert(const NodeEdit& leaf_edit, const Split* split) noexcept {
  const bool went_right = split != nullptr && leaf_edit.slot >= split->at;
  last_leaf_ = went_right ? split->right.page : path_.back().ptr.page;
  last_slot_ = went_right ? leaf_edit.slot - split->at : leaf_edit.slot;
}

// Decides every split from the leaf up, changing nothing; returns how many there are. kCorrupt
// where a node has keys that its parent says are elsewhere: the separator would not be in its
// order.
Result<std::size_t> TreeWriter::plan_splits(const NodeEdit& leaf_edit) {
  const bool in_order = !leaf_edit.replace && last_leaf_ == path_.back().ptr.page &&
                        (leaf_edit.slot == last_slot_ || leaf_edit.slot == last_slot_ + 1);
  NodeEdit edit = leaf_edit;
  std::size_t splits = 0;
  for (std::size_t depth = leaf_depth();; --depth) {
    const Node node = node_at(depth);
    if (splits == splits_.size()) splits_.emplace_back();
    Split& split = splits_[splits++];
    // Greater than all there is: the left node stays full, the new key begins the right one.
    const bool append = !edit.replace && edit.slot == node.count() && on_right_edge(depth);
    split.at = append ? edit.slot : choose_split(node, edit, in_order);
    separator_at(node, edit, split.at, split.separator);
    if (depth == 0) return splits;
    const std::uint32_t slot = path_[depth - 1].slot;
    if (!fits_behind(node_at(depth - 1), slot, split.separator))
      return fail(ErrorCode::kCorrupt, "tree %u, page %u: it has keys that do not belong there",
                  tree_.id, path_[depth].ptr.page);
    // Only the size of the pointer counts yet.
    edit = {NewCell::of_child(split.separator, {}), slot + 1, false};
    if (room_for(node_at(depth - 1), edit) != NodeRoom::kSplit) return splits;
  }
}

// Takes all pages that the splits need, or none. `new_root` is null when the root is not split.
Status TreeWriter::allocate_splits(std::size_t splits, PagePtr* new_root) {
  for (std::size_t i = 0; i < splits; ++i) {
    auto page = pages_->allocate(splits_[i].right);
    if (!page) {
      while (i-- > 0) pages_->free(splits_[i].right);
      return std::unexpected(std::move(page).error());
    }
    splits_[i].right_node = *page;
  }
  if (new_root == nullptr) return {};
  auto page = pages_->allocate(*new_root);
  if (page) return {};
  for (std::size_t i = 0; i < splits; ++i) pages_->free(splits_[i].right);
  return std::unexpected(std::move(page).error());
}

// Divides the node at `depth` with the edit in it, and counts both parts.
void TreeWriter::split_node(std::size_t depth, Split& split, const NodeEdit& edit) {
  const Node node = node_at(depth);
  const NodeIdentity left = identity_of(path_[depth].ptr, level_at(depth));
  const NodeIdentity right = identity_of(split.right, level_at(depth));
  const std::uint32_t entries = edit.entries(node);
  const bool left_stays = !edit.replace && edit.slot == node.count() && split.at == edit.slot;
  if (left_stays) {
    write_part(split.right_node, right, node, edit, split.at, entries);
  } else {
    const NodeView copy = keep_copy(node);
    const NodeEdit safe = in_copy(edit, node, copy);
    write_part(split.right_node, right, copy, safe, split.at, entries);
    write_part(node.bytes(), left, copy, safe, 0, split.at);
  }
  path_[depth].ptr.count = entries_below(node);
  split.right.count = entries_below(NodeView(split.right_node, node.page_size()));
}

void TreeWriter::grow_root(const PagePtr& new_root, const Split& split) {
  auto* const page = const_cast<std::byte*>(pages_->fetch(new_root));  // allocated just now
  NodeBuilder root(page, pages_->page_size(), identity_of(new_root, tree_.height), {});
  root.add(NewCell::of_child({}, path_[0].ptr));
  root.add(NewCell::of_child(split.separator, split.right));
  root.finish();
  tree_.root = new_root;
  tree_.root.count = path_[0].ptr.count + split.right.count;
  ++tree_.height;
}

Status TreeWriter::split_and_put(const NodeEdit& leaf_edit) {
  QUIRE_TRY(const std::size_t splits, plan_splits(leaf_edit));
  const bool root_splits = splits == path_.size();
  if (root_splits && tree_.height == UINT8_MAX)
    return fail(ErrorCode::kTooLarge, "the tree is too high");
  PagePtr new_root;
  QUIRE_CHECK(allocate_splits(splits, root_splits ? &new_root : nullptr));
  note_insert(leaf_edit, &splits_[0]);

  // From here on nothing fails.
  NodeEdit edit = leaf_edit;
  std::size_t depth = leaf_depth();
  for (std::size_t i = 0; i < splits; ++i) {
    Split& split = splits_[i];
    split_node(depth, split, edit);
    if (depth == 0) {
      grow_root(new_root, split);
      drop_path();
      return {};
    }
    --depth;
    node_at(depth).set_child_count(path_[depth].slot, path_[depth + 1].ptr.count);
    edit = {NewCell::of_child(split.separator, split.right), path_[depth].slot + 1, false};
  }
  Node parent = node_at(depth);
  if (room_for(parent, edit) == NodeRoom::kInPlace)
    apply_in_place(parent, edit);
  else
    rebuild(depth, edit);
  if (!leaf_edit.replace) add_to_counts(depth, 1);
  drop_path();
  return {};
}

}  // namespace quire
