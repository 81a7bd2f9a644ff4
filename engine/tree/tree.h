// The B+tree: ordered bytes to bytes, copy on write, counted.
//
// docs/format.md has the bytes of a node. Every node keeps: its keys strictly ascending; a prefix
// that all its keys share, stored once; the first four bytes of each key after the prefix beside
// its slot, and sixteen of them as hints; in a branch, the first key empty (stands for all that is
// smaller) and each child's exact entry count in its pointer. Values longer than about a quarter
// page lie in a run of consecutive pages. Keys are 1 to max_key_size() bytes.
//
// Lower bounds on fill are not promised (bulk appends leave full nodes, deletions merge nodes that
// are under a quarter full with a neighbour when both fit in one); no leaf but the root is empty.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "engine/page/page_reader.h"
#include "engine/page/page_writer.h"
#include "engine/tree/node.h"

namespace quire {

struct NodeEdit;

// A tree as its catalog entry keeps it. A null root is an empty tree.
struct TreeRoot {
  PagePtr root;
  std::uint32_t id = 0;     // stamped into every node, for salvage
  std::uint8_t height = 0;  // 0: empty; 1: a leaf is the root
  bool catalog = false;     // leaves are kCatalogLeaf
  std::uint64_t count() const noexcept { return root.count; }
};

// Largest key for a page size: a quarter page, at most 4096.
constexpr std::size_t max_key_size(std::uint32_t page_size) noexcept {
  return page_size / 4 < 4096 ? page_size / 4 : 4096;
}
inline constexpr std::uint64_t kMaxValueSize = std::uint64_t{1} << 31;  // 2 GiB

// Read side. All borrow memory of the snapshot behind `reader`.

// The value of `key`, or nothing. O(log n).
Result<std::optional<Bytes>> tree_get(PageReader& reader, const TreeRoot& tree, Bytes key);
// Number of keys less than `key`. O(log n).
Result<std::uint64_t> tree_rank(PageReader& reader, const TreeRoot& tree, Bytes key);

// A position in a tree: on an entry, or off the ends. Forward and backward. For one thread; the
// tree must not be changed under it (see the writer's cursors in engine/txn).
class TreeCursor {
 public:
  TreeCursor() = default;
  TreeCursor(PageReader* reader, const TreeRoot& tree) : reader_(reader), tree_(tree) {}
  // Same cursor on another state of the tree; off the ends.
  void reset(PageReader* reader, const TreeRoot& tree);

  Status first();
  Status last();
  Status seek(Bytes key);             // first entry whose key is >= key
  Status seek_before(Bytes key);      // last entry whose key is < key
  Status seek_rank(std::uint64_t n);  // n-th entry from 0; off the end when there are fewer
  Status next();                      // no-op when off the end
  Status previous();

  bool valid() const noexcept { return valid_; }
  // While valid. The key is put together (prefix and rest) in a buffer of the cursor and good until
  // the cursor moves; the value is borrowed from the snapshot.
  Bytes key() const {
    if (!key_ready_) put_key_together();
    return {key_.data(), key_size_};
  }
  Result<Bytes> value() const {
    if (entry_.overflow) [[unlikely]]
      return long_value();
    return Bytes(entry_.payload + kInlineHeader, load_le<std::uint16_t>(entry_.payload));
  }
  // Number of entries before this one. O(log n).
  Result<std::uint64_t> rank() const;

 private:
  struct Level {
    const std::byte* node;
    std::uint32_t slot;
    std::uint32_t count;
  };
  // The leaf's cell that the cursor is on; it lies in the page.
  struct Entry {
    const std::byte* rest;     // the key after the prefix
    const std::byte* payload;  // what is behind it
    bool overflow;
  };
  void clear() noexcept;
  NodeView node_at(const Level& level) const noexcept;
  Status push(const PagePtr& ptr);
  Status take_slot(std::uint32_t slot);
  Status take_entry(const NodeView& leaf, std::uint32_t slot);
  Status descend(bool to_last);
  Status to_end(bool to_last);
  Result<std::uint32_t> find_leaf(Bytes key);
  Status leave_forward();
  Status leave_backward();
  Status guarded(Status status);
  void look_ahead(const NodeView& leaf, std::uint32_t slot, std::uint32_t count) noexcept;
  const std::byte* next_leaf() const noexcept;
  void put_key_together() const;
  Result<Bytes> long_value() const;

  PageReader* reader_ = nullptr;
  TreeRoot tree_;
  boost::container::small_vector<Level, 6> path_;  // root first; the last is a leaf when valid_
  Entry entry_{};                                  // while valid_
  const std::byte* next_leaf_ = nullptr;           // asked for already
  mutable boost::container::small_vector<std::byte, 64> key_;
  mutable std::size_t key_size_ = 0;
  mutable const std::byte* key_node_ = nullptr;  // whose prefix key_ begins with
  mutable bool key_ready_ = false;
  bool valid_ = false;
};

// Write side: one tree in one write transaction. Keeps the path of the last change, so that keys
// that come in order, or near one another, do not descend from the root.
class TreeWriter {
 public:
  enum class PutMode : std::uint8_t {
    kUpsert,
    kInsert,  // kExists when the key is there
    kUpdate,  // kNotFound when it is not
    kAppend   // kInvalid unless the key is greater than all others
  };

  TreeWriter(PageWriter* pages, const TreeRoot& tree);

  const TreeRoot& root() const noexcept { return tree_; }
  // Grows with every change; a cursor that saw another number seeks anew.
  std::uint64_t version() const noexcept { return version_; }
  // Back to a root from before (savepoint); forgets the kept path.
  void reset(const TreeRoot& tree);

  // Returns whether the key was new. Errors leave the tree as it was.
  Result<bool> put(Bytes key, Bytes value, PutMode mode = PutMode::kUpsert);
  Result<bool> erase(Bytes key);  // returns whether it was there
  // Removes keys in [low, high); no high: to the end. Returns how many. O(log n + pages freed).
  Result<std::uint64_t> erase_range(Bytes low, std::optional<Bytes> high);
  // Frees every page. The tree is empty afterwards.
  Status clear();

  Result<std::optional<Bytes>> get(Bytes key);
  PageReader& reader() noexcept { return pages_->reader(); }

  // Values up to this many bytes are stored in the leaf, for a key of this length.
  std::size_t inline_limit(std::size_t key_size) const noexcept;

 private:
  // One level of the path from the root to a leaf.
  struct Step {
    std::byte* node = nullptr;
    PagePtr ptr;
    std::uint32_t slot = 0;  // taken in this node
  };
  // A node that must be split before an entry goes in; made before anything is changed.
  struct Split {
    std::uint32_t at = 0;  // entries before it (the new one counted) stay in the left node
    ByteVector separator;  // first key of the right node, shortened in a leaf
    PagePtr right;
    std::byte* right_node = nullptr;
  };
  struct Cut {  // what an erased range frees
    struct Run {
      PagePtr ptr;
      PageNumber pages;
    };
    std::vector<Run> runs;
  };

  // tree_writer.cc: finding and making writable
  std::size_t leaf_depth() const noexcept { return path_.size() - 1; }
  Node node_at(std::size_t depth) const noexcept;
  std::uint32_t level_at(std::size_t depth) const noexcept;
  Result<Found> locate(Bytes key);
  Result<Found> find_in_leaf(Bytes key) const;
  bool kept_path_covers(Bytes key) const noexcept;
  Status touch_path();
  Result<Node> touch_node(PagePtr& ptr, std::uint32_t level);
  Result<Node> copy_node(PagePtr& ptr, const NodeView& node);
  Status check_run(const PagePtr& ptr, PageNumber pages) const;
  Status check_overflows(const NodeView& node) const;
  bool on_right_edge(std::size_t depth) const noexcept;
  void drop_path() noexcept { path_.clear(); }
  void add_to_counts(std::size_t depth, std::int64_t entries) noexcept;
  NodeIdentity identity_of(const PagePtr& ptr, std::uint32_t level) const noexcept;
  Result<NewCell> make_cell(Bytes key, Bytes value);
  void discard_cell(const NewCell& cell);
  void free_overflow(const NodeView& leaf, std::uint32_t slot);
  Status check_put(const Found& found, PutMode mode) const;
  Status plant(const NewCell& cell);

  // tree_split.cc: room for one entry
  Status put_cell(const NewCell& cell, const Found& found);
  Status split_and_put(const NodeEdit& leaf_edit);
  Result<std::size_t> plan_splits(const NodeEdit& leaf_edit);
  Status allocate_splits(std::size_t splits, PagePtr* new_root);
  void split_node(std::size_t depth, Split& split, const NodeEdit& edit);
  void grow_root(const PagePtr& new_root, const Split& split);
  void note_insert(const NodeEdit& leaf_edit, const Split* split) noexcept;
  NodeView keep_copy(const NodeView& node);
  void rebuild(std::size_t depth, const NodeEdit& edit);

  // tree_erase.cc: removing one, merging
  void shrink();
  bool merge_with_neighbour(std::size_t depth);
  bool merge_children(std::size_t depth, std::uint32_t left_slot);
  void collapse_root();

  // tree_range.cc: removing many
  Result<Node> touch_child(Node& parent, std::uint32_t slot);
  Status plan_cut(Node node, const Bytes* low, const Bytes* high, Cut& cut);
  Status collect(const PagePtr& ptr, std::uint32_t level, TxnNumber parent_birth, Cut& cut);
  Status collect_overflows(const NodeView& leaf, std::uint32_t first, std::uint32_t last,
                           TxnNumber birth, Cut& cut);
  Status add_run(const PagePtr& ptr, PageNumber pages, TxnNumber parent_birth, Cut& cut);
  std::uint64_t apply_cut(Node node, const Bytes* low, const Bytes* high);
  bool cut_child(Node& node, std::uint32_t slot, const Bytes* low, const Bytes* high);
  void tidy_around(Bytes key);

  PageWriter* pages_;
  TreeRoot tree_;
  std::uint64_t version_ = 0;
  // The path of the last change, every page of it touched; empty when there is none to rely on. The
  // pages may have been spilled, or set aside by a savepoint, since: see kept_path_covers.
  boost::container::small_vector<Step, 6> path_;
  // Where the last new key went, to see keys come in order.
  PageNumber last_leaf_ = 0;
  std::uint32_t last_slot_ = 0;
  std::vector<Split> splits_;       // from the leaf up
  std::vector<std::byte> scratch_;  // a node while it is written anew
};

// --- for the publisher, check and salvage ---

// One pointer stored in a node.
struct ChildRef {
  std::byte* at;     // where the 24 bytes lie
  PageNumber pages;  // length of what it points to
  enum class Kind : std::uint8_t { kNode, kOverflow } kind;
};
// Calls `visit` for each pointer in a tree page (children of a branch, overflow runs of a leaf).
// Checks the page's own numbers first: kCorrupt when they can't be.
Status tree_for_each_pointer(MutableBytes page,
                             const std::function<Status(const ChildRef&)>& visit);
// Calls `visit` for each entry of a kCatalogLeaf with its key and value (whose bytes may be
// changed in place).
Status tree_for_each_value(MutableBytes page,
                           const std::function<Status(Bytes key, MutableBytes value)>& visit);

// Everything a node promises by itself: header, slots, heap, order, prefix, heads, hints, sizes.
Status tree_check_node(Bytes page, std::uint32_t tree_id);

// Walks the whole tree with all checks (node, order across nodes, counts, births not younger than
// the parent's, heights, checksums where set), calling `on_page(first, pages)` for each page. Stops
// at the first error only when `on_damage` is null; otherwise reports each and goes on around it.
struct TreeCheck {
  std::function<Status(PageNumber first, PageNumber pages)> on_page;
  std::function<void(const Error&)> on_damage;
  std::function<Status(Bytes key, Bytes value)> on_entry;  // may be null
  const char* root_in = "the catalog";                     // what points to the root, for messages
};
Status tree_check(PageReader& reader, const TreeRoot& tree, const TreeCheck& check);

// What a salvage can't have: the entries below a pointer whose page is damaged, or one long value.
struct TreeLoss {
  Bytes low;                         // keys >= low ...
  std::optional<Bytes> high;         // ... and < high, where there is a bound
  std::uint64_t entries = 0;         // exactly so many: the pointer counts them
  PagePtr ptr;                       // to the page, or to the run of the value
  std::uint32_t level = 0;           // of the node; 0 for a leaf and a value
  bool value = false;                // only the value of the key `low`
  std::optional<PageNumber> parent;  // the page that has the pointer; none: the tree's root
  const Error* why = nullptr;
};
// Callbacks borrow. An error of one ends the walk.
struct TreeSalvage {
  std::function<Status(Bytes key, Bytes value)> on_entry;
  std::function<Status(const TreeLoss&)> on_loss;
  std::function<void(PageNumber page)> on_node;  // each that was read and is good; may be null
};
// Everything in the tree that can be read, in order of the keys; what can't costs its subtree only.
Status tree_salvage(PageReader& reader, const TreeRoot& tree, const TreeSalvage& salvage);
// The entries of a leaf that no good pointer leads to. `page` passed tree_check_node; its long
// values are verified like any.
Status tree_salvage_leaf(PageReader& reader, Bytes page, const TreeSalvage& salvage);

}  // namespace quire
