#include "tools/json_document.h"

#include <gtest/gtest.h>

namespace quire::tools {
namespace {

std::string written(std::string_view document) {
  std::string out;
  append_json_document(document, &out);
  return out;
}

TEST(JsonDocument, NullIsWrapped) {
  EXPECT_EQ(written("null"), R"({"$json":null})");
  EXPECT_EQ(written(" null\n"), R"({"$json": null })");
}

TEST(JsonDocument, OnlyWhatWouldBeMistakenIsWrappedBesides) {
  EXPECT_EQ(written(R"({"$json":5})"), R"({"$json":{"$json":5}})");
  EXPECT_EQ(written(R"({ "\u0024json" : null })"), R"({"$json":{ "\u0024json" : null }})");
  for (const char* document :
       {"5", "\"null\"", "[null]", "{}", R"({"$json":5,"a":1})", R"({"a":1,"$json":5})",
        R"({"$jso":5})", R"(["$json"])", R"({"\u0024jso":5})", R"({"a":"}","b":{"$json":1}})"}) {
    EXPECT_EQ(written(document), document);
  }
}

TEST(JsonDocument, WhatIsWrittenReadsBack) {
  for (const char* document :
       {"null", "5", R"({"$json":5})", R"({"$json":{"$json":null}})", R"({"\u0024json":[1, 2]})",
        R"({"$json":"a\"}b"})", R"({"$json":5,"a":1})", "{}", R"({"a":null})"}) {
    EXPECT_EQ(document_of(written(document)), document);
  }
  EXPECT_EQ(document_of(R"({ "$json" : [1] })"), "[1]");
}

TEST(JsonDocument, LineEndsBecomeBlanks) { EXPECT_EQ(written("{\n\"a\":\r\n1}"), "{ \"a\":  1}"); }

}  // namespace
}  // namespace quire::tools
