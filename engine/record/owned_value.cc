#include "engine/record/owned_value.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <compare>

#include "engine/record/array_value.h"

namespace quire {
namespace {

constexpr std::size_t kShown = 64;  // bytes of a text in a message
constexpr std::size_t kShownElements = 8;

// Not in the middle of a character.
std::string_view first_characters(std::string_view text, std::size_t limit) noexcept {
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string describe_text(std::string_view text) {
  const bool cut = text.size() > kShown;
  std::string quoted = "'";
  quoted += cut ? first_characters(text, kShown) : text;
  quoted += cut ? "...'" : "'";
  return quoted;
}

std::string describe_bytes(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex = "0x";
  for (const std::byte byte : bytes.first(std::min(bytes.size(), kShown / 2))) {
    hex += kDigits[static_cast<unsigned>(byte) >> 4];
    hex += kDigits[static_cast<unsigned>(byte) & 15];
  }
  return bytes.size() > kShown / 2 ? hex + "..." : hex;
}

std::string describe_f64(double number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

std::string describe_array(const Value& array) {
  ArrayReader reader(array);
  std::string text = "[";
  Value element;
  for (std::size_t i = 0; reader.next(element); ++i) {
    if (i != 0) text += ", ";
    if (i == kShownElements) return text + "...]";
    text += describe_value(element);
  }
  return text + "]";
}

int compare_numbers(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b)) return int{std::isnan(b)} - int{std::isnan(a)};
  return int{a > b} - int{a < b};
}

}  // namespace

OwnedValue::OwnedValue(const Value& value) { assign(value); }

void OwnedValue::assign(const Value& value) {
  if (is_variable(value.type)) bytes_ = value.text();
  fixed_ = value;
  if (is_variable(value.type)) fixed_.bytes = {};
}

Value OwnedValue::view() const noexcept {
  Value value = fixed_;
  if (is_variable(value.type)) value.bytes = as_bytes(std::string_view(bytes_));
  return value;
}

bool OwnedValue::operator==(const OwnedValue& other) const noexcept {
  if (type() != other.type()) return false;
  if (is_null()) return true;
  if (is_variable(type())) return bytes_ == other.bytes_;
  return compare_scalars(fixed_, other.fixed_) == 0;
}

void OwnedValue::encode(ByteWriter& writer) const {
  writer.put(static_cast<std::uint8_t>(type()));
  switch (type()) {
    case FieldType::kNull:
      return;
    case FieldType::kBool:
      return writer.put(static_cast<std::uint8_t>(fixed_.boolean ? 1 : 0));
    case FieldType::kF64:
      return writer.put(std::bit_cast<std::uint64_t>(fixed_.f64));
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return writer.put(fixed_.i64);
    default:
      return writer.put_sized(as_bytes(std::string_view(bytes_)));
  }
}

Result<OwnedValue> OwnedValue::decode(ByteReader& reader) {
  const auto type = static_cast<FieldType>(reader.get<std::uint8_t>());
  switch (type) {
    case FieldType::kNull:
      return OwnedValue();
    case FieldType::kBool:
      return OwnedValue(Value::of_bool(reader.get<std::uint8_t>() != 0));
    case FieldType::kF64:
      return OwnedValue(Value::of_f64(std::bit_cast<double>(reader.get<std::uint64_t>())));
    case FieldType::kI64:
      return OwnedValue(Value::of_i64(reader.get<std::int64_t>()));
    case FieldType::kTimestamp:
      return OwnedValue(Value::of_timestamp(reader.get<std::int64_t>()));
    default:
      if (!is_variable(type)) return fail(ErrorCode::kCorrupt, "a value has no type of a value");
      return OwnedValue(Value::of_array(type, reader.get_sized()));
  }
}

std::string describe_value(const Value& value) {
  switch (value.type) {
    case FieldType::kNull:
      return "null";
    case FieldType::kBool:
      return value.boolean ? "true" : "false";
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return std::to_string(value.i64);
    case FieldType::kF64:
      return describe_f64(value.f64);
    case FieldType::kText:
    case FieldType::kJson:
      return describe_text(value.text());
    case FieldType::kBytes:
      return describe_bytes(value.bytes);
    default:
      return is_array(value.type) ? describe_array(value) : std::string(type_name(value.type));
  }
}

int compare_scalars(const Value& a, const Value& b) noexcept {
  switch (a.type) {
    case FieldType::kBool:
      return int{a.boolean} - int{b.boolean};
    case FieldType::kF64:
      return compare_numbers(a.f64, b.f64);
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return int{a.i64 > b.i64} - int{a.i64 < b.i64};
    default:
      return compare_bytes(a.bytes, b.bytes);
  }
}

}  // namespace quire
