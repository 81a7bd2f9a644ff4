#include "tools/infer.h"

#include <gtest/gtest.h>

#include "tools/failure.h"
#include "tools/record_source.h"

namespace quire::tools {
namespace {

Schema infer(Format format, std::string_view text, const std::string& key = "") {
  MemorySource bytes(text);
  const auto source = make_record_source(format, &bytes, 1'000'000);
  SchemaInference inference;
  Record record;
  std::string reason;
  for (;;) {
    const ReadStatus status = source->next(&record, &reason);
    if (status == ReadStatus::kEnd) return inference.finish(key);
    EXPECT_EQ(status, ReadStatus::kRecord) << reason;
    if (!inference.add(record, &reason)) {
      throw Failure("line " + std::to_string(record.line) + ": " + reason);
    }
  }
}

std::string described(const Schema& schema) {
  std::string text;
  for (const Field& field : schema.fields) text += field.name + " " + describe_field(field) + "; ";
  return text;
}

// The message of a refusal.
std::string refusal(Format format, std::string_view text, const std::string& key = "") {
  try {
    return "accepted: " + described(infer(format, text, key));
  } catch (const Failure& failure) {
    return failure.what();
  }
}

TEST(Infer, NdjsonTypes) {
  EXPECT_EQ(described(infer(Format::kNdjson,
                            "{\"id\":\"a\",\"i\":1,\"f\":1,\"b\":true,\"v\":[1,2]}\n"
                            "{\"id\":\"b\",\"i\":2,\"f\":1.5,\"b\":false,\"v\":[1,2.5]}\n")),
            "id text, key; i i64; f f64; b bool; v vector(2); ");
}

TEST(Infer, ArraysAndDocuments) {
  EXPECT_EQ(
      described(infer(Format::kNdjson,
                      "{\"id\":1,\"t\":[\"a\"],\"n\":[1,2],\"f\":[1],\"b\":[],\"o\":{\"x\":1},"
                      "\"m\":[1,\"a\"],\"a\":[1]}\n"
                      "{\"id\":2,\"t\":[],\"n\":[1],\"f\":[1,2.5],\"b\":[true],\"o\":[1],"
                      "\"m\":[[1]],\"a\":[\"x\"]}\n")),
      "id i64, key; t text[]; n i64[]; f f64[]; b bool[]; o json; m json; a json; ");
  EXPECT_EQ(described(infer(Format::kCsv,
                            "id,t,o,x\n1,\"[\"\"a\"\"]\",\"{\"\"x\"\":1}\",\"[1]\"\n"
                            "2,[],{},oh\n")),
            "id i64, key; t text[]; o json; x text; ");
}

TEST(Infer, NullOrAbsentIsNullable) {
  EXPECT_EQ(described(infer(Format::kNdjson,
                            "{\"id\":1,\"a\":null,\"b\":2}\n{\"id\":2,\"c\":\"x\",\"n\":null}\n")),
            "id i64, key; a text, nullable; b i64, nullable; c text, nullable; n text, nullable; ");
}

TEST(Infer, CsvTypes) {
  EXPECT_EQ(described(infer(Format::kCsv,
                            "name,i,f,b,zip,v,w,long,mix\n"
                            "x,1,1.5,true,007,\"[1,2]\",1 2 3,12345678901234567890,true\n"
                            "y,,2,false,123,\"[3,4]\",4 5 6,1,5\n")),
            "name text, key; i i64, nullable; f f64; b bool; zip text; v vector(2); w vector(3); "
            "long text; mix text; ");
}

TEST(Infer, CsvVectorsOfManyLengthsAreTexts) {
  EXPECT_EQ(described(infer(Format::kCsv, "id,v\n1,1 2\n2,1 2 3\n")), "id i64, key; v text; ");
}

TEST(Infer, KeyIsIdKeyNameOrAsked) {
  EXPECT_EQ(infer(Format::kNdjson, R"({"name":"a","key":"b","id":"c"})").key().name, "id");
  EXPECT_EQ(infer(Format::kNdjson, R"({"name":"a","key":"b"})").key().name, "key");
  EXPECT_EQ(infer(Format::kNdjson, R"({"name":"a","x":"b"})").key().name, "name");
  EXPECT_EQ(infer(Format::kNdjson, R"({"name":"a","x":"b"})", "x").key().name, "x");
  EXPECT_NE(refusal(Format::kNdjson, R"({"sku":"a"})").find("--key"), std::string::npos);
  EXPECT_NE(refusal(Format::kNdjson, R"({"a":1})", "b").find("not a field"), std::string::npos);
  EXPECT_NE(refusal(Format::kNdjson, R"({"id":[1,2]})").find("vector"), std::string::npos);
  EXPECT_NE(refusal(Format::kNdjson, "{\"id\":1}\n{\"id\":null}\n").find("null or missing"),
            std::string::npos);
}

TEST(Infer, RefusalsNameFieldAndLine) {
  EXPECT_EQ(refusal(Format::kNdjson, "{\"id\":1,\"a\":1}\n{\"id\":2,\"a\":\"x\"}\n"),
            "line 2: field 'a': a text here and an integer on line 1; a field has one type");
  EXPECT_EQ(refusal(Format::kNdjson, "{\"id\":1,\"o\":{}}\n{\"id\":2,\"o\":5}\n"),
            "line 2: field 'o': an integer here and an object on line 1; a field has one type");
  EXPECT_NE(refusal(Format::kNdjson, R"({"id":9223372036854775808})")
                .find("field 'id': 9223372036854775808 does not fit"),
            std::string::npos);
}

// `--on-error skip` did not cover inference: the first misfit ended the load.
TEST(Infer, LearnsNothingFromARecordItRefuses) {
  MemorySource bytes(
      "{\"id\":1,\"a\":1}\n{\"id\":2,\"new\":1,\"a\":\"x\"}\n{\"id\":null,\"a\":2}\n");
  const auto source = make_record_source(Format::kNdjson, &bytes, 1000);
  SchemaInference inference;
  Record record;
  std::string reason;
  std::vector<bool> added;
  while (source->next(&record, &reason) == ReadStatus::kRecord) {
    added.push_back(inference.add(record, &reason));
  }
  EXPECT_EQ(added, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(inference.records(), 2u);
  EXPECT_THROW(inference.finish(""), Failure);
  EXPECT_EQ(described(inference.finish("", true)), "id i64, key; a i64; ");
}

}  // namespace
}  // namespace quire::tools
