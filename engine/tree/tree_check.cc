// The whole tree with all checks, and the walks over one page for the publisher.
#include <bit>

#include "engine/base/checksum.h"
#include "engine/tree/node_load.h"
#include "engine/tree/tree.h"

namespace quire {
namespace {

// Walks depth first. Bounds come down from the separators: low <= keys < high.
class TreeChecker {
 public:
  TreeChecker(PageReader& reader, const TreeRoot& tree, const TreeCheck& check)
      : reader_(reader), tree_(tree), check_(check) {}

  Status run() {
    if (tree_.height == 0) {
      if (tree_.root || tree_.count() != 0)
        return report(fail(ErrorCode::kCorrupt, "tree %u: empty, but with a root", tree_.id));
      return {};
    }
    return check_subtree(tree_.root, tree_.height - 1u, nullptr, nullptr, 0);
  }

 private:
  using Bound = const ByteVector*;

  // Damage: the end of the walk, or, when somebody listens, of this subtree.
  Status report(std::unexpected<Error> error) {
    if (!check_.on_damage) return error;
    check_.on_damage(error.error());
    return {};
  }

  // What leads to a page that can't be had; 0: it is the root.
  Error pointed_from(Error error, PageNumber parent) const {
    const std::string from = parent == 0 ? check_.root_in : "page " + std::to_string(parent);
    return {error.code(), error.message() + "; " + from + " points to it"};
  }

  Status take_page(const PagePtr& ptr, PageNumber pages) {
    // More than there are: pages point to one another.
    pages_ += pages;
    if (pages_ > reader_.page_count())
      return fail(ErrorCode::kCorrupt, "page %u: tree %u has more pages than the file", ptr.page,
                  tree_.id);
    return check_.on_page ? check_.on_page(ptr.page, pages) : Status{};
  }

  Status check_sum(const PagePtr& ptr, const std::byte* page, PageNumber pages) const {
    if (ptr.checksum == 0) return {};
    const Bytes bytes(page, std::size_t{pages} * reader_.page_size());
    if (page_checksum(bytes) == ptr.checksum) return {};
    return fail(ErrorCode::kCorrupt, "page %u (%u pages): wrong checksum", ptr.page, pages);
  }

  Status check_bounds(const NodeView& node, Bound low, Bound high) const {
    const std::uint32_t first = node.is_branch() ? 1 : 0;
    if (first >= node.count()) return {};
    const bool too_low = low != nullptr && node.compare_with(*low, first) > 0;
    const bool too_high = high != nullptr && node.compare_with(*high, node.count() - 1) <= 0;
    if (!too_low && !too_high) return {};
    return fail(ErrorCode::kCorrupt, "page %u: tree node: keys outside the parent's bounds",
                node.page());
  }

  Status check_node_alone(const PagePtr& ptr, std::uint32_t level, NodeView& node) {
    node = load_node(reader_, ptr, level);
    if (node.data() == nullptr) return node_failure(reader_, ptr, level);
    QUIRE_CHECK(check_sum(ptr, node.data(), 1));
    QUIRE_CHECK(node_check_at(node, ptr, tree_.id));
    QUIRE_CHECK(tree_check_node({node.data(), node.page_size()}, tree_.id));
    if (level == 0 && (node.kind() == PageKind::kCatalogLeaf) != tree_.catalog)
      return fail(ErrorCode::kCorrupt, "page %u: tree node: wrong kind of leaf", ptr.page);
    return {};
  }

  Status check_subtree(const PagePtr& ptr, std::uint32_t level, Bound low, Bound high,
                       PageNumber parent) {
    QUIRE_CHECK(take_page(ptr, 1));
    NodeView node;
    if (auto status = check_node_alone(ptr, level, node); !status)
      return report(std::unexpected(pointed_from(std::move(status).error(), parent)));
    if (auto status = check_bounds(node, low, high); !status)
      QUIRE_CHECK(report(std::unexpected(std::move(status).error())));
    std::uint64_t entries = node.count();
    if (level == 0)
      QUIRE_CHECK(check_leaf(node));
    else
      QUIRE_CHECK(check_children(node, low, high, entries));
    if (entries == ptr.count) return {};
    return report(fail(ErrorCode::kCorrupt,
                       "page %u: tree node: has %llu entries, its pointer says %llu", ptr.page,
                       static_cast<unsigned long long>(entries),
                       static_cast<unsigned long long>(ptr.count)));
  }

  Status check_children(const NodeView& node, Bound low, Bound high, std::uint64_t& entries) {
    entries = 0;
    ByteVector left;
    ByteVector right;
    KeyBuffer key;
    for (std::uint32_t i = 0; i < node.count(); ++i) {
      left.swap(right);
      if (i + 1 < node.count()) {
        node.key_of(i + 1, key);
        right.assign(key.begin(), key.end());
      }
      entries += node.child_count(i);
      QUIRE_CHECK(check_subtree(node.child(i), node.level() - 1, i == 0 ? low : &left,
                                i + 1 < node.count() ? &right : high, node.page()));
    }
    return {};
  }

  Status check_leaf(const NodeView& leaf) {
    KeyBuffer key;
    for (std::uint32_t i = 0; i < leaf.count(); ++i) {
      auto value = check_value(leaf, i);
      if (!value) {
        Error error = pointed_from(std::move(value).error(), leaf.page());
        QUIRE_CHECK(report(std::unexpected(std::move(error))));
        continue;
      }
      if (!check_.on_entry) continue;
      leaf.key_of(i, key);
      QUIRE_CHECK(check_.on_entry({key.data(), key.size()}, *value));
    }
    return {};
  }

  Result<Bytes> check_value(const NodeView& leaf, std::uint32_t i) {
    if (!leaf.slot(i).overflow()) return leaf.inline_value(i);
    const PagePtr run = leaf.overflow_ptr(i);
    const PageNumber pages = PageWriter::run_pages(leaf.overflow_size(i), leaf.page_size());
    QUIRE_CHECK(take_page(run, pages));
    QUIRE_TRY(const Bytes value, load_overflow(reader_, leaf, i));
    QUIRE_CHECK(check_sum(run, value.data(), pages));
    return value;
  }

  PageReader& reader_;
  const TreeRoot& tree_;
  const TreeCheck& check_;
  std::uint64_t pages_ = 0;
};

// A page from the writer's memory or the file, safe to walk over.
Result<Node> node_of_page(MutableBytes page) {
  if (page.size() < kMinPageSize || page.size() > kMaxPageSize || !std::has_single_bit(page.size()))
    return fail(ErrorCode::kCorrupt, "tree node: %zu bytes are not a page", page.size());
  const Node node(page.data(), static_cast<std::uint32_t>(page.size()));
  if (!node.sane(node.level()))
    return fail(ErrorCode::kCorrupt, "page %u: not a tree node", node.page());
  return node;
}

}  // namespace

Status tree_check(PageReader& reader, const TreeRoot& tree, const TreeCheck& check) {
  return TreeChecker(reader, tree, check).run();
}

Status tree_for_each_pointer(MutableBytes page,
                             const std::function<Status(const ChildRef&)>& visit) {
  QUIRE_TRY(const Node node, node_of_page(page));
  if (!node.is_branch() && node.overflow_count() == 0) return {};
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    if (!node.cell_fits(i)) return slot_failure(node, i);
    std::byte* const payload = node.bytes() + node.payload_at(i);
    if (node.is_branch()) {
      QUIRE_CHECK(visit({payload, 1, ChildRef::Kind::kNode}));
    } else if (node.slot(i).overflow()) {
      const std::uint64_t size = node.overflow_size(i);
      if (size == 0 || size > kMaxValueSize)
        return fail(ErrorCode::kCorrupt, "page %u: tree node: slot %u: overflow size out of range",
                    node.page(), i);
      QUIRE_CHECK(
          visit({payload + offsetof(OverflowCell, pointer),
                 PageWriter::run_pages(size, node.page_size()), ChildRef::Kind::kOverflow}));
    }
  }
  return {};
}

Status tree_for_each_value(MutableBytes page,
                           const std::function<Status(Bytes key, MutableBytes value)>& visit) {
  QUIRE_TRY(const Node node, node_of_page(page));
  if (node.kind() != PageKind::kCatalogLeaf)
    return fail(ErrorCode::kCorrupt, "page %u: not a leaf of a catalog", node.page());
  KeyBuffer key;
  for (std::uint32_t i = 0; i < node.count(); ++i) {
    if (!node.cell_fits(i) || node.slot(i).overflow()) return slot_failure(node, i);
    node.key_of(i, key);
    const std::size_t size = node.inline_value(i).size();
    QUIRE_CHECK(
        visit({key.data(), key.size()}, {node.bytes() + node.payload_at(i) + kInlineHeader, size}));
  }
  return {};
}

}  // namespace quire
