#include <boost/container/small_vector.hpp>

#include "capi/handles.h"
#include "engine/record/record_writer.h"
#include "index/vector/exact_search.h"

using namespace quire;
using namespace quire::capi;

namespace {

using Values = boost::container::small_vector<Value, 16>;
std::span<const Value> span_of(const Values& values) noexcept {
  return {values.data(), values.size()};
}

int to_value(const quire_value& given, Value& value) noexcept {
  switch (given.type) {
    case QUIRE_TYPE_NULL:
      value = Value::null();
      return QUIRE_OK;
    case QUIRE_TYPE_BOOL:
      value = Value::of_bool(given.as.boolean != 0);
      return QUIRE_OK;
    case QUIRE_TYPE_I64:
      value = Value::of_i64(given.as.i64);
      return QUIRE_OK;
    case QUIRE_TYPE_F64:
      value = Value::of_f64(given.as.f64);
      return QUIRE_OK;
    case QUIRE_TYPE_TIMESTAMP:
      value = Value::of_timestamp(given.as.i64);
      return QUIRE_OK;
    case QUIRE_TYPE_TEXT:
    case QUIRE_TYPE_BYTES:
      if (given.as.bytes.data == nullptr && given.as.bytes.size != 0)
        return report(QUIRE_ERR_INVALID, "a quire_value of type text or bytes has NULL data");
      value = Value::of_bytes(bytes_of(given.as.bytes.data, given.as.bytes.size));
      if (given.type == QUIRE_TYPE_TEXT) value.type = FieldType::kText;
      return QUIRE_OK;
    case QUIRE_TYPE_VECTOR_F32:
      if (given.as.vector == nullptr)
        return report(QUIRE_ERR_INVALID, "a quire_value of type vector is NULL");
      value = Value::of_vector(given.as.vector, given.dimension);
      return QUIRE_OK;
    default:
      return report(QUIRE_ERR_TYPE, "a quire_value has a type that is not a QUIRE_TYPE_*");
  }
}

int to_values(const quire_value* given, size_t count, Values& values) {
  if (given == nullptr && count != 0) return report(QUIRE_ERR_INVALID, "values is NULL");
  values.resize(count);
  for (size_t i = 0; i < count; ++i) {
    if (const int code = to_value(given[i], values[i]); code != QUIRE_OK) return code;
  }
  return QUIRE_OK;
}

// The reader of a collection in this transaction; made at first use.
Result<RecordReader*> reader_of(quire_txn* txn, quire_collection id) {
  const auto found = txn->collections.find(id);
  if (found != txn->collections.end()) return found->second.get();
  QUIRE_TRY(Collection collection,
            Collection::open(txn->view(), id, &txn->db->shared->definitions));
  auto made = std::make_unique<RecordReader>(txn->view(), std::move(collection));
  return txn->collections.emplace(id, std::move(made)).first->second.get();
}

// Runs a change of records: change(collection) -> Status.
template <class Change>
int change_records(quire_txn* txn, quire_collection id, Change&& change) noexcept {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(txn, [&]() -> int {
    const auto reader = reader_of(txn, id);
    if (!reader) return report(reader.error());
    return change((*reader)->collection());
  });
}

int code_of(const Status& status) noexcept { return status ? QUIRE_OK : report(status.error()); }

Result<Schema> schema_of(const quire_field* fields, size_t count) {
  std::vector<Field> made;
  std::size_t key = count;
  for (size_t i = 0; i < count; ++i) {
    const quire_field& field = fields[i];
    if (field.name == nullptr) return fail(ErrorCode::kInvalid, "field %zu has no name", i);
    if (field.type > 255 || !is_known_type(static_cast<std::uint8_t>(field.type)))
      return fail(ErrorCode::kType, "field '%s': %u is not a QUIRE_TYPE_* of a field", field.name,
                  field.type);
    constexpr std::uint32_t kFlags = QUIRE_FIELD_NULLABLE | QUIRE_FIELD_KEY;
    if ((field.flags & ~kFlags) != 0 || field.reserved != 0)
      return fail(ErrorCode::kInvalid, "field '%s': unknown flags", field.name);
    if ((field.flags & QUIRE_FIELD_KEY) != 0) {
      if (key != count)
        return fail(ErrorCode::kInvalid, "fields '%s' and '%s' are both the key", fields[key].name,
                    field.name);
      key = i;
    }
    made.push_back({.name = field.name,
                    .type = static_cast<FieldType>(field.type),
                    .nullable = (field.flags & QUIRE_FIELD_NULLABLE) != 0,
                    .dimension = field.dimension});
  }
  if (key == count) return fail(ErrorCode::kInvalid, "no field is the key (QUIRE_FIELD_KEY)");
  return Schema::make(std::move(made), key);
}

}  // namespace

quire_value quire::capi::public_value(const Value& value) noexcept {
  quire_value out{};
  out.type = static_cast<std::uint32_t>(value.type);
  switch (value.type) {
    case FieldType::kNull:
      break;
    case FieldType::kBool:
      out.as.boolean = value.boolean ? 1 : 0;
      break;
    case FieldType::kI64:
    case FieldType::kTimestamp:
      out.as.i64 = value.i64;
      break;
    case FieldType::kF64:
      out.as.f64 = value.f64;
      break;
    case FieldType::kText:
    case FieldType::kBytes:
      out.as.bytes = {value.bytes.data(), value.bytes.size()};
      break;
    case FieldType::kVectorF32:
      out.dimension = value.dimension;
      out.as.vector = value.vector;
      break;
  }
  return out;
}

extern "C" {

int quire_collection_create(quire_txn* txn, const char* name, const quire_field* fields,
                            size_t field_count, quire_collection* collection) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  if (name == nullptr || fields == nullptr || collection == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_create: name, fields or collection is NULL");
  return guarded_change(txn, [&]() -> int {
    const auto schema = schema_of(fields, field_count);
    if (!schema) return report(schema.error());
    const auto made = Collection::create(*txn->write, name, *schema);
    if (!made) return report(made.error());
    *collection = made->id();
    return QUIRE_OK;
  });
}

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

int quire_collection_drop(quire_txn* txn, quire_collection collection) {
  return change_records(txn, collection, [&](const Collection& opened) {
    for (quire_cursor* cursor : txn->cursors) {
      if (cursor->scan) cursor->scan.reset();
    }
    // Forgotten, but alive until it is dropped: `opened` is its.
    const auto forgotten = txn->collections.extract(collection);
    return code_of(opened.drop(*txn->write));
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

int quire_collection_field_count(quire_txn* txn, quire_collection collection, size_t* field_count) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (field_count == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_field_count: field_count is NULL");
  return guarded([&]() -> int {
    const auto reader = reader_of(txn, collection);
    if (!reader) return report(reader.error());
    *field_count = (*reader)->collection().schema().size();
    return QUIRE_OK;
  });
}

int quire_collection_field(quire_txn* txn, quire_collection collection, size_t index,
                           quire_field* field) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (field == nullptr) return report(QUIRE_ERR_INVALID, "quire_collection_field: field is NULL");
  return guarded([&]() -> int {
    const auto reader = reader_of(txn, collection);
    if (!reader) return report(reader.error());
    const Schema& schema = (*reader)->collection().schema();
    if (index >= schema.size())
      return report(Error(ErrorCode::kNotFound, "collection '" + (*reader)->collection().name() +
                                                    "' has " + std::to_string(schema.size()) +
                                                    " fields, none with index " +
                                                    std::to_string(index)));
    const Field& found = schema.field(index);
    *field = {};
    field->name = found.name.c_str();
    field->type = static_cast<std::uint32_t>(found.type);
    field->flags = (found.nullable ? std::uint32_t{QUIRE_FIELD_NULLABLE} : 0u) |
                   (schema.key() == index ? std::uint32_t{QUIRE_FIELD_KEY} : 0u);
    field->dimension = found.dimension;
    return QUIRE_OK;
  });
}

int quire_collection_count(quire_txn* txn, quire_collection collection, uint64_t* records) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (records == nullptr)
    return report(QUIRE_ERR_INVALID, "quire_collection_count: records is NULL");
  return guarded([&]() -> int {
    const auto reader = reader_of(txn, collection);
    if (!reader) return report(reader.error());
    const auto count = (*reader)->collection().count(txn->view());
    if (!count) return report(count.error());
    *records = *count;
    return QUIRE_OK;
  });
}

int quire_record_insert(quire_txn* txn, quire_collection collection, const quire_value* values,
                        size_t value_count) {
  return change_records(txn, collection, [&](const Collection& opened) {
    Values converted;
    if (const int code = to_values(values, value_count, converted); code != QUIRE_OK) return code;
    return code_of(insert_record(*txn->write, opened, span_of(converted)));
  });
}

int quire_record_upsert(quire_txn* txn, quire_collection collection, const quire_value* values,
                        size_t value_count) {
  return change_records(txn, collection, [&](const Collection& opened) {
    Values converted;
    if (const int code = to_values(values, value_count, converted); code != QUIRE_OK) return code;
    return code_of(upsert_record(*txn->write, opened, span_of(converted)));
  });
}

int quire_record_update(quire_txn* txn, quire_collection collection, const quire_value* key,
                        const uint32_t* fields, const quire_value* values, size_t count) {
  return change_records(txn, collection, [&](const Collection& opened) {
    if (key == nullptr || (fields == nullptr && count != 0))
      return report(QUIRE_ERR_INVALID, "quire_record_update: key or fields is NULL");
    Value wanted;
    if (const int code = to_value(*key, wanted); code != QUIRE_OK) return code;
    Values converted;
    if (const int code = to_values(values, count, converted); code != QUIRE_OK) return code;
    return code_of(update_record(*txn->write, opened, wanted, {fields, count}, span_of(converted)));
  });
}

int quire_record_delete(quire_txn* txn, quire_collection collection, const quire_value* key) {
  return change_records(txn, collection, [&](const Collection& opened) {
    if (key == nullptr) return report(QUIRE_ERR_INVALID, "quire_record_delete: key is NULL");
    Value wanted;
    if (const int code = to_value(*key, wanted); code != QUIRE_OK) return code;
    return code_of(erase_record(*txn->write, opened, wanted));
  });
}

int quire_record_get(quire_txn* txn, quire_collection collection, const quire_value* key,
                     quire_value* values, size_t value_count) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (key == nullptr || (values == nullptr && value_count != 0))
    return report(QUIRE_ERR_INVALID, "quire_record_get: key or values is NULL");
  return guarded([&]() -> int {
    const auto reader = reader_of(txn, collection);
    if (!reader) return report(reader.error());
    Value wanted;
    if (const int code = to_value(*key, wanted); code != QUIRE_OK) return code;
    Values found(value_count);
    const auto there = (*reader)->get(wanted, {found.data(), found.size()});
    if (!there) return report(there.error());
    if (!*there) return report(QUIRE_ERR_NOT_FOUND, "there is no record with this key");
    for (size_t i = 0; i < value_count; ++i) values[i] = public_value(found[i]);
    return QUIRE_OK;
  });
}

int quire_scan_open(quire_txn* txn, quire_collection collection, const quire_value* low,
                    const quire_value* high, quire_cursor** out) {
  if (out == nullptr) return report(QUIRE_ERR_INVALID, "quire_scan_open: cursor is NULL");
  *out = nullptr;
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    const auto reader = reader_of(txn, collection);
    if (!reader) return report(reader.error());
    Value bounds[2];
    if (low != nullptr) {
      if (const int code = to_value(*low, bounds[0]); code != QUIRE_OK) return code;
    }
    if (high != nullptr) {
      if (const int code = to_value(*high, bounds[1]); code != QUIRE_OK) return code;
    }
    auto scan = RecordScan::open(**reader, low != nullptr ? &bounds[0] : nullptr,
                                 high != nullptr ? &bounds[1] : nullptr);
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
