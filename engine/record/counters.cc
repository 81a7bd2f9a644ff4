#include "engine/record/counters.h"

namespace quire {
namespace {

struct CounterKey {
  explicit CounterKey(FieldId field) noexcept { store_be(bytes.data(), field); }
  std::array<std::byte, 4> bytes;
  operator Bytes() const noexcept { return bytes; }  // NOLINT: a key is its bytes
};

Result<std::int64_t> decode_counter(const Collection& collection, std::size_t field,
                                    const std::optional<Bytes>& bytes) {
  if (!bytes) return 0;
  const std::int64_t value = bytes->size() == 8 ? load_le<std::int64_t>(bytes->data()) : 0;
  if (value <= 0)
    return collection.field_failure(ErrorCode::kCorrupt, field, "its counter makes no sense");
  return value;
}

}  // namespace

Result<std::int64_t> read_counter(View& view, const Collection& collection, std::size_t field) {
  QUIRE_TRY(const TreeRoot counters, view.tree_root(collection.definition().counters));
  QUIRE_TRY(const std::optional<Bytes> bytes,
            tree_get(view.reader(), counters, CounterKey(collection.schema().field(field).id)));
  return decode_counter(collection, field, bytes);
}

Status raise_counter(WriteTxn& txn, const Collection& collection, std::size_t field,
                     std::int64_t value) {
  if (value <= 0) return {};
  QUIRE_TRY(const std::int64_t now, read_counter(txn, collection, field));
  if (value <= now) return {};
  std::array<std::byte, 8> bytes;
  store_le(bytes.data(), value);
  QUIRE_TRY(TreeWriter * counters, txn.tree(collection.definition().counters));
  QUIRE_CHECK(counters->put(CounterKey(collection.schema().field(field).id), bytes,
                            TreeWriter::PutMode::kUpsert));
  return {};
}

Status raise_counters(WriteTxn& txn, const Collection& collection, const RowView& row) {
  for (const std::uint32_t field : collection.schema().counted()) {
    if (row.is_null(field)) continue;
    QUIRE_CHECK(raise_counter(txn, collection, field, row.value(field).i64));
  }
  return {};
}

Status forget_counter(WriteTxn& txn, StructureId counters, FieldId field) {
  QUIRE_TRY(TreeWriter * tree, txn.tree(counters));
  QUIRE_CHECK(tree->erase(CounterKey(field)));
  return {};
}

}  // namespace quire
