#include "tools/vector_source.h"

#include <gtest/gtest.h>

#include "tests/tools/vector_world.h"
#include "tools/convert.h"
#include "tools/infer.h"
#include "tools/schema_json.h"
#include "tools/value_text.h"

namespace quire::tools {
namespace {

Record first_record(Format format, const std::string& bytes, const VectorNames& names = {}) {
  MemorySource memory(bytes);
  const auto source = make_vector_source(format, &memory, names, true);
  Record record;
  std::string reason;
  EXPECT_EQ(source->next(&record, &reason), ReadStatus::kRecord) << reason;
  return record;
}

std::string inferred(Format format, const std::string& bytes) {
  SchemaInference inference;
  std::string reason;
  EXPECT_TRUE(inference.add(first_record(format, bytes), &reason)) << reason;
  std::string text;
  for (const Field& field : inference.finish("").fields) {
    text += field.name + " " + describe_field(field) + "; ";
  }
  return text;
}

TEST(VectorSource, SchemasOfWhatFilesHave) {
  const auto array = [](const std::string& descr, const std::string& data) {
    return inferred(Format::kNpy, npy(npy_literal(descr, "(1, 1)"), data));
  };
  EXPECT_EQ(array("<f4", raw(1.0f)), "id i64, key; vector vector(1); ");
  EXPECT_EQ(array("<f8", raw(1.0)), "id i64, key; vector vector(1); ");
  EXPECT_EQ(array("<f2", raw(std::uint16_t{1})), "id i64, key; vector vector_f16(1); ");
  EXPECT_EQ(array("|i1", "a"), "id i64, key; vector vector_i8(1); ");
  // A later row may have more than 127.
  EXPECT_EQ(array("|u1", "a"), "id i64, key; vector vector(1); ");
  EXPECT_EQ(inferred(Format::kI8bin, raw(1u, 3u) + "abc"), "id i64, key; vector vector_i8(3); ");
}

TEST(VectorSource, NamesOfFields) {
  const std::string bytes = raw(1, 2.5f);
  EXPECT_EQ(parse_vector_names("a,b").id, "a");
  EXPECT_EQ(parse_vector_names("a,b").vector, "b");
  const Record named = first_record(Format::kFvecs, bytes, parse_vector_names("a,b"));
  EXPECT_EQ(named.fields[0].name, "a");
  EXPECT_EQ(named.fields[1].name, "b");
  const Record alone = first_record(Format::kFvecs, bytes, parse_vector_names("b"));
  ASSERT_EQ(alone.fields.size(), 1u);
  EXPECT_EQ(alone.fields[0].name, "b");
  EXPECT_EQ(alone.line, 1u);
  for (const char* bad : {",", "a,", ",b", "a,b,c", "a,a"}) {
    EXPECT_THROW(parse_vector_names(bad), Failure) << bad;
  }
}

// What the row is as JSON in a field of this type, or why it does not fit.
std::string stored(const std::string& id_type, const std::string& vector_type,
                   const Record& record) {
  const bool vector = vector_type.starts_with("vector");
  const Schema schema = parse_schema(
      R"({"fields":[{"name":"key","type":"i64","generated":"next"},{"name":"id","type":")" +
          id_type + R"("},{"name":"vector","type":")" + vector_type + "\"" +
          (vector ? R"(,"dimension":2})" : "}") + R"(],"key":"key"})",
      "");
  RowBuilder row(schema, false);
  std::string json, reason;
  if (!row.build(record, &reason)) return reason;
  const std::size_t fields[] = {1, 2};
  append_json_record(schema, row.values(), fields, &json);
  return json;
}

TEST(VectorSource, RowsFitFieldsOfOtherTypes) {
  const auto floats = [](float a, float b) { return first_record(Format::kFvecs, raw(2, a, b)); };
  EXPECT_EQ(stored("i64", "vector", floats(1, 2.5f)), R"({"id":0,"vector":[1,2.5]})");
  EXPECT_EQ(stored("f64", "vector_f16", floats(1, 2.5f)), R"({"id":0.0,"vector":[1,2.5]})");
  EXPECT_EQ(stored("json", "vector_i8", floats(-128, 127)), R"({"id":0,"vector":[-128,127]})");
  EXPECT_EQ(stored("i64", "vector_bits", floats(1, 0)), R"({"id":0,"vector":[1,0]})");
  EXPECT_EQ(stored("i64", "vector_i8", floats(1, 128)),
            "field 'vector': 128 is not a whole number from -128 to 127");
  EXPECT_EQ(stored("i64", "vector_f16", floats(1, 1e6f)),
            "field 'vector': 1e+06 does not fit a 16-bit float");
  EXPECT_EQ(stored("i64", "vector_bits", floats(1, 2)), "field 'vector': 2 is neither 0 nor 1");
  EXPECT_EQ(stored("i64", "vector", first_record(Format::kFvecs, raw(1, 1.0f))),
            "field 'vector': 1 number where the vector has dimension 2");
  EXPECT_EQ(stored("text", "vector", floats(1, 2)), "field 'id' is text: found an integer");
  for (const char* type : {"json", "f64[]", "f64", "text", "bytes"}) {
    EXPECT_EQ(stored("i64", type, floats(1, 2)),
              std::string("field 'vector' is ") + type + ": found a vector");
  }
}

TEST(VectorSource, PlacesNameTheFileAndTheRow) {
  MemorySource memory(std::string_view(), SIZE_MAX, "'base.fvecs'");
  const auto source = make_vector_source(Format::kFvecs, &memory, {}, true);
  EXPECT_EQ(source->place(7), "'base.fvecs', row 7");
}

}  // namespace
}  // namespace quire::tools
