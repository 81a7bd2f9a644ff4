#include "tools/convert.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tools/failure.h"
#include "tools/json_record.h"

namespace quire::tools {
namespace {

const Schema& all_types() {
  static const Schema schema = parse_schema(
      R"({"fields":[{"name":"id","type":"text"},{"name":"b","type":"bool","nullable":true},
          {"name":"i","type":"i64","nullable":true},{"name":"f","type":"f64","nullable":true},
          {"name":"x","type":"bytes","nullable":true},{"name":"t","type":"timestamp","nullable":true},
          {"name":"v","type":"vector","dimension":2,"nullable":true}],"key":"id"})",
      "");
  return schema;
}

// The reason of a refusal; empty when the record fits.
std::string refusal(std::string_view json) {
  Record record;
  std::string reason;
  EXPECT_TRUE(parse_json_record(json, &record, &reason)) << reason;
  RowBuilder row(all_types(), false);
  return row.build(record, &reason) ? "" : reason;
}

TEST(RowBuilder, ConvertsInAnyOrderAndFillsNulls) {
  Record record;
  std::string reason;
  ASSERT_TRUE(parse_json_record(
      R"({"v":[1,2],"f":3,"id":"k","x":"AP8=","t":"1970-01-01T00:00:01Z"})", &record, &reason));
  RowBuilder row(all_types(), false);
  ASSERT_TRUE(row.build(record, &reason)) << reason;
  const auto& values = row.values();
  EXPECT_EQ(as_text(values[0]), "k");
  EXPECT_TRUE(is_null(values[1]));
  EXPECT_EQ(values[3].as.f64, 3.0);
  EXPECT_EQ(as_text(values[4]), std::string_view("\x00\xFF", 2));
  EXPECT_EQ(values[5].as.i64, 1'000'000);
  EXPECT_EQ(as_vector(values[6])[1], 2.0f);
}

TEST(RowBuilder, WholeFloatsAreIntegers) {
  EXPECT_EQ(refusal(R"({"id":"k","i":3.0})"), "");
  EXPECT_EQ(refusal(R"({"id":"k","i":1e3})"), "");
  EXPECT_NE(refusal(R"({"id":"k","i":3.5})"), "");
  EXPECT_NE(refusal(R"({"id":"k","i":1e300})"), "");
  EXPECT_EQ(refusal(R"({"id":"k","f":"NaN"})"), "");
}

TEST(RowBuilder, RefusalsNameTheField) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({"id":"k","b":1})", "field 'b' is bool: found an integer"},
      {R"({"id":"k","i":"1"})", "field 'i' is i64: found a text '1'"},
      {R"({"id":1})", "field 'id' is text: found an integer"},
      {R"({"id":"k","i":42.5})", "field 'i' is i64: found 42.5, where a whole number is needed"},
      {R"({"id":"k","i":1e30})", "found 1e+30, where a whole number beyond 2^53 must be written"},
      {R"({"id":"k","x":"?"})", "'?' is not base64"},
      {R"({"id":"k","t":"noon"})", "'noon' is not a time"},
      {R"({"id":"k","v":[1,2,3]})", "3 numbers where the vector has dimension 2"},
      {R"({"id":"k","v":[]})", "0 numbers"},
      {R"({"id":"k","v":"1 2"})", "field 'v' is vector: found a text"},
      {R"({"id":"k","v":["a"]})", "an array of texts"},
      {R"({"id":"k","q":1})", "unknown field 'q'; fields are id, b, i, f, x, t, v"},
      {R"({"i":1})", "field 'id' is missing or null"},
      {R"({"id":null})", "field 'id' is missing or null"},
  };
  for (const auto& [json, reason] : kCases) {
    EXPECT_NE(refusal(json).find(reason), std::string::npos) << json << ": " << refusal(json);
  }
}

TEST(ValueFromText, ReadsCellsOfEveryType) {
  OwnedValue owned;
  std::string reason;
  const auto& fields = all_types().fields;
  EXPECT_TRUE(value_from_text("false", fields[1], &owned, &reason));
  EXPECT_EQ(owned.value.as.boolean, 0);
  EXPECT_FALSE(value_from_text("no", fields[1], &owned, &reason));
  EXPECT_TRUE(value_from_text("-7", fields[2], &owned, &reason));
  EXPECT_EQ(owned.value.as.i64, -7);
  EXPECT_FALSE(value_from_text("99999999999999999999", fields[2], &owned, &reason));
  EXPECT_TRUE(value_from_text("Infinity", fields[3], &owned, &reason));
  EXPECT_TRUE(value_from_text("0.5 -1", fields[6], &owned, &reason));
  EXPECT_EQ(as_vector(owned.value)[1], -1.0f);
  EXPECT_TRUE(value_from_text("[0.5, -1]", fields[6], &owned, &reason));
  EXPECT_FALSE(value_from_text("0.5 nan", fields[6], &owned, &reason));
  EXPECT_FALSE(value_from_text("0.5", fields[6], &owned, &reason));
  EXPECT_FALSE(value_from_text(" ", fields[6], &owned, &reason));
}

TEST(KeyFromArgument, SaysWhatIsWrong) {
  OwnedValue owned;
  EXPECT_NO_THROW(key_from_argument("x", all_types().fields[0], &owned));
  EXPECT_THROW(key_from_argument("x", all_types().fields[2], &owned), Failure);
  EXPECT_THROW(key_from_argument("\xFF", all_types().fields[0], &owned), Failure);
}

}  // namespace
}  // namespace quire::tools
