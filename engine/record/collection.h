// A collection: what its records are and where they lie.
//
// Its structures, each an entry of the catalog:
//
//   primary   tree: key (key_codec.h) -> row (row_codec.h). Its id is the collection's
//   numbers   tree: be64 number -> where the number is (numbers.h); each that was ever given
//   freed     tree: be64 transaction that freed it, be64 number -> nothing
//   vectors   one paged array for each vector field, by number
//   counters  tree: be32 field id -> u64, little-endian: the greatest number that a record ever had
//             in it. Only where a field has the next number by default
//   indexes   what each kind makes (index.h)
//
// and a definition (definition.h), which no change of a record touches.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/record/collection_cache.h"

namespace quire {

struct CollectionInfo {
  std::string name;
  StructureId id = 0;
  std::uint64_t records = 0;
};

// A value: belongs to no transaction, cheap to copy, the same for every view in which the
// collection has this definition. It goes stale when a transaction drops or redefines the
// collection, or when that is rolled back.
class Collection {
 public:
  // kInvalid (name), kExists. Logged.
  static Result<Collection> create(WriteTxn& txn, std::string_view name, const Schema& schema,
                                   IndexKinds kinds = {});
  // kNotFound; kType when it is a keyspace. Without a cache no kind of index is known.
  static Result<Collection> open(View& view, std::string_view name,
                                 CollectionCache* cache = nullptr);
  static Result<Collection> open(View& view, StructureId id, CollectionCache* cache = nullptr);
  // In order of names.
  static Result<std::vector<CollectionInfo>> list(View& view);
  // With all it has; O(pages). Logged.
  Status drop(WriteTxn& txn) const;

  StructureId id() const noexcept { return id_; }
  const std::string& name() const noexcept { return state_->definition.name; }
  const Schema& schema() const noexcept { return state_->definition.schema; }
  const CollectionDefinition& definition() const noexcept { return state_->definition; }
  // In order of definition().indexes; nullptr for one of a kind that is not known here.
  std::span<const std::unique_ptr<const Index>> indexes() const noexcept { return state_->indexes; }
  // Number of records. O(1).
  Result<std::uint64_t> count(View& view) const;

  // An error about a field: "collection 'c', field 'f': " and the words.
  std::unexpected<Error> field_failure(ErrorCode code, std::size_t field,
                                       const std::string& words) const;
  // The same about the whole.
  std::unexpected<Error> failure(ErrorCode code, const std::string& words) const;

  // Carries out a logged creation: its id and definition have to come out as they were.
  static Status replay_create(WriteTxn& txn, StructureId id, Bytes definition);
  // The same collection under a definition that its caller has stored.
  Result<Collection> redefined(CollectionDefinition definition, IndexKinds kinds) const;

 private:
  Collection(StructureId id, std::shared_ptr<const CollectionState> state)
      : id_(id), state_(std::move(state)) {}
  static Result<Collection> build(WriteTxn& txn, std::string_view name, const Schema& schema);

  StructureId id_;
  std::shared_ptr<const CollectionState> state_;
};

}  // namespace quire
