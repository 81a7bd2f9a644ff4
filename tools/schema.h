// Schemas as text: the file that `--schema` names, and what inference and `stat` print.
//
//   {"fields": [{"name": "id", "type": "text"},
//               {"name": "size", "type": "i64", "nullable": true},
//               {"name": "vector", "type": "vector", "dimension": 384}],
//    "key": "id"}
#pragma once

#include <quire/quire.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

struct Schema {
  std::vector<Field> fields;

  // Exactly one field is the key in a schema that is complete.
  std::size_t key_index() const;
  const Field& key() const { return fields[key_index()]; }
  std::optional<std::size_t> find(std::string_view name) const;
  // All names, for messages: "id, size, vector".
  std::string names() const;
};

// "i64", "vector"; nothing for an unknown name.
std::string_view type_name(std::uint32_t type);
std::optional<quire_type> type_by_name(std::string_view name);
// "vector(384), nullable": as a person reads it.
std::string describe_field(const Field& field);

// Makes the field of this name the key; throws Failure when there is none.
void set_key(Schema* schema, const std::string& name);
// `key` overrides the text's own, when not empty. Throws Failure, saying what is wrong.
Schema parse_schema(std::string_view text, const std::string& key);
// One line, the form above: parse_schema reads it back.
std::string schema_to_json(const Schema& schema);
// A sentence about the first difference; nothing when they are the same.
std::optional<std::string> difference(const Schema& wanted, const Schema& actual);

}  // namespace quire::tools
