// The definition of a collection and how the catalog keeps it.
//
//   varint size and name, varint ids of the trees `numbers` and `freed`, varint size and schema
//   (schema.h), varint number of vector fields, varint id of the array of each
//
// What the catalog keeps is a u32 with the size of this, and this, in parts, because a value of the
// catalog must fit in a leaf: the first under definition_key(id), the n-th after it under that key
// with be16 n behind it. All parts but the last are as long as a leaf takes. Small ones have one.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/record/schema.h"
#include "engine/txn/write_txn.h"

namespace quire {

struct CollectionDefinition {
  std::string name;
  StructureId numbers = 0;
  StructureId freed = 0;
  Schema schema;
  std::vector<StructureId> vectors;  // in order of schema.vectors()

  ByteVector encode() const;
  static Result<CollectionDefinition> decode(Bytes bytes, StructureId id);
};

// The encoded definition, or nothing where there is none with this id. Borrows from the view, or
// from `parts`, where they were put together.
Result<std::optional<Bytes>> load_definition(View& view, StructureId id, ByteVector& parts);
// Errors break the transaction. There is none with this id yet.
Status store_definition(WriteTxn& txn, StructureId id, Bytes definition);
Status erase_definition(WriteTxn& txn, StructureId id);

// Definitions that were decoded before, by id and the hash of their bytes. Thread-safe. One for
// each open database.
class CollectionCache {
 public:
  using Definition = std::shared_ptr<const CollectionDefinition>;
  Definition find(StructureId id, std::uint64_t hash) const;
  void keep(StructureId id, std::uint64_t hash, Definition definition);

 private:
  struct Entry {
    std::uint64_t hash;
    Definition definition;
  };
  mutable std::mutex mutex_;
  std::unordered_map<StructureId, Entry> entries_;  // the newest of each
};

}  // namespace quire
