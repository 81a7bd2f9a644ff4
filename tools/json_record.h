// One line of NDJSON to a Record.
#pragma once

#include <string>
#include <string_view>

#include "tools/record.h"

namespace quire::tools {

// Deeper than any record we can store; a line of a million brackets is refused before it costs.
inline constexpr int kMaxJsonDepth = 64;
// The most fields a collection may have.
inline constexpr std::size_t kMaxFields = 1024;

// Fills record->fields. False, and `reason` says why, when the text is not one JSON object, has a
// field twice, a number that does not fit, or nests deeper than kMaxJsonDepth.
bool parse_json_record(std::string_view text, Record* record, std::string* reason);

// A JSON array of numbers, as vectors are given on the command line and in CSV cells.
bool parse_json_numbers(std::string_view text, std::vector<float>* numbers, std::string* reason);

}  // namespace quire::tools
