// One line of NDJSON to a Record.
#pragma once

#include <string>
#include <string_view>

#include "tools/record.h"

namespace quire::tools {

// A change (change_reader.h) around a record around the deepest document that a field takes (256),
// which may be wrapped (json_document.h); a line of a million brackets is refused before it costs.
inline constexpr int kMaxJsonDepth = 259;
// The most fields a collection may have.
inline constexpr std::size_t kMaxFields = 1024;

// Fills record->source and fields. False, and `reason` says why, when the text is not one JSON
// object, has a field twice, a number past all doubles, or nests deeper than kMaxJsonDepth.
bool parse_json_record(std::string_view text, Record* record, std::string* reason);

// The same for one value, which is then the cell of the one field.
bool parse_json_cell(std::string_view text, Record* record, std::string* reason);

// An element of an array that was parsed before; false where it is an array or an object.
bool parse_json_scalar(std::string_view text, Cell* cell);
// The numbers of an array of numbers that was parsed before. False, and why, when one does not fit.
bool numbers_of_json(std::string_view array, std::vector<float>* numbers, std::string* reason);

// A JSON array of numbers, as vectors are given on the command line and in CSV cells.
bool parse_json_numbers(std::string_view text, std::vector<float>* numbers, std::string* reason);

}  // namespace quire::tools
