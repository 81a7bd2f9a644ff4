#include "engine/tree/node_edit.h"

#include <algorithm>
#include <bit>

namespace quire {
namespace {

// Bytes that a rebuilt node must have left over, so that a full node whose values grow a little at
// a time is not rebuilt for each of them.
std::uint32_t rebuild_slack(std::uint32_t page_size) { return page_size / 32; }

Bytes view_of(const KeyBuffer& key) { return {key.data(), key.size()}; }

// Length of what the keys of entries [first, last) begin with; `keyless`: the first has none.
std::uint32_t common_prefix_of(const NodeView& node, const NodeEdit& edit, std::uint32_t first,
                               std::uint32_t last, KeyBuffer& prefix) {
  if (node.is_branch()) ++first;
  if (first >= last) {
    prefix.clear();
    return 0;
  }
  KeyBuffer other;
  edit.key_of(node, first, prefix);
  edit.key_of(node, last - 1, other);
  prefix.resize(common_prefix(view_of(prefix), view_of(other)));
  return static_cast<std::uint32_t>(prefix.size());
}

// Bytes of slot and cell of entry i in a node with a prefix of `prefix_size`.
std::uint32_t entry_size(const NodeView& node, const NodeEdit& edit, std::uint32_t i,
                         std::uint32_t prefix_size, bool keyless) {
  const std::uint32_t key = keyless ? 0 : edit.key_size(node, i) - prefix_size;
  return kSlotSize + key + edit.payload_size(node, i);
}

// Size of a node of entries [first, last) alone.
std::uint32_t part_size(const NodeView& node, const NodeEdit& edit, std::uint32_t first,
                        std::uint32_t last) {
  KeyBuffer prefix;
  const std::uint32_t prefix_size = common_prefix_of(node, edit, first, last, prefix);
  std::uint32_t size = kNodeFixedSize + prefix_size;
  for (std::uint32_t i = first; i < last; ++i)
    size += entry_size(node, edit, i, prefix_size, node.is_branch() && i == first);
  return size;
}

// Whether a branch is due to be written anew because its keys share more than its prefix says: one
// that began with a child or two knew nothing of what they would share, and without a prefix the
// heads of its slots are all the same. Looked at a few times in its life: when it has 4, 8, 16 ...
// entries.
bool shares_more(const NodeView& node, const NodeEdit& edit) {
  const std::uint32_t entries = edit.entries(node);
  if (!node.is_branch() || entries < 4 || !std::has_single_bit(entries)) return false;
  KeyBuffer prefix;
  return common_prefix_of(node, edit, 0, entries, prefix) > node.prefix_size();
}

bool both_fit(const NodeView& node, const NodeEdit& edit, std::uint32_t at) {
  const std::uint32_t entries = edit.entries(node);
  if (at == 0 || at >= entries) return false;
  return part_size(node, edit, 0, at) <= node.page_size() &&
         part_size(node, edit, at, entries) <= node.page_size();
}

std::uint32_t separator_size(const NodeView& node, const NodeEdit& edit, std::uint32_t at) {
  if (node.is_branch()) return edit.key_size(node, at);
  KeyBuffer left;
  KeyBuffer right;
  edit.key_of(node, at - 1, left);
  edit.key_of(node, at, right);
  return static_cast<std::uint32_t>(common_prefix(view_of(left), view_of(right))) + 1;
}

// The middle by bytes, or near it where a separator is shorter. 0 when no place is found with the
// prefix that all entries share (a new key that does not share the old one has made it short).
std::uint32_t balanced_split(const NodeView& node, const NodeEdit& edit) {
  const std::uint32_t entries = edit.entries(node);
  KeyBuffer prefix;
  const std::uint32_t prefix_size = common_prefix_of(node, edit, 0, entries, prefix);
  const auto size_of = [&](std::uint32_t i) {
    return entry_size(node, edit, i, prefix_size, node.is_branch() && i == 0);
  };
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < entries; ++i) total += size_of(i);
  const std::uint32_t room = node.page_size() - kNodeFixedSize - prefix_size;
  const std::uint32_t window = total / 8;  // of difference: 44 to 56 percent

  std::uint32_t best = 0;
  std::uint32_t best_difference = 0;
  std::uint32_t best_separator = 0;
  std::uint32_t left = 0;
  for (std::uint32_t at = 1; at < entries; ++at) {
    left += size_of(at - 1);
    if (left > room) break;
    if (total - left > room) continue;
    const std::uint32_t difference = 2 * left > total ? 2 * left - total : total - 2 * left;
    const std::uint32_t separator =
        difference <= window ? separator_size(node, edit, at) : UINT32_MAX;
    if (best == 0 || separator < best_separator ||
        (separator == best_separator && difference < best_difference)) {
      best = at;
      best_difference = difference;
      best_separator = separator;
    }
  }
  return best;
}

}  // namespace

std::uint32_t NodeEdit::key_size(const NodeView& node, std::uint32_t i) const noexcept {
  return is_new(i) ? static_cast<std::uint32_t>(cell.key.size()) : node.key_size(old_slot(i));
}

std::uint32_t NodeEdit::payload_size(const NodeView& node, std::uint32_t i) const noexcept {
  return is_new(i) ? cell.payload_size() : node.payload_size(old_slot(i));
}

void NodeEdit::key_of(const NodeView& node, std::uint32_t i, KeyBuffer& key) const {
  if (is_new(i))
    key.assign(cell.key.begin(), cell.key.end());
  else
    node.key_of(old_slot(i), key);
}

NodeRoom room_for(const Node& node, const NodeEdit& edit) {
  if (edit.replace) {
    if (node.can_replace(edit.slot, edit.cell)) return NodeRoom::kInPlace;
  } else if (starts_with(edit.cell.key, node.prefix())) {
    const auto rest = static_cast<std::uint32_t>(edit.cell.key.size()) - node.prefix_size();
    if (node.contiguous_free() >= kSlotSize + rest + edit.cell.payload_size())
      return shares_more(node, edit) ? NodeRoom::kRebuild : NodeRoom::kInPlace;
  }
  const std::uint32_t entries = edit.entries(node);
  const std::uint32_t slack = entries < 4 ? 0 : rebuild_slack(node.page_size());
  return part_size(node, edit, 0, entries) + slack <= node.page_size() ? NodeRoom::kRebuild
                                                                       : NodeRoom::kSplit;
}

void apply_in_place(Node& node, const NodeEdit& edit) noexcept {
  if (edit.replace)
    node.replace(edit.slot, edit.cell);
  else
    node.insert(edit.slot, edit.cell);
}

std::uint32_t choose_split(const NodeView& node, const NodeEdit& edit, bool run) {
  if (run) {
    // Rising: the left node is full of the run, what was after it moves away. Falling: the other
    // way round. Either way the new key is the last of the left node if it can be.
    if (both_fit(node, edit, edit.slot + 1)) return edit.slot + 1;
    if (both_fit(node, edit, edit.slot)) return edit.slot;
  }
  if (const std::uint32_t at = balanced_split(node, edit); at != 0) return at;
  // The new key does not share the prefix, so it is the first or last of all and the others fit as
  // they are.
  const std::uint32_t at = both_fit(node, edit, edit.slot) ? edit.slot : edit.slot + 1;
  assert(both_fit(node, edit, at));
  return at;
}

void separator_at(const NodeView& node, const NodeEdit& edit, std::uint32_t at,
                  ByteVector& separator) {
  KeyBuffer key;
  edit.key_of(node, at, key);
  separator.assign(key.begin(), key.begin() + separator_size(node, edit, at));
}

void write_part(std::byte* page, const NodeIdentity& identity, const NodeView& node,
                const NodeEdit& edit, std::uint32_t first, std::uint32_t last) {
  KeyBuffer prefix;
  common_prefix_of(node, edit, first, last, prefix);
  if (!node.is_branch() && last - first == 1 && first > 0) {
    // One key shares everything with itself. Its neighbour tells better what the next will share.
    KeyBuffer before;
    edit.key_of(node, first - 1, before);
    prefix.resize(common_prefix(view_of(before), view_of(prefix)));
  }
  NodeBuilder out(page, node.page_size(), identity, view_of(prefix));
  for (std::uint32_t i = first; i < last; ++i) {
    const bool keyless = node.is_branch() && i == first;
    if (edit.is_new(i)) {
      NewCell cell = edit.cell;
      if (keyless) cell.key = {};
      out.add(cell);
    } else if (keyless) {
      out.add_child_from(node, edit.old_slot(i), {});
    } else {
      out.add_from(node, edit.old_slot(i));
    }
  }
  out.finish();
}

NodeMerge::NodeMerge(const NodeView& left, const NodeView& right, Bytes separator)
    : left_(left), right_(right), separator_(separator) {
  const std::uint32_t first = left.is_branch() ? 1 : 0;
  KeyBuffer last;
  // In a branch the separator comes down to be the right part's first key.
  const auto take = [&](const NodeView& node, std::uint32_t i, KeyBuffer& key) {
    if (node.is_branch() && i == 0)
      key.assign(separator.begin(), separator.end());
    else
      node.key_of(i, key);
  };
  if (first < left.count())
    take(left, first, prefix_);
  else
    take(right, 0, prefix_);
  take(right, right.count() - 1, last);
  prefix_.resize(common_prefix(view_of(prefix_), view_of(last)));

  size_ = kNodeFixedSize + prefix_.size();
  const auto add = [&](std::size_t key, std::uint32_t payload) {
    size_ += kSlotSize + (key == 0 ? 0 : key - prefix_.size()) + payload;
  };
  for (std::uint32_t i = 0; i < left.count(); ++i) add(left.key_size(i), left.payload_size(i));
  for (std::uint32_t i = 0; i < right.count(); ++i)
    add(right.is_branch() && i == 0 ? separator.size() : right.key_size(i), right.payload_size(i));
}

void NodeMerge::write(std::byte* page, const NodeIdentity& identity) const {
  NodeBuilder out(page, left_.page_size(), identity, view_of(prefix_));
  for (std::uint32_t i = 0; i < left_.count(); ++i) out.add_from(left_, i);
  for (std::uint32_t i = 0; i < right_.count(); ++i) {
    if (right_.is_branch() && i == 0)
      out.add_child_from(right_, 0, separator_);
    else
      out.add_from(right_, i);
  }
  out.finish();
}

}  // namespace quire
