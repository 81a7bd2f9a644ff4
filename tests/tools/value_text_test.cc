#include "tools/value_text.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "tools/owned_value.h"

namespace quire::tools {
namespace {

std::string json(const Value& value) {
  std::string text;
  append_json_value(value, &text);
  return text;
}

std::string csv(const Value& value) {
  std::string text;
  append_csv_value(value, &text);
  return text;
}

TEST(ValueText, Json) {
  const std::array<float, 3> vector{1, -0.5, 1e-7f};
  EXPECT_EQ(json(null_value()), "null");
  EXPECT_EQ(json(bool_value(true)), "true");
  EXPECT_EQ(json(i64_value(INT64_MIN)), "-9223372036854775808");
  EXPECT_EQ(json(f64_value(2)), "2.0");
  EXPECT_EQ(json(f64_value(std::numeric_limits<double>::quiet_NaN())), "\"NaN\"");
  EXPECT_EQ(json(text_value("a\"\n\xC3\xA9")), "\"a\\\"\\n\xC3\xA9\"");
  EXPECT_EQ(json(text_value(std::string_view("\0", 1))), "\"\\u0000\"");
  EXPECT_EQ(json(bytes_value("\xFF")), "\"/w==\"");
  EXPECT_EQ(json(timestamp_value(0)), "\"1970-01-01T00:00:00Z\"");
  EXPECT_EQ(json(vector_value(vector)), "[1,-0.5,1e-07]");
  EXPECT_EQ(json(value_of_bytes(QUIRE_TYPE_JSON, "{\n\"a\": 1}")), "{ \"a\": 1}");
}

TEST(ValueText, Csv) {
  const std::array<float, 2> vector{1, 2};
  EXPECT_EQ(csv(null_value()), "");
  EXPECT_EQ(csv(text_value("")), "\"\"");
  EXPECT_EQ(csv(text_value("a,b")), "\"a,b\"");
  EXPECT_EQ(csv(f64_value(2)), "2.0");
  EXPECT_EQ(csv(vector_value(vector)), "\"[1,2]\"");
  EXPECT_EQ(csv(value_of_bytes(QUIRE_TYPE_JSON, "{\n\"a\": 1}")), "\"{\n\"\"a\"\": 1}\"");
}

TEST(ValueText, TableCellsCanNotMoveTheTerminal) {
  EXPECT_EQ(bytes_for_table("a\x1B[2J\n\t\x7F"), "a\\x1b[2J\\n\\t\\x7f");
  EXPECT_EQ(bytes_for_table("\xC2\x9B"
                            "1m"),
            "\\xc2\\x9b1m");
  EXPECT_EQ(bytes_for_table("\xC3\xA9\xC2\xA9"), "\xC3\xA9\xC2\xA9");
  EXPECT_EQ(bytes_for_table("\xFFz"), "\\xffz");
  const std::array<float, 5> vector{1, 2, 3, 4, 5};
  EXPECT_EQ(value_for_table(vector_value(vector)), "[1 2 3 ... 5]");
}

TEST(ValueText, BytesOfAKeyspaceAreTextWhereTheyCanBe) {
  std::string text;
  append_json_bytes("key", "k1", false, &text);
  append_json_bytes("key", "k1", true, &text);
  append_json_bytes("value", "\xFF", false, &text);
  EXPECT_EQ(text, "\"key\":\"k1\"\"key_hex\":\"6b31\"\"value_hex\":\"ff\"");
}

}  // namespace
}  // namespace quire::tools
