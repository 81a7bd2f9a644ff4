#include "tools/record_source.h"

#include <algorithm>

#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/output.h"
#include "tools/text_codec.h"
#include "tools/vector_source.h"

namespace quire::tools {

ReadStatus NdjsonSource::next(Record* record, std::string* reason) {
  for (;;) {
    const LineReader::Status status = lines_.next();
    record->line = lines_.line_number();
    if (status == LineReader::Status::kEnd) return ReadStatus::kEnd;
    if (status == LineReader::Status::kTooLong) {
      *reason = "longer than " + std::to_string(lines_.max_line_bytes()) +
                " bytes (--max-line-bytes raises the limit)";
      return ReadStatus::kBad;
    }
    if (lines_.line().find_first_not_of(" \t") == std::string_view::npos) continue;
    return parse_json_record(lines_.line(), record, reason) ? ReadStatus::kRecord
                                                            : ReadStatus::kBad;
  }
}

CsvSource::CsvSource(ByteSource* source, std::size_t max_row_bytes) : rows_(source, max_row_bytes) {
  std::string reason;
  const CsvReader::Status status = rows_.next(&row_, &reason);
  if (status == CsvReader::Status::kEnd) {
    throw Failure("the CSV input is empty: its first row must name the fields");
  }
  if (status == CsvReader::Status::kBad) throw Failure("CSV header: " + reason);
  for (CsvCell& cell : row_) {
    if (cell.text.empty()) throw Failure("CSV header: a field without a name");
    if (!is_valid_utf8(cell.text)) throw Failure("CSV header: a name is not UTF-8");
    if (std::find(header_.begin(), header_.end(), cell.text) != header_.end()) {
      throw Failure("CSV header: field '" + cell.text + "' is there twice");
    }
    header_.push_back(std::move(cell.text));
  }
  if (header_.size() > kMaxFields) {
    throw Failure("CSV header: more than " + std::to_string(kMaxFields) + " fields");
  }
}

ReadStatus CsvSource::next(Record* record, std::string* reason) {
  const CsvReader::Status status = rows_.next(&row_, reason);
  record->line = rows_.line_number();
  if (status == CsvReader::Status::kEnd) return ReadStatus::kEnd;
  if (status == CsvReader::Status::kBad) return ReadStatus::kBad;
  if (row_.size() != header_.size()) {
    *reason =
        count_of(row_.size(), "cell") + " where the header has " + std::to_string(header_.size());
    return ReadStatus::kBad;
  }
  record->fields.resize(row_.size());
  for (std::size_t i = 0; i < row_.size(); ++i) {
    NamedCell& field = record->fields[i];
    field.name = header_[i];
    if (!is_valid_utf8(row_[i].text) || row_[i].text.find('\0') != std::string::npos) {
      *reason = "field '" + header_[i] + "': not UTF-8 text, or a NUL byte in it";
      return ReadStatus::kBad;
    }
    const bool is_null = row_[i].text.empty() && !row_[i].quoted;
    field.cell.kind = is_null ? CellKind::kNull : CellKind::kRaw;
    field.cell.raw_null = is_null;
    std::swap(field.cell.text, row_[i].text);
  }
  return ReadStatus::kRecord;
}

std::unique_ptr<RecordSource> make_record_source(Format format, ByteSource* source,
                                                 std::size_t max_line_bytes) {
  if (is_vector_format(format)) return make_vector_source(format, source, {}, false);
  if (format == Format::kCsv) return std::make_unique<CsvSource>(source, max_line_bytes);
  return std::make_unique<NdjsonSource>(source, max_line_bytes);
}

}  // namespace quire::tools
