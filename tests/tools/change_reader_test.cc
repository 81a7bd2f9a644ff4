#include "tools/change_reader.h"

#include <gtest/gtest.h>

#include "tools/json_record.h"
#include "tools/schema_json.h"

namespace quire::tools {
namespace {

const Schema& goods() {
  static const Schema schema = parse_schema(
      R"({"fields":[{"name":"id","type":"text"},{"name":"size","type":"i64","nullable":true},
          {"name":"v","type":"vector","dimension":2,"nullable":true},
          {"name":"doc","type":"json","nullable":true}],"key":"id"})",
      "");
  return schema;
}
const Schema& orders() {
  static const Schema schema = parse_schema(
      R"({"fields":[{"name":"year","type":"i64"},{"name":"number","type":"i64"},
          {"name":"note","type":"text"}],"key":["year","number"]})",
      "");
  return schema;
}

// Empty where it is a change.
std::string add(ChangeReader* reader, std::string_view line) {
  Record record;
  std::string reason;
  EXPECT_TRUE(parse_json_record(line, &record, &reason)) << reason;
  return reader->add(record, &reason) ? "" : reason;
}

TEST(ChangeReader, ReadsEachKind) {
  ChangeReader reader(goods(), false);
  ASSERT_EQ(add(&reader, R"({"insert":{"id":"a","v":[1,2]}})"), "");
  ASSERT_EQ(add(&reader, R"({"if":{"size":5},"upsert":{"id":"b"}})"), "");
  ASSERT_EQ(add(&reader, R"({"update":"c","set":{"v":[3,4],"size":null},"if":{"doc":[1]}})"), "");
  ASSERT_EQ(add(&reader, R"({"delete":"a long key that needs memory of its own"})"), "");
  const auto& changes = reader.changes();
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].kind, QUIRE_CHANGE_INSERT);
  ASSERT_EQ(changes[0].value_count, 4u);
  EXPECT_EQ(as_text(changes[0].values[0]), "a");
  EXPECT_TRUE(is_null(changes[0].values[1]));
  EXPECT_EQ(as_vector(changes[0].values[2])[1], 2.0f);
  EXPECT_EQ(changes[1].kind, QUIRE_CHANGE_UPSERT);
  ASSERT_EQ(changes[1].expected_count, 1u);
  EXPECT_EQ(changes[1].expected[0].field, 1u);
  EXPECT_EQ(changes[1].expected[0].value.as.i64, 5);
  EXPECT_EQ(changes[2].kind, QUIRE_CHANGE_UPDATE);
  EXPECT_EQ(as_text(changes[2].key[0]), "c");
  ASSERT_EQ(changes[2].value_count, 2u);
  EXPECT_EQ(changes[2].fields[0], 2u);
  EXPECT_EQ(as_vector(changes[2].values[0])[0], 3.0f);
  EXPECT_TRUE(is_null(changes[2].values[1]));
  EXPECT_EQ(as_text(changes[2].expected[0].value), "[1]");
  EXPECT_EQ(changes[3].kind, QUIRE_CHANGE_DELETE);
  EXPECT_EQ(as_text(changes[3].key[0]), "a long key that needs memory of its own");
}

TEST(ChangeReader, AKeyOfSeveralFieldsIsAnArray) {
  ChangeReader reader(orders(), false);
  ASSERT_EQ(add(&reader, R"({"delete":[2024, 17]})"), "");
  ASSERT_EQ(reader.changes()[0].key_count, 2u);
  EXPECT_EQ(reader.changes()[0].key[1].as.i64, 17);
  for (const char* key : {"2024", "[2024]", "[2024,17,1]", "{}", "\"x\""}) {
    EXPECT_NE(add(&reader, "{\"delete\":" + std::string(key) + "}")
                  .find("the key is (year, number), so it is an array of 2 values"),
              std::string::npos)
        << key;
  }
}

TEST(ChangeReader, WhatIsNoChangeIsNamedAndNotAdded) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({})", "does not say which change"},
      {R"({"set":{}})", "does not say which change"},
      {R"({"insert":{"id":"a"},"delete":"a"})", "both \"insert\" and \"delete\""},
      {R"({"delete":"a","when":{}})", "unknown member 'when'"},
      {R"({"insert":5})", "\"insert\": not a record"},
      {R"({"insert":{"id":"a","nope":1}})", "unknown field 'nope'"},
      {R"({"insert":{"id":"a","size":"x"}})", "field 'size' is i64: found a text 'x'"},
      {R"({"insert":{"size":1}})", "field 'id' is missing or null"},
      {R"({"insert":{"id":"a"},"if":{"size":1}})", "an insert has no \"if\""},
      {R"({"upsert":{"id":"a"},"set":{"size":1}})", "\"set\" is for an update"},
      {R"({"update":"a"})", "an update needs \"set\""},
      {R"({"update":"a","set":[1]})", "\"set\": an array"},
      {R"({"update":"a","set":{"nope":1}})", "\"set\": unknown field 'nope'"},
      {R"({"update":"a","set":{"size":1.5}})", "\"set\": field 'size' is i64"},
      {R"({"update":5,"set":{"size":1}})", "\"update\": field 'id' is text: found an integer"},
      {R"({"delete":null})", "\"delete\": field 'id' is not nullable"},
      {R"({"delete":"a","if":5})", "\"if\": not a record"},
      {R"({"delete":"a","if":{"v":[1]}})", "\"if\": field 'v': 1 number where"}};
  for (const auto& [line, wanted] : kCases) {
    ChangeReader reader(goods(), false);
    const std::string reason = add(&reader, line);
    EXPECT_NE(reason.find(wanted), std::string::npos) << line << ": " << reason;
    EXPECT_TRUE(reader.changes().empty()) << line;
  }
}

TEST(ChangeReader, UnknownFieldsOfRecordsAloneMayBeLeftOut) {
  ChangeReader reader(goods(), true);
  EXPECT_EQ(add(&reader, R"({"insert":{"id":"a","nope":1}})"), "");
  EXPECT_NE(add(&reader, R"({"update":"a","set":{"nope":1}})"), "");
  EXPECT_NE(add(&reader, R"({"delete":"a","if":{"nope":1}})"), "");
}

}  // namespace
}  // namespace quire::tools
