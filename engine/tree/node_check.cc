// What a node promises by itself.
#include <algorithm>
#include <bit>

#include "engine/tree/node.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

std::unexpected<Error> bad(const NodeView& node, const char* what) {
  return fail(ErrorCode::kCorrupt, "page %u: tree node: %s", node.page(), what);
}
std::unexpected<Error> bad_slot(const NodeView& node, std::uint32_t slot, const char* what) {
  return fail(ErrorCode::kCorrupt, "page %u: tree node: slot %u: %s", node.page(), slot, what);
}

Status check_header(const NodeView& node, std::uint32_t tree) {
  if (!node.sane(node.level())) return bad(node, "header does not fit a node");
  if (node.tree() != tree)
    return fail(ErrorCode::kCorrupt, "page %u: tree node: belongs to tree %u, not %u", node.page(),
                node.tree(), tree);
  if (load_le<std::uint16_t>(node.data() + offsetof(NodeHeader, reserved)) != 0)
    return bad(node, "reserved bytes are set");
  if (node.garbage() > node.page_size() - node.heap_begin())
    return bad(node, "more garbage than heap");
  return {};
}

Status check_payload(const NodeView& node, std::uint32_t i) {
  const NodeSlot s = node.slot(i);
  if (node.is_branch()) {
    if (s.overflow()) return bad_slot(node, i, "overflow in a branch");
    const PagePtr child = node.child(i);
    if (child.page < kFirstPage) return bad_slot(node, i, "no child");
    if (child.count == 0) return bad_slot(node, i, "empty child");
    if (child.birth > node.birth()) return bad_slot(node, i, "child younger than its parent");
    return {};
  }
  if (!s.overflow()) {
    if (node.inline_value(i).size() > inline_value_limit(node.page_size(), node.key_size(i)))
      return bad_slot(node, i, "value too long to be inline");
    return {};
  }
  if (node.kind() == PageKind::kCatalogLeaf) return bad_slot(node, i, "overflow in a catalog");
  if (node.overflow_size(i) == 0 || node.overflow_size(i) > kMaxValueSize)
    return bad_slot(node, i, "overflow size out of range");
  if (node.overflow_ptr(i).page < kFirstPage) return bad_slot(node, i, "no overflow pages");
  if (node.overflow_ptr(i).birth > node.birth())
    return bad_slot(node, i, "overflow value younger than its leaf");
  return {};
}

Status check_key(const NodeView& node, std::uint32_t i) {
  const NodeSlot s = node.slot(i);
  const Bytes rest = node.rest(i);
  if (s.head != key_head(rest.data(), rest.size())) return bad_slot(node, i, "wrong head");
  if (node.is_branch() && i == 0) {
    if (!rest.empty()) return bad_slot(node, i, "first key of a branch is not empty");
    return {};
  }
  const std::uint32_t size = node.key_size(i);
  if (size == 0 || size > max_key_size(node.page_size()))
    return bad_slot(node, i, "key size out of range");
  if (i == 0 || (node.is_branch() && i == 1)) return {};
  const NodeSlot before = node.slot(i - 1);
  if (before.head < s.head) return {};
  const Bytes last = node.rest(i - 1);
  if (before.head > s.head ||
      compare_short(last.data(), last.size(), rest.data(), rest.size()) >= 0)
    return bad_slot(node, i, "keys not ascending");
  return {};
}

Status check_hints(const NodeView& node) {
  if (node.count() <= kHintsFrom) return {};
  for (std::uint32_t i = 0; i < kHintCount; ++i) {
    const auto hint = load_le<std::uint32_t>(node.data() + kHintsAt + 4 * i);
    if (hint != node.slot(node.hint_distance() * (i + 1)).head) return bad(node, "wrong hint");
  }
  return {};
}

Status check_overlap(const NodeView& node) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> cells;
  cells.reserve(node.count());
  for (std::uint32_t i = 0; i < node.count(); ++i)
    cells.emplace_back(node.slot(i).offset, node.cell_size(i));
  std::sort(cells.begin(), cells.end());
  for (std::size_t i = 1; i < cells.size(); ++i)
    if (cells[i - 1].first + cells[i - 1].second > cells[i].first)
      return bad(node, "cells overlap");
  return {};
}

}  // namespace

Status node_check(NodeView node, std::uint32_t tree) {
  QUIRE_CHECK(check_header(node, tree));
  std::uint32_t cells = 0;
  std::uint32_t overflows = 0;
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    const NodeSlot s = node.slot(i);
    if (s.offset < node.heap_begin() || !node.cell_fits(i))
      return bad_slot(node, i, "cell outside the heap");
    QUIRE_CHECK(check_key(node, i));
    QUIRE_CHECK(check_payload(node, i));
    cells += node.cell_size(i);
    overflows += s.overflow() ? 1 : 0;
  }
  if (cells != node.live_cells()) return bad(node, "cells and garbage do not fill the heap");
  if (overflows != node.overflow_count()) return bad(node, "wrong count of overflow values");
  return check_hints(node);
}

Status node_check_at(NodeView node, const PagePtr& ptr, std::uint32_t tree) {
  if (node.page() != ptr.page)
    return fail(ErrorCode::kCorrupt, "page %u: tree node: says it is page %u", ptr.page,
                node.page());
  if (node.birth() != ptr.birth)
    return fail(ErrorCode::kCorrupt, "page %u: tree node: its birth is not its pointer's",
                ptr.page);
  return node_check(node, tree);
}

Status tree_check_node(Bytes page, std::uint32_t tree_id) {
  if (page.size() < kMinPageSize || page.size() > kMaxPageSize || !std::has_single_bit(page.size()))
    return fail(ErrorCode::kCorrupt, "tree node: %zu bytes are not a page", page.size());
  const NodeView node(page.data(), static_cast<std::uint32_t>(page.size()));
  QUIRE_CHECK(node_check(node, tree_id));
  return check_overlap(node);
}

}  // namespace quire
