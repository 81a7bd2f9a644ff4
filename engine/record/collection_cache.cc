#include "engine/record/collection_cache.h"

#include <algorithm>

namespace quire {

const IndexKind* find_kind(IndexKinds kinds, std::string_view name) noexcept {
  const auto found = std::ranges::find(kinds, name, &IndexKind::name);
  return found == kinds.end() ? nullptr : *found;
}

Result<std::shared_ptr<const CollectionState>> CollectionState::bind(
    CollectionDefinition definition, StructureId id, IndexKinds kinds) {
  auto state = std::make_shared<CollectionState>(std::move(definition));
  for (const IndexDefinition& index : state->definition.indexes) {
    const IndexKind* kind = find_kind(kinds, index.kind);
    if (kind == nullptr) {
      state->indexes.push_back(nullptr);
      continue;
    }
    auto bound = kind->bind(state->definition.schema, index);
    if (!bound)
      return std::unexpected(bound.error().with_context("collection " + std::to_string(id) +
                                                        ", index '" + index.name + "'"));
    state->indexes.push_back(*std::move(bound));
  }
  return state;
}

CollectionCache::State CollectionCache::find(StructureId id, std::uint64_t hash) const {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.hash != hash) return nullptr;
  return found->second.state;
}

void CollectionCache::keep(StructureId id, std::uint64_t hash, State state) {
  const std::scoped_lock lock(mutex_);
  entries_.insert_or_assign(id, Entry{hash, std::move(state)});
}

}  // namespace quire
