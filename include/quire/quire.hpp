// Quire for C++20: handles that close themselves, and exceptions, over quire.h and nothing else.
//
//     quire::Database db = quire::Database::open("shop.quire");
//     quire::Transaction txn = db.write();
//     quire::Keyspace names = txn.create_keyspace("names");
//     names.put("k1", "hello");
//     txn.commit();
//
// Errors: everything that fails throws quire::Error, which has the code of quire.h and the
// sentence. "Not there" is an answer, not an error, wherever a function returns an optional or a
// bool.
//
// Lifetime: a Transaction must end before its Database is closed, a Cursor, Keyspace or Collection
// is of use only while its Transaction is open. What is not committed is undone by the destructor.
// string_views, spans and Values that come out are borrowed from the library: good until the
// transaction ends, and in a write transaction until its next change.
//
// Thread safety is that of quire.h: a Database is for all threads, the rest for one at a time.
#ifndef QUIRE_QUIRE_HPP
#define QUIRE_QUIRE_HPP

#include <quire/quire.h>

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quire {
// The names in binaries carry the interface's version: two libraries in one process that were built
// with different versions of this header do not mix.
inline namespace api0 {

class Error : public std::runtime_error {
 public:
  Error(int code, const std::string& message) : std::runtime_error(message), code_(code) {}

  int code() const noexcept { return code_; }  // QUIRE_ERR_*
  const char* name() const noexcept { return quire_error_name(code_); }

 private:
  int code_;
};

// Throws the calling thread's last error when `code` is one.
inline void require(int code) {
  if (code != QUIRE_OK) throw Error(code, quire_last_error());
}

// True; false when `code` is `negative`, which is an answer here; throws on any other error.
inline bool require_or(int code, int negative) {
  if (code == negative) return false;
  require(code);
  return true;
}

// ------------------------------------------------------------------ values

using Value = quire_value;

inline Value null_value() {
  Value value{};
  value.type = QUIRE_TYPE_NULL;
  return value;
}
inline Value bool_value(bool boolean) {
  Value value{};
  value.type = QUIRE_TYPE_BOOL;
  value.as.boolean = boolean ? 1 : 0;
  return value;
}
inline Value i64_value(std::int64_t number) {
  Value value{};
  value.type = QUIRE_TYPE_I64;
  value.as.i64 = number;
  return value;
}
inline Value f64_value(double number) {
  Value value{};
  value.type = QUIRE_TYPE_F64;
  value.as.f64 = number;
  return value;
}
// Microseconds since 1970 UTC.
inline Value timestamp_value(std::int64_t micros) {
  Value value{};
  value.type = QUIRE_TYPE_TIMESTAMP;
  value.as.i64 = micros;
  return value;
}
// What follows borrows: the memory must outlive the value.
inline Value text_value(std::string_view text) {
  Value value{};
  value.type = QUIRE_TYPE_TEXT;
  value.as.bytes = {text.data(), text.size()};
  return value;
}
inline Value bytes_value(std::string_view bytes) {
  Value value{};
  value.type = QUIRE_TYPE_BYTES;
  value.as.bytes = {bytes.data(), bytes.size()};
  return value;
}
inline Value vector_value(std::span<const float> vector) {
  Value value{};
  value.type = QUIRE_TYPE_VECTOR_F32;
  value.dimension = static_cast<std::uint32_t>(vector.size());
  value.as.vector = vector.data();
  return value;
}
inline Value vector_value(std::span<const std::int8_t> vector) {
  Value value{};
  value.type = QUIRE_TYPE_VECTOR_I8;
  value.dimension = static_cast<std::uint32_t>(vector.size());
  value.as.elements = vector.data();
  return value;
}
// Of any type of vector: `elements` as that type has them.
inline Value vector_value(quire_type type, std::uint32_t dimension, const void* elements) {
  Value value{};
  value.type = type;
  value.dimension = dimension;
  value.as.elements = elements;
  return value;
}

inline bool is_null(const Value& value) { return value.type == QUIRE_TYPE_NULL; }
inline std::string_view as_view(const quire_slice& slice) {
  return {static_cast<const char*>(slice.data), slice.size};
}
// Of a TEXT or BYTES value.
inline std::string_view as_text(const Value& value) { return as_view(value.as.bytes); }
// Of a vector of F32.
inline std::span<const float> as_vector(const Value& value) {
  return {value.as.vector, value.dimension};
}

struct Field {
  std::string name;
  quire_type type = QUIRE_TYPE_TEXT;
  std::uint32_t dimension = 0;  // of a vector
  bool nullable = false;
  bool key = false;

  bool operator==(const Field&) const = default;
};

struct Named {  // a keyspace or collection, as the lists have it
  std::string name;
  std::uint32_t id = 0;
  std::uint64_t count = 0;  // entries or records
};

struct Hit {
  double distance = 0;
  Value key{};
  std::uint64_t record = 0;  // its number
};

// ------------------------------------------------------------------ cursors

struct Entry {
  std::string_view key;
  std::string_view value;
};

// Bounds of a cursor.
struct Range {
  std::optional<std::string_view> low;     // keys >= low
  std::optional<std::string_view> high;    // keys < high
  std::optional<std::string_view> prefix;  // keys that begin with it
};

class Cursor {
 public:
  Cursor() = default;
  explicit Cursor(quire_cursor* cursor) : cursor_(cursor) {}
  Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
  Cursor& operator=(Cursor&& other) noexcept {
    std::swap(cursor_, other.cursor_);
    return *this;
  }
  ~Cursor() { quire_cursor_close(cursor_); }

  // Each returns nothing at the end.
  std::optional<Entry> next() { return move(quire_cursor_next); }
  std::optional<Entry> previous() { return move(quire_cursor_previous); }
  std::optional<Entry> first() { return move(quire_cursor_first); }
  std::optional<Entry> last() { return move(quire_cursor_last); }
  std::optional<Entry> current() { return move(quire_cursor_current); }

  // The first entry at or after `wanted`.
  std::optional<Entry> seek(std::string_view wanted) {
    quire_slice key{}, value{};
    return entry(quire_cursor_seek(cursor_, wanted.data(), wanted.size(), &key, &value), key,
                 value);
  }
  // The entry with this number, from 0, in the range.
  std::optional<Entry> seek_rank(std::uint64_t rank) {
    quire_slice key{}, value{};
    return entry(quire_cursor_seek_rank(cursor_, rank, &key, &value), key, value);
  }
  // Deletes the entry it is on.
  void erase() { require(quire_cursor_delete(cursor_)); }

  quire_cursor* handle() const noexcept { return cursor_; }

 private:
  using Move = int (*)(quire_cursor*, quire_slice*, quire_slice*);

  static std::optional<Entry> entry(int code, const quire_slice& key, const quire_slice& value) {
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return Entry{as_view(key), as_view(value)};
  }
  std::optional<Entry> move(Move function) {
    quire_slice key{}, value{};
    return entry(function(cursor_, &key, &value), key, value);
  }

  quire_cursor* cursor_ = nullptr;
};

// Records in order of the primary key.
class Scan {
 public:
  Scan(Cursor cursor, std::size_t field_count) : cursor_(std::move(cursor)), values_(field_count) {}

  // The next record's fields; null at the end. The array is overwritten by the next call.
  const std::vector<Value>* next() {
    const int code = quire_scan_next(cursor_.handle(), values_.data(), values_.size());
    return require_or(code, QUIRE_ERR_NOT_FOUND) ? &values_ : nullptr;
  }

 private:
  Cursor cursor_;
  std::vector<Value> values_;
};

// Rows of a query. Ends with its transaction, as quire_query_open has it.
class Query {
 public:
  Query() = default;
  explicit Query(quire_query* query) : Query() {
    query_ = query;
    std::size_t columns = 0;
    require(quire_query_column_count(query_, &columns));
    values_.resize(columns);
  }
  Query(Query&& other) noexcept
      : query_(std::exchange(other.query_, nullptr)), values_(std::move(other.values_)) {}
  Query& operator=(Query&& other) noexcept {
    std::swap(query_, other.query_);
    values_.swap(other.values_);
    return *this;
  }
  ~Query() { quire_query_close(query_); }

  // The next row; null at the end. The array is overwritten by the next call.
  const std::vector<Value>* next() {
    const int code = quire_query_next(query_, values_.data(), values_.size());
    return require_or(code, QUIRE_ERR_NOT_FOUND) ? &values_ : nullptr;
  }
  std::size_t column_count() const noexcept { return values_.size(); }
  std::string column_name(std::size_t column) const {
    const char* name = nullptr;
    require(quire_query_column(query_, column, &name, nullptr));
    return name;
  }
  // Of the record that is the row.
  std::uint64_t record() const {
    std::uint64_t number = 0;
    require(quire_query_record(query_, &number, nullptr, 0));
    return number;
  }
  // Where a later query goes on behind the row.
  std::string token() const {
    std::string token(256, '\0');
    std::size_t size = token.size();
    const int code = quire_query_token(query_, token.data(), &size);
    token.resize(size);
    if (code == QUIRE_ERR_VALUE_SIZE) {
      require(quire_query_token(query_, token.data(), &size));
    } else {
      require(code);
    }
    return token;
  }
  // The plan and what was done so far, in JSON.
  std::string explain() const {
    char* json = nullptr;
    require(quire_query_explain(query_, &json));
    std::string text = json;
    quire_free(json);
    return text;
  }

 private:
  quire_query* query_ = nullptr;
  std::vector<Value> values_;
};

// ------------------------------------------------- keyspaces and collections

class Keyspace {
 public:
  Keyspace(quire_txn* txn, quire_keyspace id) : txn_(txn), id_(id) {}

  quire_keyspace id() const noexcept { return id_; }

  // flags: QUIRE_APPEND. Overwrites.
  void put(std::string_view key, std::string_view value, std::uint32_t flags = 0) {
    require(quire_put(txn_, id_, key.data(), key.size(), value.data(), value.size(), flags));
  }
  // False, and nothing changed, when the key is there.
  bool insert(std::string_view key, std::string_view value) {
    return require_or(quire_put(txn_, id_, key.data(), key.size(), value.data(), value.size(),
                                QUIRE_NO_OVERWRITE),
                      QUIRE_ERR_EXISTS);
  }
  std::optional<std::string_view> get(std::string_view key) const {
    quire_slice value{};
    const int code = quire_get(txn_, id_, key.data(), key.size(), &value);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return as_view(value);
  }
  // False when it is not there.
  bool erase(std::string_view key) {
    return require_or(quire_delete(txn_, id_, key.data(), key.size()), QUIRE_ERR_NOT_FOUND);
  }
  // Erases [low, high); returns how many there were.
  std::uint64_t erase_range(std::optional<std::string_view> low,
                            std::optional<std::string_view> high) {
    std::uint64_t erased = 0;
    const Bounds bounds(low, high);
    require(quire_delete_range(txn_, id_, bounds.low(), bounds.high(), &erased));
    return erased;
  }
  // Exact number of keys in [low, high).
  std::uint64_t count(std::optional<std::string_view> low = {},
                      std::optional<std::string_view> high = {}) const {
    std::uint64_t count = 0;
    const Bounds bounds(low, high);
    require(quire_count(txn_, id_, bounds.low(), bounds.high(), &count));
    return count;
  }
  // Number of keys less than `key`.
  std::uint64_t rank(std::string_view key) const {
    std::uint64_t rank = 0;
    require(quire_rank(txn_, id_, key.data(), key.size(), &rank));
    return rank;
  }
  // Starts before the first entry.
  Cursor cursor(const Range& range = {}) const {
    quire_range c_range = QUIRE_RANGE_INIT;
    if (range.low) c_range.low = Bounds::slice(*range.low);
    if (range.high) c_range.high = Bounds::slice(*range.high);
    if (range.prefix) c_range.prefix = Bounds::slice(*range.prefix);
    quire_cursor* cursor = nullptr;
    require(quire_cursor_open(txn_, id_, &c_range, &cursor));
    return Cursor(cursor);
  }

 private:
  // Two slices and which of them are set, as the C functions want them.
  class Bounds {
   public:
    Bounds(std::optional<std::string_view> low, std::optional<std::string_view> high)
        : has_low_(low.has_value()), has_high_(high.has_value()) {
      if (low) low_ = slice(*low);
      if (high) high_ = slice(*high);
    }
    const quire_slice* low() const { return has_low_ ? &low_ : nullptr; }
    const quire_slice* high() const { return has_high_ ? &high_ : nullptr; }
    // A set but empty bound must not look unset: its pointer is never null.
    static quire_slice slice(std::string_view view) {
      return {view.data() != nullptr ? view.data() : "", view.size()};
    }

   private:
    quire_slice low_{}, high_{};
    bool has_low_, has_high_;
  };

  quire_txn* txn_;
  quire_keyspace id_;
};

// The values of a key, one for each key field in their order: an array of them, or just the one of
// a key with one field. Borrows.
class Key {
 public:
  Key() = default;
  Key(const Value& value) : values_(&value, 1) {}
  Key(std::span<const Value> values) : values_(values) {}

  const Value* data() const noexcept { return values_.data(); }
  std::size_t size() const noexcept { return values_.size(); }

 private:
  std::span<const Value> values_;
};

// A value that a field has to have for a change to be carried out.
using Expected = quire_expected;
inline Expected expected(std::uint32_t field, const Value& value) { return {field, 0, value}; }

// A change in a batch. Borrows all that it is made of.
using Change = quire_change;
inline Change insertion(std::span<const Value> values) {
  Change change{};
  change.kind = QUIRE_CHANGE_INSERT;
  change.values = values.data();
  change.value_count = values.size();
  return change;
}
inline Change upsertion(std::span<const Value> values, std::span<const Expected> expected = {}) {
  Change change = insertion(values);
  change.kind = QUIRE_CHANGE_UPSERT;
  change.expected = expected.data();
  change.expected_count = expected.size();
  return change;
}
// The key is kept by its caller, also where it is a single value.
inline Change deletion(Key key, std::span<const Expected> expected = {}) {
  Change change{};
  change.kind = QUIRE_CHANGE_DELETE;
  change.key = key.data();
  change.key_count = key.size();
  change.expected = expected.data();
  change.expected_count = expected.size();
  return change;
}
// As many fields as values.
inline Change alteration(Key key, std::span<const std::uint32_t> fields,
                         std::span<const Value> values, std::span<const Expected> expected = {}) {
  Change change = deletion(key, expected);
  change.kind = QUIRE_CHANGE_UPDATE;
  change.fields = fields.data();
  change.values = values.data();
  change.value_count = values.size();
  return change;
}

struct BatchOptions {
  bool partial = false;  // each change stands or falls by itself
  std::string_view key;  // idempotency key
  std::uint64_t remember_s = 0;
  bool keys = false;  // tell those of the records that are written
};
struct ChangeResult {
  int code = QUIRE_OK;
  std::string message;
  // Of the record that an insert or upsert wrote, where keys were asked for; else empty. Borrowed
  // until the next batch of the transaction, or its end.
  std::vector<Value> key;
};
struct BatchResult {
  std::uint64_t applied = 0;
  std::uint64_t failed = 0;
  bool replayed = false;
  std::vector<ChangeResult> changes;  // one each, in their order
};

class Collection {
 public:
  Collection(quire_txn* txn, quire_collection id) : txn_(txn), id_(id) {}

  quire_collection id() const noexcept { return id_; }

  std::vector<Field> fields() const {
    std::vector<Field> fields(field_count());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      quire_field field{};
      require(quire_collection_field(txn_, id_, i, &field));
      fields[i] = {field.name, static_cast<quire_type>(field.type), field.dimension,
                   (field.flags & QUIRE_FIELD_NULLABLE) != 0, (field.flags & QUIRE_FIELD_KEY) != 0};
    }
    return fields;
  }
  std::size_t field_count() const {
    std::size_t count = 0;
    require(quire_collection_field_count(txn_, id_, &count));
    return count;
  }
  std::size_t key_field_count() const {
    std::size_t count = 0;
    for (const Field& field : fields()) count += field.key ? 1 : 0;
    return count;
  }
  std::uint64_t count() const {
    std::uint64_t records = 0;
    require(quire_collection_count(txn_, id_, &records));
    return records;
  }

  // What the options borrow has to live until this returns.
  Query query(const quire_query_options& options) const {
    quire_query* query = nullptr;
    require(quire_query_open(txn_, id_, &options, &query));
    return Query(query);
  }
  std::uint64_t count(const quire_query_options& options) const {
    std::uint64_t count = 0;
    require(quire_query_count(txn_, id_, &options, &count));
    return count;
  }
  // Each returns how many records it changed.
  std::uint64_t erase(const quire_query_options& options) {
    std::uint64_t deleted = 0;
    require(quire_query_delete(txn_, id_, &options, &deleted));
    return deleted;
  }
  std::uint64_t update(const quire_query_options& options, std::span<const std::uint32_t> fields,
                       std::span<const Value> values) {
    std::uint64_t updated = 0;
    require(quire_query_update(txn_, id_, &options, fields.data(), values.data(), values.size(),
                               &updated));
    return updated;
  }

  // One value a field, in the fields' order. False, and nothing changed, when the key is there.
  bool insert(std::span<const Value> values) {
    return require_or(quire_record_insert(txn_, id_, values.data(), values.size()),
                      QUIRE_ERR_EXISTS);
  }
  // Inserts or replaces. What is expected and does not hold is an error, QUIRE_ERR_CONFLICT, here
  // and below.
  void upsert(std::span<const Value> values, std::span<const Expected> expected = {}) {
    require(quire_record_upsert_if(txn_, id_, values.data(), values.size(), expected.data(),
                                   expected.size()));
  }
  // Changes the listed fields; false when there is no such record.
  bool update(Key key, std::span<const std::uint32_t> fields, std::span<const Value> values,
              std::span<const Expected> expected = {}) {
    return require_or(
        quire_record_update_if(txn_, id_, key.data(), key.size(), fields.data(), values.data(),
                               fields.size(), expected.data(), expected.size()),
        QUIRE_ERR_NOT_FOUND);
  }
  // False when there is no such record.
  bool erase(Key key, std::span<const Expected> expected = {}) {
    return require_or(
        quire_record_delete_if(txn_, id_, key.data(), key.size(), expected.data(), expected.size()),
        QUIRE_ERR_NOT_FOUND);
  }
  // Many changes at once. Throws, and nothing is changed, where one of an atomic batch fails.
  BatchResult apply(std::span<const Change> changes, const BatchOptions& options = {}) {
    quire_batch_options c_options = QUIRE_BATCH_OPTIONS_INIT;
    c_options.flags = options.partial ? std::uint32_t{QUIRE_BATCH_PARTIAL} : 0;
    if (!options.key.empty()) c_options.key = {options.key.data(), options.key.size()};
    c_options.remember_s = options.remember_s;
    std::vector<quire_change_result> results(changes.size());
    const std::size_t key_fields = options.keys ? key_field_count() : 0;
    std::vector<Value> keys(changes.size() * key_fields);
    if (!keys.empty()) {
      c_options.keys = keys.data();
      c_options.key_room = keys.size();
    }
    quire_batch_result c_result{};
    c_result.size = sizeof c_result;
    require(quire_batch_apply(txn_, id_, changes.data(), changes.size(), &c_options, results.data(),
                              &c_result));
    BatchResult result{c_result.applied, c_result.failed, c_result.replayed != 0, {}};
    for (const quire_change_result& one : results) {
      ChangeResult& told = result.changes.emplace_back();
      told.code = one.code;
      if (one.message != nullptr) told.message = one.message;
      const std::size_t at = (result.changes.size() - 1) * key_fields;
      if (key_fields != 0 && !is_null(keys[at]))
        told.key.assign(keys.data() + at, keys.data() + at + key_fields);
    }
    return result;
  }
  std::optional<std::vector<Value>> get(Key key) const {
    std::vector<Value> values(field_count());
    const int code =
        quire_record_get(txn_, id_, key.data(), key.size(), values.data(), values.size());
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return values;
  }
  // Records with low <= key < high. A bound has the first values of a key; none is no bound.
  Scan scan(Key low = {}, Key high = {}) const {
    quire_cursor* cursor = nullptr;
    require(quire_scan_open(txn_, id_, low.data(), low.size(), high.data(), high.size(), &cursor));
    Cursor owner(cursor);
    return Scan(std::move(owner), field_count());
  }
  // The k nearest, nearest first, by exact distance. `query` is a vector of the field's type;
  // `among`, where it is given, a query that gives the records to search.
  std::vector<Hit> search(std::uint32_t field, const Value& query, std::uint32_t k,
                          quire_metric metric = QUIRE_METRIC_DEFAULT,
                          const quire_query_options* among = nullptr) const {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.metric = metric;
    options.field = field;
    options.query = &query;
    options.k = k;
    options.among = among;
    std::vector<quire_hit> hits(k);
    std::size_t found = 0;
    require(quire_search(txn_, id_, &options, hits.data(), &found));
    std::vector<Hit> result(found);
    for (std::size_t i = 0; i < found; ++i)
      result[i] = {hits[i].distance, hits[i].key, hits[i].record};
    return result;
  }
  std::vector<Hit> search(std::uint32_t field, std::span<const float> query, std::uint32_t k,
                          quire_metric metric = QUIRE_METRIC_DEFAULT,
                          const quire_query_options* among = nullptr) const {
    return search(field, vector_value(query), k, metric, among);
  }

 private:
  quire_txn* txn_;
  quire_collection id_;
};

// ------------------------------------------------------------- transactions

class Transaction {
 public:
  Transaction() = default;
  explicit Transaction(quire_txn* txn) : txn_(txn) {}
  Transaction(Transaction&& other) noexcept : txn_(std::exchange(other.txn_, nullptr)) {}
  Transaction& operator=(Transaction&& other) noexcept {
    if (this != &other) {
      abort();
      txn_ = std::exchange(other.txn_, nullptr);
    }
    return *this;
  }
  ~Transaction() { abort(); }

  // Ends it, also when it throws. Returns the commit's log sequence number.
  std::uint64_t commit(std::uint32_t durability = QUIRE_DURABILITY_DEFAULT) {
    std::uint64_t lsn = 0;
    require(quire_commit_ex(std::exchange(txn_, nullptr), durability, &lsn));
    return lsn;
  }
  void abort() noexcept { quire_abort(std::exchange(txn_, nullptr)); }
  // Moves a read transaction to the newest commit.
  void renew() { require(quire_renew(txn_)); }
  std::uint64_t number() const { return quire_txn_number(txn_); }
  explicit operator bool() const noexcept { return txn_ != nullptr; }
  quire_txn* handle() const noexcept { return txn_; }

  std::uint64_t savepoint() {
    std::uint64_t savepoint = 0;
    require(quire_savepoint(txn_, &savepoint));
    return savepoint;
  }
  void rollback_to(std::uint64_t savepoint) { require(quire_rollback_to(txn_, savepoint)); }
  void release(std::uint64_t savepoint) { require(quire_release(txn_, savepoint)); }

  std::optional<Keyspace> find_keyspace(const std::string& name) const {
    quire_keyspace id = 0;
    const int code = quire_keyspace_open(txn_, name.c_str(), 0, &id);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return Keyspace(txn_, id);
  }
  // Makes it when it is not there.
  Keyspace create_keyspace(const std::string& name) {
    quire_keyspace id = 0;
    require(quire_keyspace_open(txn_, name.c_str(), QUIRE_CREATE, &id));
    return Keyspace(txn_, id);
  }
  void drop(const Keyspace& keyspace) { require(quire_keyspace_drop(txn_, keyspace.id())); }
  std::vector<Named> keyspaces() const {
    std::vector<Named> list;
    require(quire_keyspace_list(txn_, add_to_list, &list));
    return list;
  }

  std::optional<Collection> find_collection(const std::string& name) const {
    quire_collection id = 0;
    const int code = quire_collection_open(txn_, name.c_str(), &id);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return Collection(txn_, id);
  }
  Collection create_collection(const std::string& name, std::span<const Field> fields) {
    std::vector<quire_field> c_fields;
    for (const Field& field : fields) {
      std::uint32_t flags = 0;
      if (field.nullable) flags |= QUIRE_FIELD_NULLABLE;
      if (field.key) flags |= QUIRE_FIELD_KEY;
      c_fields.push_back(
          {field.name.c_str(), static_cast<std::uint32_t>(field.type), flags, field.dimension, 0});
    }
    quire_collection id = 0;
    require(quire_collection_create(txn_, name.c_str(), c_fields.data(), c_fields.size(), &id));
    return Collection(txn_, id);
  }
  void drop(const Collection& collection) { require(quire_collection_drop(txn_, collection.id())); }
  std::vector<Named> collections() const {
    std::vector<Named> list;
    require(quire_collection_list(txn_, add_to_list, &list));
    return list;
  }

 private:
  static int add_to_list(void* context, const char* name, std::uint32_t id, std::uint64_t count) {
    try {
      static_cast<std::vector<Named>*>(context)->push_back({name, id, count});
    } catch (...) {
      return 1;  // no exception may cross the C library
    }
    return 0;
  }

  quire_txn* txn_ = nullptr;
};

// ----------------------------------------------------------------- database

struct OpenOptions : quire_open_options {
  OpenOptions() : quire_open_options{} { size = sizeof(quire_open_options); }
};

class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(db_, other.db_);
    return *this;
  }
  // The error of a close is lost here: call close() where it matters.
  ~Database() {
    if (db_ != nullptr) quire_close(db_);
  }

  // Read-write; made when it is not there.
  static Database open(const std::string& path) { return open_with(path, nullptr); }
  static Database open(const std::string& path, const quire_open_options& options) {
    return open_with(path, &options);
  }
  // Never creates anything.
  static Database open_read_only(const std::string& path) {
    OpenOptions options;
    options.flags = QUIRE_OPEN_READ_ONLY;
    return open_with(path, &options);
  }

  // QUIRE_ERR_BUSY, and still open, while a read transaction is.
  void close() {
    if (db_ == nullptr) return;
    const int code = quire_close(db_);
    if (code != QUIRE_ERR_BUSY) db_ = nullptr;
    require(code);
  }

  Transaction read() const { return begin(QUIRE_READ); }
  // Waits its turn behind other threads' write transactions.
  Transaction write() { return begin(QUIRE_WRITE); }

  void sync() { require(quire_sync(db_)); }
  void wait_durable(std::uint64_t lsn) { require(quire_wait_durable(db_, lsn)); }
  void checkpoint() { require(quire_checkpoint(db_)); }
  std::size_t max_key_size() const { return quire_max_key_size(db_); }
  // Waits for a commit newer than `txn_number`; nothing after timeout_ms.
  std::optional<std::uint64_t> wait_commit(std::uint64_t txn_number,
                                           std::uint32_t timeout_ms) const {
    std::uint64_t newest = 0;
    const int code = quire_wait_commit(db_, txn_number, timeout_ms, &newest);
    if (!require_or(code, QUIRE_ERR_TIMEOUT)) return std::nullopt;
    return newest;
  }
  quire_stat stat() const {
    quire_stat stat{};
    stat.size = sizeof stat;
    require(quire_get_stat(db_, &stat));
    return stat;
  }
  // A sentence for each damage found; none: clean.
  std::vector<std::string> check() const {
    std::vector<std::string> damage;
    const int code = quire_check(db_, add_damage, &damage);
    if (!require_or(code, QUIRE_ERR_CORRUPT) && damage.empty()) {
      damage.emplace_back(quire_last_error());
    }
    return damage;
  }

  quire_db* handle() const noexcept { return db_; }

 private:
  static Database open_with(const std::string& path, const quire_open_options* options) {
    Database database;
    require(quire_open(path.c_str(), options, &database.db_));
    return database;
  }
  static int add_damage(void* context, const char* text) {
    try {
      static_cast<std::vector<std::string>*>(context)->emplace_back(text);
    } catch (...) {
      return 1;
    }
    return 0;
  }
  Transaction begin(std::uint32_t flags) const {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, flags, &txn));
    return Transaction(txn);
  }

  quire_db* db_ = nullptr;
};

// JSON text about a part of the files (QUIRE_INSPECT_*); the database is not opened.
inline std::string inspect(const std::string& path, std::uint32_t what, std::uint64_t number = 0) {
  char* json = nullptr;
  require(quire_inspect(path.c_str(), what, number, &json));
  struct Owner {
    char* memory;
    ~Owner() { quire_free(memory); }
  } const owner{json};
  return json;
}

}  // namespace api0
}  // namespace quire

#endif  // QUIRE_QUIRE_HPP
