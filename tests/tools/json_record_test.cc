#include "tools/json_record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace quire::tools {
namespace {

Record parse(std::string_view text) {
  Record record;
  std::string reason;
  EXPECT_TRUE(parse_json_record(text, &record, &reason)) << text << ": " << reason;
  return record;
}

// The reason of a refusal; empty when it was accepted.
std::string record_refusal(std::string_view text) {
  Record record;
  std::string reason;
  return parse_json_record(text, &record, &reason) ? "" : reason;
}

const Cell& cell(const Record& record, std::string_view name) {
  for (const NamedCell& field : record.fields) {
    if (field.name == name) return field.cell;
  }
  ADD_FAILURE() << "no field " << name;
  return record.fields.at(0).cell;
}

TEST(JsonRecord, ReadsEveryKindOfValue) {
  const Record record =
      parse(R"({"n":null,"b":true,"i":-5,"u":9223372036854775807,"f":2.5,"e":1e3,"t":"\u00e9\n",)"
            R"("v":[1,-2.5,3e0],"empty":[],"texts":["a","b"],"mixed":[1,"a"],"deep":[[1],2],)"
            R"("o":{"x":[1,{"y":2}]},"null_inside":[1,null]})");
  EXPECT_EQ(cell(record, "n").kind, CellKind::kNull);
  EXPECT_TRUE(cell(record, "b").boolean);
  EXPECT_EQ(cell(record, "i").integer, -5);
  EXPECT_EQ(cell(record, "u").integer, INT64_MAX);
  EXPECT_EQ(cell(record, "f").number, 2.5);
  EXPECT_EQ(cell(record, "e").kind, CellKind::kFloat);
  EXPECT_EQ(cell(record, "t").text, "\xC3\xA9\n");
  EXPECT_EQ(cell(record, "v").kind, CellKind::kNumbers);
  EXPECT_EQ(cell(record, "v").count, 3u);
  EXPECT_FALSE(cell(record, "v").all_integers);
  EXPECT_EQ(cell(record, "empty").kind, CellKind::kEmptyArray);
  EXPECT_EQ(cell(record, "texts").kind, CellKind::kTexts);
  EXPECT_EQ(cell(record, "mixed").kind, CellKind::kMixed);
  EXPECT_EQ(cell(record, "deep").kind, CellKind::kMixed);
  EXPECT_EQ(cell(record, "o").kind, CellKind::kObject);
  EXPECT_EQ(cell(record, "null_inside").kind, CellKind::kMixed);
  EXPECT_EQ(record.fields.size(), 14u);
}

TEST(JsonRecord, KeepsTheTextOfEachValue) {
  const Record record = parse(
      R"( { "a" : 1.50 , "b\"]" :[ 1, {"x":"]}"} ] ,"c":"\u0041\\","d":{"e": [ ]}, "f":null} )");
  const auto json = [&](const char* name) { return record.json(cell(record, name)); };
  EXPECT_EQ(json("a"), "1.50");
  EXPECT_EQ(json("b\"]"), "[ 1, {\"x\":\"]}\"} ]");
  EXPECT_EQ(json("c"), "\"\\u0041\\\\\"");
  EXPECT_EQ(json("d"), "{\"e\": [ ]}");
  EXPECT_EQ(json("f"), "null");
}

TEST(JsonRecord, FloatsInVectorsAreRoundedOnce) {
  // Halfway between two floats as a double would be; the decimal is just above.
  std::vector<float> numbers;
  std::string reason;
  ASSERT_TRUE(numbers_of_json("[1.00000005960464477540, 0.1, -0.0]", &numbers, &reason));
  EXPECT_EQ(numbers[0], 1.00000011920928955f);
  EXPECT_EQ(numbers[1], 0.1f);
  EXPECT_TRUE(std::signbit(numbers[2]));
  EXPECT_FALSE(numbers_of_json("[1,1e39]", &numbers, &reason));
  EXPECT_NE(reason.find("1e39 does not fit a 32-bit float"), std::string::npos);
}

TEST(JsonRecord, IntegersThatAreTooLongAreTold) {
  const Record record = parse(R"({"a":9223372036854775808,"b":-9223372036854775809})");
  EXPECT_EQ(cell(record, "a").kind, CellKind::kBigInteger);
  EXPECT_EQ(cell(record, "b").kind, CellKind::kBigInteger);
}

TEST(JsonRecord, RefusesWithAReason) {
  const std::pair<const char*, const char*> kCases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"{\"a\":1} x", "not JSON"},
      {"{\"a\":NaN}", "NaN"},
      {"{\"a\":[1,Infinity]}", "NaN and Infinity"},
      {"{'a':1}", "not JSON"},
      {"[{\"a\":1}]", "one object a line"},
      {"17", "not a record"},
      {"\"text\"", "not a record"},
      {"99999999999999999999", "not a record"},
      {"{\"a\":1e999}", "too large"},
      {"{\"a\":1,\"a\":2}", "twice"},
      {"{\"a\":\"\xFF\"}", "UTF-8"},
  };
  for (const auto& [text, reason] : kCases) {
    EXPECT_NE(record_refusal(text).find(reason), std::string::npos)
        << text << ": " << record_refusal(text);
  }
  EXPECT_NE(record_refusal(std::string_view("{\"a\":1}\0{", 9)).find("NUL"), std::string::npos);
}

TEST(JsonRecord, RefusesDeepNestingEarly) {
  const std::string text = "{\"a\":" + std::string(1'000'000, '[');
  EXPECT_NE(record_refusal(text).find("nested deeper"), std::string::npos);
}

TEST(JsonRecord, RefusesTooManyFields) {
  std::string text = "{\"a\":1";
  for (int i = 0; i < 2000; ++i) text += ",\"f" + std::to_string(i) + "\":1";
  EXPECT_NE(record_refusal(text + "}").find("more than 1024"), std::string::npos);
}

TEST(JsonRecord, AnyBytesEndWithoutHarm) {
  std::mt19937 random(5);
  const std::string good = R"({"a":[1,2.5,"x"],"b":{"c":null},"d":-1e5,"e":"\u00e9"})";
  for (int i = 0; i < 20'000; ++i) {
    std::string text = good;
    for (int k = 0; k < 3; ++k) text[random() % text.size()] = static_cast<char>(random() % 256);
    const std::string reason = record_refusal(text);
    EXPECT_LT(reason.size(), 300u);
  }
}

TEST(JsonNumbers, ReadsArraysOfNumbersOnly) {
  std::vector<float> numbers;
  std::string reason;
  EXPECT_TRUE(parse_json_numbers(" [1, 2]", &numbers, &reason));
  EXPECT_EQ(numbers, (std::vector<float>{1, 2}));
  EXPECT_FALSE(parse_json_numbers("[1, \"2\"]", &numbers, &reason));
  EXPECT_FALSE(parse_json_numbers("[1], \"x\": 1", &numbers, &reason));
  EXPECT_FALSE(parse_json_numbers("{}", &numbers, &reason));
}

}  // namespace
}  // namespace quire::tools
