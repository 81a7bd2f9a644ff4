// The table of the kinds of index: a new kind is a folder and a line here.
#include <array>

#include "capi/handles.h"
#include "index/ordered/sorted_kind.h"
#include "index/vector/hnsw/hnsw_kind.h"

namespace quire::capi {

IndexKinds index_kinds() noexcept {
  static const std::array<const IndexKind*, 2> kinds = {&sorted_index_kind(), &hnsw_index_kind()};
  return kinds;
}

}  // namespace quire::capi
