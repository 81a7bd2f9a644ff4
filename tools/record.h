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
  kBigInteger,  // does not fit 64 bits
  kFloat,
  kText,
  kEmptyArray,
  kNumbers,  // JSON arrays: of numbers,
  kTexts,    // of texts,
  kBools,    // of bools,
  kMixed,    // any other
  kObject,
  kRaw,     // a CSV cell: what its text means depends on the field
  kVector,  // of a file of vectors
};

// What holds the numbers of a vector best.
enum class VectorKind { kF32, kF16, kI8 };

struct Cell {
  CellKind kind = CellKind::kNull;
  bool boolean = false;
  bool raw_null = false;     // of kNull: an empty CSV cell
  bool all_integers = true;  // of kNumbers
  std::int64_t integer = 0;
  double number = 0;
  std::string text;            // of kText and kRaw
  std::size_t count = 0;       // elements of an array or a vector
  std::vector<float> numbers;  // of kVector, all finite
  VectorKind vector_kind = VectorKind::kF32;
  // Where its JSON lies in the source of the record.
  std::size_t begin = 0;
  std::size_t size = 0;
};

struct NamedCell {
  std::string name;
  Cell cell;
};

struct Record {
  std::uint64_t line = 0;  // where it begins, or which row of vectors it is, from 1
  std::string source;      // of NDJSON: the line; of a row of vectors: its id
  std::vector<NamedCell> fields;

  // The cell's JSON, as it was written.
  std::string_view json(const Cell& cell) const {
    return std::string_view(source).substr(cell.begin, cell.size);
  }
};

// What a source of records found. kLeftOut: a record that the input itself says is deleted.
enum class ReadStatus { kRecord, kBad, kLeftOut, kEnd };

// For messages: "an array of numbers".
constexpr std::string_view describe(CellKind kind) {
  switch (kind) {
    case CellKind::kNull:
      return "null";
    case CellKind::kBool:
      return "a bool";
    case CellKind::kInteger:
    case CellKind::kBigInteger:
      return "an integer";
    case CellKind::kFloat:
      return "a number";
    case CellKind::kText:
      return "a text";
    case CellKind::kEmptyArray:
      return "an empty array";
    case CellKind::kNumbers:
      return "an array of numbers";
    case CellKind::kTexts:
      return "an array of texts";
    case CellKind::kBools:
      return "an array of bools";
    case CellKind::kMixed:
      return "a mixed array";
    case CellKind::kObject:
      return "an object";
    case CellKind::kRaw:
      return "a cell";
    case CellKind::kVector:
      return "a vector";
  }
  return "a value";
}

}  // namespace quire::tools
