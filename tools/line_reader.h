// Lines of any length up to a limit, from a stream.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/byte_source.h"

namespace quire::tools {

// A line ends at LF or CRLF; the last one needs neither. Lines count from 1.
class LineReader {
 public:
  enum class Status { kLine, kTooLong, kEnd };

  LineReader(ByteSource* source, std::size_t max_line_bytes)
      : bytes_(source), max_line_bytes_(max_line_bytes) {}

  // kTooLong has skipped the rest of that line.
  Status next();
  // Good until the next call.
  std::string_view line() const { return line_; }
  std::uint64_t line_number() const { return line_number_; }
  std::size_t max_line_bytes() const { return max_line_bytes_; }
  std::uint64_t consumed_bytes() const { return bytes_.consumed_bytes(); }

 private:
  BufferedBytes bytes_;
  std::size_t max_line_bytes_;
  std::string line_;
  std::uint64_t line_number_ = 0;
};

}  // namespace quire::tools
