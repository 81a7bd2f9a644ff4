#include "tools/schema.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "tools/failure.h"

namespace quire::tools {
namespace {

using nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, quire_type>, 7> kTypes{{
    {"bool", QUIRE_TYPE_BOOL},
    {"i64", QUIRE_TYPE_I64},
    {"f64", QUIRE_TYPE_F64},
    {"text", QUIRE_TYPE_TEXT},
    {"bytes", QUIRE_TYPE_BYTES},
    {"timestamp", QUIRE_TYPE_TIMESTAMP},
    {"vector", QUIRE_TYPE_VECTOR_F32},
}};
constexpr std::uint64_t kMaxDimension = 65'535;

// A misspelled member would otherwise be a silent default.
void refuse_unknown_members(const ordered_json& object, const std::vector<std::string>& known,
                            const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Failure("schema: " + where + " has an unknown member '" + name + "'");
    }
  }
}

std::string required_text(const ordered_json& object, const std::string& member,
                          const std::string& where) {
  const auto found = object.find(member);
  if (found == object.end() || !found->is_string()) {
    throw Failure("schema: " + where + " needs a text \"" + member + "\"");
  }
  return found->get<std::string>();
}

std::uint32_t parse_dimension(const ordered_json& object, quire_type type,
                              const std::string& where) {
  const auto found = object.find("dimension");
  if (type != QUIRE_TYPE_VECTOR_F32) {
    if (found == object.end()) return 0;
    throw Failure("schema: " + where + " has a dimension, which is for vectors");
  }
  const bool good = found != object.end() && found->is_number_unsigned() &&
                    found->get<std::uint64_t>() >= 1 &&
                    found->get<std::uint64_t>() <= kMaxDimension;
  if (!good) throw Failure("schema: " + where + " needs a \"dimension\", 1 to 65535");
  return found->get<std::uint32_t>();
}

Field parse_field(const ordered_json& object, std::size_t number) {
  std::string where = "field number " + std::to_string(number);
  if (!object.is_object()) throw Failure("schema: " + where + " is not an object");
  Field field;
  field.name = required_text(object, "name", where);
  where = "field '" + field.name + "'";
  refuse_unknown_members(object, {"name", "type", "nullable", "dimension"}, where);
  const std::string type = required_text(object, "type", where);
  const auto known = type_by_name(type);
  if (!known) {
    throw Failure("schema: " + where + " has the unknown type '" + type +
                  "'; types are bool, i64, f64, text, bytes, timestamp, vector");
  }
  field.type = *known;
  field.dimension = parse_dimension(object, *known, where);
  if (const auto nullable = object.find("nullable"); nullable != object.end()) {
    if (!nullable->is_boolean())
      throw Failure("schema: \"nullable\" of " + where + " is not a bool");
    field.nullable = nullable->get<bool>();
  }
  return field;
}

}  // namespace

std::size_t Schema::key_index() const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].key) return i;
  }
  throw Failure("the schema has no key field");
}

std::optional<std::size_t> Schema::find(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return i;
  }
  return std::nullopt;
}

std::string Schema::names() const {
  std::string names;
  for (const Field& field : fields) names += (names.empty() ? "" : ", ") + field.name;
  return names;
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

std::string describe_field(const Field& field) {
  std::string text(type_name(field.type));
  if (field.dimension != 0) text += "(" + std::to_string(field.dimension) + ")";
  if (field.nullable) text += ", nullable";
  if (field.key) text += ", key";
  return text;
}

void set_key(Schema* schema, const std::string& name) {
  const auto index = schema->find(name);
  if (!index) {
    throw Failure("the key '" + name + "' is not a field; fields are " + schema->names());
  }
  for (Field& field : schema->fields) field.key = false;
  Field& key = schema->fields[*index];
  if (key.type == QUIRE_TYPE_VECTOR_F32) {
    throw Failure("the key '" + name + "' is a vector; a key is a single value");
  }
  if (key.nullable) {
    throw Failure("the key '" + name + "' is declared nullable; a key is never null");
  }
  key.key = true;
}

Schema parse_schema(std::string_view text, const std::string& key) {
  const ordered_json root = ordered_json::parse(text.begin(), text.end(), nullptr, false);
  if (!root.is_object()) {
    throw Failure("schema: not a JSON object like {\"fields\": [...], \"key\": \"id\"}");
  }
  refuse_unknown_members(root, {"fields", "key", "name", "records"}, "it");
  const auto fields = root.find("fields");
  if (fields == root.end() || !fields->is_array() || fields->empty()) {
    throw Failure("schema: \"fields\" must be an array with a field at least");
  }
  Schema schema;
  for (const ordered_json& object : *fields) {
    Field field = parse_field(object, schema.fields.size() + 1);
    if (schema.find(field.name)) throw Failure("schema: field '" + field.name + "' is there twice");
    schema.fields.push_back(std::move(field));
  }
  if (key.empty() && !root.contains("key")) {
    throw Failure("schema: \"key\" must name the key field (or give --key FIELD)");
  }
  set_key(&schema, key.empty() ? required_text(root, "key", "it") : key);
  return schema;
}

std::string schema_to_json(const Schema& schema) {
  ordered_json root;
  root["fields"] = ordered_json::array();
  for (const Field& field : schema.fields) {
    ordered_json object{{"name", field.name}, {"type", type_name(field.type)}};
    if (field.dimension != 0) object["dimension"] = field.dimension;
    if (field.nullable) object["nullable"] = true;
    root["fields"].push_back(std::move(object));
    if (field.key) root["key"] = field.name;
  }
  return root.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<std::string> difference(const Schema& wanted, const Schema& actual) {
  for (const Field& field : wanted.fields) {
    const auto index = actual.find(field.name);
    if (!index) return "it has no field '" + field.name + "'";
    if (actual.fields[*index] == field) continue;
    return "its field '" + field.name + "' is " + describe_field(actual.fields[*index]) +
           ", the schema's " + describe_field(field);
  }
  for (const Field& field : actual.fields) {
    if (!wanted.find(field.name)) return "its field '" + field.name + "' is not in the schema";
  }
  return std::nullopt;
}

}  // namespace quire::tools
