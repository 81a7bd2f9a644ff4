// Reading what is left of a damaged tree.
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

// Depth first, like the checker, but around what is damaged instead of over it.
class TreeSalvager {
 public:
  TreeSalvager(PageReader& reader, const TreeRoot& tree, const TreeSalvage& salvage)
      : reader_(reader), tree_(tree), salvage_(salvage) {}

  Status run() {
    if (tree_.height == 0) return {};
    return walk({tree_.root, tree_.height - 1u, {}, std::nullopt, std::nullopt});
  }

  Status leaf_entries(const NodeView& leaf, std::optional<PageNumber> parent) {
    KeyBuffer key;
    for (std::uint32_t i = 0; i < leaf.count(); ++i) {
      leaf.key_of(i, key);
      const Bytes whole(key.data(), key.size());
      auto value = load_value(reader_, leaf, i);
      QUIRE_CHECK(value ? salvage_.on_entry(whole, *value)
                        : lose_value(leaf, i, whole, parent, value.error()));
    }
    return {};
  }

 private:
  struct Subtree {
    PagePtr ptr;
    std::uint32_t level;
    Bytes low;
    std::optional<Bytes> high;
    std::optional<PageNumber> parent;
  };

  Result<NodeView> load(const Subtree& at) {
    // More than there are: pages that point to one another.
    if (++nodes_ > reader_.page_count())
      return fail(ErrorCode::kCorrupt, "page %u: tree %u has more pages than the file", at.ptr.page,
                  tree_.id);
    const NodeView node = load_node(reader_, at.ptr, at.level);
    if (node.data() == nullptr) return node_failure(reader_, at.ptr, at.level);
    QUIRE_CHECK(node_check_at(node, at.ptr, tree_.id));
    QUIRE_CHECK(tree_check_node({node.data(), node.page_size()}, tree_.id));
    return node;
  }

  Status walk(const Subtree& at) {
    auto node = load(at);
    if (!node)
      return salvage_.on_loss({.low = at.low,
                               .high = at.high,
                               .entries = at.ptr.count,
                               .ptr = at.ptr,
                               .level = at.level,
                               .value = false,
                               .parent = at.parent,
                               .why = &node.error()});
    if (salvage_.on_node) salvage_.on_node(at.ptr.page);
    if (at.level == 0) return leaf_entries(*node, at.parent);
    return children(*node, at);
  }

  Status children(const NodeView& node, const Subtree& at) {
    KeyBuffer low;
    KeyBuffer high;
    for (std::uint32_t i = 0; i < node.count(); ++i) {
      const bool last = i + 1 == node.count();
      if (!last) node.key_of(i + 1, high);
      const Bytes separator(high.data(), high.size());
      QUIRE_CHECK(walk({.ptr = node.child(i),
                        .level = at.level - 1,
                        .low = i == 0 ? at.low : Bytes(low.data(), low.size()),
                        .high = last ? at.high : std::optional(separator),
                        .parent = at.ptr.page}));
      low = high;
    }
    return {};
  }

  Status lose_value(const NodeView& leaf, std::uint32_t i, Bytes key,
                    std::optional<PageNumber> parent, const Error& why) {
    ByteVector after = to_vector(key);
    after.push_back(std::byte{0});
    const bool run = leaf.cell_fits(i) && leaf.slot(i).overflow();
    return salvage_.on_loss({.low = key,
                             .high = Bytes(after),
                             .entries = 1,
                             .ptr = run ? leaf.overflow_ptr(i) : PagePtr{},
                             .level = 0,
                             .value = true,
                             .parent = run ? leaf.page() : parent,
                             .why = &why});
  }

  PageReader& reader_;
  const TreeRoot& tree_;
  const TreeSalvage& salvage_;
  std::uint64_t nodes_ = 0;
};

}  // namespace

Status tree_salvage(PageReader& reader, const TreeRoot& tree, const TreeSalvage& salvage) {
  return TreeSalvager(reader, tree, salvage).run();
}

Status tree_salvage_leaf(PageReader& reader, Bytes page, const TreeSalvage& salvage) {
  const NodeView leaf(page.data(), static_cast<std::uint32_t>(page.size()));
  const TreeRoot tree{.root = {}, .id = leaf.tree(), .height = 1};
  return TreeSalvager(reader, tree, salvage).leaf_entries(leaf, leaf.page());
}

}  // namespace quire
