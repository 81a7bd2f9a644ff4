#include "tools/schema.h"

#include <gtest/gtest.h>

#include "tools/failure.h"

namespace quire::tools {
namespace {

TEST(Schema, ReadsBackWhatItWrites) {
  const char* text =
      R"({"fields":[{"name":"id","type":"text"},{"name":"n","type":"i64","nullable":true},)"
      R"({"name":"v","type":"vector","dimension":3}],"key":"id"})";
  const Schema schema = parse_schema(text, "");
  EXPECT_EQ(schema_to_json(schema), text);
  EXPECT_EQ(schema.key_index(), 0u);
  EXPECT_FALSE(difference(schema, parse_schema(schema_to_json(schema), "")));
}

TEST(Schema, TheKeyMayBeOverridden) {
  const char* text =
      R"({"fields":[{"name":"a","type":"i64"},{"name":"b","type":"bool"}],"key":"a"})";
  EXPECT_EQ(parse_schema(text, "b").key().name, "b");
}

TEST(Schema, RefusesWithAReason) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "not a JSON object"},
      {"[]", "not a JSON object"},
      {"{}", "\"fields\""},
      {R"({"fields":[],"key":"a"})", "\"fields\""},
      {R"({"fields":[1],"key":"a"})", "field number 1 is not an object"},
      {R"({"fields":[{"type":"i64"}],"key":"a"})", "needs a text \"name\""},
      {R"({"fields":[{"name":"a"}],"key":"a"})", "needs a text \"type\""},
      {R"({"fields":[{"name":"a","type":"int"}],"key":"a"})", "unknown type 'int'"},
      {R"({"fields":[{"name":"a","type":"i64"}]})", "\"key\""},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":"b"})", "not a field"},
      {R"({"fields":[{"name":"a","type":"i64","nullable":true}],"key":"a"})",
       "the key 'a' is declared nullable"},
      {R"({"fields":[{"name":"a","type":"i64","nulable":true}],"key":"a"})", "'nulable'"},
      {R"({"fields":[{"name":"a","type":"i64","dimension":3}],"key":"a"})", "for vectors"},
      {R"({"fields":[{"name":"a","type":"vector"}],"key":"a"})", "\"dimension\""},
      {R"({"fields":[{"name":"a","type":"vector","dimension":0}],"key":"a"})", "\"dimension\""},
      {R"({"fields":[{"name":"a","type":"vector","dimension":3}],"key":"a"})", "is a vector"},
      {R"({"fields":[{"name":"a","type":"i64"},{"name":"a","type":"i64"}],"key":"a"})", "twice"},
  };
  for (const auto& [text, reason] : kCases) {
    try {
      parse_schema(text, "");
      ADD_FAILURE() << "accepted: " << text;
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find(reason), std::string::npos) << failure.what();
    }
  }
}

TEST(Schema, DifferenceNamesTheField) {
  const Schema a = parse_schema(R"({"fields":[{"name":"a","type":"i64"}],"key":"a"})", "");
  const Schema b = parse_schema(
      R"({"fields":[{"name":"a","type":"i64"},{"name":"b","type":"bool"}],"key":"a"})", "");
  EXPECT_EQ(difference(a, b), "its field 'b' is not in the schema");
  EXPECT_EQ(difference(b, a), "it has no field 'b'");
}

}  // namespace
}  // namespace quire::tools
