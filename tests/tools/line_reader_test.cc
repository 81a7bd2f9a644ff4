#include "tools/line_reader.h"

#include <gtest/gtest.h>

#include "tools/record_source.h"

namespace quire::tools {
namespace {

std::vector<std::string> read_lines(std::string_view text, std::size_t chunk, std::size_t limit) {
  MemorySource source(text, chunk);
  LineReader reader(&source, limit);
  std::vector<std::string> lines;
  for (;;) {
    const LineReader::Status status = reader.next();
    if (status == LineReader::Status::kEnd) return lines;
    lines.emplace_back(status == LineReader::Status::kTooLong ? "!" : reader.line());
  }
}

TEST(LineReader, EndsLinesAtLfAndCrlf) {
  const std::string text =
      "\xEF\xBB\xBF"
      "one\r\n\ntwo\nthree";
  const std::vector<std::string> expected{"one", "", "two", "three"};
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    EXPECT_EQ(read_lines(text, chunk, 100), expected) << chunk;
  }
  EXPECT_TRUE(read_lines("", 1, 100).empty());
  EXPECT_TRUE(read_lines("\xEF\xBB\xBF", 2, 100).empty());
}

TEST(LineReader, ALineOverTheLimitIsSkippedWhole) {
  const std::string text = "12345\n123456\n1\n" + std::string(1'000'000, 'x') + "\n2";
  for (const std::size_t chunk : {1u, 3u, 4096u}) {
    EXPECT_EQ(read_lines(text, chunk, 5), (std::vector<std::string>{"12345", "!", "1", "!", "2"}));
  }
}

TEST(NdjsonSource, NamesTheLineOfABadRecordAndGoesOn) {
  MemorySource source("{\"a\":1}\n\n   \n{oops}\n{\"a\":2}\n");
  NdjsonSource records(&source, 1000);
  Record record;
  std::string reason;
  EXPECT_EQ(records.next(&record, &reason), ReadStatus::kRecord);
  EXPECT_EQ(record.line, 1u);
  EXPECT_EQ(records.next(&record, &reason), ReadStatus::kBad);
  EXPECT_EQ(record.line, 4u);
  EXPECT_NE(reason.find("column 2"), std::string::npos) << reason;
  EXPECT_EQ(records.next(&record, &reason), ReadStatus::kRecord);
  EXPECT_EQ(record.line, 5u);
  EXPECT_EQ(records.next(&record, &reason), ReadStatus::kEnd);
}

}  // namespace
}  // namespace quire::tools
