#include "tools/convert.h"

#include <cmath>

#include "tools/half.h"
#include "tools/json_document.h"
#include "tools/json_record.h"
#include "tools/json_spans.h"
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

bool is_array_cell(CellKind kind) {
  return kind == CellKind::kEmptyArray || kind == CellKind::kNumbers || kind == CellKind::kTexts ||
         kind == CellKind::kBools || kind == CellKind::kMixed;
}

// Why the cell is no value of the field.
std::string misfit(const Record& record, const Cell& cell, const Field& field) {
  if (cell.kind == CellKind::kBigInteger && !is_vector(field.type) && !is_array(field.type)) {
    return "field '" + field.name + "': " + std::string(record.json(cell).substr(0, 40)) +
           " does not fit a 64-bit integer; as a text, put it in quotes";
  }
  std::string reason =
      "field '" + field.name + "' is " + std::string(type_name(field.type)) + ": found ";
  if (cell.kind == CellKind::kFloat && field.type == QUIRE_TYPE_I64) {
    return reason + format_f64(cell.number) + ", where a whole number " +
           (cell.number == std::trunc(cell.number)
                ? "beyond 2^53 must be written in digits alone, and fit 64 bits"
                : "is needed");
  }
  reason += describe(cell.kind);
  if (cell.kind == CellKind::kText) reason += ' ' + quote_short(cell.text);
  return reason;
}

// A copy of what the value borrows, in `bytes`, which it may be borrowing already.
Value keep_bytes(const Value& value, std::string* bytes) {
  std::string copy(as_text(value));
  *bytes = std::move(copy);
  return value_of_bytes(value.type, *bytes);
}

// One number of a vector in the form that the field has; false where it does not fit.
bool append_element(float number, quire_type type, std::size_t position, std::string* bytes) {
  switch (type) {
    case QUIRE_TYPE_VECTOR_F16: {
      const std::uint16_t half = half_of_float(number);
      bytes->append({static_cast<char>(half & 0xFFu), static_cast<char>(half >> 8)});
      return std::isfinite(float_of_half(half));
    }
    case QUIRE_TYPE_VECTOR_I8:
      if (number != std::trunc(number) || number < -128 || number > 127) return false;
      *bytes += static_cast<char>(static_cast<std::int8_t>(number));
      return true;
    case QUIRE_TYPE_VECTOR_BITS:
      if (number != 0 && number != 1) return false;
      if (position % 8 == 0) *bytes += '\0';
      if (number == 1) bytes->back() = static_cast<char>(bytes->back() | (1 << (position % 8)));
      return true;
    default:
      return false;
  }
}

std::string_view element_form(quire_type type) {
  if (type == QUIRE_TYPE_VECTOR_F16) return "does not fit a 16-bit float";
  return type == QUIRE_TYPE_VECTOR_I8 ? "is not a whole number from -128 to 127"
                                      : "is neither 0 nor 1";
}

// The vector of owned->numbers.
bool make_vector(const Field& field, OwnedValue* owned, std::string* reason) {
  const std::size_t count = owned->numbers.size();
  if (count != field.dimension) {
    *reason = "field '" + field.name + "': " + count_of(count, "number") +
              " where the vector has dimension " + std::to_string(field.dimension);
    return false;
  }
  if (field.type == QUIRE_TYPE_VECTOR_F32) {
    owned->value = vector_value(owned->numbers);
    return true;
  }
  owned->bytes.clear();
  for (std::size_t i = 0; i < count; ++i) {
    if (append_element(owned->numbers[i], field.type, i, &owned->bytes)) continue;
    *reason = "field '" + field.name + "': " + format_f32(owned->numbers[i]) + " " +
              std::string(element_form(field.type));
    return false;
  }
  owned->value = Value{};
  owned->value.type = field.type;
  owned->value.dimension = field.dimension;
  owned->value.as.elements = owned->bytes.data();
  return true;
}

// The array of these elements, all of the type's.
void pack_array(quire_type type, const std::vector<Value>& elements, OwnedValue* owned) {
  std::size_t size = owned->bytes.capacity();
  for (;;) {
    owned->bytes.resize(size);
    const int code = quire_array_make(type, elements.data(), elements.size(), owned->bytes.data(),
                                      &size, &owned->value);
    if (require_or(code, QUIRE_ERR_VALUE_SIZE)) return;
  }
}

bool make_array(std::string_view json, const Field& field, OwnedValue* owned, std::string* reason) {
  const auto parts = json_elements(json);
  Field element;
  element.type = element_type(field.type);
  element.name = field.name;
  std::vector<Cell> cells(parts.size());
  std::vector<OwnedValue> kept(parts.size());
  std::vector<Value> values;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    std::string why = "arrays in arrays, and objects, are for fields of type json";
    const bool scalar = parse_json_scalar(parts[i], &cells[i]);
    if (scalar && cells[i].kind == CellKind::kNull) why = "null";
    Record source;
    source.source.assign(parts[i]);
    cells[i].size = parts[i].size();
    if (!scalar || cells[i].kind == CellKind::kNull ||
        !value_from_cell(source, cells[i], element, &kept[i], &why)) {
      *reason = "field '" + field.name + "' is " + std::string(type_name(field.type)) +
                ", element " + std::to_string(i + 1) + ": " + why;
      return false;
    }
    values.push_back(kept[i].value);
  }
  pack_array(field.type, values, owned);
  return true;
}

bool is_json(std::string_view text, const Field& field, std::string* reason) {
  Record record;
  if (parse_json_cell(text, &record, reason)) return true;
  *reason = "field '" + field.name + "': " + *reason;
  return false;
}

bool scalar_from_text(std::string_view text, quire_type type, OwnedValue* owned) {
  const auto fits = [&](const auto& parsed, auto make) {
    if (parsed) owned->value = make(*parsed);
    return parsed.has_value();
  };
  switch (type) {
    case QUIRE_TYPE_BOOL:
      return fits(parse_bool(text), bool_value);
    case QUIRE_TYPE_I64:
      return fits(parse_i64(text), i64_value);
    case QUIRE_TYPE_F64:
      return fits(parse_f64(text), f64_value);
    case QUIRE_TYPE_TIMESTAMP:
      return fits(parse_timestamp(text), timestamp_value);
    case QUIRE_TYPE_TEXT:
    case QUIRE_TYPE_JSON:
      owned->bytes.assign(text);
      owned->value = value_of_bytes(type, owned->bytes);
      return true;
    case QUIRE_TYPE_BYTES: {
      auto bytes = from_base64(text);
      if (!bytes) return false;
      owned->bytes = std::move(*bytes);
      owned->value = bytes_value(owned->bytes);
      return true;
    }
    default:
      return false;
  }
}

}  // namespace

bool value_from_numbers(std::vector<float> numbers, const Field& field, OwnedValue* owned,
                        std::string* reason) {
  owned->numbers = std::move(numbers);
  return make_vector(field, owned, reason);
}

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
  if (is_array(field.type)) return value_from_json(text, field, owned, reason);
  if (is_vector(field.type)) {
    std::string why;
    if (parse_vector_text(text, &owned->numbers, &why)) return make_vector(field, owned, reason);
    *reason = "field '" + field.name + "': " + why;
    return false;
  }
  if (field.type == QUIRE_TYPE_JSON && !is_json(text, field, reason)) return false;
  if (scalar_from_text(text, field.type, owned)) return true;
  *reason = "field '" + field.name + "' is " + std::string(type_name(field.type)) + ": " +
            quote_short(text) + " is not " + std::string(expected_form(field));
  return false;
}

bool value_from_json(std::string_view json, const Field& field, OwnedValue* owned,
                     std::string* reason) {
  Record record;
  if (!parse_json_cell(json, &record, reason)) {
    *reason = "field '" + field.name + "': " + *reason;
    return false;
  }
  const Cell& cell = record.fields[0].cell;
  // Where a document can't be meant to be absent, null is one.
  if (cell.kind == CellKind::kNull && (field.nullable || field.type != QUIRE_TYPE_JSON)) {
    owned->value = null_value();
    if (field.nullable) return true;
    *reason = "field '" + field.name + "' is not nullable";
    return false;
  }
  if (!value_from_cell(record, cell, field, owned, reason)) return false;
  // The record goes: what the value borrows from it is kept.
  if (has_bytes(field.type)) owned->value = keep_bytes(owned->value, &owned->bytes);
  return true;
}

bool value_from_cell(const Record& record, const Cell& cell, const Field& field, OwnedValue* owned,
                     std::string* reason) {
  if (cell.kind == CellKind::kRaw) return value_from_text(cell.text, field, owned, reason);
  if (cell.kind == CellKind::kVector) {
    if (is_vector(field.type)) return value_from_numbers(cell.numbers, field, owned, reason);
    *reason = misfit(record, cell, field);
    return false;
  }
  if (field.type == QUIRE_TYPE_JSON) {
    owned->value = value_of_bytes(QUIRE_TYPE_JSON, document_of(record.json(cell)));
    return true;
  }
  if (is_array(field.type) && is_array_cell(cell.kind)) {
    return make_array(record.json(cell), field, owned, reason);
  }
  const bool numbers = cell.kind == CellKind::kNumbers || cell.kind == CellKind::kEmptyArray;
  if (is_vector(field.type) && numbers) {
    std::string why;
    if (numbers_of_json(record.json(cell), &owned->numbers, &why)) {
      return make_vector(field, owned, reason);
    }
    *reason = "field '" + field.name + "': " + why;
    return false;
  }
  if (direct(cell, field, &owned->value)) return true;
  const bool from_text = cell.kind == CellKind::kText &&
                         (field.type == QUIRE_TYPE_BYTES || field.type == QUIRE_TYPE_TIMESTAMP ||
                          (field.type == QUIRE_TYPE_F64 && is_named_number(cell.text)));
  if (from_text) return value_from_text(cell.text, field, owned, reason);
  *reason = misfit(record, cell, field);
  return false;
}

}  // namespace quire::tools
