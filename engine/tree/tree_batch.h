// Reads of a tree that are cheaper together than one by one.
#pragma once

#include <optional>
#include <span>

#include "engine/tree/tree.h"

namespace quire {

// tree_get of several keys, which wait for memory together: values[i] is that of keys[i]. The
// prefetching is that of Chen, Gibbons, Mowry, "Improving index performance through prefetching"
// (2001), over keys instead of nodes. O(keys log n).
Status tree_get_many(PageReader& reader, const TreeRoot& tree, std::span<const Bytes> keys,
                     std::span<std::optional<Bytes>> values);

// Number of keys from `low` on and before `high`, where there is one. O(log n), and cheaper than
// two ranks: what lies before both is not counted.
Result<std::uint64_t> tree_count(PageReader& reader, const TreeRoot& tree, Bytes low,
                                 std::optional<Bytes> high);

}  // namespace quire
