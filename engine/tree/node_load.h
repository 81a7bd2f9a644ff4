// From a pointer to a node that is safe to search. Internal to engine/tree.
#pragma once

#include "engine/page/page_reader.h"
#include "engine/tree/node.h"

namespace quire {

// Asks for what a search of a node reads, without waiting for it. Header, hints and slots are read
// one after the other, each telling where to read next; asked for at once, their misses overlap
// (measured: see the loads' share in get_random, tree_benchmark). The last line asked for is that
// of slot 90 or so: nodes of short keys have as many.
inline void ask_for_node(const std::byte* page) noexcept {
  constexpr std::size_t kLastLine = 832;
  for (std::size_t line = 64; line <= kLastLine; line += 64) __builtin_prefetch(page + line);
}

// Null data() when the page can't be had or is no node of this level; node_failure() has why.
inline NodeView load_node(PageReader& reader, const PagePtr& ptr, std::uint32_t level) noexcept {
  const std::byte* page = reader.fetch(ptr);
  if (page == nullptr) [[unlikely]]
    return {};
  ask_for_node(page);
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
