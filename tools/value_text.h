// Values as text: JSON, CSV cells, table cells.
#pragma once

#include <quire/quire.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/schema.h"

namespace quire::tools {

// Appends a JSON string. `text` must be UTF-8; what is not becomes U+FFFD.
void append_json_string(std::string_view text, std::string* out);
// The numbers of a vector of any kind.
std::vector<float> vector_numbers(const Value& value);

// Appends a value: bytes as base64, times as ISO 8601, an f64 that is not finite as its name,
// vectors as arrays, a JSON document as it is but on one line. Reads back to the same value with
// the same schema.
void append_json_value(const Value& value, std::string* out);
// {"name": value, ...} of the fields at `selected`, in that order.
void append_json_record(const Schema& schema, std::span<const Value> values,
                        std::span<const std::size_t> selected, std::string* out);
// A keyspace's key or value: "name": "text", or, where it is not UTF-8 or `hex` is set,
// "name_hex": "00ff".
void append_json_bytes(std::string_view name, std::string_view bytes, bool hex, std::string* out);

// Appends a CSV cell; a null is empty, an empty text is "".
void append_csv_value(const Value& value, std::string* out);

// For a table: one line, control characters escaped, long vectors cut in the middle.
std::string value_for_table(const Value& value);
// The same for any bytes; what is not UTF-8 is shown as \xff.
std::string bytes_for_table(std::string_view bytes);

// Whether a table aligns a column to the right.
bool is_numeric(std::uint32_t type);

}  // namespace quire::tools
