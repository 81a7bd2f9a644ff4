#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "engine/record/key_codec.h"
#include "engine/record/row_codec.h"
#include "engine/txn/operation.h"
#include "tests/record/record_world.h"

namespace quire {
namespace {

using test::Item;
using test::Random;

std::string key_of(const Value& value) {
  EncodedKey key;
  encode_key(value, key);
  return key;
}

std::string describe(FieldType type, Bytes key) {
  return describe_key(test::must(Schema::make({{"f", type}}, 0)), key);
}

// Ascending values have ascending keys, and each comes back.
void expect_ordered(const Field& field, const std::vector<Value>& ascending) {
  std::string before;
  for (const Value& value : ascending) {
    const std::string key = key_of(value);
    EXPECT_LT(before, key);
    const auto back = decode_single_key(field.type, as_bytes(key));
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(key_of(*back), key);
    EXPECT_EQ(back->type, field.type);
    before = key;
  }
}

TEST(Keys, KeepTheOrderOfNumbers) {
  std::vector<Value> numbers;
  std::vector<Value> times;
  for (const std::int64_t number :
       {std::numeric_limits<std::int64_t>::min(), std::int64_t{-256}, std::int64_t{-1},
        std::int64_t{0}, std::int64_t{1}, std::int64_t{255}, std::int64_t{256},
        std::numeric_limits<std::int64_t>::max()}) {
    numbers.push_back(Value::of_i64(number));
    times.push_back(Value::of_timestamp(number));
  }
  expect_ordered({"n", FieldType::kI64}, numbers);
  expect_ordered({"t", FieldType::kTimestamp}, times);
  expect_ordered({"b", FieldType::kBool}, {Value::of_bool(false), Value::of_bool(true)});
}

TEST(Keys, KeepTheOrderOfFloats) {
  using Limits = std::numeric_limits<double>;
  std::vector<Value> numbers;
  for (const double number :
       {-Limits::infinity(), -Limits::max(), -1.0, -Limits::min(), -Limits::denorm_min(), 0.0,
        Limits::denorm_min(), Limits::min(), 1.0, 1.5, Limits::max(), Limits::infinity()})
    numbers.push_back(Value::of_f64(number));
  expect_ordered({"f", FieldType::kF64}, numbers);
  EXPECT_EQ(key_of(Value::of_f64(-0.0)), key_of(Value::of_f64(0.0)));
}

TEST(Keys, KeepTheOrderOfTextsAndTheEmptyOneIsAKey) {
  expect_ordered(
      {"t", FieldType::kText},
      {Value::of_text(""), Value::of_text(std::string_view("\0", 1)), Value::of_text("a"),
       Value::of_text("a "), Value::of_text("aa"), Value::of_text("b"), Value::of_text("\u00e9")});
  EXPECT_EQ(key_of(Value::of_text("")).size(), 1u);
}

TEST(Keys, RandomNumbersKeepTheirOrder) {
  Random random(2);
  for (int round = 0; round < 20000; ++round) {
    const auto a = std::bit_cast<double>(random());
    const auto b = std::bit_cast<double>(random());
    if (std::isnan(a) || std::isnan(b)) continue;
    EXPECT_EQ(a < b, key_of(Value::of_f64(a)) < key_of(Value::of_f64(b)));
    const auto m = static_cast<std::int64_t>(random());
    const auto n = static_cast<std::int64_t>(random());
    EXPECT_EQ(m < n, key_of(Value::of_i64(m)) < key_of(Value::of_i64(n)));
  }
}

TEST(Keys, OfAnotherShapeAreCorrupt) {
  const auto corrupt = [](FieldType type, std::string_view key) {
    const auto decoded = decode_single_key(type, as_bytes(key));
    return !decoded && decoded.error().code() == ErrorCode::kCorrupt;
  };
  EXPECT_TRUE(corrupt(FieldType::kText, ""));
  EXPECT_TRUE(corrupt(FieldType::kText, "\1abc"));
  EXPECT_TRUE(corrupt(FieldType::kText, "\2\xff"));
  EXPECT_TRUE(corrupt(FieldType::kI64, "\2abc"));
  EXPECT_TRUE(corrupt(FieldType::kI64, "\2abcdefghi"));
  EXPECT_TRUE(corrupt(FieldType::kBool, "\2\2"));
  EXPECT_TRUE(corrupt(FieldType::kF64, "\2\xff\xff\xff\xff\xff\xff\xff\xff"));  // NaN
}

TEST(Keys, AreDescribedInAFewWords) {
  const auto text = FieldType::kText;
  EXPECT_EQ(describe(text, as_bytes(key_of(Value::of_text("gui")))), "'gui'");
  std::string sixty_three(63, 'x');
  EXPECT_EQ(describe(text, as_bytes(key_of(Value::of_text(sixty_three + "\u00e9")))),
            "'" + sixty_three + "...'");
  EXPECT_EQ(describe(FieldType::kI64, as_bytes(key_of(Value::of_i64(-7)))), "-7");
  EXPECT_EQ(describe(FieldType::kBytes, as_bytes("\2\x1f\xa0")), "0x1fa0");
}

ByteVector row_of(const Schema& schema, const Item& item, RecordNumber number) {
  ByteVector row;
  const auto values = item.values();
  encode_row(schema, number, values, row);
  EXPECT_LE(row.size(), row_size_bound(schema, values));
  return row;
}

TEST(Rows, ComeBackAsTheyWere) {
  const Schema schema = test::full_schema();
  Random random(3);
  for (int round = 0; round < 2000; ++round) {
    Item item = test::random_item(random, std::string(random() % 20, 'k'));
    if (round % 100 == 0) item.blob.assign(70'000, 'z');  // ends of four bytes
    const RecordNumber number = random() % (kMaxCount + 1);
    const ByteVector row = row_of(schema, item, number);
    const auto view = RowView::parse(schema, row);
    ASSERT_TRUE(view) << view.error().message();
    EXPECT_EQ(view->number(), number);
    std::array<Value, 9> values;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = view->value(i);
    values[test::kPlace].vector = as_bytes(item.place.data(), sizeof(float)).data();
    if (item.extra)
      values[test::kExtra].vector = as_bytes(item.extra->data(), sizeof(float)).data();
    EXPECT_EQ(Item::from(values), item);
  }
}

TEST(Rows, DamagedOnesAreAnErrorOrSafeToRead) {
  const Schema schema = test::full_schema();
  Random random(4);
  std::uint64_t sum = 0;
  for (int round = 0; round < 30000; ++round) {
    const ByteVector sound = row_of(schema, test::random_item(random, "key"), 7);
    // Of their own size, so that a sanitizer sees a read behind them.
    ByteVector bytes(sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(
                                                        random() % 4 == 0 ? random() % sound.size()
                                                                          : sound.size()));
    for (std::uint64_t change = random() % 4; change > 0 && !bytes.empty(); --change)
      bytes[random() % std::min<std::size_t>(bytes.size(), 60)] = static_cast<std::byte>(random());
    const auto view = RowView::parse(schema, bytes);
    if (!view) {
      EXPECT_EQ(view.error().code(), ErrorCode::kCorrupt);
      continue;
    }
    for (std::size_t i = 0; i < schema.size(); ++i) {
      const Value value = view->value(i);
      if (!is_variable(value.type)) continue;
      for (const std::byte byte : value.bytes) sum += static_cast<std::uint64_t>(byte);
    }
  }
  EXPECT_NE(sum, 0u);
}

TEST(Rows, WithNullsThatCantBeAreCorrupt) {
  const Schema schema = test::full_schema();
  Item item;
  item.id = "k";
  ByteVector row = row_of(schema, item, 0);
  ASSERT_TRUE(RowView::parse(schema, row));
  row[3] |= std::byte{1 << test::kPrice};
  EXPECT_FALSE(RowView::parse(schema, row));
  row = row_of(schema, item, 0);
  row[4] |= std::byte{2};  // of a field that does not exist
  EXPECT_FALSE(RowView::parse(schema, row));
  row = row_of(schema, item, 0);
  row[1] = std::byte{2};  // a schema version that does not exist
  EXPECT_FALSE(RowView::parse(schema, row));
}

// The high bits of a keyspace's number were dropped, so that an operation of the log could have
// been carried out on another keyspace than it says; found while its fuzzer was written.
TEST(Operations, WithNumbersAndFlagsThatCantBeAreCorrupt) {
  ByteVector bytes;
  encode_operation(bytes, {.code = OpCode::kErase, .id = UINT32_MAX, .key = as_bytes("k")});
  const auto good = decode_operation(bytes);
  ASSERT_TRUE(good && *good);
  EXPECT_EQ((*good)->operation.id, UINT32_MAX);
  bytes.clear();
  ByteWriter writer(bytes);
  writer.put(static_cast<std::uint8_t>(OpCode::kErase));
  writer.put_varint((std::uint64_t{1} << 32) + 7);
  writer.put_sized(as_bytes("k"));
  EXPECT_EQ(test::code_of(decode_operation(bytes)), ErrorCode::kCorrupt);
  bytes.clear();
  encode_operation(bytes, {.code = OpCode::kEraseRange, .id = 7});
  ASSERT_TRUE(decode_operation(bytes));
  bytes[2] = std::byte{4};  // neither low nor high
  EXPECT_EQ(test::code_of(decode_operation(bytes)), ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace quire
