// What a collection is: its fields with their rules, its key, its indexes.
#pragma once

#include <quire/quire.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/owned_value.h"

namespace quire::tools {

// What a field has by default and what its values have to be; see quire_rules.
struct Rules {
  std::uint32_t default_kind = QUIRE_DEFAULT_NONE;
  OwnedValue default_value, min, max;  // null: none
  std::uint64_t min_length = 0;
  std::uint64_t max_length = UINT64_MAX;
  std::deque<OwnedValue> one_of;
  std::optional<std::string> pattern;
};

// Has more of a field than quire::Field.
struct Field {
  std::string name;
  quire_type type = QUIRE_TYPE_TEXT;
  std::uint32_t dimension = 0;  // of a vector
  bool nullable = false;
  bool key = false;
  bool ttl = false;                    // says when the time of its record is over
  std::uint32_t id = 0;                // of a field that is stored
  std::shared_ptr<const Rules> rules;  // null: none

  bool has_default() const { return rules && rules->default_kind != QUIRE_DEFAULT_NONE; }
};

struct Index {
  std::string name;
  std::string kind;
  std::string options;  // an object in JSON; empty: not known here
  std::uint64_t entries = 0;
  std::uint64_t pages = 0;  // 0: the kind can't tell
  std::string figures{};    // an object in JSON; empty: not known here
};

struct Schema {
  std::vector<Field> fields;
  std::vector<Index> indexes;

  // Fields of the key, in order; at least one in a schema that is complete.
  std::vector<std::size_t> key_fields() const;
  // The first of them.
  const Field& key() const { return fields[key_fields()[0]]; }
  // "id", or "year, number".
  std::string key_names() const;
  std::optional<std::size_t> find(std::string_view name) const;
  // The same, but throws Failure where there is none.
  std::size_t require_field(std::string_view name) const;
  // All names, for messages: "id, size, vector".
  std::string names() const;
};

// The parts of "a,b".
std::vector<std::string> split_names(const std::string& names);

// "i64", "text[]", "vector"; "unknown" for no type.
std::string_view type_name(std::uint32_t type);
std::optional<quire_type> type_by_name(std::string_view name);
// All of them, for messages and help.
std::string type_names();
// "vector(384), nullable": as a person reads it.
std::string describe_field(const Field& field);
// "default 5, at least 0": as a person reads it; empty where there are none.
std::string describe_rules(const Field& field);

// The fields that `--key` means: the one of this name, else those of "a,b".
std::vector<std::string> key_names_of(const Schema& schema, const std::string& option);
// Makes the fields of these names the key; throws Failure when there are none, they can't be, or
// stand in another order than the fields.
void set_key(Schema* schema, const std::vector<std::string>& names);
// A sentence about the first difference; nothing when they are the same. Of indexes, those that
// `wanted` names have to be there.
std::optional<std::string> difference(const Schema& wanted, const Schema& actual);

// The fields as the C interface takes them; borrows the schema.
class CFields {
 public:
  explicit CFields(const Schema& schema);

  const quire_field* data() const { return fields_.data(); }
  std::size_t size() const { return fields_.size(); }

 private:
  const quire_rules* add_rules(const Rules& rules);

  std::deque<quire_rules> rules_;
  std::deque<std::vector<Value>> one_of_;
  std::vector<quire_field> fields_;
};

}  // namespace quire::tools
