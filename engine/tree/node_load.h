// From a pointer to a node that is safe to search. Internal to engine/tree.
#pragma once

#include "engine/page/page_reader.h"
#include "engine/tree/node.h"

namespace quire {

// Null data() when the page can't be had or is no node of this level; node_failure() has why.
// Header, hints and slots are read one after the other, each telling where to read next; asked for
// at once, their misses overlap (measured: see the loads' share in get_random, tree_benchmark).
inline NodeView load_node(PageReader& reader, const PagePtr& ptr, std::uint32_t level) noexcept {
  const std::byte* page = reader.fetch(ptr);
  if (page == nullptr) [[unlikely]]
    return {};
  for (std::size_t line = 64; line <= 384; line += 64) __builtin_prefetch(page + line);
  const NodeView node(page, reader.page_size());
  if (!node.sane(level)) [[unlikely]]
    return {};
  return node;
}

// Cold: why load_node returned nothing.
std::unexpected<Error> node_failure(PageReader& reader, const PagePtr& ptr, std::uint32_t level);
// Cold: a slot that was needed points outside the page.
std::unexpected<Error> slot_failure(const NodeView& node, std::uint32_t slot);

// The value of slot i of a leaf, wherever it lies.
inline Result<Bytes> load_value(PageReader& reader, const NodeView& leaf, std::uint32_t i);
Result<Bytes> load_overflow(PageReader& reader, const NodeView& leaf, std::uint32_t i);

inline Result<Bytes> load_value(PageReader& reader, const NodeView& leaf, std::uint32_t i) {
  if (!leaf.cell_fits(i)) [[unlikely]]
    return slot_failure(leaf, i);
  if (leaf.slot(i).overflow()) [[unlikely]]
    return load_overflow(reader, leaf, i);
  return leaf.inline_value(i);
}

}  // namespace quire
