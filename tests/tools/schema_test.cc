#include "tools/schema.h"

#include <gtest/gtest.h>

#include "tools/failure.h"
#include "tools/schema_json.h"

namespace quire::tools {
namespace {

TEST(Schema, ReadsBackWhatItWrites) {
  const char* text =
      R"({"fields":[{"name":"id","type":"text"},{"name":"n","type":"i64","nullable":true},)"
      R"({"name":"v","type":"vector","dimension":3}],"key":"id"})";
  const Schema schema = parse_schema(text, "");
  EXPECT_EQ(schema_to_json(schema), text);
  EXPECT_EQ(schema.key_fields(), std::vector<std::size_t>{0});
  EXPECT_FALSE(difference(schema, parse_schema(schema_to_json(schema), "")));
}

TEST(Schema, RulesAndIndexesReadBackToo) {
  const char* text =
      R"({"fields":[{"name":"y","type":"i64","generated":"next"},)"
      R"({"name":"n","type":"i64","default":5,"min":0,"max":100,"one_of":[5,7]},)"
      R"({"name":"t","type":"text[]","nullable":true,"default":["a"],"max_length":3,)"
      R"("one_of":["a","b"],"pattern":"[a-z]"},)"
      R"({"name":"w","type":"timestamp","default":"2024-01-01T00:00:00Z","min":"1970-01-01T00:00:00Z"},)"
      R"({"name":"f","type":"f64","min":0.5},{"name":"d","type":"json","default":{"a":[1]}},)"
      R"({"name":"b","type":"vector_bits","dimension":9}],"key":["y","n"],)"
      R"("indexes":[{"name":"by_n","kind":"sorted","options":{"fields":["n"],"unique":true}}]})";
  const Schema schema = parse_schema(text, "");
  EXPECT_EQ(schema_to_json(schema), text);
  EXPECT_EQ(schema.key_names(), "y, n");
  EXPECT_EQ(describe_rules(schema.fields[1]), "default 5, at least 0, at most 100, one of 5 7");
  EXPECT_FALSE(difference(schema, parse_schema(text, "")));
}

TEST(Schema, TheFieldThatEndsARecordReadsBackToo) {
  const char* text =
      R"({"fields":[{"name":"id","type":"i64"},{"name":"ends","type":"timestamp","nullable":true,)"
      R"("ttl":true}],"key":"id"})";
  const Schema schema = parse_schema(text, "");
  EXPECT_EQ(schema_to_json(schema), text);
  EXPECT_EQ(describe_field(schema.fields[1]), "timestamp, nullable, ttl");
  EXPECT_FALSE(changed_field(schema.fields[1], R"({"ttl":null})").ttl);
  EXPECT_THROW(changed_field(schema.fields[1], R"({"ttl":"yes"})"), Failure);
  Schema other = schema;
  other.fields[1].ttl = false;
  EXPECT_EQ(difference(schema, other),
            "its field 'ends' is timestamp, nullable, the schema's timestamp, nullable, ttl");
}

TEST(Schema, AFieldIsChangedByMembers) {
  Field field = parse_field(R"({"name":"n","type":"i64","default":5,"min":0})");
  field.id = 7;
  field.key = true;
  const Field changed = changed_field(field, R"({"type":"f64","default":null,"nullable":true})");
  EXPECT_EQ(field_to_json(changed), R"({"name":"n","type":"f64","nullable":true,"min":0.0})");
  EXPECT_EQ(changed.id, 7u);
  EXPECT_TRUE(changed.key);
  EXPECT_THROW(changed_field(field, R"({"tpye":"f64"})"), Failure);
}

TEST(Schema, TheKeyMayBeOverridden) {
  const char* text =
      R"({"fields":[{"name":"a","type":"i64"},{"name":"b","type":"bool"}],"key":"a"})";
  EXPECT_EQ(parse_schema(text, "b").key().name, "b");
  EXPECT_EQ(parse_schema(text, "a,b").key_names(), "a, b");
}

TEST(Schema, ANameWithACommaMayBeTheKey) {
  const char* text =
      R"({"fields":[{"name":"a","type":"i64"},{"name":"a,b","type":"bool"}],"key":"a,b"})";
  const Schema schema = parse_schema(text, "");
  EXPECT_EQ(schema.key_fields(), std::vector<std::size_t>{1});
  EXPECT_EQ(schema_to_json(schema), text);
  EXPECT_EQ(parse_schema(text, "a,b").key_fields(), std::vector<std::size_t>{1});
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
      {R"({"fields":[{"name":"a","type":"i64"},{"name":"b","type":"i64"}],"key":["b","a"]})",
       "the order of the fields"},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":["a","a"]})", "twice"},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":[1]})", "array of texts"},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":[]})", "names no field"},
      {R"({"fields":[{"name":"a","type":"json"}],"key":"a"})", "is json"},
      {R"({"fields":[{"name":"a","type":"i64","default":"x"}],"key":"a"})",
       "\"default\": field 'a'"},
      {R"({"fields":[{"name":"a","type":"i64","generated":"never"}],"key":"a"})", "'never'"},
      {R"({"fields":[{"name":"a","type":"i64","default":1,"generated":"next"}],"key":"a"})",
       "one is"},
      {R"({"fields":[{"name":"a","type":"i64","one_of":[]}],"key":"a"})", "\"one_of\""},
      {R"({"fields":[{"name":"a","type":"text","min_length":-1}],"key":"a"})", "\"min_length\""},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":"a","indexes":{}})", "\"indexes\""},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":"a","indexes":[{"name":"x"}]})", "\"kind\""},
      {R"({"fields":[{"name":"a","type":"i64"}],"key":"a","indexes":[{"name":"x","kind":"sorted"}]})",
       "\"options\""},
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
  const Schema c = parse_schema(R"({"fields":[{"name":"a","type":"i64","min":1}],"key":"a"})", "");
  EXPECT_EQ(difference(a, c), "its field 'a' has other rules than the schema's");
  Schema indexed = a;
  indexed.indexes.push_back({"by_a", "sorted", "{}"});
  EXPECT_EQ(difference(indexed, a), "it has no index 'by_a'");
  EXPECT_FALSE(difference(a, indexed));
}

}  // namespace
}  // namespace quire::tools
