#include "capi/query_options.h"
#include "engine/record/numbers.h"
#include "engine/record/record_writer.h"
#include "index/query/matching.h"

using namespace quire;
using namespace quire::capi;

namespace {

// A call with a query that is open and whose transaction goes on: body(Query&) -> int.
template <class Body>
int with_query(quire_query* query, Body&& body) noexcept {
  if (query == nullptr) return report(QUIRE_ERR_INVALID, "the query is NULL");
  if (query->state.load(std::memory_order_acquire) != HandleState::kOpen || query->txn == nullptr)
    return report(QUIRE_ERR_CLOSED, "the query was closed, or its transaction has ended");
  TxnCall call(query->txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (query->query == nullptr)
    return report(QUIRE_ERR_CLOSED,
                  "the query has ended: its transaction was renewed or rolled back, the collection "
                  "changed or dropped, or memory ran out in it");
  return guarded([&]() -> int { return body(*query->query); });
}

Result<query::CachedQuery> open_query(quire_txn* txn, quire_collection collection,
                                      const QueryRequest& request) {
  QUIRE_TRY(OpenCollection* const opened, open_collection(txn, collection));
  return txn->db->shared->queries.open(txn->view(), opened->reader.collection(), request,
                                       &txn->resting);
}

// The numbers of all records that a query gives.
Result<std::vector<RecordNumber>> numbers_of(quire_txn* txn, quire_collection collection,
                                             QueryRequest& request) {
  QUIRE_TRY(const auto query, open_query(txn, collection, request));
  std::vector<RecordNumber> numbers;
  while (true) {
    QUIRE_TRY(const bool there, query->next());
    if (!there) return numbers;
    if (!query->number())
      return fail(ErrorCode::kNotSupported, "groups can't be changed: select fields");
    numbers.push_back(*query->number());
  }
}

// Runs change(collection, key) for each record that a query gives.
template <class Change>
int change_found(quire_txn* txn, quire_collection id, const quire_query_options* given,
                 const char* what, uint64_t* changed, Change&& change) noexcept {
  if (changed != nullptr) *changed = 0;
  return change_records(txn, id, [&](const Collection& collection) -> int {
    QueryOptions options;
    if (const int code = options.read(given, what); code != QUIRE_OK) return code;
    // Nothing of the records themselves is wanted but what they are found by.
    const bool groups = !options.request().group.empty() || options.request().distinct;
    const std::string key_field = query::field_of_key(collection.schema());
    if (options.request().select.empty() && !groups) options.request().select = key_field;
    const auto numbers = numbers_of(txn, id, options.request());
    if (!numbers) return report(numbers.error());
    for (const RecordNumber number : *numbers) {
      const auto entry = read_number(*txn->write, collection, number);
      if (!entry) return report(entry.error());
      const auto key = decode_key(collection.schema(), entry->key);
      if (!key) return report(key.error());
      std::vector<Value> values;
      for (const OwnedValue& part : *key) values.push_back(part.view());
      if (const Status done = change(collection, values); !done) return report(done.error());
      if (changed != nullptr) ++*changed;
    }
    return QUIRE_OK;
  });
}

}  // namespace

extern "C" {

int quire_query_open(quire_txn* txn, quire_collection collection, const quire_query_options* given,
                     quire_query** out) {
  if (out == nullptr) return report(QUIRE_ERR_INVALID, "quire_query_open: query is NULL");
  *out = nullptr;
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    QueryOptions options;
    if (const int code = options.read(given, "quire_query_open"); code != QUIRE_OK) return code;
    auto opened = open_query(txn, collection, options.request());
    if (!opened) return report(opened.error());
    auto owner = query_pool().acquire(txn->closed_queries);
    make_room_for_one(txn->queries);
    quire_query* query = owner.release();
    txn->queries.push_back(query);
    query->query = *std::move(opened);
    query->txn = txn;
    query->collection = collection;
    query->on_row = false;
    query->failed = false;
    query->state.store(HandleState::kOpen, std::memory_order_release);
    *out = query;
    return QUIRE_OK;
  });
}

void quire_query_close(quire_query* query) {
  if (query == nullptr || query->state.load(std::memory_order_acquire) != HandleState::kOpen)
    return;
  quire_txn* const txn = std::exchange(query->txn, nullptr);
  query->state.store(HandleState::kClosed, std::memory_order_release);
  if (txn == nullptr) return query_pool().release(query);
  std::erase(txn->queries, query);
  txn->resting.put(std::move(query->query));
  txn->closed_queries.put(query);
}

int quire_query_column_count(quire_query* query, size_t* count) {
  if (count == nullptr) return report(QUIRE_ERR_INVALID, "quire_query_column_count: count is NULL");
  return with_query(query, [&](Query& open) -> int {
    *count = open.columns().size();
    return QUIRE_OK;
  });
}

int quire_query_column(quire_query* query, size_t column, const char** name, uint32_t* type) {
  return with_query(query, [&](Query& open) -> int {
    if (column >= open.columns().size())
      return report(QUIRE_ERR_NOT_FOUND, "quire_query_column: there is no such column");
    const QueryColumn& found = open.columns()[column];
    if (name != nullptr) *name = found.name.c_str();
    if (type != nullptr) *type = static_cast<uint32_t>(found.type);
    return QUIRE_OK;
  });
}

int quire_query_next(quire_query* query, quire_value* values, size_t value_count) {
  if (values == nullptr && value_count != 0) return report(QUIRE_ERR_INVALID, "values is NULL");
  return with_query(query, [&](Query& open) -> int {
    if (value_count > open.columns().size())
      return report(fail(ErrorCode::kInvalid, "quire_query_next: asked for %zu columns of %zu",
                         value_count, open.columns().size())
                        .error());
    query->on_row = false;
    if (query->failed)
      return report(QUIRE_ERR_CLOSED, "the query has ended with an error, or used up its budget");
    const auto there = catch_out_of_memory([&] { return open.next(); });
    if (!there) {
      query->failed = true;
      // It would not know where it stands, and is used no more. After any other error its last row
      // and its plan are known.
      if (there.error().code() == ErrorCode::kNoMemory)
        std::unique_ptr<Query>(query->query.release()).reset();
      return report(there.error());
    }
    if (!*there) return report(QUIRE_ERR_NOT_FOUND, "the query is at the end");
    query->on_row = true;
    for (size_t i = 0; i < value_count; ++i) values[i] = public_value(open.values()[i]);
    return QUIRE_OK;
  });
}

int quire_query_record(quire_query* query, uint64_t* record, quire_value* key, size_t key_count) {
  return with_query(query, [&](Query& open) -> int {
    if (!query->on_row) return report(QUIRE_ERR_NOT_FOUND, "the query is on no row");
    if (!open.number())
      return report(QUIRE_ERR_NOT_SUPPORTED, "rows of groups are not those of a record");
    if (record != nullptr) *record = *open.number();
    if (key == nullptr || key_count == 0) return QUIRE_OK;
    const auto opened = open_collection(query->txn, query->collection);
    if (!opened) return report(opened.error());
    const Schema& schema = (*opened)->reader.collection().schema();
    if (key_count != schema.key().size())
      return report(fail(ErrorCode::kInvalid, "quire_query_record: the key has %zu fields, not %zu",
                         schema.key().size(), key_count)
                        .error());
    auto parts = decode_key(schema, open.primary_key());
    if (!parts) return report(parts.error());
    query->key = *std::move(parts);
    for (size_t i = 0; i < key_count; ++i) key[i] = public_value(query->key[i].view());
    return QUIRE_OK;
  });
}

int quire_query_token(quire_query* query, void* token, size_t* size) {
  if (size == nullptr) return report(QUIRE_ERR_INVALID, "quire_query_token: size is NULL");
  return with_query(query, [&](Query& open) -> int {
    const auto made = open.token();
    if (!made) return report(made.error());
    const size_t room = *size;
    *size = made->size();
    if (token == nullptr || room < made->size())
      return report(QUIRE_ERR_VALUE_SIZE, "quire_query_token: more room is needed");
    std::memcpy(token, made->data(), made->size());
    return QUIRE_OK;
  });
}

int quire_query_explain(quire_query* query, char** json) {
  if (json == nullptr) return report(QUIRE_ERR_INVALID, "quire_query_explain: json is NULL");
  return with_query(query, [&](Query& open) -> int {
    const std::string text = open.explain();
    *json = static_cast<char*>(std::malloc(text.size() + 1));
    if (*json == nullptr) return report(QUIRE_ERR_NO_MEMORY, "out of memory");
    std::memcpy(*json, text.c_str(), text.size() + 1);
    return QUIRE_OK;
  });
}

int quire_query_count(quire_txn* txn, quire_collection collection, const quire_query_options* given,
                      uint64_t* count) {
  if (count == nullptr) return report(QUIRE_ERR_INVALID, "quire_query_count: count is NULL");
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    QueryOptions options;
    if (const int code = options.read(given, "quire_query_count"); code != QUIRE_OK) return code;
    const QueryRequest& asked = options.request();
    auto query = open_query(txn, collection,
                            {.filter = asked.filter,
                             .arguments = asked.arguments,
                             .named = asked.named,
                             .select = "count()",
                             .index = asked.index,
                             .no_index = asked.no_index,
                             .limits = asked.limits});
    if (!query) return report(query.error());
    if (const auto there = (*query)->next(); !there) return report(there.error());
    *count = static_cast<uint64_t>((*query)->values()[0].i64);
    txn->resting.put(*std::move(query));
    return QUIRE_OK;
  });
}

int quire_query_delete(quire_txn* txn, quire_collection collection,
                       const quire_query_options* options, uint64_t* deleted) {
  return change_found(txn, collection, options, "quire_query_delete", deleted,
                      [&](const Collection& opened, std::span<const Value> key) {
                        return erase_record(*txn->write, opened, key);
                      });
}

int quire_query_update(quire_txn* txn, quire_collection collection,
                       const quire_query_options* options, const uint32_t* fields,
                       const quire_value* values, size_t count, uint64_t* updated) {
  if (count != 0 && (fields == nullptr || values == nullptr))
    return report(QUIRE_ERR_INVALID, "quire_query_update: fields or values is NULL");
  std::vector<Value> converted;
  const int read = guarded([&]() -> int {
    for (size_t i = 0; i < count; ++i) {
      const auto value = value_of(values[i]);
      if (!value) return report(value.error());
      converted.push_back(*value);
    }
    return QUIRE_OK;
  });
  if (read != QUIRE_OK) return read;
  return change_found(txn, collection, options, "quire_query_update", updated,
                      [&](const Collection& opened, std::span<const Value> key) {
                        return update_record(*txn->write, opened, key, {fields, count}, converted);
                      });
}

}  // extern "C"
