// What the log's tests share: a log that is written, read back and compared.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/io/disk.h"
#include "tests/must.h"
#include "wal/log_reader.h"
#include "wal/log_writer.h"

namespace quire::wal {

using test::must;

inline LogOptions small_options() {
  return {.directory = "/db/wal",
          .database = {17, 42},
          .segment_bytes_min = 4096,
          .segment_bytes_max = 16384};
}

inline std::unique_ptr<LogWriter> start(io::Disk& disk, const LogOptions& options,
                                        const Position& after = {}, std::uint64_t highest = 0,
                                        LogWriter::Hooks hooks = {}) {
  return must(LogWriter::start(disk, options, after, highest, std::move(hooks)));
}

inline Lsn append(LogWriter& log, const std::string& text, bool last = true,
                  std::uint8_t kind = 1) {
  const Bytes pieces[] = {as_bytes(text)};
  return must(log.append(pieces, kind, last));
}

// A text that tells its LSN and has about `size` bytes.
inline std::string payload_of(Lsn lsn, std::size_t size) {
  std::string text = "record " + std::to_string(lsn) + " ";
  while (text.size() < size) text += static_cast<char>('a' + (lsn + text.size()) % 26);
  return text;
}

struct ReadRecord {
  Lsn lsn;
  bool last;
  std::uint8_t kind;
  std::string text;
  Position end;
};
struct ReadLog {
  std::vector<ReadRecord> records;
  Position end;
  std::uint64_t highest = 0;
  ErrorCode error = ErrorCode::kOk;  // that ended it
  std::string message;

  std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (const ReadRecord& record : records) all.push_back(record.text);
    return all;
  }
};

inline ReadLog read_log(io::Disk& disk, const LogOptions& options, const Position& from = {}) {
  ReadLog log;
  auto reader = LogReader::open(disk, options, from);
  if (!reader) {
    log.error = reader.error().code();
    log.message = reader.error().message();
    return log;
  }
  log.highest = (*reader)->highest_segment();
  while (true) {
    auto record = (*reader)->next();
    if (!record) {
      log.error = record.error().code();
      log.message = record.error().message();
      break;
    }
    if (!*record) break;
    EXPECT_EQ((*record)->end, (*reader)->position());
    log.records.push_back({.lsn = (*record)->lsn,
                           .last = (*record)->last,
                           .kind = (*record)->kind,
                           .text = std::string(as_text((*record)->payload)),
                           .end = (*record)->end});
  }
  log.end = (*reader)->position();
  return log;
}

}  // namespace quire::wal
