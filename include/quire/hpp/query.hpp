// Part of <quire/quire.hpp>: queries.
#ifndef QUIRE_HPP_QUERY_HPP
#define QUIRE_HPP_QUERY_HPP

#include <quire/hpp/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace quire {
inline namespace api1 {

// What a query asks for; an empty text is none. quire_query_options has the meanings.
struct QueryOptions {
  std::string filter{};
  std::vector<Value> arguments{};             // of $1, $2, ...; borrowed until the call returns
  std::vector<std::string> argument_names{};  // without the $, where parameters have names
  std::string select{};
  std::string group{};
  std::string order{};
  std::uint64_t limit = UINT64_MAX;
  std::uint64_t offset = 0;
  std::string token{};  // of Query::token(): goes on behind that row
  std::string index{};  // the only one that may be used
  bool distinct = false;
  bool no_index = false;
  std::uint64_t budget_us = 0;  // 0: no limit
  std::uint64_t budget_entries = 0;
  std::uint64_t budget_bytes = 0;
};

namespace detail {

// The same as the C interface takes it. Borrows the options. Throws Error (INVALID) where the names
// of arguments are not as many as the arguments.
class CQueryOptions {
 public:
  explicit CQueryOptions(const QueryOptions& given) {
    const auto text = [](const std::string& one) { return one.empty() ? nullptr : one.c_str(); };
    options_.filter = text(given.filter);
    options_.select = text(given.select);
    options_.group = text(given.group);
    options_.order = text(given.order);
    options_.index = text(given.index);
    options_.limit = given.limit;
    options_.offset = given.offset;
    if (!given.token.empty()) options_.token = given.token.data();
    options_.token_size = given.token.size();
    if (given.distinct) options_.flags |= QUIRE_QUERY_DISTINCT;
    if (given.no_index) options_.flags |= QUIRE_QUERY_NO_INDEX;
    options_.budget_us = given.budget_us;
    options_.budget_entries = given.budget_entries;
    options_.budget_bytes = given.budget_bytes;
    add_arguments(given);
  }
  CQueryOptions(const CQueryOptions&) = delete;
  CQueryOptions& operator=(const CQueryOptions&) = delete;

  const quire_query_options* get() const noexcept { return &options_; }

 private:
  void add_arguments(const QueryOptions& given) {
    options_.arguments = given.arguments.data();
    options_.argument_count = given.arguments.size();
    if (given.argument_names.empty()) return;
    if (given.argument_names.size() != given.arguments.size()) {
      throw Error(QUIRE_ERR_INVALID, "arguments and argument_names differ in number");
    }
    for (const std::string& name : given.argument_names) names_.push_back(name.c_str());
    options_.argument_names = names_.data();
  }

  quire_query_options options_ = QUIRE_QUERY_OPTIONS_INIT;
  std::vector<const char*> names_;
};

}  // namespace detail

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
  // QUIRE_TYPE_NULL where only each row tells it.
  quire_type column_type(std::size_t column) const {
    std::uint32_t type = QUIRE_TYPE_NULL;
    require(quire_query_column(query_, column, nullptr, &type));
    return static_cast<quire_type>(type);
  }
  // Of the record that is the row: its number, and its key, which has so many fields.
  std::uint64_t record() const {
    std::uint64_t number = 0;
    require(quire_query_record(query_, &number, nullptr, 0));
    return number;
  }
  std::vector<Value> key(std::size_t fields = 1) const {
    std::vector<Value> key(fields);
    require(quire_query_record(query_, nullptr, key.data(), key.size()));
    return key;
  }
  // Where a later query goes on behind the row.
  std::string token() const {
    std::string token(256, '\0');
    for (;;) {
      std::size_t size = token.size();
      const int code = quire_query_token(query_, token.data(), &size);
      token.resize(size);
      if (require_or(code, QUIRE_ERR_VALUE_SIZE)) return token;
    }
  }
  // The plan and what was done so far, in JSON.
  std::string explain() const {
    char* json = nullptr;
    require(quire_query_explain(query_, &json));
    return detail::take_text(json);
  }

 private:
  quire_query* query_ = nullptr;
  std::vector<Value> values_;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_QUERY_HPP
