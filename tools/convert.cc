#include "tools/convert.h"

#include <cmath>

#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/output.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

std::string quote_short(std::string_view text) {
  std::string quoted = "'";
  std::size_t end = std::min<std::size_t>(text.size(), 40);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;  // not in the middle of a character
  }
  for (const char c : text.substr(0, end)) {
    quoted += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return quoted + (end < text.size() ? "...'" : "'");
}

std::string_view expected_form(const Field& field) {
  switch (field.type) {
    case QUIRE_TYPE_BOOL:
      return "true or false";
    case QUIRE_TYPE_I64:
      return "a whole number of 64 bits";
    case QUIRE_TYPE_F64:
      return "a number";
    case QUIRE_TYPE_BYTES:
      return "base64";
    case QUIRE_TYPE_TIMESTAMP:
      return "a time like 2024-05-01T12:00:00Z, or microseconds since 1970";
    default:
      return "a text";
  }
}

bool vector_fits(std::size_t numbers, const Field& field, std::string* reason) {
  if (numbers == field.dimension) return true;
  *reason = "field '" + field.name + "': " + count_of(numbers, "number") +
            " where the vector has dimension " + std::to_string(field.dimension);
  return false;
}

// Fills `value` where the cell's own kind is the field's type; false where it is not.
bool direct(const Cell& cell, const Field& field, Value* value) {
  // JSON does not tell 1.0 from 1: a whole number is an integer, as far as doubles have all of
  // them.
  constexpr double kExact = 9007199254740992.0;  // 2^53
  switch (cell.kind) {
    case CellKind::kBool:
      *value = bool_value(cell.boolean);
      return field.type == QUIRE_TYPE_BOOL;
    case CellKind::kInteger:
      if (field.type == QUIRE_TYPE_F64) {
        *value = f64_value(static_cast<double>(cell.integer));
        return true;
      }
      *value = field.type == QUIRE_TYPE_TIMESTAMP ? timestamp_value(cell.integer)
                                                  : i64_value(cell.integer);
      return field.type == QUIRE_TYPE_TIMESTAMP || field.type == QUIRE_TYPE_I64;
    case CellKind::kFloat:
      if (field.type == QUIRE_TYPE_I64 && cell.number == std::trunc(cell.number) &&
          std::fabs(cell.number) <= kExact) {
        *value = i64_value(static_cast<std::int64_t>(cell.number));
        return true;
      }
      *value = f64_value(cell.number);
      return field.type == QUIRE_TYPE_F64;
    case CellKind::kText:
      *value = text_value(cell.text);
      return field.type == QUIRE_TYPE_TEXT;
    default:
      return false;
  }
}

// What an f64 that is no number looks like in JSON.
bool is_named_number(const std::string& text) {
  return text == "NaN" || text == "Infinity" || text == "-Infinity";
}

}  // namespace

bool parse_vector_text(std::string_view text, std::vector<float>* numbers, std::string* reason) {
  numbers->clear();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    *reason = "no numbers";
    return false;
  }
  if (text[first] == '[') return parse_json_numbers(text, numbers, reason);
  for (std::size_t begin = first; begin < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    const auto number = number_form(word) == NumberForm::kNone ? std::nullopt : parse_f32(word);
    if (!number) {
      *reason = quote_short(word) + " is not a number that fits 32 bits";
      return false;
    }
    numbers->push_back(*number);
    begin = std::min(text.find_first_not_of(" \t\r\n", end), text.size());
  }
  return true;
}

bool value_from_text(std::string_view text, const Field& field, OwnedValue* owned,
                     std::string* reason) {
  const auto fits = [&](const auto& parsed, auto make) {
    if (parsed) owned->value = make(*parsed);
    return parsed.has_value();
  };
  bool good = false;
  switch (field.type) {
    case QUIRE_TYPE_BOOL:
      good = fits(parse_bool(text), bool_value);
      break;
    case QUIRE_TYPE_I64:
      good = fits(parse_i64(text), i64_value);
      break;
    case QUIRE_TYPE_F64:
      good = fits(parse_f64(text), f64_value);
      break;
    case QUIRE_TYPE_TIMESTAMP:
      good = fits(parse_timestamp(text), timestamp_value);
      break;
    case QUIRE_TYPE_TEXT:
      owned->bytes.assign(text);
      owned->value = text_value(owned->bytes);
      good = true;
      break;
    case QUIRE_TYPE_BYTES:
      if (auto bytes = from_base64(text)) {
        owned->bytes = std::move(*bytes);
        owned->value = bytes_value(owned->bytes);
        good = true;
      }
      break;
    default: {
      std::string why;
      if (!parse_vector_text(text, &owned->numbers, &why)) {
        *reason = "field '" + field.name + "': " + why;
        return false;
      }
      owned->value = vector_value(owned->numbers);
      return vector_fits(owned->numbers.size(), field, reason);
    }
  }
  if (!good) {
    *reason = "field '" + field.name + "' is " + std::string(type_name(field.type)) + ": " +
              quote_short(text) + " is not " + std::string(expected_form(field));
  }
  return good;
}

void key_from_argument(const std::string& argument, const Field& key, OwnedValue* owned) {
  std::string reason;
  if (key.type == QUIRE_TYPE_TEXT && !is_valid_utf8(argument)) {
    throw Failure("the key is not UTF-8 text");
  }
  if (!value_from_text(argument, key, owned, &reason)) throw Failure("wrong key: " + reason);
}

RowBuilder::RowBuilder(const Schema& schema, bool ignore_unknown)
    : schema_(schema),
      ignore_unknown_(ignore_unknown),
      values_(schema.fields.size()),
      present_(schema.fields.size()),
      owned_(schema.fields.size()) {
  for (std::size_t i = 0; i < schema.fields.size(); ++i) index_[schema.fields[i].name] = i;
}

bool RowBuilder::convert(const Cell& cell, const Field& field, std::size_t index,
                         std::string* reason) {
  if (cell.kind == CellKind::kNumbers && field.type == QUIRE_TYPE_VECTOR_F32) {
    values_[index] = vector_value(cell.numbers);
    return vector_fits(cell.numbers.size(), field, reason);
  }
  if (direct(cell, field, &values_[index])) return true;
  const bool from_text = cell.kind == CellKind::kRaw ||
                         (cell.kind == CellKind::kText &&
                          (field.type == QUIRE_TYPE_BYTES || field.type == QUIRE_TYPE_TIMESTAMP ||
                           (field.type == QUIRE_TYPE_F64 && is_named_number(cell.text))));
  if (from_text) {
    if (!value_from_text(cell.text, field, &owned_[index], reason)) return false;
    values_[index] = owned_[index].value;
    return true;
  }
  *reason = "field '" + field.name + "' is " + std::string(type_name(field.type)) + ": found ";
  if (cell.kind == CellKind::kFloat && field.type == QUIRE_TYPE_I64) {
    *reason += format_f64(cell.number) + ", where a whole number " +
               (cell.number == std::trunc(cell.number)
                    ? "beyond 2^53 must be written in digits alone, and fit 64 bits"
                    : "is needed");
    return false;
  }
  *reason += describe(cell.kind);
  if (cell.kind == CellKind::kText) *reason += ' ' + quote_short(cell.text);
  return false;
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
    const Field& field = schema_.fields[index];
    if (cell.kind == CellKind::kNull) {
      // CSV has one spelling for null and for an empty text.
      const bool empty_text = field.type == QUIRE_TYPE_TEXT && !field.nullable && cell.raw_null;
      if (empty_text) {
        values_[index] = text_value("");
        present_[index] = true;
      }
      continue;
    }
    if (!convert(cell, field, index, reason)) return false;
    present_[index] = true;
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (present_[i]) continue;
    if (!schema_.fields[i].nullable) {
      *reason = "field '" + schema_.fields[i].name + "' is missing or null, and not nullable";
      return false;
    }
    values_[i] = null_value();
  }
  return true;
}

}  // namespace quire::tools
