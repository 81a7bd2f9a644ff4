#include "tools/change_reader.h"

#include "tools/json_record.h"
#include "tools/json_spans.h"

namespace quire::tools {
namespace {

constexpr const char* kForm =
    "a change is {\"insert\": RECORD}, {\"upsert\": RECORD}, {\"update\": KEY, \"set\": FIELDS} or "
    "{\"delete\": KEY}, and \"if\": FIELDS";

bool is_kind(std::string_view name) {
  return name == "insert" || name == "upsert" || name == "update" || name == "delete";
}

std::uint32_t kind_of(std::string_view name) {
  if (name == "insert") return QUIRE_CHANGE_INSERT;
  if (name == "upsert") return QUIRE_CHANGE_UPSERT;
  return name == "update" ? QUIRE_CHANGE_UPDATE : QUIRE_CHANGE_DELETE;
}

// Says where in the line it is that something is wrong.
bool fail_in(std::string_view part, std::string* reason) {
  reason->insert(0, "\"" + std::string(part) + "\": ");
  return false;
}

}  // namespace

bool ChangeReader::take_apart(const Record& line, Parts* parts, std::string* reason) {
  for (const auto& [name, cell] : line.fields) {
    const std::string_view json = line.json(cell);
    if (is_kind(name)) {
      if (!parts->kind.empty()) {
        *reason = "it has both \"" + std::string(parts->kind) + "\" and \"" + name + "\"; " + kForm;
        return false;
      }
      parts->kind = name;
      parts->what = json;
    } else if (name == "set") {
      parts->set = json;
    } else if (name == "if") {
      parts->condition = json;
    } else {
      *reason = "it has the unknown member '" + name + "'; " + kForm;
      return false;
    }
  }
  if (!parts->kind.empty()) return true;
  *reason = std::string("it does not say which change; ") + kForm;
  return false;
}

std::vector<Value>& ChangeReader::keep(const std::vector<Value>& values) {
  std::vector<Value>& kept = values_.emplace_back();
  kept.reserve(values.size());
  for (const Value& value : values) kept.push_back(keep(value));
  return kept;
}

bool ChangeReader::take_record(const Parts& parts, Change* change, std::string* reason) {
  Record record;
  if (!parse_json_record(parts.what, &record, reason)) return fail_in(parts.kind, reason);
  if (!row_.build(record, reason)) return false;
  const std::vector<Value>& values = keep(row_.values());
  change->values = values.data();
  change->value_count = values.size();
  return true;
}

bool ChangeReader::take_key(const Parts& parts, Change* change, std::string* reason) {
  const std::vector<std::size_t> fields = schema_.key_fields();
  std::vector<std::string_view> texts{parts.what};
  if (fields.size() > 1) {
    const bool array = parts.what.starts_with('[');
    texts = array ? json_elements(parts.what) : std::vector<std::string_view>();
    if (texts.size() != fields.size()) {
      *reason = "the key is (" + schema_.key_names() + "), so it is an array of " +
                std::to_string(fields.size()) + " values";
      return fail_in(parts.kind, reason);
    }
  }
  std::deque<OwnedValue> owned;
  std::vector<Value> values;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Field& field = schema_.fields[fields[i]];
    if (!value_from_json(texts[i], field, &owned.emplace_back(), reason)) {
      return fail_in(parts.kind, reason);
    }
    values.push_back(owned.back().value);
  }
  const std::vector<Value>& key = keep(values);
  change->key = key.data();
  change->key_count = key.size();
  return true;
}

bool ChangeReader::take_set(const Parts& parts, Change* change, std::string* reason) {
  if (parts.set.empty()) {
    *reason = "an update needs \"set\"";
    return false;
  }
  Assignments set(schema_);
  if (!set.add_object(parts.set, reason)) return fail_in("set", reason);
  const std::vector<Value>& values = keep(set.values());
  change->fields = fields_.emplace_back(set.fields()).data();
  change->values = values.data();
  change->value_count = values.size();
  return true;
}

bool ChangeReader::take_condition(const Parts& parts, Change* change, std::string* reason) {
  if (parts.condition.empty()) return true;
  if (parts.kind == "insert") {
    *reason = "an insert has no \"if\": there is no record yet";
    return false;
  }
  Assignments condition(schema_);
  if (!condition.add_object(parts.condition, reason)) return fail_in("if", reason);
  std::vector<Expected>& expected = expected_.emplace_back(condition.expected());
  for (Expected& one : expected) one.value = keep(one.value);
  change->expected = expected.data();
  change->expected_count = expected.size();
  return true;
}

bool ChangeReader::add(const Record& line, std::string* reason) {
  Parts parts;
  if (!take_apart(line, &parts, reason)) return false;
  Change change{};
  change.kind = kind_of(parts.kind);
  const bool has_record = change.kind == QUIRE_CHANGE_INSERT || change.kind == QUIRE_CHANGE_UPSERT;
  if (change.kind != QUIRE_CHANGE_UPDATE && !parts.set.empty()) {
    *reason = "\"set\" is for an update";
    return false;
  }
  if (!(has_record ? take_record(parts, &change, reason) : take_key(parts, &change, reason))) {
    return false;
  }
  if (change.kind == QUIRE_CHANGE_UPDATE && !take_set(parts, &change, reason)) return false;
  if (!take_condition(parts, &change, reason)) return false;
  changes_.push_back(change);
  return true;
}

}  // namespace quire::tools
