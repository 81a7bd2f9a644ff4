#include "tools/assignments.h"

#include <algorithm>

#include "tools/convert.h"
#include "tools/json_record.h"

namespace quire::tools {

std::uint32_t Assignments::new_field(std::string_view name) const {
  const std::size_t index = schema_.require_field(name);
  const auto field = static_cast<std::uint32_t>(index);
  if (std::find(fields_.begin(), fields_.end(), field) != fields_.end()) {
    throw Failure("field '" + schema_.fields[index].name + "' is there twice");
  }
  return field;
}

void Assignments::add(std::uint32_t field, const Value& value) {
  fields_.push_back(field);
  values_.push_back(value);
}

void Assignments::add_word(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw Failure("'" + word + "' is not FIELD=VALUE or FIELD:=JSON");
  }
  const bool json = word[equals - 1] == ':';
  const std::uint32_t index = new_field(word.substr(0, json ? equals - 1 : equals));
  const Field& field = schema_.fields[index];
  const std::string text = word.substr(equals + 1);
  // As an empty CSV cell.
  if (!json && text.empty() && field.nullable) return add(index, null_value());
  OwnedValue& owned = owned_.emplace_back();
  std::string reason;
  const bool good = json ? value_from_json(text, field, &owned, &reason)
                         : value_from_text(text, field, &owned, &reason);
  if (!good) throw Failure(reason);
  add(index, owned.value);
}

bool Assignments::add_object(std::string_view object, std::string* reason) {
  Record record;
  if (!parse_json_record(object, &record, reason)) return false;
  for (const auto& [name, cell] : record.fields) {
    std::uint32_t index = 0;
    try {
      index = new_field(name);
    } catch (const Failure& failure) {
      *reason = failure.what();
      return false;
    }
    OwnedValue& owned = owned_.emplace_back();
    if (!value_from_json(record.json(cell), schema_.fields[index], &owned, reason)) return false;
    add(index, owned.value);
  }
  return true;
}

std::vector<Expected> Assignments::expected() const {
  std::vector<Expected> expected;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    expected.push_back(quire::expected(fields_[i], values_[i]));
  }
  return expected;
}

}  // namespace quire::tools
