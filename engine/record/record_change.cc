#include "engine/record/record_change.h"

#include "engine/record/key_codec.h"
#include "engine/record/numbers.h"

namespace quire {
namespace {

using PutMode = TreeWriter::PutMode;

// An error in the middle of a change: none of the structures may be used any more. One that is not
// of the system says that they did not fit together.
std::unexpected<Error> break_off(WriteTxn& txn, const Collection& collection, Error error) {
  if (!WriteTxn::breaks(error.code()))
    error = collection.failure(ErrorCode::kCorrupt, error.message()).error();
  return txn.break_with(std::move(error));
}

// Takes a number out of those that are free.
Status claim_number(WriteTxn& txn, const Collection& collection, RecordNumber number) {
  QUIRE_TRY(const NumberEntry entry, read_number(txn, collection, number));
  if (entry.in_use)
    return fail(ErrorCode::kCorrupt, "the record number %llu is in use",
                static_cast<unsigned long long>(number));
  QUIRE_TRY(TreeWriter * freed, txn.tree(collection.definition().freed));
  QUIRE_TRY(const bool erased, freed->erase(FreedKey(entry.freed_at, number)));
  if (!erased)
    return fail(ErrorCode::kCorrupt, "the free record number %llu is not among the free",
                static_cast<unsigned long long>(number));
  return {};
}

Status put_number(WriteTxn& txn, const Collection& collection, Bytes key, const RowView& row,
                  bool is_new) {
  QUIRE_TRY(TreeWriter * numbers, txn.tree(collection.definition().numbers));
  const ByteVector entry = encode_used_number(collection.schema(), row, key);
  const bool append = is_new && row.number() == numbers->root().count();
  if (is_new && !append) QUIRE_CHECK(claim_number(txn, collection, row.number()));
  QUIRE_CHECK(
      numbers->put(NumberKey(row.number()), entry, append ? PutMode::kAppend : PutMode::kUpdate));
  return {};
}

Status put_vectors(WriteTxn& txn, const Collection& collection, const RecordPut& put) {
  for (const VectorChange& change : put.vectors) {
    QUIRE_TRY(ArrayWriter * array, txn.array(collection.definition().vectors[change.vector]));
    QUIRE_CHECK(array->set(put.row.number(), change.elements));
  }
  return {};
}

std::unexpected<Error> exists(const Collection& collection, Bytes key) {
  return collection.failure(ErrorCode::kExists,
                            "there is a record with the key " +
                                describe_key(collection.schema().key_field(), key) + " already");
}

Status free_number(WriteTxn& txn, const Collection& collection, RecordNumber number) {
  QUIRE_TRY(TreeWriter * numbers, txn.tree(collection.definition().numbers));
  QUIRE_CHECK(numbers->put(NumberKey(number), encode_free_number(txn.number()), PutMode::kUpdate));
  QUIRE_TRY(TreeWriter * freed, txn.tree(collection.definition().freed));
  QUIRE_CHECK(freed->put(FreedKey(txn.number(), number), {}, PutMode::kInsert));
  return {};
}

}  // namespace

Result<std::optional<RowView>> find_row(View& view, const Collection& collection, Bytes key) {
  QUIRE_TRY(const TreeRoot primary, view.tree_root(collection.id()));
  QUIRE_TRY(const std::optional<Bytes> bytes, tree_get(view.reader(), primary, key));
  if (!bytes) return std::nullopt;
  auto row = RowView::parse(collection.schema(), *bytes);
  if (!row) return collection.failure(row.error().code(), row.error().message());
  return *row;
}

bool same_vectors_present(const Schema& schema, const RowView& a, const RowView& b) noexcept {
  for (const std::uint32_t field : schema.vectors())
    if (a.is_null(field) != b.is_null(field)) return false;
  return true;
}

Status change_put(WriteTxn& txn, const Collection& collection, Bytes key, Bytes payload,
                  PutKind kind) {
  QUIRE_TRY(const RecordPut put, decode_put(collection.schema(), payload));
  QUIRE_TRY(TreeWriter * primary, txn.tree(collection.id()));
  const bool is_new = kind == PutKind::kNew;
  auto stored = primary->put(key, put.row.bytes(), is_new ? PutMode::kInsert : PutMode::kUpdate);
  if (!stored) {
    if (is_new && stored.error().code() == ErrorCode::kExists) return exists(collection, key);
    return break_off(txn, collection, std::move(stored).error());
  }
  const auto store_rest = [&]() -> Status {
    if (kind != PutKind::kSameVectors)
      QUIRE_CHECK(put_number(txn, collection, key, put.row, is_new));
    return put_vectors(txn, collection, put);
  };
  if (auto rest = store_rest(); !rest) return break_off(txn, collection, std::move(rest).error());
  QUIRE_CHECK(txn.log({.code = kPutRecord, .id = collection.id(), .value = payload}));
  return txn.settle();
}

Result<bool> change_erase(WriteTxn& txn, const Collection& collection, Bytes key) {
  QUIRE_TRY(const std::optional<RowView> row, find_row(txn, collection, key));
  if (!row) return false;
  const RecordNumber number = row->number();
  const auto erase = [&]() -> Status {
    QUIRE_TRY(TreeWriter * primary, txn.tree(collection.id()));
    QUIRE_CHECK(primary->erase(key));
    return free_number(txn, collection, number);
  };
  if (auto erased = erase(); !erased) return break_off(txn, collection, std::move(erased).error());
  QUIRE_CHECK(txn.log({.code = kEraseRecord, .id = collection.id(), .value = key}));
  QUIRE_CHECK(txn.settle());
  return true;
}

}  // namespace quire
