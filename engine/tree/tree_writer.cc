// Writing: the path to a leaf, made writable from the root down, and what is common to all changes.
//
// A change that fails leaves the tree as it was: first every page of the path is touched (each step
// leaves a whole tree with the same entries), then all pages that will be needed are allocated, and
// only then is anything changed, by code that can't fail.
#include "engine/tree/node_edit.h"
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {

TreeWriter::TreeWriter(PageWriter* pages, const TreeRoot& tree) : pages_(pages), tree_(tree) {}

void TreeWriter::reset(const TreeRoot& tree) {
  tree_ = tree;
  last_leaf_ = 0;
  drop_path();
  ++version_;
}

std::size_t TreeWriter::inline_limit(std::size_t key_size) const noexcept {
  return inline_value_limit(pages_->page_size(), key_size);
}

Node TreeWriter::node_at(std::size_t depth) const noexcept {
  return {path_[depth].node, pages_->page_size()};
}

std::uint32_t TreeWriter::level_at(std::size_t depth) const noexcept {
  return static_cast<std::uint32_t>(tree_.height - 1 - depth);
}

NodeIdentity TreeWriter::identity_of(const PagePtr& ptr, std::uint32_t level) const noexcept {
  const PageKind leaf = tree_.catalog ? PageKind::kCatalogLeaf : PageKind::kLeaf;
  return {level == 0 ? leaf : PageKind::kBranch, level, tree_.id, ptr.page, ptr.birth};
}

// Whether the path of the last change is still this transaction's own and leads to where `key`
// belongs. A savepoint or a spill since then has made some page of it unwritable.
bool TreeWriter::kept_path_covers(Bytes key) const noexcept {
  if (path_.empty() || path_.size() != tree_.height || path_[0].ptr.page != tree_.root.page)
    return false;
  for (const Step& step : path_)
    if (!pages_->writable(step.ptr)) return false;
  // The nearest separators to the left and to the right of the path bound the leaf's keys.
  bool above_low = false;
  bool below_high = false;
  for (std::size_t depth = leaf_depth(); depth > 0 && !(above_low && below_high); --depth) {
    const Node node = node_at(depth - 1);
    const std::uint32_t slot = path_[depth - 1].slot;
    if (!above_low && slot > 0) {
      if (node.compare_with(key, slot) < 0) return false;
      above_low = true;
    }
    if (!below_high && slot + 1 < node.count()) {
      if (node.compare_with(key, slot + 1) >= 0) return false;
      below_high = true;
    }
  }
  return true;
}

Result<Found> TreeWriter::find_in_leaf(Bytes key) const {
  const Node leaf = node_at(leaf_depth());
  const Found found = leaf.find(key);
  if (found.damaged) [[unlikely]]
    return slot_failure(leaf, found.slot);
  return found;
}

// Leaves in path_ the way to the leaf that `key` belongs to, not touched yet unless it was.
Result<Found> TreeWriter::locate(Bytes key) {
  if (kept_path_covers(key)) return find_in_leaf(key);
  drop_path();
  PagePtr ptr = tree_.root;
  for (std::uint32_t level = tree_.height - 1u;; --level) {
    const NodeView node = load_node(pages_->reader(), ptr, level);
    if (node.data() == nullptr) [[unlikely]]
      return node_failure(pages_->reader(), ptr, level);
    // Written to only after touch_path has put a page of this transaction in its place.
    path_.push_back({const_cast<std::byte*>(node.data()), ptr, 0});
    if (level == 0) {
      // It will be copied whole: what the search does not read is on its way meanwhile.
      for (std::size_t line = 0; line < pages_->page_size(); line += 64)
        __builtin_prefetch(node.data() + line);
      return find_in_leaf(key);
    }
    const Found found = node.find_child(key);
    if (found.damaged || !node.cell_fits(found.slot)) [[unlikely]]
      return slot_failure(node, found.slot);
    path_.back().slot = found.slot;
    ptr = node.child(found.slot);
  }
}

// Makes one node writable. A page that comes from the file may be damaged: it is checked whole, so
// that the code that changes nodes need not check anything.
Result<Node> TreeWriter::touch_node(PagePtr& ptr, std::uint32_t level) {
  if (pages_->writable(ptr)) {
    QUIRE_TRY(std::byte* const bytes, pages_->touch(ptr));
    return Node(bytes, pages_->page_size());
  }
  const NodeView node = load_node(pages_->reader(), ptr, level);
  if (node.data() == nullptr) return node_failure(pages_->reader(), ptr, level);
  return copy_node(ptr, node);
}

// A copy of a node that is not writable.
Result<Node> TreeWriter::copy_node(PagePtr& ptr, const NodeView& node) {
  if (!pages_->in_memory(ptr)) {
    QUIRE_CHECK(node_check_at(node, ptr, tree_.id));
    QUIRE_CHECK(check_overflows(node));
  }
  QUIRE_TRY(std::byte* const bytes, pages_->touch_fetched(ptr, node.data()));
  Node copy(bytes, pages_->page_size());
  copy.stamp(ptr.page, ptr.birth);
  return copy;
}

// Whether the pages can be freed: they lie in the file.
Status TreeWriter::check_run(const PagePtr& ptr, PageNumber pages) const {
  const PageNumber count = pages_->reader().page_count();
  if (ptr.page >= kFirstPage && pages <= count && ptr.page <= count - pages) return {};
  return fail(ErrorCode::kCorrupt, "page %u (%u pages): outside the file", ptr.page, pages);
}

// The same for the long values of a leaf that was checked by itself, which knows of no file.
Status TreeWriter::check_overflows(const NodeView& node) const {
  if (node.is_branch() || node.overflow_count() == 0) return {};
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    if (!node.slot(i).overflow()) continue;
    QUIRE_CHECK(check_run(node.overflow_ptr(i),
                          PageWriter::run_pages(node.overflow_size(i), node.page_size())));
  }
  return {};
}

Status TreeWriter::touch_path() {
  for (std::size_t depth = 0; depth < path_.size(); ++depth) {
    Step& step = path_[depth];
    if (pages_->writable(step.ptr)) {
      QUIRE_TRY(step.node, pages_->touch(step.ptr));
    } else {
      const NodeView found(step.node, pages_->page_size());
      QUIRE_TRY(const Node node, copy_node(step.ptr, found));
      step.node = node.bytes();
    }
    if (depth == 0)
      tree_.root = step.ptr;
    else
      node_at(depth - 1).set_child(path_[depth - 1].slot, step.ptr);
  }
  return {};
}

bool TreeWriter::on_right_edge(std::size_t depth) const noexcept {
  for (std::size_t i = 0; i < depth; ++i)
    if (path_[i].slot + 1 != node_at(i).count()) return false;
  return true;
}

// Adds to the number of entries below the nodes at `depth` and above.
void TreeWriter::add_to_counts(std::size_t depth, std::int64_t entries) noexcept {
  const auto change = static_cast<std::uint64_t>(entries);
  tree_.root.count += change;
  path_[0].ptr.count = tree_.root.count;
  for (std::size_t i = 1; i <= depth; ++i) {
    path_[i].ptr.count += change;
    node_at(i - 1).set_child_count(path_[i - 1].slot, path_[i].ptr.count);
  }
}

Result<NewCell> TreeWriter::make_cell(Bytes key, Bytes value) {
  if (value.size() <= inline_limit(key.size())) return NewCell::of_value(key, value);
  if (tree_.catalog)
    return fail(ErrorCode::kValueSize, "a catalog entry of %zu bytes is too long", value.size());
  QUIRE_TRY(const PagePtr run, pages_->write_run({&value, 1}));
  return NewCell::of_overflow(key, value.size(), run);
}

// The cell was not used after all.
void TreeWriter::discard_cell(const NewCell& cell) {
  if (!cell.overflow) return;
  const auto size = load_le<std::uint64_t>(cell.fixed.data());
  pages_->free(load_ptr(cell.fixed.data() + offsetof(OverflowCell, pointer)),
               PageWriter::run_pages(size, pages_->page_size()));
}

void TreeWriter::free_overflow(const NodeView& leaf, std::uint32_t slot) {
  if (!leaf.slot(slot).overflow()) return;
  pages_->free(leaf.overflow_ptr(slot),
               PageWriter::run_pages(leaf.overflow_size(slot), pages_->page_size()));
}

// The first entry of an empty tree.
Status TreeWriter::plant(const NewCell& cell) {
  PagePtr ptr;
  QUIRE_TRY(std::byte* const page, pages_->allocate(ptr));
  NodeBuilder leaf(page, pages_->page_size(), identity_of(ptr, 0), {});
  leaf.add(cell);
  leaf.finish();
  ptr.count = 1;
  tree_.root = ptr;
  tree_.height = 1;
  return {};
}

Status TreeWriter::check_put(const Found& found, PutMode mode) const {
  if (mode == PutMode::kInsert && found.equal)
    return fail(ErrorCode::kExists, "the key is there already");
  if (mode == PutMode::kUpdate && !found.equal)
    return fail(ErrorCode::kNotFound, "the key is not there");
  if (mode == PutMode::kAppend &&
      (found.equal || found.slot != node_at(leaf_depth()).count() || !on_right_edge(leaf_depth())))
    return fail(ErrorCode::kInvalid, "the key is not greater than all others");
  return {};
}

Result<bool> TreeWriter::put(Bytes key, Bytes value, PutMode mode) {
  if (key.empty() || key.size() > max_key_size(pages_->page_size()))
    return fail(ErrorCode::kKeySize, "a key of %zu bytes: 1 to %zu are allowed", key.size(),
                max_key_size(pages_->page_size()));
  if (value.size() > kMaxValueSize)
    return fail(ErrorCode::kValueSize, "a value of %zu bytes: %llu are allowed", value.size(),
                static_cast<unsigned long long>(kMaxValueSize));
  Found found;
  if (tree_.height == 0) {
    if (mode == PutMode::kUpdate) return fail(ErrorCode::kNotFound, "the key is not there");
  } else {
    QUIRE_TRY(found, locate(key));
    QUIRE_CHECK(check_put(found, mode));
  }
  ++version_;
  QUIRE_CHECK(touch_path());
  QUIRE_TRY(const NewCell cell, make_cell(key, value));
  Status done = tree_.height == 0 ? plant(cell) : put_cell(cell, found);
  if (!done) {
    discard_cell(cell);
    return std::unexpected(std::move(done).error());
  }
  return !found.equal;
}

Result<std::optional<Bytes>> TreeWriter::get(Bytes key) {
  return tree_get(pages_->reader(), tree_, key);
}

}  // namespace quire
