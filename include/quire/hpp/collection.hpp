// Part of <quire/quire.hpp>: collections.
#ifndef QUIRE_HPP_COLLECTION_HPP
#define QUIRE_HPP_COLLECTION_HPP

#include <quire/hpp/batch.hpp>
#include <quire/hpp/cursor.hpp>
#include <quire/hpp/index.hpp>
#include <quire/hpp/query.hpp>
#include <quire/hpp/schema.hpp>
#include <quire/hpp/search.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace quire {
inline namespace api1 {

class Collection {
 public:
  Collection(quire_txn* txn, quire_collection id) : txn_(txn), id_(id) {}

  quire_collection id() const noexcept { return id_; }

  // --- what it is

  // Rules and names are copied.
  std::vector<Field> fields() const {
    std::vector<Field> fields(field_count());
    for (std::size_t i = 0; i < fields.size(); ++i) {
      quire_field field{};
      require(quire_collection_field(txn_, id_, i, &field));
      fields[i] = detail::field_of(field);
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
    for (std::size_t i = field_count(); i-- > 0;) {
      quire_field field{};
      require(quire_collection_field(txn_, id_, i, &field));
      if ((field.flags & QUIRE_FIELD_KEY) != 0) ++count;
    }
    return count;
  }
  std::uint64_t count() const {
    std::uint64_t records = 0;
    require(quire_collection_count(txn_, id_, &records));
    return records;
  }
  SchemaVersions versions() const {
    SchemaVersions versions;
    require(quire_collection_version(txn_, id_, &versions.newest, &versions.oldest));
    return versions;
  }
  // Throws Error (SCHEMA), whose sentence is the difference, where it is not what is expected.
  // Rules are compared where a field has some.
  void expect(std::span<const Field> fields) const {
    const detail::CFields c_fields(fields);
    require(quire_collection_expect(txn_, id_, c_fields.data(), c_fields.size()));
  }
  void rename(const std::string& name) {
    require(quire_collection_rename(txn_, id_, name.c_str()));
  }
  // All fields it shall have, in their new order; those with an id are there already.
  void change(std::span<const Field> fields, const Progress& progress = {}) {
    const detail::CFields c_fields(fields);
    detail::ProgressCall call(progress);
    call.require(quire_collection_change(txn_, id_, c_fields.data(), c_fields.size(),
                                         call.function(), call.context()));
  }
  // Writes every row of an older version anew.
  void rewrite(const Progress& progress = {}) {
    detail::ProgressCall call(progress);
    call.require(quire_collection_rewrite(txn_, id_, call.function(), call.context()));
  }

  // --- indexes

  void create_index(const std::string& name, const IndexOptions& options) {
    detail::ProgressCall call(options.progress);
    quire_index_options c_options = QUIRE_INDEX_OPTIONS_INIT;
    c_options.kind = options.kind.c_str();
    c_options.options = options.options.c_str();
    c_options.memory_bytes = options.memory_bytes;
    c_options.progress = call.function();
    c_options.context = call.context();
    call.require(quire_index_create(txn_, id_, name.c_str(), &c_options));
  }
  // False when there is none of this name.
  bool drop_index(const std::string& name) {
    return require_or(quire_index_drop(txn_, id_, name.c_str()), QUIRE_ERR_NOT_FOUND);
  }
  void rename_index(const std::string& name, const std::string& new_name) {
    require(quire_index_rename(txn_, id_, name.c_str(), new_name.c_str()));
  }
  void rebuild_index(const std::string& name, const Progress& progress = {}) {
    detail::ProgressCall call(progress);
    call.require(quire_index_rebuild(txn_, id_, name.c_str(), call.function(), call.context()));
  }
  // In order of creation.
  std::vector<IndexInfo> indexes() const {
    detail::List<IndexInfo> list;
    const int code = quire_index_list(txn_, id_, add_index, &list);
    return list.take(code);
  }

  // --- queries

  Query query(const QueryOptions& options = {}) const {
    return query(detail::CQueryOptions(options).get());
  }
  std::uint64_t count(const QueryOptions& options) const {
    return count(detail::CQueryOptions(options).get());
  }
  // Each returns how many records it changed.
  std::uint64_t erase(const QueryOptions& options) {
    return erase(detail::CQueryOptions(options).get());
  }
  std::uint64_t update(const QueryOptions& options, std::span<const std::uint32_t> fields,
                       std::span<const Value> values) {
    return update(detail::CQueryOptions(options).get(), fields, values);
  }
  // The same with options as the C interface has them; what they borrow has to live until the call
  // returns.
  Query query(const quire_query_options* options) const {
    quire_query* query = nullptr;
    require(quire_query_open(txn_, id_, options, &query));
    return Query(query);
  }
  std::uint64_t count(const quire_query_options* options) const {
    std::uint64_t count = 0;
    require(quire_query_count(txn_, id_, options, &count));
    return count;
  }
  std::uint64_t erase(const quire_query_options* options) {
    std::uint64_t deleted = 0;
    require(quire_query_delete(txn_, id_, options, &deleted));
    return deleted;
  }
  std::uint64_t update(const quire_query_options* options, std::span<const std::uint32_t> fields,
                       std::span<const Value> values) {
    require_pairs(fields, values);
    std::uint64_t updated = 0;
    require(quire_query_update(txn_, id_, options, fields.data(), values.data(), values.size(),
                               &updated));
    return updated;
  }

  // --- searches

  // The k nearest, nearest first, with exact distances; by an index of the field, if there is one,
  // a few may be missed. `query` is a vector of the field's type; `among`, where it is given, a
  // query that gives the records to search.
  std::vector<Hit> search(std::uint32_t field, const Value& query, std::uint32_t k,
                          quire_metric metric = QUIRE_METRIC_DEFAULT,
                          const quire_query_options* among = nullptr) const {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.metric = metric;
    options.among = among;
    options.query = &query;
    return search_as(field, k, options);
  }
  std::vector<Hit> search(std::uint32_t field, const Value& query, std::uint32_t k,
                          quire_metric metric, const QueryOptions& among) const {
    return search(field, query, k, metric, detail::CQueryOptions(among).get());
  }
  std::vector<Hit> search(std::uint32_t field, std::span<const float> query, std::uint32_t k,
                          quire_metric metric = QUIRE_METRIC_DEFAULT,
                          const quire_query_options* among = nullptr) const {
    return search(field, vector_value(query), k, metric, among);
  }
  // The same with all that can be said: an index and how far it looks, or exact.
  std::vector<Hit> search(std::uint32_t field, const Value& query, std::uint32_t k,
                          const SearchOptions& how) const {
    detail::CSearchOptions options(how);
    options.get().query = &query;
    return search_as(field, k, options.get());
  }
  std::vector<Hit> search(std::uint32_t field, std::span<const float> query, std::uint32_t k,
                          const SearchOptions& how) const {
    return search(field, vector_value(query), k, how);
  }
  // The nearest to the mean of the vectors of these records, and away from that of `unlike`; none
  // of them is found.
  std::vector<Hit> recommend(std::uint32_t field, std::span<const Example> like,
                             std::span<const Example> unlike, std::uint32_t k,
                             const SearchOptions& how = {}) const {
    const std::vector<quire_example> c_like = detail::c_examples(like);
    const std::vector<quire_example> c_unlike = detail::c_examples(unlike);
    detail::CSearchOptions options(how);
    options.get().like = c_like.data();
    options.get().like_count = c_like.size();
    options.get().unlike = c_unlike.data();
    options.get().unlike_count = c_unlike.size();
    return search_as(field, k, options.get());
  }
  // The k nearest of each query, by up to `threads` threads in a read transaction.
  std::vector<std::vector<Hit>> search_batch(std::uint32_t field, std::span<const Value> queries,
                                             std::uint32_t k, std::uint32_t threads = 1,
                                             const SearchOptions& how = {}) const {
    detail::CSearchOptions options(how);
    options.get().field = field;
    options.get().k = k;
    std::vector<quire_hit> hits(queries.size() * k);
    std::vector<std::size_t> found(queries.size());
    require(quire_search_batch(txn_, id_, &options.get(), queries.data(), queries.size(), threads,
                               hits.data(), found.data()));
    std::vector<std::vector<Hit>> result(queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i)
      result[i] = hits_of(std::span(hits).subspan(i * k, found[i]));
    return result;
  }
  // Of the vectors that two records have in a field.
  double distance(std::uint32_t field, Key a, Key b,
                  quire_metric metric = QUIRE_METRIC_DEFAULT) const {
    if (a.size() != b.size()) throw Error(QUIRE_ERR_INVALID, "two keys differ in length");
    double distance = 0;
    require(quire_record_distance(txn_, id_, field, static_cast<std::uint32_t>(metric), a.data(),
                                  b.data(), a.size(), &distance));
    return distance;
  }

  // --- records

  // One value a field, in the fields' order. False, and nothing changed, when the key is there.
  bool insert(std::span<const Value> values) {
    return require_or(quire_record_insert(txn_, id_, values.data(), values.size()),
                      QUIRE_ERR_EXISTS);
  }
  // The same, and gives the record's key, of which values may be default_value(); nothing when it
  // is there. The key is good until the transaction's next change.
  std::optional<std::vector<Value>> insert_key(std::span<const Value> values) {
    std::vector<Value> key(key_field_count());
    const int code =
        quire_record_insert_keyed(txn_, id_, values.data(), values.size(), key.data(), key.size());
    if (!require_or(code, QUIRE_ERR_EXISTS)) return std::nullopt;
    return key;
  }
  // Inserts or replaces. What is expected and does not hold is an error, QUIRE_ERR_CONFLICT, here
  // and below.
  void upsert(std::span<const Value> values, std::span<const Expected> expected = {}) {
    require(quire_record_upsert_if(txn_, id_, values.data(), values.size(), expected.data(),
                                   expected.size()));
  }
  // Changes the listed fields, which are as many as the values; false when there is no such record.
  bool update(Key key, std::span<const std::uint32_t> fields, std::span<const Value> values,
              std::span<const Expected> expected = {}) {
    require_pairs(fields, values);
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
  // Many changes at once. Throws BatchError, and nothing is changed, where one of an atomic batch
  // fails.
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
    const int code = quire_batch_apply(txn_, id_, changes.data(), changes.size(), &c_options,
                                       results.data(), &c_result);
    if (code != QUIRE_OK && c_result.failed > 0) {
      const auto first = static_cast<std::size_t>(c_result.first_failed);
      throw BatchError(Error(code, results[first].message), first);
    }
    require(code);
    BatchResult result{c_result.applied, c_result.failed, c_result.replayed != 0, {}};
    for (std::size_t i = 0; i < results.size(); ++i) {
      ChangeResult& told = result.changes.emplace_back();
      told.code = results[i].code;
      if (results[i].message != nullptr && !result.replayed) told.message = results[i].message;
      const std::span<const Value> key = std::span(keys).subspan(i * key_fields, key_fields);
      if (!key.empty() && !is_null(key[0])) told.key.assign(key.begin(), key.end());
    }
    return result;
  }
  // Deletes records whose time was over at now_us, at most `limit`; gives how many.
  std::uint64_t purge(std::int64_t now_us = QUIRE_NOW, std::uint64_t limit = UINT64_MAX) {
    std::uint64_t purged = 0;
    require(quire_purge(txn_, id_, now_us, limit, &purged));
    return purged;
  }
  std::optional<std::vector<Value>> get(Key key) const {
    std::vector<Value> values(field_count());
    const int code =
        quire_record_get(txn_, id_, key.data(), key.size(), values.data(), values.size());
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return values;
  }
  // Of the record with this number, which a search or query of this transaction gave.
  std::optional<std::vector<Value>> get_number(std::uint64_t record) const {
    std::vector<Value> values(field_count());
    const int code = quire_record_get_number(txn_, id_, record, values.data(), values.size());
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return values;
  }
  // The listed fields of it.
  std::optional<std::vector<Value>> get_fields(std::uint64_t record,
                                               std::span<const std::uint32_t> fields) const {
    std::vector<Value> values(fields.size());
    const int code =
        quire_record_get_fields(txn_, id_, record, fields.data(), values.data(), fields.size());
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return values;
  }
  // The version of the schema that the record's row was written with.
  std::optional<std::uint32_t> record_version(Key key) const {
    std::uint32_t version = 0;
    const int code = quire_record_version(txn_, id_, key.data(), key.size(), &version);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return version;
  }
  // Records with low <= key < high. A bound has the first values of a key; none is no bound.
  Scan scan(Key low = {}, Key high = {}) const {
    quire_cursor* cursor = nullptr;
    require(quire_scan_open(txn_, id_, low.data(), low.size(), high.data(), high.size(), &cursor));
    Cursor owner(cursor);
    return Scan(std::move(owner), field_count());
  }

 private:
  std::vector<Hit> search_as(std::uint32_t field, std::uint32_t k,
                             quire_search_options options) const {
    options.field = field;
    options.k = k;
    std::vector<quire_hit> hits(k);
    std::size_t found = 0;
    require(quire_search(txn_, id_, &options, hits.data(), &found));
    return hits_of(std::span(hits).first(found));
  }
  static std::vector<Hit> hits_of(std::span<const quire_hit> hits) {
    std::vector<Hit> result;
    result.reserve(hits.size());
    for (const quire_hit& hit : hits) result.push_back({hit.distance, hit.key, hit.record});
    return result;
  }
  static void require_pairs(std::span<const std::uint32_t> fields, std::span<const Value> values) {
    if (fields.size() != values.size())
      throw Error(QUIRE_ERR_INVALID, "fields and values differ in number");
  }
  static int add_index(void* context, const quire_index_info* info) {
    return static_cast<detail::List<IndexInfo>*>(context)->add([&] {
      IndexInfo index{info->name,    info->kind,  std::nullopt,
                      info->entries, info->pages, std::nullopt};
      if (info->options != nullptr) index.options = info->options;
      if (info->figures != nullptr) index.figures = info->figures;
      return index;
    });
  }

  quire_txn* txn_;
  quire_collection id_;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_COLLECTION_HPP
