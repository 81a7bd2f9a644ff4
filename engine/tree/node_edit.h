// A node with one entry more, or one entry other, before it is written: what it would need, where
// it would be split, and writing any part of it anew. Internal to engine/tree.
#pragma once

#include "engine/tree/node.h"

namespace quire {

// The entries of a node with `cell` put at `slot`, in the place of what is there when `replace`.
// A value; the bytes behind it must not change while it is used.
struct NodeEdit {
  NewCell cell;
  std::uint32_t slot = 0;
  bool replace = false;

  std::uint32_t entries(const NodeView& node) const noexcept {
    return node.count() + (replace ? 0 : 1);
  }
  bool is_new(std::uint32_t i) const noexcept { return i == slot; }
  std::uint32_t old_slot(std::uint32_t i) const noexcept { return i < slot || replace ? i : i - 1; }
  std::uint32_t key_size(const NodeView& node, std::uint32_t i) const noexcept;
  std::uint32_t payload_size(const NodeView& node, std::uint32_t i) const noexcept;
  void key_of(const NodeView& node, std::uint32_t i, KeyBuffer& key) const;
};

// Whether there is room, and how it is made.
enum class NodeRoom : std::uint8_t { kInPlace, kRebuild, kSplit };
NodeRoom room_for(const Node& node, const NodeEdit& edit);

// Applies an edit that has room in place.
void apply_in_place(Node& node, const NodeEdit& edit) noexcept;

// Where to split, from 1 to entries - 1, so that both parts fit. `run`: keys come in order, and the
// new one is the latest of them; the split is made beside it, not in the middle.
std::uint32_t choose_split(const NodeView& node, const NodeEdit& edit, bool run);

// What stands between entries at - 1 and at in the parent: the shortest that does, for a leaf.
void separator_at(const NodeView& node, const NodeEdit& edit, std::uint32_t at,
                  ByteVector& separator);

// Writes entries [first, last) as a node of its own to `page`, which is not where `node` lies.
void write_part(std::byte* page, const NodeIdentity& identity, const NodeView& node,
                const NodeEdit& edit, std::uint32_t first, std::uint32_t last);

// Two neighbours as one. `separator` is the right one's key in the parent.
class NodeMerge {
 public:
  NodeMerge(const NodeView& left, const NodeView& right, Bytes separator);
  bool fits() const noexcept { return size_ <= left_.page_size(); }
  void write(std::byte* page, const NodeIdentity& identity) const;

 private:
  NodeView left_;
  NodeView right_;
  Bytes separator_;
  KeyBuffer prefix_;
  std::size_t size_ = 0;
};

}  // namespace quire
