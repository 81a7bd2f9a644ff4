// Point reads and counts: from the root to a leaf.
#include <algorithm>

#include "engine/tree/node_load.h"
#include "engine/tree/tree_batch.h"

namespace quire {

std::unexpected<Error> node_failure(PageReader& reader, const PagePtr& ptr, std::uint32_t level) {
  const std::byte* page = reader.fetch(ptr);
  // Can be had now, and is what it should be: what failed the first time was not the page.
  const bool passing = page != nullptr && NodeView(page, reader.page_size()).sane(level);
  if (page == nullptr || passing) return reader.failure();
  return fail(ErrorCode::kCorrupt, "page %u: not a tree node of level %u", ptr.page, level);
}

std::unexpected<Error> slot_failure(const NodeView& node, std::uint32_t slot) {
  return fail(ErrorCode::kCorrupt, "page %u: tree node: slot %u points outside the page",
              node.page(), slot);
}

Result<Bytes> load_overflow(PageReader& reader, const NodeView& leaf, std::uint32_t i) {
  const std::uint64_t size = leaf.overflow_size(i);
  if (size == 0 || size > kMaxValueSize)
    return fail(ErrorCode::kCorrupt, "page %u: tree node: slot %u: overflow size out of range",
                leaf.page(), i);
  const std::byte* value =
      reader.fetch(leaf.overflow_ptr(i), PageWriter::run_pages(size, reader.page_size()));
  if (value == nullptr) return reader.failure();
  return Bytes(value, size);
}

namespace {

// The child that `key` is in.
Result<PagePtr> child_for(PageReader& reader, const PagePtr& ptr, std::uint32_t level, Bytes key) {
  const NodeView node = load_node(reader, ptr, level);
  if (node.data() == nullptr) [[unlikely]]
    return node_failure(reader, ptr, level);
  const Found found = node.find_child(key);
  if (found.damaged || !node.cell_fits(found.slot)) [[unlikely]]
    return slot_failure(node, found.slot);
  return node.child(found.slot);
}

// Where `key` is in a leaf; an error's slot points outside the page.
struct LeafPlace {
  NodeView leaf;
  Found found;
};
Result<LeafPlace> place_in(PageReader& reader, const PagePtr& ptr, Bytes key) {
  const NodeView leaf = load_node(reader, ptr, 0);
  if (leaf.data() == nullptr) [[unlikely]]
    return node_failure(reader, ptr, 0);
  const Found found = leaf.find(key);
  if (found.damaged) [[unlikely]]
    return slot_failure(leaf, found.slot);
  return LeafPlace{leaf, found};
}

// Asks for what a search of the nodes reads first, without waiting for any of it. First one line of
// each, because what else is asked of a page whose address is not translated yet waits for that. A
// pointer that leads nowhere is found by the search.
void ask_for_nodes(PageReader& reader, std::span<const PagePtr> ptrs) noexcept {
  boost::container::small_vector<const std::byte*, 32> pages;
  for (const PagePtr& ptr : ptrs) {
    pages.push_back(reader.fetch(ptr));
    __builtin_prefetch(pages.back());
  }
  for (const std::byte* const page : pages) {
    if (page == nullptr) [[unlikely]]
      continue;
    for (std::size_t line = 64; line <= 384; line += 64) __builtin_prefetch(page + line);
  }
}

// Asks for the key and the value of a slot: a cell of up to three lines, most are no longer.
void ask_for_cell(const LeafPlace& place) noexcept {
  const std::byte* const cell = place.leaf.data() + place.leaf.slot(place.found.slot).offset;
  for (std::size_t line = 0; line <= 128; line += 64) __builtin_prefetch(cell + line);
}

// Entries below the children from `first` on and before `last`.
Result<std::uint64_t> count_children(const NodeView& node, std::uint32_t first,
                                     std::uint32_t last) {
  std::uint64_t entries = 0;
  for (std::uint32_t i = first; i < last; ++i) {
    if (!node.cell_fits(i)) [[unlikely]]
      return slot_failure(node, i);
    entries += node.child_count(i);
  }
  return entries;
}

// Entries before `key` below a node.
Result<std::uint64_t> rank_below(PageReader& reader, PagePtr ptr, std::uint32_t level, Bytes key) {
  std::uint64_t before = 0;
  for (; level != 0; --level) {
    const NodeView node = load_node(reader, ptr, level);
    if (node.data() == nullptr) [[unlikely]]
      return node_failure(reader, ptr, level);
    const Found found = node.find_child(key);
    if (found.damaged || !node.cell_fits(found.slot)) [[unlikely]]
      return slot_failure(node, found.slot);
    QUIRE_TRY(const std::uint64_t some, count_children(node, 0, found.slot));
    before += some;
    ptr = node.child(found.slot);
  }
  const NodeView leaf = load_node(reader, ptr, 0);
  if (leaf.data() == nullptr) [[unlikely]]
    return node_failure(reader, ptr, 0);
  const Found found = leaf.find(key);
  if (found.damaged) [[unlikely]]
    return slot_failure(leaf, found.slot);
  return before + found.slot;
}

}  // namespace

Result<std::optional<Bytes>> tree_get(PageReader& reader, const TreeRoot& tree, Bytes key) {
  if (tree.height == 0) return std::nullopt;
  PagePtr ptr = tree.root;
  for (std::uint32_t level = tree.height - 1u; level != 0; --level) {
    const NodeView node = load_node(reader, ptr, level);
    if (node.data() == nullptr) [[unlikely]]
      return node_failure(reader, ptr, level);
    const Found found = node.find_child(key);
    if (found.damaged || !node.cell_fits(found.slot)) [[unlikely]]
      return slot_failure(node, found.slot);
    ptr = node.child(found.slot);
  }
  const NodeView leaf = load_node(reader, ptr, 0);
  if (leaf.data() == nullptr) [[unlikely]]
    return node_failure(reader, ptr, 0);
  const Found found = leaf.find(key);
  if (found.damaged) [[unlikely]]
    return slot_failure(leaf, found.slot);
  if (!found.equal) return std::nullopt;
  QUIRE_TRY(const Bytes value, load_value(reader, leaf, found.slot));
  return value;
}

Status tree_get_many(PageReader& reader, const TreeRoot& tree, std::span<const Bytes> keys,
                     std::span<std::optional<Bytes>> values) {
  std::ranges::fill(values, std::nullopt);
  if (tree.height == 0) return {};
  boost::container::small_vector<PagePtr, 32> at(keys.size(), tree.root);
  for (std::uint32_t level = tree.height - 1u; level != 0; --level) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      QUIRE_TRY(at[i], child_for(reader, at[i], level, keys[i]));
    }
    ask_for_nodes(reader, {at.data(), at.size()});
  }
  boost::container::small_vector<LeafPlace, 32> places(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    QUIRE_TRY(places[i], place_in(reader, at[i], keys[i]));
    if (places[i].found.equal) ask_for_cell(places[i]);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!places[i].found.equal) continue;
    QUIRE_TRY(values[i], load_value(reader, places[i].leaf, places[i].found.slot));
  }
  return {};
}

Result<std::uint64_t> tree_rank(PageReader& reader, const TreeRoot& tree, Bytes key) {
  if (tree.height == 0) return 0;
  return rank_below(reader, tree.root, tree.height - 1u, key);
}

Result<std::uint64_t> tree_count(PageReader& reader, const TreeRoot& tree, Bytes low,
                                 std::optional<Bytes> high) {
  if (tree.height == 0 || (high && compare_bytes(*high, low) <= 0)) return 0;
  PagePtr ptr = tree.root;
  for (std::uint32_t level = tree.height - 1u; level != 0; --level) {
    const NodeView node = load_node(reader, ptr, level);
    if (node.data() == nullptr) [[unlikely]]
      return node_failure(reader, ptr, level);
    const Found from = node.find_child(low);
    if (from.damaged || !node.cell_fits(from.slot)) [[unlikely]]
      return slot_failure(node, from.slot);
    Found to = from;
    if (high) to = node.find_child(*high);
    if (to.damaged || !node.cell_fits(to.slot)) [[unlikely]]
      return slot_failure(node, to.slot);
    if (high && from.slot == to.slot) {
      ptr = node.child(from.slot);
      continue;
    }
    // Here the ways part: all between, less what is before `low` in its child, and what is before
    // `high` in its own.
    QUIRE_TRY(const std::uint64_t before,
              rank_below(reader, node.child(from.slot), level - 1, low));
    if (!high) {
      QUIRE_TRY(const std::uint64_t rest, count_children(node, from.slot, node.count()));
      return rest - std::min(rest, before);
    }
    QUIRE_TRY(const std::uint64_t between, count_children(node, from.slot, to.slot));
    QUIRE_TRY(const std::uint64_t inside,
              rank_below(reader, node.child(to.slot), level - 1, *high));
    return between - std::min(between, before) + inside;
  }
  QUIRE_TRY(const std::uint64_t from, rank_below(reader, ptr, 0, low));
  const NodeView leaf = load_node(reader, ptr, 0);
  if (leaf.data() == nullptr) [[unlikely]]
    return node_failure(reader, ptr, 0);
  if (!high) return leaf.count() - from;
  QUIRE_TRY(const std::uint64_t to, rank_below(reader, ptr, 0, *high));
  return to - std::min(to, from);
}

}  // namespace quire
