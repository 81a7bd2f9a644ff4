#include "tools/line_reader.h"

#include <algorithm>

namespace quire::tools {

LineReader::Status LineReader::next() {
  line_.clear();
  ++line_number_;
  bool too_long = false, any = false;
  for (;;) {
    const std::string_view chunk = bytes_.peek();
    if (chunk.empty()) {
      if (!any) return Status::kEnd;
      break;
    }
    any = true;
    const std::size_t newline = chunk.find('\n');
    const std::size_t length = std::min(newline, chunk.size());
    if (line_.size() + length > max_line_bytes_) {
      too_long = true;
    } else if (!too_long) {
      line_.append(chunk.substr(0, length));
    }
    bytes_.consume(newline == std::string_view::npos ? length : length + 1);
    if (newline != std::string_view::npos) break;
  }
  if (too_long) return Status::kTooLong;
  if (line_.ends_with('\r')) line_.pop_back();
  return Status::kLine;
}

}  // namespace quire::tools
