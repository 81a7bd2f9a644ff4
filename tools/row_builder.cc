// RowBuilder and OwnedKey: whole records and keys; convert.cc has the single values.
#include "tools/convert.h"
#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/json_spans.h"
#include "tools/text_codec.h"

namespace quire::tools {

OwnedKey::OwnedKey(const std::string& argument, const Schema& schema, bool partial) {
  if (schema.key_fields().size() == 1) {
    add_one(argument, schema.key());
  } else {
    add_parts(argument, schema, partial);
  }
  for (const OwnedValue& owned : owned_) values_.push_back(owned.value);
}

void OwnedKey::add_one(const std::string& argument, const Field& field) {
  if (field.type == QUIRE_TYPE_TEXT && !is_valid_utf8(argument)) {
    throw Failure("the key is not UTF-8 text");
  }
  std::string reason;
  if (!value_from_text(argument, field, &owned_.emplace_back(), &reason)) {
    throw Failure("wrong key: " + reason);
  }
}

void OwnedKey::add_parts(const std::string& argument, const Schema& schema, bool partial) {
  const auto fields = schema.key_fields();
  Record record;
  std::string reason;
  const bool json = parse_json_cell(argument, &record, &reason);
  const auto parts =
      json ? json_elements(record.json(record.fields[0].cell)) : std::vector<std::string_view>();
  const bool array = json && record.json(record.fields[0].cell).starts_with('[');
  const bool fits =
      partial ? !parts.empty() && parts.size() <= fields.size() : parts.size() == fields.size();
  if (!array || !fits) {
    throw Failure("wrong key: the key is (" + schema.key_names() +
                  "), so it is written as a JSON " + "array of " + (partial ? "up to " : "") +
                  std::to_string(fields.size()) + " values, not '" + argument + "'");
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!value_from_json(parts[i], schema.fields[fields[i]], &owned_.emplace_back(), &reason)) {
      throw Failure("wrong key: " + reason);
    }
  }
}

RowBuilder::RowBuilder(const Schema& schema, bool ignore_unknown)
    : schema_(schema),
      ignore_unknown_(ignore_unknown),
      values_(schema.fields.size()),
      present_(schema.fields.size()),
      owned_(schema.fields.size()) {
  for (std::size_t i = 0; i < schema.fields.size(); ++i) index_[schema.fields[i].name] = i;
}

bool RowBuilder::fill(const Record& record, const Cell& cell, std::size_t index,
                      std::string* reason) {
  const Field& field = schema_.fields[index];
  if (cell.kind == CellKind::kNull) {
    // CSV has one spelling for null, for what is not there, and for an empty text.
    if (!field.nullable && cell.raw_null) {
      if (field.has_default()) return true;
      if (field.type != QUIRE_TYPE_TEXT) return true;
      values_[index] = text_value("");
      present_[index] = true;
    } else if (field.nullable) {
      values_[index] = null_value();
      present_[index] = true;
    } else if (field.type == QUIRE_TYPE_JSON) {
      values_[index] = value_of_bytes(QUIRE_TYPE_JSON, "null");
      present_[index] = true;
    } else {
      *reason = "field '" + field.name + "' is missing or null, and not nullable";
      return false;
    }
    return true;
  }
  if (!value_from_cell(record, cell, field, &owned_[index], reason)) return false;
  values_[index] = owned_[index].value;
  present_[index] = true;
  return true;
}

bool RowBuilder::build(const Record& record, std::string* reason) {
  present_.assign(present_.size(), false);
  for (std::size_t position = 0; position < record.fields.size(); ++position) {
    const auto& [name, cell] = record.fields[position];
    std::size_t index = position;
    if (index >= schema_.fields.size() || schema_.fields[index].name != name) {
      const auto found = index_.find(name);
      if (found == index_.end()) {
        if (ignore_unknown_) continue;
        *reason = "unknown field '" + name + "'; fields are " + schema_.names();
        return false;
      }
      index = found->second;
    }
    if (!fill(record, cell, index, reason)) return false;
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (present_[i]) continue;
    const Field& field = schema_.fields[i];
    if (!field.nullable && !field.has_default()) {
      *reason = "field '" + field.name + "' is missing or null, and not nullable";
      return false;
    }
    values_[i] = field.has_default() ? default_value() : null_value();
  }
  return true;
}

}  // namespace quire::tools
