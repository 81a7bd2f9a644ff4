// Point reads: from the root to a leaf.
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

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

Result<std::uint64_t> tree_rank(PageReader& reader, const TreeRoot& tree, Bytes key) {
  if (tree.height == 0) return 0;
  std::uint64_t before = 0;
  PagePtr ptr = tree.root;
  for (std::uint32_t level = tree.height - 1u; level != 0; --level) {
    const NodeView node = load_node(reader, ptr, level);
    if (node.data() == nullptr) [[unlikely]]
      return node_failure(reader, ptr, level);
    const Found found = node.find_child(key);
    if (found.damaged) [[unlikely]]
      return slot_failure(node, found.slot);
    for (std::uint32_t i = 0; i <= found.slot; ++i) {
      if (!node.cell_fits(i)) [[unlikely]]
        return slot_failure(node, i);
      if (i < found.slot) before += node.child_count(i);
    }
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

}  // namespace quire
