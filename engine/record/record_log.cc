#include "engine/record/record_log.h"

#include "engine/record/collection_change.h"
#include "engine/record/record_change.h"
#include "engine/record/value_check.h"

namespace quire {
namespace {

std::unexpected<Error> damaged(const Collection& collection, const std::string& words) {
  return collection.failure(ErrorCode::kCorrupt, "log: " + words);
}

// Whether the record could have been written by a caller.
Status check_replayed(const Collection& collection, const RecordPut& put) {
  const Schema& schema = collection.schema();
  for (std::size_t i = 0; i < schema.size(); ++i) {
    if (is_vector(schema.field(i).type)) continue;
    QUIRE_CHECK(check_value(collection, i, put.row.value(i)));
  }
  for (const VectorChange& change : put.vectors) {
    const std::uint32_t field = schema.vectors()[change.vector];
    if (put.row.is_null(field) || wrong_element(schema.field(field), change.elements.data()))
      return damaged(collection, "a vector that can't be");
  }
  return {};
}

// Every vector that the record is to have has to come from the operation or be there.
Status check_vectors(const Collection& collection, const RecordPut& put,
                     const std::optional<RowView>& old) {
  const std::span<const std::uint32_t> fields = collection.schema().vectors();
  for (std::uint32_t i = 0; i < fields.size(); ++i) {
    if (put.row.is_null(fields[i]) || (old && !old->is_null(fields[i]))) continue;
    bool given = false;
    for (const VectorChange& change : put.vectors) given |= change.vector == i;
    if (!given) return damaged(collection, "a record without one of its vectors");
  }
  return {};
}

Status replay_put(WriteTxn& txn, const Collection& collection, Bytes payload) {
  QUIRE_TRY(const RecordPut put, decode_put(collection.schema(), payload));
  QUIRE_CHECK(check_replayed(collection, put));
  EncodedKey key;
  encode_key_of(put.row, key);
  if (key.size() > max_key_size(txn.reader().page_size()))
    return damaged(collection, "a key that is too long");
  QUIRE_TRY(const std::optional<RowView> old, find_row(txn, collection, bytes_of(key)));
  QUIRE_CHECK(check_vectors(collection, put, old));
  if (old && old->number() != put.row.number())
    return damaged(collection, "a record changes its number");
  return change_put(txn, collection, bytes_of(key), payload, old ? &*old : nullptr);
}

Status replay(WriteTxn& txn, const Operation& operation, CollectionCache* cache) {
  if (operation.code == kCreateCollection)
    return Collection::replay_create(txn, operation.id, operation.value);
  QUIRE_TRY(const Collection collection, Collection::open(txn, operation.id, cache));
  switch (static_cast<unsigned>(operation.code)) {
    case static_cast<unsigned>(kChangeCollection):
      return replay_redefinition(txn, collection, operation.value,
                                 cache != nullptr ? cache->kinds() : IndexKinds());
    case static_cast<unsigned>(kDropCollection):
      return collection.drop(txn);
    case static_cast<unsigned>(kPutRecord):
      return replay_put(txn, collection, operation.value);
    case static_cast<unsigned>(kEraseRecord): {
      QUIRE_TRY(const bool erased, change_erase(txn, collection, operation.value));
      if (!erased) return damaged(collection, "a record that is not there is erased");
      return {};
    }
    default:
      return damaged(
          collection,
          "operation " + std::to_string(static_cast<unsigned>(operation.code)) + " does not exist");
  }
}

}  // namespace

ByteVector encode_put(const Schema& schema, RecordNumber number, std::span<const Value> values,
                      std::span<const std::uint32_t> changed) {
  ByteVector row;
  std::size_t vector_bytes = 0;
  for (const std::uint32_t i : changed)
    vector_bytes += values[schema.vectors()[i]].vector_bytes().size() + 5;
  row.reserve(row_size_bound(schema, values));
  encode_row(schema, number, values, row);
  ByteVector payload;
  payload.reserve(row.size() + vector_bytes + 10);
  ByteWriter writer(payload);
  writer.put_sized(row);
  writer.put_varint(changed.size());
  for (const std::uint32_t i : changed) {
    writer.put_varint(i);
    writer.put_bytes(values[schema.vectors()[i]].vector_bytes());
  }
  return payload;
}

Result<RecordPut> decode_put(const Schema& schema, Bytes payload) {
  ByteReader reader(payload);
  const Bytes row = reader.get_sized();
  const std::uint64_t count = reader.get_varint();
  if (!reader.ok() || count > schema.vectors().size())
    return fail(ErrorCode::kCorrupt, "log: the change of a record makes no sense");
  QUIRE_TRY(RowView view, RowView::parse(schema, row));
  if (view.version() != schema.version())
    return fail(ErrorCode::kCorrupt, "log: a record of another version of its schema");
  RecordPut put{view, {}};
  put.vectors.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t vector = reader.get_varint();
    if (!reader.ok() || vector >= schema.vectors().size()) break;
    const Field& field = schema.field(schema.vectors()[vector]);
    put.vectors.push_back(
        {static_cast<std::uint32_t>(vector), reader.get_bytes(field.vector_bytes())});
  }
  if (!reader.ok() || put.vectors.size() != count || reader.left() != 0)
    return fail(ErrorCode::kCorrupt, "log: the change of a record makes no sense");
  return put;
}

Status apply_record_operation(WriteTxn& txn, const Operation& operation, CollectionCache* cache) {
  QUIRE_CHECK(txn.usable());
  auto status = replay(txn, operation, cache);
  if (status || WriteTxn::breaks(status.error().code())) {
    if (status) return {};
    return txn.break_with(std::move(status).error());
  }
  return txn.break_with(Error(ErrorCode::kCorrupt, "log: " + status.error().message()));
}

}  // namespace quire
