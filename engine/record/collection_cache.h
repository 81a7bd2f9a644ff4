// Definitions that were decoded before, with their indexes bound.
#pragma once

#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/record/index.h"

namespace quire {

// A definition and its indexes, in its order; nullptr for one of a kind that this process does not
// know. Immutable.
struct CollectionState {
  explicit CollectionState(CollectionDefinition given) : definition(std::move(given)) {}
  CollectionDefinition definition;
  std::vector<std::unique_ptr<const Index>> indexes;

  // kCorrupt.
  static Result<std::shared_ptr<const CollectionState>> bind(CollectionDefinition definition,
                                                             StructureId id, IndexKinds kinds);
};

// Thread-safe. One for each open database.
class CollectionCache {
 public:
  using State = std::shared_ptr<const CollectionState>;
  CollectionCache() = default;
  explicit CollectionCache(IndexKinds kinds) : kinds_(kinds) {}
  IndexKinds kinds() const noexcept { return kinds_; }
  // By id and the hash of the definition's bytes.
  State find(StructureId id, std::uint64_t hash) const;
  void keep(StructureId id, std::uint64_t hash, State state);

 private:
  struct Entry {
    std::uint64_t hash;
    State state;
  };
  IndexKinds kinds_;
  mutable std::mutex mutex_;
  std::unordered_map<StructureId, Entry> entries_;  // the newest of each
};

}  // namespace quire
