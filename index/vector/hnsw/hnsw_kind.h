// The kind of index "hnsw": approximate nearest neighbours of vectors.
#pragma once

#include "index/vector/hnsw/hnsw_index.h"

namespace quire {

const IndexKind& hnsw_index_kind() noexcept;
// The index as what it is; nullptr for one of another kind.
const hnsw::HnswIndex* as_hnsw(const Index* index) noexcept;

}  // namespace quire
