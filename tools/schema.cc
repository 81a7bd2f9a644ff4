#include "tools/schema.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tools/failure.h"
#include "tools/schema_json.h"
#include "tools/value_text.h"

namespace quire::tools {
namespace {

constexpr std::array<std::pair<std::string_view, quire_type>, 17> kTypes{{
    {"bool", QUIRE_TYPE_BOOL},
    {"i64", QUIRE_TYPE_I64},
    {"f64", QUIRE_TYPE_F64},
    {"text", QUIRE_TYPE_TEXT},
    {"bytes", QUIRE_TYPE_BYTES},
    {"timestamp", QUIRE_TYPE_TIMESTAMP},
    {"json", QUIRE_TYPE_JSON},
    {"bool[]", QUIRE_TYPE_ARRAY_BOOL},
    {"i64[]", QUIRE_TYPE_ARRAY_I64},
    {"f64[]", QUIRE_TYPE_ARRAY_F64},
    {"text[]", QUIRE_TYPE_ARRAY_TEXT},
    {"bytes[]", QUIRE_TYPE_ARRAY_BYTES},
    {"timestamp[]", QUIRE_TYPE_ARRAY_TIMESTAMP},
    {"vector", QUIRE_TYPE_VECTOR_F32},
    {"vector_f16", QUIRE_TYPE_VECTOR_F16},
    {"vector_i8", QUIRE_TYPE_VECTOR_I8},
    {"vector_bits", QUIRE_TYPE_VECTOR_BITS},
}};

void require_possible_key(const Field& field) {
  const std::string name = "the key '" + field.name + "'";
  if (is_vector(field.type)) throw Failure(name + " is a vector; a key is a single value");
  if (is_array(field.type) || field.type == QUIRE_TYPE_JSON) {
    throw Failure(name + " is " + std::string(type_name(field.type)) + "; a key is a single value");
  }
  if (field.nullable) throw Failure(name + " is declared nullable; a key is never null");
}

std::string value_as_json(const OwnedValue& value) {
  std::string text;
  append_json_value(value.value, &text);
  return text;
}

std::string described_default(const Rules& rules) {
  switch (rules.default_kind) {
    case QUIRE_DEFAULT_VALUE:
      return "default " + value_as_json(rules.default_value);
    case QUIRE_DEFAULT_NOW:
      return "default now";
    case QUIRE_DEFAULT_NEXT:
      return "default the next number";
    case QUIRE_DEFAULT_UUID:
      return "default a UUID";
    case QUIRE_DEFAULT_VERSION:
      return "counts changes";
    default:
      return "";
  }
}

}  // namespace

std::vector<std::size_t> Schema::key_fields() const {
  std::vector<std::size_t> keys;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].key) keys.push_back(i);
  }
  if (keys.empty()) throw Failure("the schema has no key field");
  return keys;
}

std::string Schema::key_names() const {
  std::string names;
  for (const std::size_t i : key_fields()) names += (names.empty() ? "" : ", ") + fields[i].name;
  return names;
}

std::optional<std::size_t> Schema::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
  }
  return std::nullopt;
}

std::size_t Schema::require_field(std::string_view name) const {
  if (const auto index = find(name)) return *index;
  throw Failure("unknown field '" + std::string(name) + "'; fields are " + names());
}

std::string Schema::names() const {
  std::string names;
  for (const Field& field : fields) names += (names.empty() ? "" : ", ") + field.name;
  return names;
}

std::vector<std::string> split_names(const std::string& names) {
  std::vector<std::string> list;
  for (std::size_t begin = 0; begin <= names.size();) {
    const std::size_t end = std::min(names.find(',', begin), names.size());
    list.push_back(names.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

std::string_view type_name(std::uint32_t type) {
  for (const auto& [name, known] : kTypes) {
    if (known == type) return name;
  }
  return type == QUIRE_TYPE_NULL ? "null" : "unknown";
}

std::optional<quire_type> type_by_name(std::string_view name) {
  for (const auto& [known, type] : kTypes) {
    if (known == name) return type;
  }
  return std::nullopt;
}

std::string type_names() {
  std::string names;
  for (const auto& [name, type] : kTypes) names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

std::string describe_field(const Field& field) {
  std::string text(type_name(field.type));
  if (field.dimension != 0) text += "(" + std::to_string(field.dimension) + ")";
  if (field.nullable) text += ", nullable";
  if (field.key) text += ", key";
  if (field.ttl) text += ", ttl";
  return text;
}

std::string describe_rules(const Field& field) {
  if (!field.rules) return "";
  const Rules& rules = *field.rules;
  std::vector<std::string> parts;
  if (rules.default_kind != QUIRE_DEFAULT_NONE) parts.push_back(described_default(rules));
  if (!is_null(rules.min.value)) parts.push_back("at least " + value_as_json(rules.min));
  if (!is_null(rules.max.value)) parts.push_back("at most " + value_as_json(rules.max));
  if (rules.min_length != 0) parts.push_back("length from " + std::to_string(rules.min_length));
  if (rules.max_length != UINT64_MAX) {
    parts.push_back("length to " + std::to_string(rules.max_length));
  }
  std::string one_of;
  for (const OwnedValue& one : rules.one_of) {
    one_of += (one_of.empty() ? "one of " : " ") + value_as_json(one);
  }
  if (!one_of.empty()) parts.push_back(one_of);
  if (rules.pattern) parts.push_back("matches " + *rules.pattern);
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::vector<std::string> key_names_of(const Schema& schema, const std::string& option) {
  return schema.find(option) ? std::vector<std::string>{option} : split_names(option);
}

void set_key(Schema* schema, const std::vector<std::string>& names) {
  for (Field& field : schema->fields) field.key = false;
  std::optional<std::size_t> before;
  for (const std::string& name : names) {
    const auto index = schema->find(name);
    if (!index) {
      throw Failure("the key '" + name + "' is not a field; fields are " + schema->names());
    }
    require_possible_key(schema->fields[*index]);
    if (before && *index <= *before) {
      throw Failure("the fields of the key have to stand in the order of the fields: '" + name +
                    "' is before '" + schema->fields[*before].name + "', or there twice");
    }
    before = index;
    schema->fields[*index].key = true;
  }
}

std::optional<std::string> difference(const Schema& wanted, const Schema& actual) {
  for (const Field& field : wanted.fields) {
    const auto index = actual.find(field.name);
    if (!index) return "it has no field '" + field.name + "'";
    const Field& there = actual.fields[*index];
    if (describe_field(there) != describe_field(field)) {
      return "its field '" + field.name + "' is " + describe_field(there) + ", the schema's " +
             describe_field(field);
    }
    if (field_to_json(there) != field_to_json(field)) {
      return "its field '" + field.name + "' has other rules than the schema's";
    }
  }
  for (const Field& field : actual.fields) {
    if (!wanted.find(field.name)) return "its field '" + field.name + "' is not in the schema";
  }
  for (const Index& index : wanted.indexes) {
    const auto same = [&](const Index& other) { return other.name == index.name; };
    if (std::none_of(actual.indexes.begin(), actual.indexes.end(), same)) {
      return "it has no index '" + index.name + "'";
    }
  }
  return std::nullopt;
}

CFields::CFields(const Schema& schema) {
  for (const Field& field : schema.fields) {
    std::uint32_t flags = 0;
    if (field.nullable) flags |= QUIRE_FIELD_NULLABLE;
    if (field.key) flags |= QUIRE_FIELD_KEY;
    if (field.ttl) flags |= QUIRE_FIELD_TTL;
    fields_.push_back({field.name.c_str(), static_cast<std::uint32_t>(field.type), flags,
                       field.dimension, field.id, field.rules ? add_rules(*field.rules) : nullptr});
  }
}

const quire_rules* CFields::add_rules(const Rules& rules) {
  quire_rules& made = rules_.emplace_back();
  made = QUIRE_RULES_INIT;
  made.default_kind = rules.default_kind;
  made.default_value = rules.default_value.value;
  made.min = rules.min.value;
  made.max = rules.max.value;
  made.min_length = rules.min_length;
  made.max_length = rules.max_length;
  std::vector<Value>& one_of = one_of_.emplace_back();
  for (const OwnedValue& one : rules.one_of) one_of.push_back(one.value);
  made.one_of = one_of.empty() ? nullptr : one_of.data();
  made.one_of_count = one_of.size();
  made.pattern = rules.pattern ? rules.pattern->c_str() : nullptr;
  return &made;
}

}  // namespace quire::tools
