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
  bytes[0] = std::byte{3};
  EXPECT_EQ(SchemaCodec::decode(bytes).error().code(), ErrorCode::kVersion);
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
