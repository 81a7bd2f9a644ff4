#include "tools/convert.h"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "tools/failure.h"
#include "tools/json_record.h"
#include "tools/schema_json.h"
#include "tools/value_text.h"

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
      {R"({"id":"k","i":9223372036854775808})", "'i': 9223372036854775808 does not fit a 64-bit"},
      {R"({"id":"k","f":-9223372036854775809})", "does not fit a 64-bit integer"},
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

// A value by its JSON, and back; or the reason of a refusal.
std::string there_and_back(const char* type, std::string_view json) {
  std::string field_json = std::string(R"({"name":"x","type":")") + type + "\"";
  if (std::string_view(type).starts_with("vector")) field_json += ",\"dimension\":3";
  OwnedValue owned;
  std::string text, reason;
  if (!value_from_json(json, parse_field(field_json + "}"), &owned, &reason)) return reason;
  append_json_value(owned.value, &text);
  return text;
}

TEST(ValueFromText, ADocumentIsKeptAsItIsAndChecked) {
  OwnedValue owned;
  std::string reason;
  const Field field = parse_field(R"({"name":"d","type":"json","nullable":true})");
  ASSERT_TRUE(value_from_text("{\n\"a\": 1.0}", field, &owned, &reason)) << reason;
  EXPECT_EQ(as_text(owned.value), "{\n\"a\": 1.0}");
  ASSERT_TRUE(value_from_text("null", field, &owned, &reason)) << reason;
  EXPECT_EQ(as_text(owned.value), "null");
  EXPECT_FALSE(value_from_text("{", field, &owned, &reason));
  EXPECT_NE(reason.find("field 'd': not JSON"), std::string::npos);
}

TEST(ValueFromJson, EveryTypeReadsBack) {
  const std::pair<const char*, const char*> kCases[] = {
      {"json", R"({"a":[1,2.50,{"b":null}],"c":"\u0041"})"},
      {"json", "1.50"},
      {"json", "\"x\""},
      {"bool[]", "[true,false]"},
      {"i64[]", "[]"},
      {"i64[]", "[-9223372036854775808,7]"},
      {"f64[]", R"([1.0,0.1,"NaN","-Infinity"])"},
      {"text[]", R"(["","a\"b",",]"])"},
      {"bytes[]", R"(["AP8=",""])"},
      {"timestamp[]", R"(["2024-05-01T12:00:00.5Z","1970-01-01T00:00:00Z"])"},
      {"vector", "[1,-0.5,1e-07]"},
      {"vector_f16", "[1,-0.5,65504]"},
      {"vector_i8", "[-128,0,127]"},
      {"vector_bits", "[1,0,1]"},
  };
  for (const auto& [type, json] : kCases) EXPECT_EQ(there_and_back(type, json), json) << type;
}

TEST(ValueFromJson, RefusalsSayWhich) {
  const std::tuple<const char*, const char*, const char*> kCases[] = {
      {"i64[]", "[1,\"2\"]", "field 'x' is i64[], element 2: field 'x' is i64: found a text '2'"},
      {"i64[]", "[1,null]", "element 2: null"},
      {"i64[]", "[1,[2]]", "element 2: arrays in arrays"},
      {"i64[]", "7", "field 'x' is i64[]: found an integer"},
      {"timestamp[]", R"(["noon"])", "'noon' is not a time"},
      {"vector_f16", "[1,2,70000]", "70000 does not fit a 16-bit float"},
      {"vector_i8", "[1,2,128]", "128 is not a whole number from -128 to 127"},
      {"vector_i8", "[1,2,0.5]", "0.5 is not a whole number"},
      {"vector_bits", "[0,1,2]", "2 is neither 0 nor 1"},
      {"vector_bits", "[0,1]", "2 numbers where the vector has dimension 3"},
      {"vector", "[1,2,1e39]", "1e39 does not fit a 32-bit float"},
      {"json", "{", "not JSON"},
      {"i64", "null", "not nullable"},
  };
  for (const auto& [type, json, reason] : kCases) {
    EXPECT_NE(there_and_back(type, json).find(reason), std::string::npos)
        << there_and_back(type, json);
  }
}

// The reason of a refusal; empty when it is a key.
std::string key_refusal(const Schema& schema, const std::string& argument, bool partial = false) {
  try {
    const OwnedKey key(argument, schema, partial);
    return "";
  } catch (const Failure& failure) {
    return failure.what();
  }
}

TEST(OwnedKey, OfOneFieldIsTheArgumentAsItStands) {
  EXPECT_EQ(key_refusal(all_types(), "x"), "");
  EXPECT_EQ(key_refusal(all_types(), "[1]"), "");
  EXPECT_NE(key_refusal(all_types(), "\xFF"), "");
}

TEST(OwnedKey, OfSeveralFieldsIsAnArray) {
  const Schema schema = parse_schema(
      R"({"fields":[{"name":"y","type":"i64"},{"name":"t","type":"text"}],"key":["y","t"]})", "");
  const OwnedKey key("[2024, \"a b\"]", schema);
  ASSERT_EQ(key.values().size(), 2u);
  EXPECT_EQ(key.values()[0].as.i64, 2024);
  EXPECT_EQ(as_text(key.values()[1]), "a b");
  EXPECT_EQ(OwnedKey("[2024]", schema, true).values().size(), 1u);
  for (const char* wrong : {"2024", "[2024]", "[1,\"a\",2]", "[\"a\",\"b\"]", "{\"y\":1}", "[1,"}) {
    EXPECT_NE(key_refusal(schema, wrong).find("wrong key"), std::string::npos) << wrong;
  }
  EXPECT_NE(key_refusal(schema, "[]", true), "");
}

TEST(RowBuilder, WhatIsNotThereHasItsDefault) {
  const Schema schema = parse_schema(
      R"({"fields":[{"name":"id","type":"i64","generated":"next"},
          {"name":"n","type":"i64","nullable":true,"default":5},
          {"name":"t","type":"text","default":"x"}],"key":"id"})",
      "");
  Record record;
  std::string reason;
  ASSERT_TRUE(parse_json_record(R"({"n":null})", &record, &reason));
  RowBuilder row(schema, false);
  ASSERT_TRUE(row.build(record, &reason)) << reason;
  EXPECT_EQ(row.values()[0].type, static_cast<std::uint32_t>(QUIRE_TYPE_DEFAULT));
  EXPECT_TRUE(is_null(row.values()[1]));
  EXPECT_EQ(row.values()[2].type, static_cast<std::uint32_t>(QUIRE_TYPE_DEFAULT));
  ASSERT_TRUE(parse_json_record(R"({"t":null})", &record, &reason));
  EXPECT_FALSE(row.build(record, &reason));
}

}  // namespace
}  // namespace quire::tools
