// Parts of keys: their bytes are in the order of the values, and give the values back.
#include <cmath>
#include <limits>

#include "tests/ordered/ordered_world.h"
#include "tests/ordered/part_order.h"

namespace quire {
namespace {

using namespace test;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

// Values of one part that keep their memory.
using Owned = std::vector<OwnedValue>;

Owned edge_integers() {
  Owned values;
  for (const int power : {0, 1, 7, 8, 31, 32, 52, 53, 54, 61, 62, 63}) {
    for (const std::int64_t near : {-2, -1, 0, 1, 2}) {
      const auto bits = power == 63 ? std::uint64_t{1} << 63 : std::uint64_t{1} << power;
      values.emplace_back(Value::of_i64(static_cast<std::int64_t>(bits + near)));
      values.emplace_back(Value::of_i64(static_cast<std::int64_t>(near - bits)));
    }
  }
  return values;
}

Owned edge_floats(bool with_nan) {
  Owned values;
  for (const double number :
       {0.0, -0.0, 0.1, 1.0, 1.5, 5e-324, 2.2250738585072014e-308, 1e300, 0x1p53, 0x1p62, 0x1p63,
        0x1p64, 9007199254740993.0, std::numeric_limits<double>::max(), kInfinity}) {
    values.emplace_back(Value::of_f64(number));
    values.emplace_back(Value::of_f64(-number));
    values.emplace_back(Value::of_f64(std::nextafter(number, 0.0)));
  }
  if (with_nan) values.emplace_back(Value::of_f64(kNan));
  return values;
}

Owned edge_texts(FieldType type) {
  Owned values;
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv,     "\0"sv,  "\0\0"sv,     "\0\1"sv,     "\1"sv,
        "a"sv,    "A"sv,   "aB"sv,       "Ab"sv,       "ab"sv,
        "a\0b"sv, "a\0"sv, "Z"sv,        "["sv,        "`"sv,
        "z"sv,    "{"sv,   "\xC3\xA4"sv, "\xC3\x84"sv, "\xF4\x8F\xBF\xBF"sv})
    values.emplace_back(Value::of_array(type, as_bytes(text)));
  if (type == FieldType::kBytes) {
    for (const std::string_view text : {"\xFF"sv, "\0\xFF"sv, "\xFF\xFF\0"sv, "a\xFF"sv})
      values.emplace_back(Value::of_array(type, as_bytes(text)));
  }
  return values;
}

void add(Owned& to, const Owned& values) { to.insert(to.end(), values.begin(), values.end()); }

// Edges, null and some at random.
Owned values_for(const PartForm& form, Random& random) {
  Owned values(1);
  const bool json = form.type == FieldType::kJson;
  if (json || form.type == FieldType::kBool) {
    values.emplace_back(Value::of_bool(false));
    values.emplace_back(Value::of_bool(true));
  }
  if (json || form.type == FieldType::kI64) add(values, edge_integers());
  if (json || form.type == FieldType::kF64) add(values, edge_floats(!json));
  if (json || form.type == FieldType::kText) add(values, edge_texts(FieldType::kText));
  if (form.type == FieldType::kBytes) add(values, edge_texts(FieldType::kBytes));
  for (int i = 0; i < 60; ++i) {
    const auto bits = random() >> random() % 64;
    if (json || form.type == FieldType::kI64)
      values.emplace_back(Value::of_i64(static_cast<std::int64_t>(bits)));
    if (form.type == FieldType::kTimestamp)
      values.emplace_back(Value::of_timestamp(static_cast<std::int64_t>(random())));
    const auto number = std::bit_cast<double>(random());
    if (form.type == FieldType::kF64 || (json && !std::isnan(number)))
      values.emplace_back(Value::of_f64(number));
    if (json) values.emplace_back(Value::of_f64(static_cast<double>(bits)));
    if (json || form.type == FieldType::kText) {
      const std::string text(random() % 12, static_cast<char>(random() % 128));
      values.emplace_back(Value::of_text(text));
    }
  }
  return values;
}

EncodedKey encoded(const PartForm& form, const Value& value) {
  EncodedKey key;
  append_part(form, value, key);
  return key;
}

std::vector<PartForm> all_forms() {
  std::vector<PartForm> forms;
  for (const FieldType type : {FieldType::kBool, FieldType::kI64, FieldType::kF64, FieldType::kText,
                               FieldType::kBytes, FieldType::kTimestamp, FieldType::kJson}) {
    for (const bool descending : {false, true}) {
      forms.push_back({type, descending, Collation::kBytes});
      if (has_collation(type)) forms.push_back({type, descending, Collation::kAsciiNocase});
    }
  }
  return forms;
}

std::string name_of(const PartForm& form) {
  return std::string(type_name(form.type)) + (form.descending ? " desc" : "") +
         (form.collation == Collation::kBytes ? "" : " nocase");
}

TEST(EntryKey, bytes_are_in_the_order_of_the_values) {
  Random random(1);
  for (const PartForm& form : all_forms()) {
    SCOPED_TRACE(name_of(form));
    const Owned values = values_for(form, random);
    for (const OwnedValue& a : values) {
      for (const OwnedValue& b : values) {
        ASSERT_EQ(sign(compare_bytes(bytes_of(encoded(form, a.view())),
                                     bytes_of(encoded(form, b.view())))),
                  compare_values(form, a.view(), b.view()))
            << describe_value(a.view()) << " and " << describe_value(b.view());
      }
    }
  }
}

TEST(EntryKey, parts_give_their_values_back) {
  Random random(2);
  for (const PartForm& form : all_forms()) {
    SCOPED_TRACE(name_of(form));
    for (const OwnedValue& value : values_for(form, random)) {
      EncodedKey key = encoded(form, value.view());
      EXPECT_EQ(must(measure_part(form, bytes_of(key))).size, key.size());
      const std::size_t size = key.size();
      key += "rest";
      EXPECT_EQ(must(measure_part(form, bytes_of(key))).size, size);
      EXPECT_EQ(must(measure_part(form, bytes_of(key))).null, value.is_null());
      Bytes rest = bytes_of(key);
      std::string memory;
      const Value back = must(take_part(form, rest, memory));
      EXPECT_EQ(as_text(rest), "rest");
      ASSERT_EQ(compare_values(form, back, value.view()), 0)
          << describe_value(value.view()) << " came back as " << describe_value(back);
      if (form.type == FieldType::kJson || value.is_null()) continue;
      EXPECT_EQ(back.type, form.type);
    }
  }
}

TEST(EntryKey, keys_of_several_parts_are_in_order) {
  Random random(3);
  const std::vector<PartForm> forms = all_forms();
  for (int round = 0; round < 3000; ++round) {
    const std::size_t count = 1 + random() % 3;
    std::vector<PartForm> parts(count);
    for (PartForm& part : parts) part = forms[random() % forms.size()];
    EncodedKey a;
    EncodedKey b;
    int order = 0;
    for (const PartForm& part : parts) {
      const Owned values = values_for(part, random);
      const std::size_t place = random() % values.size();
      const OwnedValue& one = values[place];
      const OwnedValue& other = values[random() % 2 == 0 ? place : random() % values.size()];
      append_part(part, one.view(), a);
      append_part(part, other.view(), b);
      if (order == 0) order = compare_values(part, one.view(), other.view());
    }
    ASSERT_EQ(sign(compare_bytes(bytes_of(a), bytes_of(b))), order);
  }
}

TEST(EntryKey, integers_and_floats_of_one_value_are_one_key_in_json) {
  const PartForm json{.type = FieldType::kJson};
  EXPECT_EQ(encoded(json, Value::of_i64(1)), encoded(json, Value::of_f64(1.0)));
  EXPECT_EQ(encoded(json, Value::of_i64(0)), encoded(json, Value::of_f64(-0.0)));
  // f64 does not have this one; the next ones it has are 2^53 and 2^53 + 2.
  const std::int64_t odd = (std::int64_t{1} << 53) + 1;
  EXPECT_GT(encoded(json, Value::of_i64(odd)), encoded(json, Value::of_f64(0x1p53)));
  EXPECT_LT(encoded(json, Value::of_i64(odd)), encoded(json, Value::of_f64(0x1p53 + 2)));
}

TEST(EntryKey, damaged_parts_are_said_to_be) {
  Random random(4);
  for (const PartForm& form : all_forms()) {
    SCOPED_TRACE(name_of(form));
    std::string memory;
    for (const OwnedValue& value : values_for(form, random)) {
      const EncodedKey whole = encoded(form, value.view());
      for (std::size_t size = 0; size < whole.size(); ++size) {
        Bytes cut = bytes_of(whole).first(size);
        EXPECT_EQ(code_of(take_part(form, cut, memory)), ErrorCode::kCorrupt);
      }
      // Whatever a byte becomes: a part, which is written in one way, or an error.
      EncodedKey other = whole;
      other[random() % other.size()] = static_cast<char>(random());
      Bytes rest = bytes_of(other);
      const auto taken = take_part(form, rest, memory);
      if (!taken) continue;
      const std::size_t size = other.size() - rest.size();
      if (form.collation != Collation::kBytes) continue;
      EXPECT_TRUE(equal_bytes(bytes_of(encoded(form, *taken)), bytes_of(other).first(size)));
    }
  }
}

TEST(EntryKey, behind_a_prefix_is_the_next_that_does_not_begin_with_it) {
  EXPECT_EQ(behind_prefix(as_bytes("ab")), "ac");
  EXPECT_EQ(behind_prefix(as_bytes("a\xFF\xFF")), "b");
  EXPECT_EQ(behind_prefix(as_bytes("\xFF")), std::nullopt);
  EXPECT_EQ(behind_prefix({}), std::nullopt);
}

}  // namespace
}  // namespace quire
