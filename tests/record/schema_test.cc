#include "engine/record/schema_codec.h"

#include <gtest/gtest.h>

#include <random>

namespace quire {
namespace {

Schema example() {
  return *Schema::make({{"id", FieldType::kI64},
                        {"title", FieldType::kText, true},
                        {"done", FieldType::kBool},
                        {"place", FieldType::kVectorF32, true, 128},
                        {"body", FieldType::kBytes}},
                       0);
}

ByteVector encoded(const Schema& schema) {
  ByteVector bytes;
  SchemaCodec::encode(schema, bytes);
  return bytes;
}

TEST(Schema, ComesBackAsItWas) {
  const Schema schema = example();
  const auto decoded = SchemaCodec::decode(encoded(schema));
  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_TRUE(*decoded == schema);
  ASSERT_EQ(decoded->key().size(), 1u);
  EXPECT_EQ(decoded->key()[0], 0u);
  EXPECT_EQ(decoded->version(), 1u);
}

TEST(Schema, LaysOutEachKindOfFieldByItself) {
  const Schema schema = example();
  EXPECT_EQ(schema.layout().fixed_bytes(), 9u);
  EXPECT_EQ(schema.layout().place(2).at, 8u);
  EXPECT_EQ(schema.layout().variable_count(), 2u);
  EXPECT_EQ(schema.layout().place(4).at, 1u);
  ASSERT_EQ(schema.vectors().size(), 1u);
  EXPECT_EQ(schema.vectors()[0], 3u);
  EXPECT_EQ(schema.find("body"), 4u);
  EXPECT_EQ(schema.find("nobody"), schema.size());
}

TEST(Schema, RefusesWhatBreaksARule) {
  const auto words = [](std::vector<Field> fields, std::size_t key) {
    const auto schema = Schema::make(std::move(fields), key);
    if (schema) return std::string("none");
    EXPECT_EQ(schema.error().code(), ErrorCode::kInvalid);
    return schema.error().message();
  };
  const Field id{"id", FieldType::kI64};
  EXPECT_NE(words({}, 0).find("0 fields"), std::string::npos);
  EXPECT_NE(words(std::vector<Field>(kMaxFields + 1, id), 0).find("1025 fields"),
            std::string::npos);
  EXPECT_NE(words({id}, 1).find("no key field"), std::string::npos);
  EXPECT_NE(words({id, id}, 0).find("two fields are called 'id'"), std::string::npos);
  EXPECT_NE(words({{"", FieldType::kI64}}, 0).find("name of a field"), std::string::npos);
  EXPECT_NE(words({{"a\nb", FieldType::kI64}}, 0).find("control character"), std::string::npos);
  EXPECT_NE(words({{"id", FieldType::kNull}}, 0).find("'id': has no type"), std::string::npos);
  EXPECT_NE(words({{"id", FieldType{14}}}, 0).find("'id': has no type"), std::string::npos);
  EXPECT_NE(words({{"id", FieldType::kI64, true}}, 0).find("can't be nullable"), std::string::npos);
  EXPECT_NE(words({{"v", FieldType::kVectorF32, false, 3}}, 0).find("must be a scalar"),
            std::string::npos);
  EXPECT_NE(words({id, {"v", FieldType::kVectorF32, false, 0}}, 0).find("dimension 0"),
            std::string::npos);
  EXPECT_NE(words({id, {"v", FieldType::kVectorF32, false, 65536}}, 0).find("dimension 65536"),
            std::string::npos);
  EXPECT_NE(words({id, {"t", FieldType::kText, false, 3}}, 0).find("is not a vector"),
            std::string::npos);
}

TEST(Schema, TakesTheLargestThatIsAllowed) {
  std::vector<Field> fields;
  for (std::size_t i = 0; i < kMaxFields; ++i)
    fields.push_back(
        {std::string(250, 'f') + std::to_string(i), FieldType::kVectorF32, true, kMaxDimension});
  fields[77] = {"key", FieldType::kText};
  const auto schema = Schema::make(fields, 77);
  ASSERT_TRUE(schema);
  const auto decoded = SchemaCodec::decode(encoded(*schema));
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(*decoded == *schema);
}

TEST(Schema, OfALaterFormatIsNotCalledDamaged) {
  ByteVector bytes = encoded(example());
  for (const unsigned format : {0U, 4U, 255U}) {
    bytes[0] = static_cast<std::byte>(format);
    EXPECT_EQ(SchemaCodec::decode(bytes).error().code(), ErrorCode::kVersion) << format;
  }
}

// A field that says when the time of a record is over: one, a timestamp, kept by what it is.
std::vector<Field> with_ttl() {
  return {{"id", FieldType::kI64},
          {.name = "ends", .type = FieldType::kTimestamp, .nullable = true, .ttl = true},
          {"other", FieldType::kTimestamp}};
}

TEST(Schema, KnowsTheFieldThatEndsARecord) {
  EXPECT_EQ(example().ttl(), example().size());
  const Schema schema = *Schema::make(with_ttl(), 0);
  EXPECT_EQ(schema.ttl(), 1u);
  const auto decoded = SchemaCodec::decode(encoded(schema));
  ASSERT_TRUE(decoded) << decoded.error().message();
  EXPECT_TRUE(*decoded == schema);
  EXPECT_EQ(decoded->ttl(), 1u);
}

TEST(Schema, TheFieldThatEndsARecordIsSetAndUnsetByAChange) {
  const Schema schema = *Schema::make(with_ttl(), 0);
  std::vector<Field> fields(schema.fields().begin(), schema.fields().end());
  fields[1].name = "until";
  std::swap(fields[1], fields[2]);
  const Schema renamed = *schema.changed(fields);
  EXPECT_EQ(renamed.ttl(), 2u) << "a new name and place keep it";
  fields[2].ttl = false;
  EXPECT_EQ(schema.changed(fields)->ttl(), 3u);
  fields[1].ttl = true;
  EXPECT_EQ(schema.changed(fields)->ttl(), 1u);
  fields.erase(fields.begin() + 1);
  EXPECT_EQ(schema.changed(fields)->ttl(), 2u) << "it went with the field";
}

TEST(Schema, RefusesAFieldThatCantEndARecord) {
  const auto words = [](std::vector<Field> fields) {
    const auto schema = Schema::make(std::move(fields), 0);
    return schema ? std::string("none") : schema.error().message();
  };
  std::vector<Field> fields = with_ttl();
  fields[2].ttl = true;
  EXPECT_EQ(words(fields),
            "schema: field 'other': says when a record's time is over, as 'ends' does already: "
            "there can be one such field");
  fields = with_ttl();
  for (const FieldType type : {FieldType::kI64, FieldType::kText, FieldType::kArrayTimestamp}) {
    fields[1].type = type;
    EXPECT_NE(words(fields).find("field 'ends': says when a record's time is over and is "),
              std::string::npos);
    EXPECT_NE(words(fields).find(", must be a timestamp"), std::string::npos);
  }
}

TEST(Schema, OfFormat2HasNoFieldThatEndsARecord) {
  ByteVector bytes = encoded(example());
  ASSERT_EQ(bytes[0], std::byte{3});
  bytes[0] = std::byte{2};
  const auto older = SchemaCodec::decode(bytes);
  ASSERT_TRUE(older) << older.error().message();
  EXPECT_TRUE(*older == example());
  bytes = encoded(*Schema::make(with_ttl(), 0));
  bytes[0] = std::byte{2};
  const auto damaged = SchemaCodec::decode(bytes);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().message(), "schema: a field has flags that do not exist");
}

TEST(Schema, DamagedBytesAreAnErrorOrAnotherValidSchema) {
  const ByteVector sound = encoded(example());
  for (std::size_t size = 0; size < sound.size(); ++size)
    EXPECT_FALSE(SchemaCodec::decode(Bytes(sound).first(size)));
  std::mt19937_64 random(1);
  for (int round = 0; round < 20000; ++round) {
    ByteVector bytes = sound;
    for (std::uint64_t change = random() % 3 + 1; change > 0; --change)
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    const auto decoded = SchemaCodec::decode(bytes);
    if (!decoded) continue;
    EXPECT_TRUE(SchemaCodec::decode(encoded(*decoded)));
  }
}

}  // namespace
}  // namespace quire
