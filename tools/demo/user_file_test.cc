#include "tools/demo/user_file.h"

#include <gtest/gtest.h>

namespace quire::demo {
namespace {

UserRecords csv(const std::string& text, const std::string& key = "") {
  tools::MemorySource in(text);
  return read_csv(in, key);
}

UserRecords ndjson(const std::string& text, const std::string& key = "") {
  tools::MemorySource in(text);
  return read_ndjson(in, key);
}

TEST(UserFile, ReadsQuotesAndLineEndsInCsv) {
  const UserRecords records = csv(
      "id,category,summary,notes\r\n1,tools,\"a \"\"quoted\"\", one\",\"two\nlines\"\r\n2,,b,\n");
  ASSERT_EQ(records.packages.size(), 2U);
  EXPECT_EQ(records.packages[0].name, "1");
  EXPECT_EQ(records.packages[0].section, "tools");
  EXPECT_EQ(records.packages[0].summary, "a \"quoted\", one");
  EXPECT_EQ(records.packages[0].description, "two\nlines");
  EXPECT_EQ(records.packages[1].section, "");
}

// What was missing, or no number, was shown as 0 KiB.
TEST(UserFile, ASizeThatIsNotThereIsNotZero) {
  const UserRecords records = csv("name,installed_size\na,12\nb,\nc,many\nd,0\n");
  ASSERT_EQ(records.packages.size(), 4U);
  EXPECT_EQ(records.packages[0].installed_size_kib, 12);
  EXPECT_EQ(records.packages[1].installed_size_kib, std::nullopt);
  EXPECT_EQ(records.packages[2].installed_size_kib, std::nullopt);
  EXPECT_EQ(records.packages[3].installed_size_kib, 0);
}

TEST(UserFile, ReportsBadLinesAndGoesOn) {
  const UserRecords records = csv("name,text\na,1\nb\nc,3\n,4\n");
  EXPECT_EQ(records.packages.size(), 2U);
  ASSERT_EQ(records.problems.size(), 2U);
  EXPECT_EQ(records.problems[0], "line 3: 1 cells under a header of 2");
  EXPECT_TRUE(records.problems[1].starts_with("line 5: "));
}

TEST(UserFile, TakesTheKeyThatIsAskedFor) {
  EXPECT_EQ(csv("name,isbn\nx,978\n", "isbn").packages[0].name, "978");
  EXPECT_THROW(csv("name,isbn\nx,978\n", "absent"), std::runtime_error);
}

TEST(UserFile, ReadsObjectsOfNdjson) {
  const UserRecords records =
      ndjson("{\"name\": \"a\", \"summary\": \"one\", \"pages\": 12, \"none\": null}\n\n[1]\n{\n");
  ASSERT_EQ(records.packages.size(), 1U);
  EXPECT_EQ(records.packages[0].description, "12");
  ASSERT_EQ(records.problems.size(), 2U);
  EXPECT_EQ(records.problems[0], "line 3: not a JSON object");
}

TEST(UserFile, RefusesAFileWithoutRecords) {
  EXPECT_THROW(csv(""), std::runtime_error);
  EXPECT_THROW(csv("name,text\n"), std::runtime_error);
  EXPECT_THROW(csv("name,text\n\"open\n"), std::runtime_error);
  EXPECT_THROW(ndjson("\n"), std::runtime_error);
}

}  // namespace
}  // namespace quire::demo
