#include "tools/value_text.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tools/csv_reader.h"
#include "tools/half.h"
#include "tools/json_document.h"
#include "tools/text_codec.h"

namespace quire::tools {
namespace {

void append_json_vector(std::span<const float> vector, std::string* out) {
  *out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) *out += ',';
    *out += format_f32(vector[i]);
  }
  *out += ']';
}

void append_json_array(const Value& array, std::string* out) {
  std::uint64_t count = 0;
  require(quire_array_count(&array, &count));
  std::vector<Value> elements(count);
  std::size_t filled = 0;
  require(quire_array_elements(&array, 0, elements.data(), elements.size(), &filled));
  *out += '[';
  for (std::size_t i = 0; i < filled; ++i) {
    if (i > 0) *out += ',';
    append_json_value(elements[i], out);
  }
  *out += ']';
}

std::string vector_for_table(const std::vector<float>& vector) {
  constexpr std::size_t kShown = 3;
  std::string text = "[";
  std::array<char, 32> buffer;
  for (std::size_t i = 0; i < std::min(vector.size(), kShown); ++i) {
    const int length = std::snprintf(buffer.data(), buffer.size(), "%s%.4g", i > 0 ? " " : "",
                                     static_cast<double>(vector[i]));
    text.append(buffer.data(), static_cast<std::size_t>(length));
  }
  if (vector.size() > kShown) text += " ... " + std::to_string(vector.size());
  return text + "]";
}

bool needs_escape(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7F) return true;
  }
  return !is_valid_utf8(text);
}

}  // namespace

std::vector<float> vector_numbers(const Value& value) {
  const auto* const bytes = static_cast<const unsigned char*>(value.as.elements);
  std::vector<float> numbers;
  numbers.reserve(value.dimension);
  for (std::size_t i = 0; i < value.dimension; ++i) {
    switch (value.type) {
      case QUIRE_TYPE_VECTOR_F16:
        numbers.push_back(
            float_of_half(static_cast<std::uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8)));
        break;
      case QUIRE_TYPE_VECTOR_I8:
        numbers.push_back(static_cast<float>(static_cast<signed char>(bytes[i])));
        break;
      case QUIRE_TYPE_VECTOR_BITS:
        numbers.push_back(static_cast<float>(bytes[i / 8] >> (i % 8) & 1));
        break;
      default:
        numbers.push_back(value.as.vector[i]);
    }
  }
  return numbers;
}

void append_json_string(std::string_view text, std::string* out) {
  using nlohmann::json;
  if (needs_escape(text)) {
    *out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
    return;
  }
  *out += '"';
  out->append(text);
  *out += '"';
}

void append_json_value(const Value& value, std::string* out) {
  switch (value.type) {
    case QUIRE_TYPE_BOOL:
      *out += value.as.boolean != 0 ? "true" : "false";
      break;
    case QUIRE_TYPE_I64:
      *out += std::to_string(value.as.i64);
      break;
    case QUIRE_TYPE_F64:
      if (std::isfinite(value.as.f64)) {
        *out += format_f64(value.as.f64);
      } else {
        append_json_string(format_f64(value.as.f64), out);
      }
      break;
    case QUIRE_TYPE_TEXT:
      append_json_string(as_text(value), out);
      break;
    case QUIRE_TYPE_BYTES:
      append_json_string(to_base64(as_text(value)), out);
      break;
    case QUIRE_TYPE_TIMESTAMP:
      append_json_string(format_timestamp(value.as.i64), out);
      break;
    case QUIRE_TYPE_JSON:
      append_json_document(as_text(value), out);
      break;
    default:
      if (is_array(value.type)) {
        append_json_array(value, out);
      } else if (is_vector(value.type)) {
        append_json_vector(vector_numbers(value), out);
      } else {
        *out += "null";
      }
  }
}

void append_json_record(const Schema& schema, std::span<const Value> values,
                        std::span<const std::size_t> selected, std::string* out) {
  *out += '{';
  for (std::size_t i = 0; i < selected.size(); ++i) {
    if (i > 0) *out += ',';
    append_json_string(schema.fields[selected[i]].name, out);
    *out += ':';
    append_json_value(values[selected[i]], out);
  }
  *out += '}';
}

void append_json_bytes(std::string_view name, std::string_view bytes, bool hex, std::string* out) {
  const bool as_hex = hex || !is_valid_utf8(bytes);
  out->append("\"").append(name).append(as_hex ? "_hex\":" : "\":");
  append_json_string(as_hex ? to_hex(bytes) : bytes, out);
}

void append_csv_value(const Value& value, std::string* out) {
  switch (value.type) {
    case QUIRE_TYPE_NULL:
      break;
    case QUIRE_TYPE_TEXT:
      append_csv_cell(as_text(value), out);
      break;
    case QUIRE_TYPE_BYTES:
      append_csv_cell(to_base64(as_text(value)), out);
      break;
    case QUIRE_TYPE_F64:
      *out += format_f64(value.as.f64);
      break;
    case QUIRE_TYPE_TIMESTAMP:
      *out += format_timestamp(value.as.i64);
      break;
    case QUIRE_TYPE_JSON:
      append_csv_cell(as_text(value), out);
      break;
    default: {
      std::string text;
      append_json_value(value, &text);
      if (is_array(value.type) || is_vector(value.type)) {
        append_csv_cell(text, out);
      } else {
        *out += text;
      }
    }
  }
}

std::string value_for_table(const Value& value) {
  switch (value.type) {
    case QUIRE_TYPE_NULL:
      return "";
    case QUIRE_TYPE_TEXT:
      return bytes_for_table(as_text(value));
    case QUIRE_TYPE_F64:
      return format_f64(value.as.f64);
    case QUIRE_TYPE_TIMESTAMP:
      return format_timestamp(value.as.i64);
    case QUIRE_TYPE_BYTES:
      return to_base64(as_text(value));
    case QUIRE_TYPE_JSON: {
      std::string line;
      append_document_line(as_text(value), &line);
      return bytes_for_table(line);
    }
    default: {
      if (is_vector(value.type)) return vector_for_table(vector_numbers(value));
      std::string text;
      append_json_value(value, &text);
      return bytes_for_table(text);
    }
  }
}

std::string bytes_for_table(std::string_view bytes) {
  const bool text = is_valid_utf8(bytes);
  std::string shown;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    // U+0080 to U+009F are control characters to a terminal too.
    const bool c1 = text && byte == 0xC2 && static_cast<unsigned char>(bytes[i + 1]) < 0xA0;
    if (byte == '\n') {
      shown += "\\n";
    } else if (byte == '\t') {
      shown += "\\t";
    } else if (byte < 0x20 || byte == 0x7F || c1 || (!text && byte >= 0x80)) {
      shown += "\\x" + to_hex(bytes.substr(i, 1));
      if (c1) shown += "\\x" + to_hex(bytes.substr(++i, 1));
    } else {
      shown += bytes[i];
    }
  }
  return shown;
}

bool is_numeric(std::uint32_t type) { return type == QUIRE_TYPE_I64 || type == QUIRE_TYPE_F64; }

}  // namespace quire::tools
