#include "tools/csv_reader.h"

namespace quire::tools {

int CsvReader::take() {
  const std::string_view chunk = bytes_.peek();
  if (chunk.empty()) return kEnd;
  bytes_.consume(1);
  last_line_ = line_;
  if (chunk[0] == '\n') ++line_;
  return static_cast<unsigned char>(chunk[0]);
}

std::string CsvReader::lines_covered() const {
  if (last_line_ <= row_line_) return "line " + std::to_string(row_line_);
  return "lines " + std::to_string(row_line_) + " to " + std::to_string(last_line_);
}

CsvReader::Status CsvReader::bad(std::string* reason, std::string why, bool at_line_end) {
  *reason = std::move(why);
  lost_rest_ = state_ == State::kQuoted;
  state_ = State::kCellStart;
  if (lost_rest_) {
    const bool at_end = bytes_.peek().empty();
    *reason += "; lost: " + lines_covered() +
               (at_end ? ", the end of the input" : " and all that comes behind");
    return Status::kBad;
  }
  if (!at_line_end) {
    for (int byte = take(); byte != kEnd && byte != '\n';) byte = take();
  }
  if (last_line_ > row_line_) *reason += "; the row takes " + lines_covered();
  return Status::kBad;
}

bool CsvReader::step_quoted(int byte, CsvCell* cell, std::string* why) {
  if (byte == kEnd) {
    *why = "a quoted cell that is never closed";
    return false;
  }
  if (byte == '"') {
    state_ = State::kQuoteInQuoted;
  } else {
    cell->text += static_cast<char>(byte);
  }
  return true;
}

bool CsvReader::step(int byte, std::vector<CsvCell>* row, std::string* why) {
  CsvCell& cell = row->back();
  if (state_ == State::kQuoted) return step_quoted(byte, &cell, why);
  if (byte == '"') {
    if (state_ == State::kUnquoted) {
      *why = "a quote inside an unquoted cell; quote the cell and double the quote";
      return false;
    }
    if (state_ == State::kQuoteInQuoted) cell.text += '"';
    cell.quoted = true;
    state_ = State::kQuoted;
    return true;
  }
  if (byte == ',') {
    row->emplace_back();
    state_ = State::kCellStart;
    return true;
  }
  if (byte == '\n' || byte == kEnd) return false;
  if (byte == '\r' && !bytes_.peek().empty() && bytes_.peek()[0] == '\n') return true;
  if (state_ == State::kQuoteInQuoted) {
    *why = "text behind the closing quote of a cell; a quote inside a cell is doubled";
    return false;
  }
  cell.text += static_cast<char>(byte);
  state_ = State::kUnquoted;
  return true;
}

CsvReader::Status CsvReader::next(std::vector<CsvCell>* row, std::string* reason) {
  if (lost_rest_) return Status::kEnd;
  for (;;) {
    row->assign(1, CsvCell{});
    state_ = State::kCellStart;
    row_line_ = line_;
    const std::uint64_t begin = bytes_.consumed_bytes();
    std::string why;
    int byte = take();
    const bool at_end = byte == kEnd;
    while (step(byte, row, &why)) {
      if (bytes_.consumed_bytes() - begin > max_row_bytes_) {
        return bad(reason,
                   "a row longer than " + std::to_string(max_row_bytes_) +
                       " bytes: a missing quote, perhaps (--max-line-bytes raises the limit)",
                   byte == '\n');
      }
      byte = take();
    }
    if (!why.empty()) return bad(reason, std::move(why), byte == kEnd || byte == '\n');
    if (at_end) return Status::kEnd;
    const bool empty_line = row->size() == 1 && row->front().text.empty() && !row->front().quoted;
    if (!empty_line) return Status::kRow;
  }
}

void append_csv_cell(std::string_view text, std::string* row) {
  const bool plain = !text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos &&
                     text.front() != ' ' && text.back() != ' ' && text.front() != '\t' &&
                     text.back() != '\t';
  if (plain) {
    row->append(text);
    return;
  }
  *row += '"';
  for (const char c : text) {
    if (c == '"') *row += '"';
    *row += c;
  }
  *row += '"';
}

}  // namespace quire::tools
