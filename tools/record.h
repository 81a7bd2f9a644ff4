// A record as it was read: names and cells, before any schema is applied.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

enum class CellKind {
  kNull,
  kBool,
  kInteger,
  kFloat,
  kText,
  kNumbers,  // a JSON array of numbers, maybe empty
  kTexts,    // a JSON array of texts
  kMixed,    // any other JSON array
  kObject,
  kRaw,  // a CSV cell: what its text means depends on the field
};

struct Cell {
  CellKind kind = CellKind::kNull;
  bool boolean = false;
  bool raw_null = false;  // of kNull: an empty CSV cell
  std::int64_t integer = 0;
  double number = 0;
  std::string text;            // of kText and kRaw
  std::vector<float> numbers;  // of kNumbers
};

struct NamedCell {
  std::string name;
  Cell cell;
};

struct Record {
  std::uint64_t line = 0;  // where it begins, from 1
  std::vector<NamedCell> fields;
};

// For messages: "an array of numbers".
constexpr std::string_view describe(CellKind kind) {
  switch (kind) {
    case CellKind::kNull:
      return "null";
    case CellKind::kBool:
      return "a bool";
    case CellKind::kInteger:
      return "an integer";
    case CellKind::kFloat:
      return "a number";
    case CellKind::kText:
      return "a text";
    case CellKind::kNumbers:
      return "an array of numbers";
    case CellKind::kTexts:
      return "an array of texts";
    case CellKind::kMixed:
      return "a mixed array";
    case CellKind::kObject:
      return "an object";
    case CellKind::kRaw:
      return "a cell";
  }
  return "a value";
}

}  // namespace quire::tools
