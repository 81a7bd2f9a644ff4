// A schema with every type, rows of it, and filters on them.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "engine/record/array_value.h"
#include "index/filter/filter.h"
#include "tests/must.h"

namespace quire::test {

// A filter that is refused, and with what words.
struct WrongFilter {
  std::string text;
  std::string sentence;
};

inline const Schema& schema() {
  static const Schema schema = must(Schema::make({{"id", FieldType::kI64},
                                                  {"n", FieldType::kI64, true},
                                                  {"m", FieldType::kI64, true},
                                                  {"f", FieldType::kF64, true},
                                                  {"g", FieldType::kF64, true},
                                                  {"b", FieldType::kBool, true},
                                                  {"c", FieldType::kBool, true},
                                                  {"t", FieldType::kText, true},
                                                  {"u", FieldType::kText, true},
                                                  {"y", FieldType::kBytes, true},
                                                  {"w", FieldType::kTimestamp, true},
                                                  {"w2", FieldType::kTimestamp, true},
                                                  {"doc", FieldType::kJson, true},
                                                  {"tags", FieldType::kArrayText, true},
                                                  {"ns", FieldType::kArrayI64, true},
                                                  {"fs", FieldType::kArrayF64, true},
                                                  {"bs", FieldType::kArrayBool, true},
                                                  {"ys", FieldType::kArrayBytes, true},
                                                  {"ws", FieldType::kArrayTimestamp, true},
                                                  {"v", FieldType::kVectorF32, true, 2},
                                                  {"odd \"name", FieldType::kI64, true},
                                                  {"like", FieldType::kText, true},
                                                  {"date", FieldType::kI64, true},
                                                  {"any", FieldType::kText, true}},
                                                 0));
  return schema;
}

// An array that keeps its bytes.
inline OwnedValue array(FieldType type, const std::vector<Value>& elements) {
  ByteVector bytes;
  encode_array(elements, bytes);
  return OwnedValue(Value::of_array(type, bytes));
}
inline OwnedValue texts(const std::vector<std::string>& elements) {
  std::vector<Value> values;
  values.reserve(elements.size());
  for (const std::string& element : elements) values.push_back(Value::of_text(element));
  return array(FieldType::kArrayText, values);
}
inline OwnedValue integers(const std::vector<std::int64_t>& elements) {
  std::vector<Value> values;
  values.reserve(elements.size());
  for (const std::int64_t element : elements) values.push_back(Value::of_i64(element));
  return array(FieldType::kArrayI64, values);
}
inline OwnedValue owned(const Value& value) { return OwnedValue(value); }

// A row of the schema; fields that are not set are null.
class Record {
 public:
  Record() { set("id", Value::of_i64(1)); }
  Record& set(std::string_view field, const Value& value) {
    values_[schema().find(field)] = OwnedValue(value);
    bytes_.clear();
    return *this;
  }
  Record& set(std::string_view field, const OwnedValue& value) { return set(field, value.view()); }
  const RowView& row() const {
    if (!bytes_.empty()) return *view_;
    std::vector<Value> values(schema().size());
    for (const auto& [field, value] : values_) values[field] = value.view();
    encode_row(schema(), 0, values, bytes_);
    view_ = must(RowView::parse(schema(), bytes_));
    return *view_;
  }

 private:
  std::map<std::size_t, OwnedValue> values_;
  mutable ByteVector bytes_;
  mutable std::optional<RowView> view_;
};

inline constexpr std::int64_t kNow = 1'795'000'000'000'000;

inline Filter prepared(std::string_view text) { return must(Filter::prepare(text, schema())); }

// "true", "false" or "unknown".
inline std::string test(std::string_view text, const Record& record,
                        const std::vector<Value>& arguments = {}) {
  const BoundFilter bound = must(prepared(text).bind(arguments, kNow));
  switch (bound.test(RowSource(record.row()))) {
    case filter::Truth::kTrue:
      return "true";
    case filter::Truth::kFalse:
      return "false";
    case filter::Truth::kUnknown:
      return "unknown";
  }
  return "nonsense";
}

inline std::string value(std::string_view text, const Record& record,
                         const std::vector<Value>& arguments = {}) {
  const Expression expression = must(Expression::prepare(text, schema()));
  const OwnedValue value = must(expression.bind(arguments, kNow)).value(RowSource(record.row()));
  return std::string(type_name(value.type())) + " " + describe_value(value.view());
}

// What is wrong with a text: its code and sentence, or "" for nothing.
inline std::string problem(std::string_view text) {
  const auto filter = Filter::prepare(text, schema());
  if (filter) return "";
  return std::string(error_name(filter.error().code())) + ": " + filter.error().message();
}

}  // namespace quire::test
