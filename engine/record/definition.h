// The definition of a collection and how the catalog keeps it.
//
//   varint size and name, varint ids of the trees `numbers` and `freed`, varint size and schema
//   (schema_codec.h), varint number of vector fields, varint id of the array of each; then, but not
//   in those of version 0.1: varint id of the tree `counters` or 0, varint id that the next new
//   index gets, varint number of indexes, then each: varint id, varint size and name, varint size
//   and name of its kind, varint size and options as the kind stores them, varint number of its
//   structures, varint id of each
//
// What the catalog keeps is a u32 with the size of this, and this, in parts, because a value of the
// catalog must fit in a leaf: the first under definition_key(id), the n-th after it under that key
// with be16 n behind it. All parts but the last are as long as a leaf takes. Small ones have one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/record/schema.h"
#include "engine/txn/write_txn.h"

namespace quire {

// An index as the collection keeps it; what it means, its kind knows (index.h).
struct IndexDefinition {
  std::uint32_t id = 0;  // never used again within the collection
  std::string name;
  std::string kind;
  ByteVector options;
  std::vector<StructureId> structures;
  bool operator==(const IndexDefinition&) const = default;
};

inline constexpr std::size_t kMaxIndexes = 256;  // of a collection

struct CollectionDefinition {
  std::string name;
  StructureId numbers = 0;
  StructureId freed = 0;
  Schema schema;
  std::vector<StructureId> vectors;  // in order of schema.vectors()
  StructureId counters = 0;          // 0 where no field was ever counted
  std::uint32_t next_index = 1;
  std::vector<IndexDefinition> indexes;  // in order of creation

  bool operator==(const CollectionDefinition&) const = default;
  // Of all it has but the primary tree.
  std::vector<StructureId> structures() const;
  // indexes.size() when there is none.
  std::size_t find_index(std::string_view index) const noexcept;
  ByteVector encode() const;
  static Result<CollectionDefinition> decode(Bytes bytes, StructureId id);
};

// The encoded definition, or nothing where there is none with this id. Borrows from the view, or
// from `parts`, where they were put together.
Result<std::optional<Bytes>> load_definition(View& view, StructureId id, ByteVector& parts);
// Errors break the transaction. There is none with this id yet.
Status store_definition(WriteTxn& txn, StructureId id, Bytes definition);
Status erase_definition(WriteTxn& txn, StructureId id);

}  // namespace quire
