#include "capi/given.h"
#include "engine/record/numbers.h"
#include "engine/record/record_change.h"
#include "engine/record/record_writer.h"
#include "engine/record/value_check.h"

using namespace quire;
using namespace quire::capi;

namespace {

// How many values a caller has room for that does not say it.
constexpr size_t kAsManyAsThereAre = SIZE_MAX;

// key_count: of `key`, where that is wanted.
int insert(quire_txn* txn, quire_collection collection, const quire_value* values,
           size_t value_count, EncodedKey* key, size_t key_count = kAsManyAsThereAre) {
  return change_records(txn, collection, [&](const Collection& opened) {
    if (key_count != kAsManyAsThereAre) {
      if (const Status room = check_key_count(opened, key_count); !room)
        return report(room.error());
    }
    auto converted = values_of(values, value_count);
    if (!converted) return report(converted.error());
    if (const Status made = fill_made_key(txn, opened, *converted); !made)
      return report(made.error());
    return code_of(insert_record(*txn->write, opened, span_of(*converted), key));
  });
}

int insert_and_tell(quire_txn* txn, quire_collection collection, const quire_value* values,
                    size_t value_count, quire_value* key, size_t key_count) {
  EncodedKey made;
  const int code = insert(txn, collection, values, value_count, &made, key_count);
  if (code != QUIRE_OK) return code;
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    auto parts = decode_key(opened.reader.collection().schema(), bytes_of(made));
    if (!parts) return report(parts.error());
    txn->made_key = *std::move(parts);
    for (size_t i = 0; i < txn->made_key.size(); ++i)
      key[i] = public_value(txn->made_key[i].view());
    return QUIRE_OK;
  });
}

// The first fields of a record that was found, or not.
int give_record(RecordReader& reader, const Result<std::optional<RowView>>& row,
                quire_value* values, size_t value_count) {
  if (!row) return report(row.error());
  if (!*row) return report(QUIRE_ERR_NOT_FOUND, "there is no record with this key");
  Values found(value_count);
  if (const Status read = reader.read(**row, {found.data(), found.size()}); !read)
    return report(read.error());
  for (size_t i = 0; i < value_count; ++i) values[i] = public_value(found[i]);
  return QUIRE_OK;
}

// The row of the record that has this number: kNotFound where none has.
Result<std::optional<RowView>> row_of_number(RecordReader& reader, uint64_t record) {
  const Collection& collection = reader.collection();
  QUIRE_TRY(const TreeRoot numbers, reader.view().tree_root(collection.definition().numbers));
  if (record >= numbers.count())
    return fail(ErrorCode::kNotFound, "there is no record with this number");
  QUIRE_TRY(const NumberEntry entry, read_number(reader.view(), collection, record));
  if (!entry.in_use) return fail(ErrorCode::kNotFound, "there is no record with this number");
  QUIRE_TRY(auto row, find_row(reader.view(), collection, entry.key));
  if (!row) return fail(ErrorCode::kNotFound, "there is no record with this number");
  return row;
}

}  // namespace

extern "C" {

int quire_collection_open(quire_txn* txn, const char* name, quire_collection* collection) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (name == nullptr || collection == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_open: name or collection is NULL");
  return guarded([&]() -> int {
    const auto found = Collection::open(txn->view(), name, &txn->db->shared->definitions);
    if (!found) return report(found.error());
    *collection = found->id();
    return QUIRE_OK;
  });
}

int quire_collection_list(quire_txn* txn,
                          int (*visit)(void* context, const char* name, quire_collection collection,
                                       uint64_t records),
                          void* context) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (visit == nullptr) return report(QUIRE_ERR_INVALID, "quire_collection_list: visit is NULL");
  return guarded([&]() -> int {
    const auto all = Collection::list(txn->view());
    if (!all) return report(all.error());
    for (const CollectionInfo& info : *all) {
      if (visit(context, info.name.c_str(), info.id, info.records) != 0) break;
    }
    return QUIRE_OK;
  });
}

int quire_collection_count(quire_txn* txn, quire_collection collection, uint64_t* records) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (records == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_count: records is NULL");
  return guarded([&]() -> int {
    const auto opened = open_collection(txn, collection);
    if (!opened) return report(opened.error());
    const auto count = (*opened)->reader.collection().count(txn->view());
    if (!count) return report(count.error());
    *records = *count;
    return QUIRE_OK;
  });
}

int quire_record_insert(quire_txn* txn, quire_collection collection, const quire_value* values,
                        size_t value_count) {
  return insert(txn, collection, values, value_count, nullptr);
}

int quire_record_insert_key(quire_txn* txn, quire_collection collection, const quire_value* values,
                            size_t value_count, quire_value* key) {
  if (key == nullptr) return report(QUIRE_ERR_INVALID, "quire_record_insert_key: key is NULL");
  return insert_and_tell(txn, collection, values, value_count, key, kAsManyAsThereAre);
}

int quire_record_insert_keyed(quire_txn* txn, quire_collection collection,
                              const quire_value* values, size_t value_count, quire_value* key,
                              size_t key_count) {
  if (key == nullptr || key_count == kAsManyAsThereAre)
    return report(QUIRE_ERR_INVALID,
                  "quire_record_insert_keyed: key is NULL, or key_count is no number of values");
  return insert_and_tell(txn, collection, values, value_count, key, key_count);
}

int quire_record_upsert(quire_txn* txn, quire_collection collection, const quire_value* values,
                        size_t value_count) {
  return quire_record_upsert_if(txn, collection, values, value_count, nullptr, 0);
}

int quire_record_upsert_if(quire_txn* txn, quire_collection collection, const quire_value* values,
                           size_t value_count, const quire_expected* expected,
                           size_t expected_count) {
  return change_records(txn, collection, [&](const Collection& opened) {
    auto converted = values_of(values, value_count);
    if (!converted) return report(converted.error());
    if (const Status made = fill_made_key(txn, opened, *converted); !made)
      return report(made.error());
    const auto conditions = conditions_of(expected, expected_count);
    if (!conditions) return report(conditions.error());
    return code_of(upsert_record(*txn->write, opened, span_of(*converted), nullptr,
                                 {.expected = span_of(*conditions)}));
  });
}

int quire_record_update(quire_txn* txn, quire_collection collection, const quire_value* key,
                        size_t key_count, const uint32_t* fields, const quire_value* values,
                        size_t count) {
  return quire_record_update_if(txn, collection, key, key_count, fields, values, count, nullptr, 0);
}

int quire_record_update_if(quire_txn* txn, quire_collection collection, const quire_value* key,
                           size_t key_count, const uint32_t* fields, const quire_value* values,
                           size_t count, const quire_expected* expected, size_t expected_count) {
  return change_records(txn, collection, [&](const Collection& opened) {
    if (fields == nullptr && count != 0)
      return report(QUIRE_ERR_INVALID, "quire_record_update: fields is NULL");
    const auto wanted = key_of(opened, key, key_count);
    if (!wanted) return report(wanted.error());
    const auto converted = values_of(values, count);
    if (!converted) return report(converted.error());
    const auto conditions = conditions_of(expected, expected_count);
    if (!conditions) return report(conditions.error());
    return code_of(update_record(*txn->write, opened, span_of(*wanted), {fields, count},
                                 span_of(*converted), {.expected = span_of(*conditions)}));
  });
}

int quire_record_delete(quire_txn* txn, quire_collection collection, const quire_value* key,
                        size_t key_count) {
  return quire_record_delete_if(txn, collection, key, key_count, nullptr, 0);
}

int quire_record_delete_if(quire_txn* txn, quire_collection collection, const quire_value* key,
                           size_t key_count, const quire_expected* expected,
                           size_t expected_count) {
  return change_records(txn, collection, [&](const Collection& opened) {
    const auto wanted = key_of(opened, key, key_count);
    if (!wanted) return report(wanted.error());
    const auto conditions = conditions_of(expected, expected_count);
    if (!conditions) return report(conditions.error());
    return code_of(
        erase_record(*txn->write, opened, span_of(*wanted), {.expected = span_of(*conditions)}));
  });
}

int quire_record_get(quire_txn* txn, quire_collection collection, const quire_value* key,
                     size_t key_count, quire_value* values, size_t value_count) {
  if (values == nullptr && value_count != 0)
    return report(QUIRE_ERR_INVALID, "quire_record_get: values is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const auto wanted = key_of(opened.reader.collection(), key, key_count);
    if (!wanted) return report(wanted.error());
    Values found(value_count);
    const auto there = opened.reader.get(span_of(*wanted), {found.data(), found.size()});
    if (!there) return report(there.error());
    if (!*there) return report(QUIRE_ERR_NOT_FOUND, "there is no record with this key");
    for (size_t i = 0; i < value_count; ++i) values[i] = public_value(found[i]);
    return QUIRE_OK;
  });
}

int quire_record_version(quire_txn* txn, quire_collection collection, const quire_value* key,
                         size_t key_count, uint32_t* version) {
  if (version == nullptr) return report(QUIRE_ERR_INVALID, "quire_record_version: version is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const Collection& found = opened.reader.collection();
    const auto wanted = key_of(found, key, key_count);
    if (!wanted) return report(wanted.error());
    EncodedKey encoded;
    const Status made = make_key(found, span_of(*wanted), SIZE_MAX, encoded);
    if (!made) return report(made.error());
    const auto row = find_row(txn->view(), found, bytes_of(encoded));
    if (!row) return report(row.error());
    if (!*row) return report(QUIRE_ERR_NOT_FOUND, "there is no record with this key");
    *version = (*row)->version();
    return QUIRE_OK;
  });
}

int quire_record_get_number(quire_txn* txn, quire_collection collection, uint64_t record,
                            quire_value* values, size_t value_count) {
  if (values == nullptr && value_count != 0)
    return report(QUIRE_ERR_INVALID, "quire_record_get_number: values is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    return give_record(opened.reader, row_of_number(opened.reader, record), values, value_count);
  });
}

int quire_record_get_fields(quire_txn* txn, quire_collection collection, uint64_t record,
                            const uint32_t* fields, quire_value* values, size_t count) {
  if (count != 0 && (fields == nullptr || values == nullptr))
    return report(QUIRE_ERR_INVALID, "quire_record_get_fields: fields or values is NULL");
  return read_collection(txn, collection, [&](OpenCollection& opened) -> int {
    const auto row = row_of_number(opened.reader, record);
    if (!row) return report(row.error());
    for (size_t i = 0; i < count; ++i) {
      const auto value = opened.reader.read_field(**row, fields[i]);
      if (!value) return report(value.error());
      values[i] = public_value(*value);
    }
    return QUIRE_OK;
  });
}

int quire_scan_open(quire_txn* txn, quire_collection collection, const quire_value* low,
                    size_t low_count, const quire_value* high, size_t high_count,
                    quire_cursor** out) {
  if (out == nullptr) return report(QUIRE_ERR_INVALID, "quire_scan_open: cursor is NULL");
  *out = nullptr;
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    const auto opened = open_collection(txn, collection);
    if (!opened) return report(opened.error());
    RecordReader& reader = (*opened)->reader;
    const auto from = bound_of(reader.collection(), low, low_count);
    if (!from) return report(from.error());
    const auto to = bound_of(reader.collection(), high, high_count);
    if (!to) return report(to.error());
    auto scan = RecordScan::open(reader, span_of(*from), span_of(*to));
    if (!scan) return report(scan.error());
    auto owner = cursor_pool().acquire();
    make_room_for_one(txn->cursors);
    quire_cursor* cursor = owner.release();
    txn->cursors.push_back(cursor);
    cursor->scan.emplace(std::move(*scan));
    cursor->txn = txn;
    cursor->keyspace = 0;
    cursor->state.store(HandleState::kOpen, std::memory_order_release);
    *out = cursor;
    return QUIRE_OK;
  });
}

int quire_scan_next(quire_cursor* cursor, quire_value* values, size_t value_count) {
  if (cursor == nullptr) return report(QUIRE_ERR_INVALID, "the cursor is NULL");
  if (cursor->state.load(std::memory_order_acquire) != HandleState::kOpen || cursor->txn == nullptr)
    return report(QUIRE_ERR_CLOSED, "the scan was closed, or its transaction has ended");
  if (values == nullptr && value_count != 0) return report(QUIRE_ERR_INVALID, "values is NULL");
  TxnCall call(cursor->txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    if (!cursor->scan)
      return cursor->range != nullptr
                 ? report(QUIRE_ERR_TYPE, "a cursor of a keyspace: use quire_cursor_next")
                 : report(QUIRE_ERR_CLOSED,
                          "the scan has ended: its transaction was renewed or rolled back, the "
                          "collection dropped, or memory ran out in it");
    Values found(value_count);
    // Where memory ends the scan does too: it would not know where it stands.
    auto there =
        catch_out_of_memory([&] { return cursor->scan->next({found.data(), found.size()}); });
    if (!there && there.error().code() == ErrorCode::kNoMemory) cursor->scan.reset();
    if (!there) return report(there.error());
    if (!*there) return report(QUIRE_ERR_NOT_FOUND, "the scan is at the end");
    for (size_t i = 0; i < value_count; ++i) values[i] = public_value(found[i]);
    return QUIRE_OK;
  });
}

}  // extern "C"
