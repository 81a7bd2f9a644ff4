#include "tools/table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace quire::tools {
namespace {

std::string printed(std::size_t width, const std::vector<std::vector<std::string>>& rows) {
  const std::string path = testing::TempDir() + "/table_test.txt";
  Output output(path);
  TablePrinter table({{"name"}, {"n", true}}, &output, width);
  for (const auto& row : rows) table.add(row);
  table.finish();
  output.finish();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::remove(path.c_str());
  return text.str();
}

TEST(Table, AlignsColumnsByWhatATerminalShows) {
  EXPECT_EQ(printed(0, {{"a", "1"}, {"\xC3\xA9t\xC3\xA9", "100"}, {"\xE6\xBC\xA2", ""}}),
            "name    n\n"
            "a       1\n"
            "\xC3\xA9t\xC3\xA9   100\n"
            "\xE6\xBC\xA2\n");
}

TEST(Table, CutsTheWidestColumnToTheTerminal) {
  EXPECT_EQ(printed(14, {{"a long name that does not fit", "17"}}),
            "name         n\n"
            "a long na…  17\n");
}

TEST(Table, StreamsBeyondItsWindow) {
  std::vector<std::vector<std::string>> rows(2000, {"x", "1"});
  const std::string text = printed(40, rows);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2001);
}

TEST(Table, FitCutsBetweenCharacters) {
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("abcd", 3), "ab…");
  EXPECT_EQ(fit("\xE6\xBC\xA2\xE6\xBC\xA2", 3), "\xE6\xBC\xA2…");
  EXPECT_EQ(display_width("e\xCC\x81"), 1u);
}

TEST(Output, AFileIsReplacedOnlyWhenFinished) {
  const std::string path = testing::TempDir() + "/output_test.txt";
  std::ofstream(path) << "old";
  {
    Output output(path);
    output.write("new");
  }
  std::string text;
  std::ifstream(path) >> text;
  EXPECT_EQ(text, "old");
  {
    Output output(path);
    output.write("new");
    output.finish();
  }
  std::ifstream(path) >> text;
  EXPECT_EQ(text, "new");
  EXPECT_FALSE(std::ifstream(path + ".part").good());
  std::remove(path.c_str());
}

TEST(Output, FormatsCountsAndBytes) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(1'234'567), "1,234,567");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_bytes(1536), "1.5 KiB");
}

}  // namespace
}  // namespace quire::tools
