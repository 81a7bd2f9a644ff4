// Records from NDJSON, CSV and files of vectors, one at a time: memory is one record, however long
// the input.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tools/byte_source.h"
#include "tools/csv_reader.h"
#include "tools/format.h"
#include "tools/line_reader.h"
#include "tools/record.h"

namespace quire::tools {

class RecordSource {
 public:
  virtual ~RecordSource() = default;

  // kBad: record->line is set, `reason` says what is wrong there; the next call goes on behind it.
  // kLeftOut: record->line alone is set.
  virtual ReadStatus next(Record* record, std::string* reason) = 0;
  // The last kBad took everything behind it with it: a CSV quote that is never closed, a file that
  // is cut short.
  virtual bool lost_rest() const { return false; }
  // For messages: "line 5".
  virtual std::string place(std::uint64_t line) const { return "line " + std::to_string(line); }
  // How far into the input it is, for progress.
  virtual std::uint64_t consumed_bytes() const = 0;
};

// One JSON object a line; empty lines are skipped.
class NdjsonSource : public RecordSource {
 public:
  NdjsonSource(ByteSource* source, std::size_t max_line_bytes) : lines_(source, max_line_bytes) {}

  ReadStatus next(Record* record, std::string* reason) override;
  std::uint64_t consumed_bytes() const override { return lines_.consumed_bytes(); }

 private:
  LineReader lines_;
};

// RFC 4180 with a header row; every cell is kRaw, an unquoted empty one kNull.
class CsvSource : public RecordSource {
 public:
  // Reads the header; throws Failure when it is missing or wrong.
  CsvSource(ByteSource* source, std::size_t max_row_bytes);

  ReadStatus next(Record* record, std::string* reason) override;
  bool lost_rest() const override { return rows_.lost_rest(); }
  std::uint64_t consumed_bytes() const override { return rows_.consumed_bytes(); }
  const std::vector<std::string>& header() const { return header_; }

 private:
  CsvReader rows_;
  std::vector<std::string> header_;
  std::vector<CsvCell> row_;
};

// Of vectors: with the names that VectorNames has by default.
std::unique_ptr<RecordSource> make_record_source(Format format, ByteSource* source,
                                                 std::size_t max_line_bytes);

}  // namespace quire::tools
