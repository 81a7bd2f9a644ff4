#include "engine/record/collection.h"

#include "engine/base/checksum.h"
#include "engine/record/record_log.h"

namespace quire {
namespace {

// Why `id` is not a collection.
std::unexpected<Error> not_collection(View& view, StructureId id) {
  if (view.keyspace_root(id))
    return fail(ErrorCode::kType, "id %u is a keyspace, not a collection", id);
  return fail(ErrorCode::kNotFound, "there is no collection with id %u here", id);
}

}  // namespace

Result<Collection> Collection::create(WriteTxn& txn, std::string_view name, const Schema& schema,
                                      IndexKinds kinds) {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(check_name(name, "collection"));
  QUIRE_TRY(const auto taken, txn.find_name(name));
  if (taken)
    return fail(ErrorCode::kExists, "the name '%.*s' is taken", static_cast<int>(name.size()),
                name.data());
  auto collection = build(txn, name, schema);
  if (!collection) return txn.break_with(std::move(collection).error());
  const ByteVector bytes = collection->definition().encode();
  QUIRE_CHECK(txn.log({.code = kCreateCollection, .id = collection->id_, .value = bytes}));
  QUIRE_CHECK(txn.settle());
  return collection->redefined(collection->definition(), kinds);
}

Result<Collection> Collection::build(WriteTxn& txn, std::string_view name, const Schema& schema) {
  QUIRE_TRY(const StructureId id, txn.create_tree());
  QUIRE_TRY(const StructureId numbers, txn.create_tree());
  QUIRE_TRY(const StructureId freed, txn.create_tree());
  CollectionDefinition definition{
      .name = std::string(name), .numbers = numbers, .freed = freed, .schema = schema};
  for (const std::uint32_t field : schema.vectors()) {
    QUIRE_TRY(const StructureId vector, txn.create_array(schema.field(field).vector_bytes()));
    definition.vectors.push_back(vector);
  }
  if (!schema.counted().empty()) {
    QUIRE_TRY(definition.counters, txn.create_tree());
  }
  constexpr auto kInsert = TreeWriter::PutMode::kInsert;
  QUIRE_CHECK(store_definition(txn, id, definition.encode()));
  const NameEntry entry{NameKind::kCollection, id};
  QUIRE_CHECK(txn.put_catalog(name_key(name), entry.encode(), kInsert));
  return Collection(id, std::make_shared<const CollectionState>(std::move(definition)));
}

Result<Collection> Collection::redefined(CollectionDefinition definition, IndexKinds kinds) const {
  QUIRE_TRY(auto state, CollectionState::bind(std::move(definition), id_, kinds));
  return Collection(id_, std::move(state));
}

Status Collection::replay_create(WriteTxn& txn, StructureId id, Bytes bytes) {
  QUIRE_TRY(const CollectionDefinition wanted, CollectionDefinition::decode(bytes, id));
  auto made = create(txn, wanted.name, wanted.schema);
  if (made && made->id_ == id && made->definition() == wanted) return {};
  if (!made && WriteTxn::breaks(made.error().code())) return std::unexpected(made.error());
  return txn.break_with(fail(ErrorCode::kCorrupt,
                             "log: the collection '%s' (id %u) can't be made again as it was: %s",
                             wanted.name.c_str(), id,
                             made ? "other ids are free" : made.error().message().c_str())
                            .error());
}

Result<Collection> Collection::open(View& view, std::string_view name, CollectionCache* cache) {
  QUIRE_TRY(const std::optional<NameEntry> entry, view.find_name(name));
  if (!entry)
    return fail(ErrorCode::kNotFound, "there is no collection '%.*s'",
                static_cast<int>(name.size()), name.data());
  if (entry->kind != NameKind::kCollection)
    return fail(ErrorCode::kType, "'%.*s' is a keyspace, not a collection",
                static_cast<int>(name.size()), name.data());
  return open(view, entry->id, cache);
}

Result<Collection> Collection::open(View& view, StructureId id, CollectionCache* cache) {
  ByteVector parts;
  QUIRE_TRY(const std::optional<Bytes> bytes, load_definition(view, id, parts));
  if (!bytes) return not_collection(view, id);
  const std::uint64_t hash = cache != nullptr ? checksum64(*bytes) : 0;
  if (cache != nullptr) {
    if (auto known = cache->find(id, hash)) return Collection(id, std::move(known));
  }
  QUIRE_TRY(CollectionDefinition decoded, CollectionDefinition::decode(*bytes, id));
  const IndexKinds kinds = cache != nullptr ? cache->kinds() : IndexKinds();
  QUIRE_TRY(auto state, CollectionState::bind(std::move(decoded), id, kinds));
  if (cache != nullptr) cache->keep(id, hash, state);
  return Collection(id, std::move(state));
}

Result<std::vector<CollectionInfo>> Collection::list(View& view) {
  std::vector<CollectionInfo> collections;
  TreeCursor cursor(&view.reader(), view.catalog_root());
  const ByteVector first = name_key("");
  QUIRE_CHECK(cursor.seek(first));
  for (; cursor.valid() && starts_with(cursor.key(), first);) {
    const std::string name(as_text(cursor.key().subspan(1)));
    QUIRE_TRY(const Bytes value, cursor.value());
    QUIRE_TRY(const NameEntry entry, NameEntry::decode(value, name));
    if (entry.kind == NameKind::kCollection) {
      QUIRE_TRY(const TreeRoot primary, view.tree_root(entry.id));
      collections.push_back({name, entry.id, primary.count()});
    }
    QUIRE_CHECK(cursor.next());
  }
  return collections;
}

Status Collection::drop(WriteTxn& txn) const {
  QUIRE_CHECK(txn.usable());
  QUIRE_CHECK(open(txn, id_));
  const auto drop_all = [&]() -> Status {
    QUIRE_CHECK(txn.drop_structure(id_));
    for (const StructureId structure : definition().structures())
      QUIRE_CHECK(txn.drop_structure(structure));
    QUIRE_CHECK(erase_definition(txn, id_));
    return txn.erase_catalog(name_key(name()));
  };
  if (auto dropped = drop_all(); !dropped) {
    const Error& error = dropped.error();
    if (WriteTxn::breaks(error.code())) return txn.break_with(error);
    return txn.break_with(failure(ErrorCode::kCorrupt, error.message()).error());
  }
  QUIRE_CHECK(txn.log({.code = kDropCollection, .id = id_}));
  return txn.settle();
}

Result<std::uint64_t> Collection::count(View& view) const {
  QUIRE_TRY(const TreeRoot primary, view.tree_root(id_));
  return primary.count();
}

std::unexpected<Error> Collection::failure(ErrorCode code, const std::string& words) const {
  return std::unexpected(Error(code, "collection '" + name() + "': " + words));
}

std::unexpected<Error> Collection::field_failure(ErrorCode code, std::size_t field,
                                                 const std::string& words) const {
  return std::unexpected(Error(
      code, "collection '" + name() + "', field '" + schema().field(field).name + "': " + words));
}

}  // namespace quire
