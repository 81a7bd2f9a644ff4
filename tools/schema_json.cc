#include "tools/schema_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/byte_source.h"
#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/value_text.h"

namespace quire::tools {
namespace {

using nlohmann::ordered_json;

constexpr std::uint64_t kMaxDimension = 65'535;
constexpr std::size_t kMaxSchemaBytes = 16u << 20;

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
  if (!is_vector(type)) {
    if (found == object.end()) return 0;
    throw Failure("schema: " + where + " has a dimension, which is for vectors");
  }
  const bool good = found != object.end() && found->is_number_unsigned() &&
                    found->get<std::uint64_t>() >= 1 &&
                    found->get<std::uint64_t>() <= kMaxDimension;
  if (!good) throw Failure("schema: " + where + " needs a \"dimension\", 1 to 65535");
  return found->get<std::uint32_t>();
}

// The rules of one field, read from its object.
class RulesParser {
 public:
  RulesParser(const ordered_json& object, const Field& field, const std::string& where)
      : object_(object), field_(field), where_(where) {}

  // Null where there are none.
  std::shared_ptr<const Rules> parse() {
    parse_default();
    parse_range();
    parse_length("min_length", &rules_->min_length);
    parse_length("max_length", &rules_->max_length);
    parse_one_of();
    if (const auto pattern = object_.find("pattern"); pattern != object_.end()) {
      rules_->pattern = required_text(object_, "pattern", where_);
      any_ = true;
    }
    return any_ ? rules_ : nullptr;
  }

 private:
  void value(const ordered_json& json, const Field& field, const std::string& member,
             OwnedValue* owned) {
    std::string reason;
    if (!value_from_json(json.dump(), field, owned, &reason)) {
      throw Failure("schema: \"" + member + "\": " + reason);
    }
    any_ = true;
  }
  // What a range or a list holds for: of an array its elements.
  Field element() const {
    Field element = field_;
    if (is_array(field_.type)) element.type = element_type(field_.type);
    return element;
  }
  void parse_default() {
    const auto given = object_.find("default");
    const auto generated = object_.find("generated");
    if (given != object_.end() && generated != object_.end()) {
      throw Failure("schema: " + where_ + " has a \"default\" and a \"generated\"; one is enough");
    }
    if (given != object_.end()) {
      rules_->default_kind = QUIRE_DEFAULT_VALUE;
      value(*given, field_, "default", &rules_->default_value);
    }
    if (generated == object_.end()) return;
    const std::string what = required_text(object_, "generated", where_);
    if (what == "now") rules_->default_kind = QUIRE_DEFAULT_NOW;
    if (what == "next") rules_->default_kind = QUIRE_DEFAULT_NEXT;
    if (what == "uuid") rules_->default_kind = QUIRE_DEFAULT_UUID;
    if (what == "version") rules_->default_kind = QUIRE_DEFAULT_VERSION;
    if (rules_->default_kind == QUIRE_DEFAULT_NONE) {
      throw Failure("schema: \"generated\" of " + where_ +
                    " is 'now', 'next', 'uuid' or 'version', not '" + what + "'");
    }
    any_ = true;
  }
  void parse_range() {
    const Field bound = element();
    if (const auto min = object_.find("min"); min != object_.end()) {
      value(*min, bound, "min", &rules_->min);
    }
    if (const auto max = object_.find("max"); max != object_.end()) {
      value(*max, bound, "max", &rules_->max);
    }
  }
  void parse_length(const char* member, std::uint64_t* length) {
    const auto found = object_.find(member);
    if (found == object_.end()) return;
    if (!found->is_number_unsigned()) {
      throw Failure("schema: \"" + std::string(member) + "\" of " + where_ +
                    " is not a whole number of 0 or more");
    }
    *length = found->get<std::uint64_t>();
    any_ = true;
  }
  void parse_one_of() {
    const auto list = object_.find("one_of");
    if (list == object_.end()) return;
    if (!list->is_array() || list->empty()) {
      throw Failure("schema: \"one_of\" of " + where_ + " is not an array with a value at least");
    }
    for (const ordered_json& one : *list) {
      value(one, element(), "one_of", &rules_->one_of.emplace_back());
    }
  }

  const ordered_json& object_;
  const Field& field_;
  const std::string& where_;
  std::shared_ptr<Rules> rules_ = std::make_shared<Rules>();
  bool any_ = false;
};

// False where it is not given.
bool flag_of(const ordered_json& object, const std::string& member, const std::string& where) {
  const auto found = object.find(member);
  if (found == object.end()) return false;
  if (!found->is_boolean()) {
    throw Failure("schema: \"" + member + "\" of " + where + " is not a bool");
  }
  return found->get<bool>();
}

Field field_of(const ordered_json& object, std::string where) {
  if (!object.is_object()) throw Failure("schema: " + where + " is not an object");
  Field field;
  field.name = required_text(object, "name", where);
  where = "field '" + field.name + "'";
  refuse_unknown_members(object,
                         {"name", "type", "nullable", "ttl", "dimension", "default", "generated",
                          "min", "max", "min_length", "max_length", "one_of", "pattern"},
                         where);
  const std::string type = required_text(object, "type", where);
  const auto known = type_by_name(type);
  if (!known) {
    throw Failure("schema: " + where + " has the unknown type '" + type + "'; types are " +
                  type_names());
  }
  field.type = *known;
  field.dimension = parse_dimension(object, *known, where);
  field.nullable = flag_of(object, "nullable", where);
  field.ttl = flag_of(object, "ttl", where);
  field.rules = RulesParser(object, field, where).parse();
  return field;
}

Index index_of(const ordered_json& object, std::size_t number) {
  std::string where = "index number " + std::to_string(number);
  if (!object.is_object()) throw Failure("schema: " + where + " is not an object");
  Index index;
  index.name = required_text(object, "name", where);
  where = "index '" + index.name + "'";
  refuse_unknown_members(object, {"name", "kind", "options", "entries", "pages"}, where);
  index.kind = required_text(object, "kind", where);
  const auto options = object.find("options");
  if (options == object.end() || !options->is_object()) {
    throw Failure("schema: " + where + " needs an object \"options\"");
  }
  index.options = options->dump();
  return index;
}

std::vector<std::string> key_of(const ordered_json& root) {
  const auto key = root.find("key");
  if (!key->is_array()) return {required_text(root, "key", "it")};
  std::vector<std::string> names;
  for (const ordered_json& name : *key) {
    if (!name.is_string()) throw Failure("schema: \"key\" is a text or an array of texts");
    names.push_back(name.get<std::string>());
  }
  if (names.empty()) throw Failure("schema: \"key\" names no field");
  return names;
}

ordered_json json_of(const OwnedValue& value) {
  std::string text;
  append_json_value(value.value, &text);
  return ordered_json::parse(text);
}

void add_rules(const Rules& rules, ordered_json* object) {
  ordered_json& out = *object;
  if (rules.default_kind == QUIRE_DEFAULT_VALUE) out["default"] = json_of(rules.default_value);
  if (rules.default_kind == QUIRE_DEFAULT_NOW) out["generated"] = "now";
  if (rules.default_kind == QUIRE_DEFAULT_NEXT) out["generated"] = "next";
  if (rules.default_kind == QUIRE_DEFAULT_UUID) out["generated"] = "uuid";
  if (rules.default_kind == QUIRE_DEFAULT_VERSION) out["generated"] = "version";
  if (!is_null(rules.min.value)) out["min"] = json_of(rules.min);
  if (!is_null(rules.max.value)) out["max"] = json_of(rules.max);
  if (rules.min_length != 0) out["min_length"] = rules.min_length;
  if (rules.max_length != UINT64_MAX) out["max_length"] = rules.max_length;
  for (const OwnedValue& one : rules.one_of) out["one_of"].push_back(json_of(one));
  if (rules.pattern) out["pattern"] = *rules.pattern;
}

ordered_json object_of(const Field& field) {
  ordered_json object{{"name", field.name}, {"type", type_name(field.type)}};
  if (field.dimension != 0) object["dimension"] = field.dimension;
  if (field.nullable) object["nullable"] = true;
  if (field.ttl) object["ttl"] = true;
  if (field.rules) add_rules(*field.rules, &object);
  return object;
}

std::string to_line(const ordered_json& json) {
  return json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

ordered_json parse_object(std::string_view text, const char* example) {
  ordered_json object = ordered_json::parse(text.begin(), text.end(), nullptr, false);
  if (!object.is_object()) {
    throw Failure("schema: not a JSON object like " + std::string(example));
  }
  return object;
}

}  // namespace

Schema parse_schema(std::string_view text, const std::string& key) {
  const ordered_json root = parse_object(text, "{\"fields\": [...], \"key\": \"id\"}");
  refuse_unknown_members(
      root, {"fields", "key", "indexes", "name", "records", "version", "oldest_version"}, "it");
  const auto fields = root.find("fields");
  if (fields == root.end() || !fields->is_array() || fields->empty()) {
    throw Failure("schema: \"fields\" must be an array with a field at least");
  }
  Schema schema;
  for (const ordered_json& object : *fields) {
    Field field = field_of(object, "field number " + std::to_string(schema.fields.size() + 1));
    if (schema.find(field.name)) throw Failure("schema: field '" + field.name + "' is there twice");
    schema.fields.push_back(std::move(field));
  }
  if (key.empty() && !root.contains("key")) {
    throw Failure("schema: \"key\" must name the key field (or give --key FIELD)");
  }
  set_key(&schema, key.empty() ? key_of(root) : key_names_of(schema, key));
  if (const auto indexes = root.find("indexes"); indexes != root.end()) {
    if (!indexes->is_array()) throw Failure("schema: \"indexes\" is not an array");
    for (const ordered_json& object : *indexes) {
      schema.indexes.push_back(index_of(object, schema.indexes.size() + 1));
    }
  }
  return schema;
}

Schema read_schema(const std::string& path, const std::string& key) {
  return parse_schema(read_whole(path, kMaxSchemaBytes), key);
}

std::string schema_to_json(const Schema& schema) {
  ordered_json root;
  root["fields"] = ordered_json::array();
  ordered_json keys = ordered_json::array();
  for (const Field& field : schema.fields) {
    root["fields"].push_back(object_of(field));
    if (field.key) keys.push_back(field.name);
  }
  root["key"] = keys.size() == 1 ? keys[0] : keys;
  for (const Index& index : schema.indexes) {
    if (index.options.empty()) continue;  // of a kind that is not known here
    root["indexes"].push_back({{"name", index.name},
                               {"kind", index.kind},
                               {"options", ordered_json::parse(index.options)}});
  }
  return to_line(root);
}

Field parse_field(std::string_view text) {
  return field_of(parse_object(text, "{\"name\": \"note\", \"type\": \"text\"}"), "the field");
}

std::string field_to_json(const Field& field) { return to_line(object_of(field)); }

Field changed_field(const Field& field, std::string_view changes) {
  ordered_json object = object_of(field);
  const ordered_json given = parse_object(changes, "{\"type\": \"f64\"}");
  for (const auto& [name, value] : given.items()) {
    if (value.is_null()) {
      object.erase(name);
    } else {
      object[name] = value;
    }
  }
  Field changed = field_of(object, "field '" + field.name + "'");
  changed.key = field.key;
  changed.id = field.id;
  return changed;
}

}  // namespace quire::tools
