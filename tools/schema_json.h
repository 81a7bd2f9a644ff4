// Schemas as text: the file that `--schema` names, and what inference, `schema` and `stat` print.
//
//   {"fields": [{"name": "id", "type": "text"},
//               {"name": "size", "type": "i64", "nullable": true, "default": 0, "min": 0},
//               {"name": "vector", "type": "vector", "dimension": 384}],
//    "key": "id",
//    "indexes": [{"name": "by_size", "kind": "sorted", "options": {"fields": ["size"]}}]}
#pragma once

#include <string>
#include <string_view>

#include "tools/schema.h"

namespace quire::tools {

// `key` ("id", "year,number") overrides the text's own, when not empty. Throws Failure, saying what
// is wrong.
Schema parse_schema(std::string_view text, const std::string& key);
// Of a file of at most 16 MiB ("-": standard input).
Schema read_schema(const std::string& path, const std::string& key);
// One line, the form above: parse_schema reads it back.
std::string schema_to_json(const Schema& schema);

// One field, as it stands in "fields".
Field parse_field(std::string_view text);
std::string field_to_json(const Field& field);
// The field with the members of `changes` in place of its own; one that is null goes.
Field changed_field(const Field& field, std::string_view changes);

}  // namespace quire::tools
