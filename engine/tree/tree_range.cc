// Removing a range: both edges are cut, what lies between is freed by whole subtrees.
//
// First everything that can fail: the nodes on the two edges are touched, and the pages to be freed
// are collected. Then the cut.
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {

Result<std::uint64_t> TreeWriter::erase_range(Bytes low, std::optional<Bytes> high) {
  if (tree_.height == 0 || (high && compare_bytes(low, *high) >= 0)) return 0;
  QUIRE_TRY(const std::uint64_t first, tree_rank(pages_->reader(), tree_, low));
  std::uint64_t last = tree_.count();
  if (high) {
    QUIRE_TRY(last, tree_rank(pages_->reader(), tree_, *high));
  }
  if (first >= last) return 0;

  const std::uint64_t before = tree_.count();
  if (last - first == before) {
    QUIRE_CHECK(clear());
    return before;
  }
  // The keys may lie in pages that are about to change.
  const ByteVector low_key = to_vector(low);
  const ByteVector high_key = high ? to_vector(*high) : ByteVector();
  const Bytes low_bytes(low_key);
  const Bytes high_bytes(high_key);
  const Bytes* const high_edge = high ? &high_bytes : nullptr;
  drop_path();
  last_leaf_ = 0;
  ++version_;

  Cut cut;
  QUIRE_TRY(const Node root, touch_node(tree_.root, tree_.height - 1u));
  QUIRE_CHECK(plan_cut(root, &low_bytes, high_edge, cut));
  tree_.root.count = apply_cut(root, &low_bytes, high_edge);
  for (const Cut::Run& run : cut.runs) pages_->free(run.ptr, run.pages);
  if (tree_.root.count == 0) {
    pages_->free(tree_.root);
    tree_.root = {};
    tree_.height = 0;
  }
  tidy_around(low_bytes);
  if (high) tidy_around(high_bytes);
  return before - tree_.count();
}

Status TreeWriter::clear() {
  if (tree_.height == 0) return {};
  Cut cut;
  QUIRE_CHECK(collect(tree_.root, tree_.height - 1u, tree_.root.birth, cut));
  for (const Cut::Run& run : cut.runs) pages_->free(run.ptr, run.pages);
  drop_path();
  last_leaf_ = 0;
  ++version_;
  tree_.root = {};
  tree_.height = 0;
  return {};
}

Result<Node> TreeWriter::touch_child(Node& parent, std::uint32_t slot) {
  PagePtr ptr = parent.child(slot);
  QUIRE_TRY(const Node child, touch_node(ptr, parent.level() - 1));
  parent.set_child(slot, ptr);
  return child;
}

// Touches the nodes below `node` on the edges of the range (null: the edge is outside the node),
// and collects what lies between. `node` is touched.
Status TreeWriter::plan_cut(Node node, const Bytes* low, const Bytes* high, Cut& cut) {
  if (!node.is_branch()) {
    const std::uint32_t first = low != nullptr ? node.find(*low).slot : 0;
    const std::uint32_t last = high != nullptr ? node.find(*high).slot : node.count();
    return collect_overflows(node, first, last, node.birth(), cut);
  }
  const std::uint32_t first = low != nullptr ? node.find_child(*low).slot : 0;
  const std::uint32_t last = high != nullptr ? node.find_child(*high).slot : node.count() - 1;
  for (std::uint32_t i = first; i <= last; ++i) {
    const Bytes* const child_low = i == first ? low : nullptr;
    const Bytes* const child_high = i == last ? high : nullptr;
    if (child_low == nullptr && child_high == nullptr) {
      QUIRE_CHECK(collect(node.child(i), node.level() - 1, node.birth(), cut));
    } else {
      QUIRE_TRY(const Node child, touch_child(node, i));
      QUIRE_CHECK(plan_cut(child, child_low, child_high, cut));
    }
  }
  return {};
}

Status TreeWriter::add_run(const PagePtr& ptr, PageNumber pages, TxnNumber parent_birth, Cut& cut) {
  // Pages that point to one another in a damaged file could be met for ever.
  if (cut.runs.size() >= pages_->reader().page_count())
    return fail(ErrorCode::kCorrupt, "page %u: tree node: more nodes than pages", ptr.page);
  QUIRE_CHECK(check_run(ptr, pages));
  if (ptr.birth > parent_birth)
    return fail(ErrorCode::kCorrupt, "page %u: younger than its parent", ptr.page);
  cut.runs.push_back({ptr, pages});
  return {};
}

Status TreeWriter::collect_overflows(const NodeView& leaf, std::uint32_t first, std::uint32_t last,
                                     TxnNumber birth, Cut& cut) {
  if (leaf.overflow_count() == 0) return {};
  for (std::uint32_t i = first; i < last; ++i) {
    if (!leaf.cell_fits(i)) return slot_failure(leaf, i);
    if (!leaf.slot(i).overflow()) continue;
    const std::uint64_t size = leaf.overflow_size(i);
    if (size == 0 || size > kMaxValueSize) return slot_failure(leaf, i);
    QUIRE_CHECK(add_run(leaf.overflow_ptr(i), PageWriter::run_pages(size, pages_->page_size()),
                        birth, cut));
  }
  return {};
}

// All pages of the subtree at `ptr`.
Status TreeWriter::collect(const PagePtr& ptr, std::uint32_t level, TxnNumber parent_birth,
                           Cut& cut) {
  QUIRE_CHECK(add_run(ptr, 1, parent_birth, cut));
  const NodeView node = load_node(pages_->reader(), ptr, level);
  if (node.data() == nullptr) return node_failure(pages_->reader(), ptr, level);
  if (level == 0) return collect_overflows(node, 0, node.count(), ptr.birth, cut);
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    if (!node.cell_fits(i)) return slot_failure(node, i);
    QUIRE_CHECK(collect(node.child(i), level - 1, ptr.birth, cut));
  }
  return {};
}

// Cuts one edge child, which plan_cut has touched. Whether anything of it is left; if not its page
// is freed.
bool TreeWriter::cut_child(Node& node, std::uint32_t slot, const Bytes* low, const Bytes* high) {
  PagePtr ptr = node.child(slot);
  const auto bytes = pages_->touch(ptr);  // there already: no error
  assert(bytes);
  const std::uint64_t entries = apply_cut(Node(*bytes, node.page_size()), low, high);
  if (entries == 0) pages_->free(ptr);
  node.set_child_count(slot, entries);
  return entries != 0;
}

// Removes the range below `node` and returns how many entries are left there.
std::uint64_t TreeWriter::apply_cut(Node node, const Bytes* low, const Bytes* high) {
  if (!node.is_branch()) {
    const std::uint32_t first = low != nullptr ? node.find(*low).slot : 0;
    const std::uint32_t last = high != nullptr ? node.find(*high).slot : node.count();
    node.remove(first, last);
    return node.count();
  }
  std::uint32_t first = low != nullptr ? node.find_child(*low).slot : 0;
  std::uint32_t last = high != nullptr ? node.find_child(*high).slot : node.count() - 1;
  const bool one_child = first == last && low != nullptr && high != nullptr;
  if (one_child) {
    if (cut_child(node, first, low, high)) ++first;
    ++last;
  } else {
    const bool keep_low = low != nullptr && cut_child(node, first, low, nullptr);
    const bool keep_high = high != nullptr && cut_child(node, last, nullptr, high);
    if (keep_low) ++first;
    if (!keep_high) ++last;
  }
  node.remove(first, last);
  std::uint64_t entries = 0;
  for (std::uint32_t i = 0; i < node.count(); ++i) entries += node.child_count(i);
  return entries;
}

// Merges the small nodes that a cut left on the way to `key`. A courtesy: when a page for it can't
// be had the tree is good as it is.
void TreeWriter::tidy_around(Bytes key) {
  if (tree_.height == 0) return;
  drop_path();
  if (locate(key) && touch_path()) shrink();
  drop_path();
}

}  // namespace quire
