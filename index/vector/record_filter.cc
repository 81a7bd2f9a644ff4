#include "index/vector/record_filter.h"

#include <algorithm>

namespace quire {

RecordFilter::Places RecordFilter::find_places(const ArrayRoot& root) const {
  if (!steady_) return nullptr;
  const std::scoped_lock lock(mutex_);
  for (const Kept& kept : kept_)
    if (kept.array == root.id && kept.root == root.root) return kept.places;
  return nullptr;
}

void RecordFilter::keep_places(const ArrayRoot& root, Places places) const {
  if (!steady_) return;
  const std::scoped_lock lock(mutex_);
  std::erase_if(kept_,
                [&](const Kept& kept) { return kept.array == root.id && kept.root == root.root; });
  if (kept_.size() == kKept) kept_.erase(kept_.begin());
  kept_.push_back({root.id, root.root, std::move(places)});
}

}  // namespace quire
