#include "tools/csv_reader.h"

#include <gtest/gtest.h>

#include <random>

#include "tools/failure.h"
#include "tools/record_source.h"

namespace quire::tools {
namespace {

using Rows = std::vector<std::vector<std::string>>;

// All rows; a bad one is {"!", reason}. Read in pieces of `chunk` bytes.
Rows read_rows(std::string_view text, std::size_t chunk = SIZE_MAX, std::size_t limit = 1000) {
  MemorySource source(text, chunk);
  CsvReader reader(&source, limit);
  Rows rows;
  std::vector<CsvCell> row;
  std::string reason;
  for (;;) {
    const CsvReader::Status status = reader.next(&row, &reason);
    if (status == CsvReader::Status::kEnd) return rows;
    rows.emplace_back();
    if (status == CsvReader::Status::kBad) {
      rows.back() = {"!", reason};
      continue;
    }
    for (const CsvCell& cell : row) rows.back().push_back(cell.text);
  }
}

TEST(CsvReader, ReadsQuotesEmbeddedLineEndsAndCrlf) {
  const std::string text = "a,b\r\n\"x, \"\"y\"\"\",\"two\r\nlines\"\n,\n\"\",z";
  const Rows expected{{"a", "b"}, {"x, \"y\"", "two\r\nlines"}, {"", ""}, {"", "z"}};
  for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
    EXPECT_EQ(read_rows(text, chunk), expected) << chunk;
  }
}

TEST(CsvReader, SkipsByteOrderMarkAndEmptyLines) {
  EXPECT_EQ(read_rows("\xEF\xBB\xBF\na,b\n\n\r\nc,d\n\n"), (Rows{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(read_rows("\xEF\xBB\xBFx", 1), (Rows{{"x"}}));
  EXPECT_EQ(read_rows(""), Rows{});
}

TEST(CsvReader, TellsEmptyTextFromEmptyCell) {
  MemorySource source("\"\",\n");
  CsvReader reader(&source, 100);
  std::vector<CsvCell> row;
  std::string reason;
  ASSERT_EQ(reader.next(&row, &reason), CsvReader::Status::kRow);
  ASSERT_EQ(row.size(), 2u);
  EXPECT_TRUE(row[0].quoted);
  EXPECT_FALSE(row[1].quoted);
}

TEST(CsvReader, CarriageReturnInsideACellStays) {
  EXPECT_EQ(read_rows("a\rb,c\n", 1), (Rows{{"a\rb", "c"}}));
}

TEST(CsvReader, ReportsBadRowsAndGoesOnBehindThem) {
  const Rows rows = read_rows("a,b\nx\"y,1\n\"p\"q,2\nc,d\n");
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[1][0], "!");
  EXPECT_NE(rows[1][1].find("quote inside an unquoted cell"), std::string::npos);
  EXPECT_EQ(rows[2][0], "!");
  EXPECT_NE(rows[2][1].find("behind the closing quote"), std::string::npos);
  EXPECT_EQ(rows[3], (std::vector<std::string>{"c", "d"}));
}

TEST(CsvReader, AQuoteThatIsNeverClosedIsBad) {
  const Rows rows = read_rows("a\n\"open\nmore");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[1][1],
            "a quoted cell that is never closed; lost: lines 2 to 3, the end of the input");
}

// The lines that an open quote swallows were not said, and after the limit of a row reading went on
// somewhere in the middle of a cell.
TEST(CsvReader, AnOpenQuoteSaysWhatItSwallows) {
  const Rows closed = read_rows("a\n\"x\n\"y\"\nb\n");
  ASSERT_EQ(closed.size(), 3u);
  EXPECT_NE(closed[1][1].find("; the row takes lines 2 to 3"), std::string::npos) << closed[1][1];
  EXPECT_EQ(closed[2], std::vector<std::string>{"b"});
  const Rows cut = read_rows("a\n\"" + std::string(15, '\n') + "x\ny\nz\n", SIZE_MAX, 10);
  ASSERT_EQ(cut.size(), 2u);
  EXPECT_NE(cut[1][1].find("; lost: lines 2 to 11 and all that comes behind"), std::string::npos)
      << cut[1][1];
}

TEST(ByteSource, TellsWhatIsNotText) {
  EXPECT_NE(why_not_text("\x1F\x8B\x08").value_or("").find("gzip"), std::string::npos);
  EXPECT_NE(why_not_text("\x28\xB5\x2F\xFD").value_or("").find("zstd"), std::string::npos);
  EXPECT_NE(why_not_text("\xFF\xFE").value_or("").find("UTF-16"), std::string::npos);
  EXPECT_TRUE(why_not_text("\x7F\x45LF"));
  EXPECT_TRUE(why_not_text("\x89PNG"));
  for (const char* text : {"", "{", "a,b", "\xEF\xBB\xBFx", "\xC3\xA4,", "\r\n\t"}) {
    EXPECT_FALSE(why_not_text(text)) << text;
  }
}

TEST(CsvReader, ARowOverTheLimitIsBadAndTheNextIsRead) {
  const Rows rows = read_rows("a\n" + std::string(50, 'x') + "\nb\n", 7, 20);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_NE(rows[1][1].find("longer than 20 bytes"), std::string::npos);
  EXPECT_EQ(rows[2], std::vector<std::string>{"b"});
}

TEST(CsvReader, CountsLinesThroughQuotedCells) {
  MemorySource source("h\n\"1\n2\n3\"\nx\n");
  CsvReader reader(&source, 100);
  std::vector<CsvCell> row;
  std::string reason;
  std::vector<std::uint64_t> lines;
  while (reader.next(&row, &reason) == CsvReader::Status::kRow)
    lines.push_back(reader.line_number());
  EXPECT_EQ(lines, (std::vector<std::uint64_t>{1, 2, 5}));
}

TEST(CsvReader, ReadsBackWhatIsWritten) {
  std::mt19937 random(3);
  const std::string alphabet = "ab ,\"\r\n;'";
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::string> cells(1 + random() % 4);
    std::string text;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      for (std::size_t n = random() % 8; n > 0; --n)
        cells[c] += alphabet[random() % alphabet.size()];
      if (c > 0) text += ',';
      append_csv_cell(cells[c], &text);
    }
    EXPECT_EQ(read_rows(text + "\n", 1 + random() % 5), Rows{cells}) << text;
  }
}

TEST(CsvReader, AnyBytesEndWithoutHarm) {
  std::mt19937 random(4);
  const std::string alphabet("a,\"\r\n\0\xFF", 7);
  for (int i = 0; i < 5000; ++i) {
    std::string text = "a,b\n";  // what begins with other than text is refused before
    for (std::size_t n = random() % 40; n > 0; --n) text += alphabet[random() % alphabet.size()];
    EXPECT_LE(read_rows(text, 1 + random() % 9, 16).size(), text.size());
  }
}

TEST(CsvSource, ChecksHeaderAndCellCount) {
  const auto header = [](std::string_view text) {
    MemorySource source(text);
    CsvSource csv(&source, 1000);
  };
  EXPECT_THROW(header(""), Failure);
  EXPECT_THROW(header("a,,b\n"), Failure);
  EXPECT_THROW(header("a,a\n"), Failure);
  EXPECT_THROW(header("a,\xFF\n"), Failure);
  MemorySource source("a,b\n1\n1,2,3\n,\"\"\n\xFF,1\n");
  CsvSource csv(&source, 1000);
  Record record;
  std::string reason;
  EXPECT_EQ(csv.next(&record, &reason), ReadStatus::kBad);
  EXPECT_EQ(reason, "1 cell where the header has 2");
  EXPECT_EQ(record.line, 2u);
  EXPECT_EQ(csv.next(&record, &reason), ReadStatus::kBad);
  EXPECT_EQ(csv.next(&record, &reason), ReadStatus::kRecord);
  EXPECT_EQ(record.fields[0].cell.kind, CellKind::kNull);
  EXPECT_EQ(record.fields[1].cell.kind, CellKind::kRaw);
  EXPECT_EQ(csv.next(&record, &reason), ReadStatus::kBad);
  EXPECT_NE(reason.find("not UTF-8"), std::string::npos);
  EXPECT_EQ(csv.next(&record, &reason), ReadStatus::kEnd);
}

}  // namespace
}  // namespace quire::tools
