// One page of a B+tree: its bytes, searching them, changing them in place, building them anew.
//
// Knows nothing of other pages. A node lies in one page of 512 to 65536 bytes, little-endian:
//
//   NodeHeader      32 bytes
//   hints           16 u32: heads of the slots at count/17, 2*count/17, ...; only meaningful with
//                   more than kHintsFrom slots
//   prefix          prefix_size bytes that every key begins with (but a branch's first, which is
//                   empty), stored here once
//   slots           count NodeSlots, keys strictly ascending; grow up
//   free bytes
//   cells           from heap_begin to the page's end, in any order, with `garbage` dead bytes
//                   between them; grow down
//
// A cell is the key after the prefix, then by kind of page and slot
//
//   leaf            u16 size of the value, the value
//   leaf, overflow  OverflowCell: size, and pointer to the run of pages that holds the value
//   branch          a PagePtr (24 bytes) to the child
//
// Cells have no alignment. The prefix stands beside the hints, and not in the heap, so that a
// search reads the first two cache lines and then one or two of slots before it looks at a key.
//
// Two cells of any size fit in a node (inline_value_limit, max_key_size), so a node and one cell
// more can always be split in two.
//
// Bytes of a page are data and may lie. Reading functions here stay inside the page when sane()
// held for it, and say so when a cell does not (Found::damaged, cell_fits). Changing functions
// demand a node that node_check found good, and keep it good.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>

#include <boost/container/small_vector.hpp>

#include "engine/base/result.h"
#include "engine/page/page_ptr.h"

namespace quire {

struct NodeHeader {
  std::uint8_t kind;             // PageKind: kLeaf, kCatalogLeaf (level 0) or kBranch
  std::uint8_t level;            // 0: leaf; a branch's children are one below it
  std::uint16_t count;           // slots; at least 1
  std::uint16_t prefix_size;     // bytes of the common prefix
  std::uint16_t overflow_count;  // slots with kSlotOverflow, so that freeing a leaf need not look
  std::uint32_t heap_begin;      // offset of the lowest cell; the page's size when there is none
  std::uint32_t garbage;         // dead bytes in [heap_begin, page size)
  std::uint32_t page;            // its own number: tells a misdirected write, places it in salvage
  std::uint32_t tree;            // id of the tree: salvage puts leaves back together by it
  std::uint32_t birth_low;       // transaction that made this page: the younger copy wins a salvage
  std::uint16_t birth_high;
  std::uint16_t reserved;  // 0
};
static_assert(sizeof(NodeHeader) == kPageHeaderSize);
static_assert(offsetof(NodeHeader, kind) == 0);
static_assert(offsetof(NodeHeader, level) == 1);
static_assert(offsetof(NodeHeader, count) == 2);
static_assert(offsetof(NodeHeader, prefix_size) == 4);
static_assert(offsetof(NodeHeader, overflow_count) == 6);
static_assert(offsetof(NodeHeader, heap_begin) == 8);
static_assert(offsetof(NodeHeader, garbage) == 12);
static_assert(offsetof(NodeHeader, page) == 16);
static_assert(offsetof(NodeHeader, tree) == 20);
static_assert(offsetof(NodeHeader, birth_low) == 24);
static_assert(offsetof(NodeHeader, birth_high) == 28);
static_assert(offsetof(NodeHeader, reserved) == 30);

struct NodeSlot {
  std::uint32_t head;      // first four bytes of the key after the prefix, big-endian, zero-padded
  std::uint16_t offset;    // of the cell in the page
  std::uint16_t key_size;  // bytes of the key after the prefix; kSlotOverflow on top

  static constexpr std::uint16_t kOverflow = 0x8000;
  std::uint32_t size() const noexcept { return key_size & (kOverflow - 1u); }
  bool overflow() const noexcept { return (key_size & kOverflow) != 0; }
};
static_assert(sizeof(NodeSlot) == 8);
static_assert(offsetof(NodeSlot, head) == 0);
static_assert(offsetof(NodeSlot, offset) == 4);
static_assert(offsetof(NodeSlot, key_size) == 6);

// What follows the key in an overflow cell. Not aligned in the page; read by field.
struct OverflowCell {
  std::uint64_t size;               // of the value, at least 1
  std::byte pointer[kPagePtrSize];  // PagePtr to run_pages(size) pages; its count is 0
};
static_assert(sizeof(OverflowCell) == 32);
static_assert(offsetof(OverflowCell, pointer) == 8);

inline constexpr std::uint32_t kHintCount = 16;
inline constexpr std::uint32_t kHintsAt = kPageHeaderSize;
inline constexpr std::uint32_t kNodeFixedSize = kPageHeaderSize + 4 * kHintCount;
inline constexpr std::uint32_t kSlotSize = sizeof(NodeSlot);
inline constexpr std::uint32_t kInlineHeader = sizeof(std::uint16_t);
// With fewer slots the hints would narrow a binary search by a step or two: not worth reading.
inline constexpr std::uint32_t kHintsFrom = 2 * kHintCount;

using KeyBuffer = boost::container::small_vector<std::byte, 64>;

// Largest value that is stored in the leaf: a quarter page, and three cells to a node where the key
// allows it (never below 0: an empty value is always inline).
std::size_t inline_value_limit(std::uint32_t page_size, std::size_t key_size) noexcept;

// First four bytes, big-endian, zero-padded. Different heads order like their keys; equal heads say
// nothing ("a" and "a\0" have one head).
inline std::uint32_t key_head(const std::byte* key, std::size_t size) noexcept {
  if (size >= 4) [[likely]]
    return load_be<std::uint32_t>(key);
  std::uint32_t head = 0;
  for (std::size_t i = 0; i < size; ++i) head |= static_cast<std::uint32_t>(key[i]) << (24 - 8 * i);
  return head;
}

// compare_bytes without the call: keys in a node are short, and memcmp's dispatch costs as much as
// the comparison.
inline int compare_short(const std::byte* a, std::size_t a_size, const std::byte* b,
                         std::size_t b_size) noexcept {
  const std::size_t common = a_size < b_size ? a_size : b_size;
  if (common >= 8) {
    for (std::size_t i = 0; i + 8 <= common; i += 8) {
      const auto x = load_be<std::uint64_t>(a + i);
      const auto y = load_be<std::uint64_t>(b + i);
      if (x != y) return x < y ? -1 : 1;
    }
    // The last eight again, overlapping what is equal already.
    const auto x = load_be<std::uint64_t>(a + common - 8);
    const auto y = load_be<std::uint64_t>(b + common - 8);
    if (x != y) return x < y ? -1 : 1;
  } else if (common >= 4) {
    // Likewise by four: the first, and the last, which may overlap these.
    const auto x =
        std::uint64_t{load_be<std::uint32_t>(a)} << 32 | load_be<std::uint32_t>(a + common - 4);
    const auto y =
        std::uint64_t{load_be<std::uint32_t>(b)} << 32 | load_be<std::uint32_t>(b + common - 4);
    if (x != y) return x < y ? -1 : 1;
  } else {
    for (std::size_t i = 0; i < common; ++i)
      if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
  }
  return a_size < b_size ? -1 : (a_size > b_size ? 1 : 0);
}

// Where a key is, or would be, in a node.
struct Found {
  std::uint32_t slot = 0;
  bool equal = false;
  bool damaged = false;  // a slot on the way points outside the page
};

// Reading a node. A small value.
class NodeView {
 public:
  NodeView() = default;
  NodeView(const std::byte* at, std::uint32_t page_size) noexcept
      : at_(at), page_size_(page_size) {}

  const std::byte* data() const noexcept { return at_; }
  std::uint32_t page_size() const noexcept { return page_size_; }
  PageKind kind() const noexcept { return static_cast<PageKind>(at_[0]); }
  std::uint32_t level() const noexcept { return static_cast<std::uint32_t>(at_[1]); }
  bool is_branch() const noexcept { return level() != 0; }
  std::uint32_t count() const noexcept { return get<std::uint16_t>(offsetof(NodeHeader, count)); }
  std::uint32_t prefix_size() const noexcept {
    return get<std::uint16_t>(offsetof(NodeHeader, prefix_size));
  }
  std::uint32_t overflow_count() const noexcept {
    return get<std::uint16_t>(offsetof(NodeHeader, overflow_count));
  }
  std::uint32_t heap_begin() const noexcept {
    return get<std::uint32_t>(offsetof(NodeHeader, heap_begin));
  }
  std::uint32_t garbage() const noexcept {
    return get<std::uint32_t>(offsetof(NodeHeader, garbage));
  }
  PageNumber page() const noexcept { return get<std::uint32_t>(offsetof(NodeHeader, page)); }
  std::uint32_t tree() const noexcept { return get<std::uint32_t>(offsetof(NodeHeader, tree)); }
  TxnNumber birth() const noexcept {
    return (TxnNumber{get<std::uint16_t>(offsetof(NodeHeader, birth_high))} << 32) |
           get<std::uint32_t>(offsetof(NodeHeader, birth_low));
  }

  // Whether the header fits a node of this level: what every other function here relies on. Cheap
  // enough for each node of each search.
  bool sane(std::uint32_t level) const noexcept {
    const bool kind_fits = level != 0
                               ? kind() == PageKind::kBranch
                               : (kind() == PageKind::kLeaf || kind() == PageKind::kCatalogLeaf);
    return kind_fits && this->level() == level && count() != 0 && slots_end() <= heap_begin() &&
           heap_begin() <= page_size_;
  }

  Bytes prefix() const noexcept { return {at_ + kNodeFixedSize, prefix_size()}; }
  std::uint32_t slots_begin() const noexcept { return kNodeFixedSize + prefix_size(); }
  std::uint32_t slots_end() const noexcept { return slots_begin() + kSlotSize * count(); }
  NodeSlot slot(std::uint32_t i) const noexcept { return slot_at(at_ + slots_begin(), i); }

  // The key of slot i after the prefix. The slot must fit (cell_fits, or a node that was checked).
  Bytes rest(std::uint32_t i) const noexcept {
    const NodeSlot s = slot(i);
    return {at_ + s.offset, s.size()};
  }
  std::uint32_t payload_at(std::uint32_t i) const noexcept {
    const NodeSlot s = slot(i);
    return std::uint32_t{s.offset} + s.size();
  }
  const std::byte* payload(std::uint32_t i) const noexcept { return at_ + payload_at(i); }
  std::uint32_t payload_size(std::uint32_t i) const noexcept;
  std::uint32_t cell_size(std::uint32_t i) const noexcept {
    return slot(i).size() + payload_size(i);
  }
  // Whether the key and all that belongs to it lie in the page.
  bool cell_fits(std::uint32_t i) const noexcept;

  // Branches. The cell must fit.
  PagePtr child(std::uint32_t i) const noexcept { return load_ptr(payload(i)); }
  std::uint64_t child_count(std::uint32_t i) const noexcept { return load_ptr_count(payload(i)); }
  // Leaves. The cell must fit.
  Bytes inline_value(std::uint32_t i) const noexcept {
    const std::byte* p = payload(i);
    return {p + kInlineHeader, load_le<std::uint16_t>(p)};
  }
  std::uint64_t overflow_size(std::uint32_t i) const noexcept {
    return load_le<std::uint64_t>(payload(i));
  }
  PagePtr overflow_ptr(std::uint32_t i) const noexcept {
    return load_ptr(payload(i) + offsetof(OverflowCell, pointer));
  }

  // Replaces `key` by the whole key of slot i (nothing for a branch's first).
  void key_of(std::uint32_t i, KeyBuffer& key) const;
  std::uint32_t key_size(std::uint32_t i) const noexcept {
    return is_branch() && i == 0 ? 0 : prefix_size() + slot(i).size();
  }
  // Order of `key` against the whole key of slot i (not a branch's first).
  int compare_with(Bytes key, std::uint32_t i) const noexcept;

  // Leaf: the first slot whose key is >= `key`, count() when none is.
  Found find(Bytes key) const noexcept { return search(key, 0); }
  // Branch: the child that `key` belongs to.
  Found find_child(Bytes key) const noexcept {
    Found found = search(key, 1);
    if (!found.equal) --found.slot;
    return found;
  }

  // Bytes of living cells.
  std::uint32_t live_cells() const noexcept { return page_size_ - heap_begin() - garbage(); }
  std::uint32_t contiguous_free() const noexcept { return heap_begin() - slots_end(); }
  // Bytes in use of those that entries can have.
  std::uint32_t used() const noexcept { return prefix_size() + kSlotSize * count() + live_cells(); }
  std::uint32_t hint_distance() const noexcept { return count() / (kHintCount + 1); }

 protected:
  template <std::integral T>
  T get(std::size_t field) const noexcept {
    return load_le<T>(at_ + field);
  }
  static NodeSlot slot_at(const std::byte* slots, std::uint32_t i) noexcept {
    NodeSlot s;
    std::memcpy(&s, slots + std::size_t{kSlotSize} * i, sizeof s);
    return s;
  }

  const std::byte* at_ = nullptr;
  std::uint32_t page_size_ = 0;

 private:
  Found search(Bytes key, std::uint32_t first) const noexcept;
  void narrow_by_hints(std::uint32_t head, std::uint32_t count, std::uint32_t& lower,
                       std::uint32_t& upper) const noexcept;
  Found search_equal_heads(Bytes rest, std::uint32_t head, std::uint32_t lower,
                           std::uint32_t upper) const noexcept;
  int compare_rest(Bytes rest, NodeSlot s, bool& damaged) const noexcept;
};

// An entry on its way into a node.
struct NewCell {
  Bytes key;    // whole; empty for a branch's first child
  Bytes value;  // of an inline entry; follows `fixed`
  std::array<std::byte, sizeof(OverflowCell)> fixed{};
  std::uint32_t fixed_size = 0;
  bool overflow = false;

  static NewCell of_value(Bytes key, Bytes value) noexcept;
  static NewCell of_overflow(Bytes key, std::uint64_t size, const PagePtr& run) noexcept;
  static NewCell of_child(Bytes key, const PagePtr& child) noexcept;
  std::uint32_t payload_size() const noexcept {
    return fixed_size + static_cast<std::uint32_t>(value.size());
  }
};

// Changing a node in place. Keeps: slots ordered, garbage exact, hints right.
class Node : public NodeView {
 public:
  Node() = default;
  Node(std::byte* at, std::uint32_t page_size) noexcept : NodeView(at, page_size), bytes_(at) {}
  std::byte* bytes() const noexcept { return bytes_; }

  void stamp(PageNumber page, TxnNumber birth) noexcept;
  // The key begins with the prefix, and contiguous_free() has room for slot and cell.
  void insert(std::uint32_t slot, const NewCell& cell) noexcept;
  // Whether replace() can do it without rebuilding the node.
  bool can_replace(std::uint32_t slot, const NewCell& cell) const noexcept;
  void replace(std::uint32_t slot, const NewCell& cell) noexcept;
  // Removes slots [first, last). What is a branch's first afterwards loses its key.
  void remove(std::uint32_t first, std::uint32_t last) noexcept;

  void set_child(std::uint32_t i, const PagePtr& child) noexcept {
    store_ptr(bytes_ + payload_at(i), child);
  }
  void set_child_count(std::uint32_t i, std::uint64_t entries) noexcept {
    store_ptr_count(bytes_ + payload_at(i), entries);
  }
  // The hints that a change at slot `from` made wrong; there were `old_count` slots before it.
  void update_hints(std::uint32_t from, std::uint32_t old_count) noexcept;

 protected:
  template <std::integral T>
  void set(std::size_t field, T value) noexcept {
    store_le(bytes_ + field, value);
  }
  void set_count(std::uint32_t count) noexcept {
    set(offsetof(NodeHeader, count), static_cast<std::uint16_t>(count));
  }
  void set_heap_begin(std::uint32_t begin) noexcept {
    set(offsetof(NodeHeader, heap_begin), begin);
  }
  void set_garbage(std::uint32_t bytes) noexcept { set(offsetof(NodeHeader, garbage), bytes); }
  void set_overflow_count(std::uint32_t count) noexcept {
    set(offsetof(NodeHeader, overflow_count), static_cast<std::uint16_t>(count));
  }
  void set_slot(std::uint32_t i, NodeSlot s) noexcept {
    std::memcpy(bytes_ + slots_begin() + std::size_t{kSlotSize} * i, &s, sizeof s);
  }
  // Puts payload bytes down and returns the end of them.
  static std::byte* write_payload(std::byte* at, const NewCell& cell) noexcept;
  void discard(std::uint32_t i) noexcept;

  std::byte* bytes_ = nullptr;
};

// What a node is, apart from its entries.
struct NodeIdentity {
  PageKind kind = PageKind::kLeaf;
  std::uint32_t level = 0;
  std::uint32_t tree = 0;
  PageNumber page = 0;
  TxnNumber birth = 0;
};

// Writes a node from nothing, entries in order. The page must not be one that entries come from.
class NodeBuilder : public Node {
 public:
  // All keys to come (but an empty first of a branch) begin with `prefix`, which is copied.
  NodeBuilder(std::byte* at, std::uint32_t page_size, const NodeIdentity& identity,
              Bytes prefix) noexcept;
  void add(const NewCell& cell) noexcept;
  // Entry i of another node of the same kind, with its own key.
  void add_from(const NodeView& from, std::uint32_t i) noexcept;
  // Entry i of a branch under another key; empty for the first child.
  void add_child_from(const NodeView& from, std::uint32_t i, Bytes key) noexcept;
  // After the last: the hints.
  void finish() noexcept { update_hints(0, 0); }

 private:
  std::byte* open_cell(std::uint32_t size) noexcept;
  void close_cell(const std::byte* cell, std::uint32_t key_size, bool overflow) noexcept;
};

// Whether everything holds that a node promises by itself, but for cells that overlap (tree_check
// looks for these too; for safety it is enough that their sizes add up). O(count).
Status node_check(NodeView node, std::uint32_t tree);
// The same for the node that `ptr` leads to. Births that only fall on the way down matter for
// safety: a page whose pointer claims the running transaction would be changed in place.
Status node_check_at(NodeView node, const PagePtr& ptr, std::uint32_t tree);

// ---- the search, inline because every operation is made of it ----

inline int NodeView::compare_rest(Bytes rest, NodeSlot s, bool& damaged) const noexcept {
  const std::uint32_t size = s.size();
  if (s.offset + size > page_size_) [[unlikely]] {
    damaged = true;
    return 0;
  }
  const std::byte* key = at_ + s.offset;
  // Heads are equal here, so four bytes are when both have four.
  if (rest.size() >= 4 && size >= 4)
    return compare_short(rest.data() + 4, rest.size() - 4, key + 4, size - 4);
  return compare_short(rest.data(), rest.size(), key, size);
}

inline void NodeView::narrow_by_hints(std::uint32_t head, std::uint32_t count, std::uint32_t& lower,
                                      std::uint32_t& upper) const noexcept {
  std::uint32_t hints[kHintCount];
  std::memcpy(hints, at_ + kHintsAt, sizeof hints);
  std::uint32_t below = 0;
  std::uint32_t up_to = 0;
  for (const std::uint32_t hint : hints) {
    below += hint < head;
    up_to += hint <= head;
  }
  // Wrong hints give a wrong range, but one inside the slots: below <= up_to <= 16.
  const std::uint32_t distance = count / (kHintCount + 1);
  lower = below * distance;
  if (up_to < kHintCount) upper = (up_to + 1) * distance;
}

inline Found NodeView::search(Bytes key, std::uint32_t first) const noexcept {
  const std::uint32_t slots = count();
  const std::uint32_t prefix_bytes = prefix_size();
  const std::byte* slot_array = at_ + kNodeFixedSize + prefix_bytes;
  if (prefix_bytes != 0) {
    // A shorter key compares as less than a prefix that begins with it, as it should.
    const std::size_t common = key.size() < prefix_bytes ? key.size() : prefix_bytes;
    const int order = compare_short(key.data(), common, at_ + kNodeFixedSize, prefix_bytes);
    if (order != 0) return {order < 0 ? first : slots, false, false};
    key = key.subspan(prefix_bytes);
  }
  const std::uint32_t head = key_head(key.data(), key.size());
  std::uint32_t lower = first;
  std::uint32_t upper = slots;
  if (slots > kHintsFrom) {
    narrow_by_hints(head, slots, lower, upper);
    lower = lower < first ? first : lower;
  }
  std::uint32_t length = upper - lower;
  while (length > 1) {
    const std::uint32_t half = length / 2;
    lower += slot_at(slot_array, lower + half - 1).head < head ? half : 0;
    length -= half;
  }
  if (length == 1) lower += slot_at(slot_array, lower).head < head;
  if (lower == upper) return {lower, false, false};
  const NodeSlot s = slot_at(slot_array, lower);
  if (s.head != head) return {lower, false, false};
  __builtin_prefetch(at_ + s.offset + 64);
  __builtin_prefetch(at_ + s.offset + 128);

  Found found{lower, false, false};
  const int order = compare_rest(key, s, found.damaged);
  found.equal = order == 0;
  if (order <= 0) return found;
  if (lower + 1 == upper || slot_at(slot_array, lower + 1).head != head)
    return {lower + 1, false, false};
  return search_equal_heads(key, head, lower + 1, upper);
}

}  // namespace quire
