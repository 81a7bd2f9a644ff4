// CSV by RFC 4180: cells may be quoted, quoted cells may hold commas, quotes (doubled) and line
// ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/byte_source.h"

namespace quire::tools {

struct CsvCell {
  std::string text;
  bool quoted = false;  // tells "" (an empty text) from an empty cell (a null)
};

// Rows end at LF or CRLF; empty lines are skipped. Stricter than some: a quote inside an unquoted
// cell, or text behind a closing quote, is an error, because what was meant can only be guessed.
class CsvReader {
 public:
  enum class Status { kRow, kBad, kEnd };

  CsvReader(ByteSource* source, std::size_t max_row_bytes)
      : bytes_(source), max_row_bytes_(max_row_bytes) {}

  // On kBad the rest of the line has been skipped; the reason says which lines are lost where it is
  // more than the one that line_number() names.
  Status next(std::vector<CsvCell>* row, std::string* reason);
  // The last kBad was an open quote that took all to the end, or to the limit of a row, with it:
  // where the next row begins is not known, and next() says kEnd.
  bool lost_rest() const { return lost_rest_; }
  // The line on which the last row began, from 1.
  std::uint64_t line_number() const { return row_line_; }
  std::uint64_t consumed_bytes() const { return bytes_.consumed_bytes(); }

 private:
  enum class State { kCellStart, kUnquoted, kQuoted, kQuoteInQuoted };

  static constexpr int kEnd = -1;

  int take();  // a byte, or kEnd
  // "line 3", "lines 3 to 5": of the row so far.
  std::string lines_covered() const;
  Status bad(std::string* reason, std::string why, bool at_line_end);
  // One byte further; false when the row is finished (by `byte`) or `why` was set.
  bool step(int byte, std::vector<CsvCell>* row, std::string* why);
  bool step_quoted(int byte, CsvCell* cell, std::string* why);

  BufferedBytes bytes_;
  std::size_t max_row_bytes_;
  State state_ = State::kCellStart;
  std::uint64_t line_ = 1, row_line_ = 0;
  std::uint64_t last_line_ = 0;  // of the last byte taken
  bool lost_rest_ = false;
};

// A cell as it has to be written: quoted where it must be, and where it is empty.
void append_csv_cell(std::string_view text, std::string* row);

}  // namespace quire::tools
