#include "engine/tree/node.h"

#include <algorithm>
#include <cstring>

namespace quire {

std::size_t inline_value_limit(std::uint32_t page_size, std::size_t key_size) noexcept {
  const std::size_t third = (page_size - kNodeFixedSize) / 3;
  const std::size_t overhead = kSlotSize + kInlineHeader + key_size;
  if (third <= overhead) return 0;
  return std::min<std::size_t>(page_size / 4, third - overhead);
}

// ---- reading ----

std::uint32_t NodeView::payload_size(std::uint32_t i) const noexcept {
  if (is_branch()) return kPagePtrSize;
  const NodeSlot s = slot(i);
  if (s.overflow()) return sizeof(OverflowCell);
  return kInlineHeader + load_le<std::uint16_t>(at_ + s.offset + s.size());
}

bool NodeView::cell_fits(std::uint32_t i) const noexcept {
  const NodeSlot s = slot(i);
  std::uint32_t end = std::uint32_t{s.offset} + s.size();
  if (is_branch()) return end + kPagePtrSize <= page_size_;
  if (s.overflow()) return end + sizeof(OverflowCell) <= page_size_;
  if (end + kInlineHeader > page_size_) return false;
  end += kInlineHeader + load_le<std::uint16_t>(at_ + end);
  return end <= page_size_;
}

void NodeView::key_of(std::uint32_t i, KeyBuffer& key) const {
  key.clear();
  if (is_branch() && i == 0) return;
  const Bytes head = prefix();
  const Bytes tail = rest(i);
  key.resize(head.size() + tail.size(), boost::container::default_init);
  if (!head.empty()) std::memcpy(key.data(), head.data(), head.size());
  if (!tail.empty()) std::memcpy(key.data() + head.size(), tail.data(), tail.size());
}

int NodeView::compare_with(Bytes key, std::uint32_t i) const noexcept {
  const Bytes head = prefix();
  const std::size_t common = std::min(key.size(), head.size());
  const int order = compare_short(key.data(), common, head.data(), head.size());
  if (order != 0) return order;
  const Bytes tail = rest(i);
  return compare_short(key.data() + common, key.size() - common, tail.data(), tail.size());
}

// Many slots with one head: keys that differ only further on. Slots before `lower` are less.
Found NodeView::search_equal_heads(Bytes rest, std::uint32_t head, std::uint32_t lower,
                                   std::uint32_t upper) const noexcept {
  const std::byte* slot_array = at_ + slots_begin();
  Found found;
  while (lower < upper) {
    const std::uint32_t middle = lower + (upper - lower) / 2;
    const NodeSlot s = slot_at(slot_array, middle);
    const int order = s.head > head ? -1 : compare_rest(rest, s, found.damaged);
    if (order > 0) {
      lower = middle + 1;
    } else {
      upper = middle;
      found.equal = order == 0;
      if (order == 0) break;
    }
  }
  found.slot = found.equal ? upper : lower;
  return found;
}

// ---- new cells ----

NewCell NewCell::of_value(Bytes key, Bytes value) noexcept {
  NewCell cell;
  cell.key = key;
  cell.value = value;
  cell.fixed_size = kInlineHeader;
  store_le(cell.fixed.data(), static_cast<std::uint16_t>(value.size()));
  return cell;
}

NewCell NewCell::of_overflow(Bytes key, std::uint64_t size, const PagePtr& run) noexcept {
  NewCell cell;
  cell.key = key;
  cell.fixed_size = sizeof(OverflowCell);
  cell.overflow = true;
  store_le(cell.fixed.data(), size);
  store_ptr(cell.fixed.data() + offsetof(OverflowCell, pointer), run);
  return cell;
}

NewCell NewCell::of_child(Bytes key, const PagePtr& child) noexcept {
  NewCell cell;
  cell.key = key;
  cell.fixed_size = kPagePtrSize;
  store_ptr(cell.fixed.data(), child);
  return cell;
}

// ---- changing ----

void Node::stamp(PageNumber page, TxnNumber birth) noexcept {
  set(offsetof(NodeHeader, page), page);
  set(offsetof(NodeHeader, birth_low), static_cast<std::uint32_t>(birth));
  set(offsetof(NodeHeader, birth_high), static_cast<std::uint16_t>(birth >> 32));
}

std::byte* Node::write_payload(std::byte* at, const NewCell& cell) noexcept {
  std::memcpy(at, cell.fixed.data(), cell.fixed_size);
  at += cell.fixed_size;
  // memmove: the value may be the very bytes that it replaces.
  if (!cell.value.empty()) std::memmove(at, cell.value.data(), cell.value.size());
  return at + cell.value.size();
}

void Node::insert(std::uint32_t slot, const NewCell& cell) noexcept {
  assert(slot <= count() && starts_with(cell.key, prefix()));
  const Bytes rest = cell.key.subspan(prefix_size());
  const auto size = static_cast<std::uint32_t>(rest.size()) + cell.payload_size();
  assert(contiguous_free() >= size + kSlotSize);
  const std::uint32_t offset = heap_begin() - size;
  std::byte* at = bytes_ + offset;
  if (!rest.empty()) std::memcpy(at, rest.data(), rest.size());
  write_payload(at + rest.size(), cell);
  set_heap_begin(offset);

  const std::uint32_t slots = count();
  std::byte* place = bytes_ + slots_begin() + std::size_t{kSlotSize} * slot;
  std::memmove(place + kSlotSize, place, std::size_t{kSlotSize} * (slots - slot));
  set_slot(slot,
           {key_head(rest.data(), rest.size()), static_cast<std::uint16_t>(offset),
            static_cast<std::uint16_t>(rest.size() | (cell.overflow ? NodeSlot::kOverflow : 0u))});
  set_count(slots + 1);
  if (cell.overflow) set_overflow_count(overflow_count() + 1);
  update_hints(slot, slots);
}

bool Node::can_replace(std::uint32_t slot, const NewCell& cell) const noexcept {
  if (cell.payload_size() <= payload_size(slot)) return true;
  return contiguous_free() >= this->slot(slot).size() + cell.payload_size();
}

void Node::replace(std::uint32_t slot, const NewCell& cell) noexcept {
  assert(can_replace(slot, cell));
  NodeSlot s = this->slot(slot);
  const std::uint32_t old_size = payload_size(slot);
  if (cell.payload_size() <= old_size) {
    write_payload(bytes_ + s.offset + s.size(), cell);
    set_garbage(garbage() + old_size - cell.payload_size());
  } else {
    const std::uint32_t offset = heap_begin() - s.size() - cell.payload_size();
    std::memcpy(bytes_ + offset, bytes_ + s.offset, s.size());
    write_payload(bytes_ + offset + s.size(), cell);
    set_heap_begin(offset);
    set_garbage(garbage() + s.size() + old_size);
    s.offset = static_cast<std::uint16_t>(offset);
  }
  if (s.overflow() != cell.overflow) {
    set_overflow_count(overflow_count() + (cell.overflow ? 1u : 0u) - (s.overflow() ? 1u : 0u));
    s.key_size = static_cast<std::uint16_t>(s.size() | (cell.overflow ? NodeSlot::kOverflow : 0u));
  }
  set_slot(slot, s);
}

// The cell of slot i is dead; the slot goes next.
void Node::discard(std::uint32_t i) noexcept {
  const NodeSlot s = slot(i);
  const std::uint32_t size = cell_size(i);
  if (s.offset == heap_begin())
    set_heap_begin(heap_begin() + size);
  else
    set_garbage(garbage() + size);
  if (s.overflow()) set_overflow_count(overflow_count() - 1);
}

void Node::remove(std::uint32_t first, std::uint32_t last) noexcept {
  assert(first <= last && last <= count());
  if (first == last) return;
  for (std::uint32_t i = first; i < last; ++i) discard(i);
  const std::uint32_t slots = count();
  std::byte* place = bytes_ + slots_begin() + std::size_t{kSlotSize} * first;
  std::memmove(place, place + std::size_t{kSlotSize} * (last - first),
               std::size_t{kSlotSize} * (slots - last));
  set_count(slots - (last - first));
  if (count() == 0) {
    set_heap_begin(page_size_);
    set_garbage(0);
    return;
  }
  if (is_branch() && first == 0) {
    const NodeSlot s = slot(0);
    if (s.offset == heap_begin())
      set_heap_begin(heap_begin() + s.size());
    else
      set_garbage(garbage() + s.size());
    set_slot(0, {0, static_cast<std::uint16_t>(s.offset + s.size()), 0});
  }
  update_hints(first, slots);
}

void Node::update_hints(std::uint32_t from, std::uint32_t old_count) noexcept {
  const std::uint32_t slots = count();
  if (slots <= kHintsFrom) return;
  const std::uint32_t distance = hint_distance();
  // Hints before the change stand when they were there and at the same distance.
  const bool stand = old_count > kHintsFrom && old_count / (kHintCount + 1) == distance;
  const std::uint32_t first = stand && from > distance ? from / distance - 1 : 0;
  const std::byte* slot_array = bytes_ + slots_begin();
  for (std::uint32_t i = first; i < kHintCount; ++i)
    store_le(bytes_ + kHintsAt + 4 * i, slot_at(slot_array, distance * (i + 1)).head);
}

// ---- building ----

NodeBuilder::NodeBuilder(std::byte* at, std::uint32_t page_size, const NodeIdentity& identity,
                         Bytes prefix) noexcept
    : Node(at, page_size) {
  std::memset(bytes_, 0, kNodeFixedSize);
  bytes_[offsetof(NodeHeader, kind)] = static_cast<std::byte>(identity.kind);
  bytes_[offsetof(NodeHeader, level)] = static_cast<std::byte>(identity.level);
  set(offsetof(NodeHeader, prefix_size), static_cast<std::uint16_t>(prefix.size()));
  set(offsetof(NodeHeader, tree), identity.tree);
  stamp(identity.page, identity.birth);
  set_heap_begin(page_size);
  if (!prefix.empty()) std::memcpy(bytes_ + kNodeFixedSize, prefix.data(), prefix.size());
}

std::byte* NodeBuilder::open_cell(std::uint32_t size) noexcept {
  assert(contiguous_free() >= size + kSlotSize);
  set_heap_begin(heap_begin() - size);
  return bytes_ + heap_begin();
}

void NodeBuilder::close_cell(const std::byte* cell, std::uint32_t key_size,
                             bool overflow) noexcept {
  const std::uint32_t slots = count();
  set_slot(slots, {key_head(cell, key_size), static_cast<std::uint16_t>(heap_begin()),
                   static_cast<std::uint16_t>(key_size | (overflow ? NodeSlot::kOverflow : 0u))});
  set_count(slots + 1);
  if (overflow) set_overflow_count(overflow_count() + 1);
}

void NodeBuilder::add(const NewCell& cell) noexcept {
  const Bytes rest = cell.key.empty() ? Bytes() : cell.key.subspan(prefix_size());
  const auto rest_size = static_cast<std::uint32_t>(rest.size());
  std::byte* at = open_cell(rest_size + cell.payload_size());
  if (!rest.empty()) std::memcpy(at, rest.data(), rest.size());
  write_payload(at + rest_size, cell);
  close_cell(at, rest_size, cell.overflow);
}

void NodeBuilder::add_from(const NodeView& from, std::uint32_t i) noexcept {
  if (from.is_branch() && i == 0) return add_child_from(from, 0, {});
  const NodeSlot s = from.slot(i);
  const std::byte* cell = from.data() + s.offset;
  const std::uint32_t cell_bytes = from.cell_size(i);
  const std::uint32_t ours = prefix_size();
  const std::uint32_t theirs = from.prefix_size();
  if (ours >= theirs) {
    const std::uint32_t cut = ours - theirs;
    assert(cut <= s.size());
    std::byte* at = open_cell(cell_bytes - cut);
    std::memcpy(at, cell + cut, cell_bytes - cut);
    close_cell(at, s.size() - cut, s.overflow());
  } else {
    const Bytes more = from.prefix().subspan(ours);
    const auto more_size = static_cast<std::uint32_t>(more.size());
    std::byte* at = open_cell(cell_bytes + more_size);
    std::memcpy(at, more.data(), more.size());
    std::memcpy(at + more.size(), cell, cell_bytes);
    close_cell(at, s.size() + more_size, s.overflow());
  }
}

void NodeBuilder::add_child_from(const NodeView& from, std::uint32_t i, Bytes key) noexcept {
  add(NewCell::of_child(key, from.child(i)));
}

}  // namespace quire
