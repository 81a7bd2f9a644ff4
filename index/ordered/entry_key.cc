#include "index/ordered/entry_key.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace quire {
namespace {

constexpr unsigned char kNullTag = 1;
constexpr unsigned char kValueTag = 2;
constexpr unsigned char kNumberTag = 3;
constexpr unsigned char kTextTag = 4;
constexpr unsigned char kEscape = 0xFF;
constexpr std::size_t kFixedBytes = 8;    // of an i64, timestamp or f64
constexpr std::size_t kNumberBytes = 10;  // of a number of JSON

std::unexpected<Error> no_part() {
  return fail(ErrorCode::kCorrupt, "a key is not one of the index");
}

// A number of JSON as the greatest f64 that is not above it, and what is missing to it.
struct SplitNumber {
  double floor = 0;
  std::uint16_t rest = 0;
};

SplitNumber split_integer(std::int64_t number) noexcept {
  auto floor = static_cast<double>(number);
  // The greatest integers round up to 2^63, which is none of them.
  if (floor >= 0x1p63 || static_cast<std::int64_t>(floor) > number)
    floor = std::nextafter(floor, -std::numeric_limits<double>::infinity());
  const std::int64_t rest = number - static_cast<std::int64_t>(floor);
  return {floor, static_cast<std::uint16_t>(rest)};
}

Value join_number(const SplitNumber& split) noexcept {
  const bool integral =
      split.floor >= -0x1p63 && split.floor < 0x1p63 && std::trunc(split.floor) == split.floor;
  if (!integral) return Value::of_f64(split.floor);
  const auto number = static_cast<std::uint64_t>(static_cast<std::int64_t>(split.floor));
  return Value::of_i64(static_cast<std::int64_t>(number + split.rest));
}

void append_number(const Value& value, EncodedKey& key) {
  const SplitNumber split =
      value.type == FieldType::kI64 ? split_integer(value.i64) : SplitNumber{value.f64, 0};
  append_component(Value::of_f64(split.floor), false, key);
  key[key.size() - kFixedBytes - 1] = static_cast<char>(kNumberTag);
  key.push_back(static_cast<char>(split.rest >> 8));
  key.push_back(static_cast<char>(split.rest & 0xFF));
}

void append_f64(const Value& value, EncodedKey& key) {
  if (!std::isnan(value.f64)) return append_component(value, false, key);
  key.push_back(static_cast<char>(kValueTag));
  key.append(kFixedBytes, '\0');
}

// Escapes have no letters in them, so what is written is folded where it stands.
void fold_from(std::size_t begin, EncodedKey& key) noexcept {
  for (char& letter : std::span(key).subspan(begin))
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
}

void append_text(const PartForm& form, const Value& value, EncodedKey& key) {
  const std::size_t begin = key.size();
  append_component(value, false, key);
  if (form.collation == Collation::kAsciiNocase) fold_from(begin + 1, key);
  if (form.type == FieldType::kJson) key[begin] = static_cast<char>(kTextTag);
}

void append_ascending(const PartForm& form, const Value& value, EncodedKey& key) {
  switch (value.type) {
    case FieldType::kNull:
      return key.push_back(static_cast<char>(kNullTag));
    case FieldType::kText:
    case FieldType::kBytes:
      return append_text(form, value, key);
    case FieldType::kF64:
      return form.type == FieldType::kJson ? append_number(value, key) : append_f64(value, key);
    case FieldType::kI64:
      if (form.type == FieldType::kJson) return append_number(value, key);
      return append_component(value, false, key);
    default:
      return append_component(value, false, key);
  }
}

// Bytes up to and with the end 00 00; 0 when there is none. `turned`: of a descending part.
std::size_t escaped_size(Bytes bytes, unsigned char turned) noexcept {
  const std::string_view text = as_text(bytes);
  const char zero = static_cast<char>(turned);
  for (std::size_t at = 0;;) {
    at = text.find(zero, at);
    if (at == std::string_view::npos || at + 1 == text.size()) return 0;
    if (text[at + 1] == zero) return at + 2;
    if (static_cast<unsigned char>(text[at + 1]) != (kEscape ^ turned)) return 0;
    at += 2;
  }
}

unsigned char turn_of(const PartForm& form) noexcept { return form.descending ? 0xFF : 0; }

// The type of what a tag announces; kNull for what is none of the form.
FieldType tagged_type(const PartForm& form, unsigned char tag) noexcept {
  if (form.type != FieldType::kJson) return tag == kValueTag ? form.type : FieldType::kNull;
  if (tag == kValueTag) return FieldType::kBool;
  if (tag == kNumberTag) return FieldType::kF64;
  return tag == kTextTag ? FieldType::kText : FieldType::kNull;
}

std::size_t value_size(const PartForm& form, FieldType type, Bytes bytes) noexcept {
  if (type == FieldType::kNull) return 0;
  if (type == FieldType::kText || type == FieldType::kBytes)
    return escaped_size(bytes, turn_of(form));
  return form.type == FieldType::kJson && type == FieldType::kF64 ? kNumberBytes : fixed_size(type);
}

Result<Value> take_number(Bytes part) {
  std::array<std::byte, 1 + kFixedBytes> floor{std::byte{kValueTag}};
  std::ranges::copy(part.subspan(1, kFixedBytes), floor.begin() + 1);
  Bytes rest = floor;
  std::string none;
  QUIRE_TRY(const Value number, take_component(FieldType::kF64, false, rest, none));
  const Value value =
      join_number({number.f64, load_be<std::uint16_t>(part.data() + 1 + kFixedBytes)});
  EncodedKey again;
  append_number(value, again);
  if (!equal_bytes(bytes_of(again), part)) return no_part();
  return value;
}

// `part`: its tag and value, not turned.
Result<Value> take_value(const PartForm& form, FieldType type, Bytes part, std::string& memory) {
  const bool json = form.type == FieldType::kJson;
  if (json && type == FieldType::kF64) return take_number(part);
  if (json && type == FieldType::kText) {
    EncodedKey plain(as_text(part));
    plain[0] = static_cast<char>(kValueTag);
    Bytes rest = bytes_of(plain);
    std::string unescaped;
    QUIRE_TRY(const Value text, take_component(type, false, rest, unescaped));
    memory = text.text();
    return Value::of_text(memory);
  }
  if (type == FieldType::kF64 && load_le<std::uint64_t>(part.data() + 1) == 0)
    return Value::of_f64(std::numeric_limits<double>::quiet_NaN());
  return take_component(type, false, part, memory);
}

EncodedKey turned(Bytes bytes) {
  EncodedKey text(as_text(bytes));
  for (char& byte : text) byte = static_cast<char>(~byte);
  return text;
}

}  // namespace

bool fits_part(const PartForm& form, const Value& value) noexcept {
  if (value.is_null()) return true;
  if (form.type != FieldType::kJson) return value.type == form.type;
  return value.type == FieldType::kBool || value.type == FieldType::kI64 ||
         value.type == FieldType::kText ||
         (value.type == FieldType::kF64 && !std::isnan(value.f64));
}

void append_part(const PartForm& form, const Value& value, EncodedKey& key) {
  const std::size_t begin = key.size();
  append_ascending(form, value, key);
  if (!form.descending) return;
  for (char& byte : std::span(key).subspan(begin)) byte = static_cast<char>(~byte);
}

Result<PartExtent> measure_part(const PartForm& form, Bytes key) {
  if (key.empty()) return no_part();
  const auto tag = static_cast<unsigned char>(static_cast<unsigned char>(key[0]) ^ turn_of(form));
  if (tag == kNullTag) return PartExtent{1, true};
  const std::size_t size = value_size(form, tagged_type(form, tag), key.subspan(1));
  if (size == 0 || size >= key.size()) return no_part();
  return PartExtent{1 + size, false};
}

Result<Value> take_part(const PartForm& form, Bytes& key, std::string& memory) {
  QUIRE_TRY(const PartExtent extent, measure_part(form, key));
  const Bytes part = key.first(extent.size);
  key = key.subspan(extent.size);
  if (extent.null) return Value::null();
  const auto tag = static_cast<unsigned char>(static_cast<unsigned char>(part[0]) ^ turn_of(form));
  const FieldType type = tagged_type(form, tag);
  if (!form.descending) return take_value(form, type, part, memory);
  const EncodedKey plain = turned(part);
  std::string unescaped;
  QUIRE_TRY(Value value, take_value(form, type, bytes_of(plain), unescaped));
  if (!is_variable(value.type)) return value;
  memory = value.text();
  value.bytes = as_bytes(std::string_view(memory));
  return value;
}

std::size_t part_size_bound(const PartForm& form) noexcept {
  const std::uint32_t size = fixed_size(form.type);
  return size == 0 ? 0 : 1 + size;
}

char null_tag(const PartForm& form) noexcept { return static_cast<char>(kNullTag ^ turn_of(form)); }

std::optional<EncodedKey> behind_prefix(Bytes prefix) {
  EncodedKey key(as_text(prefix));
  while (!key.empty() && static_cast<unsigned char>(key.back()) == 0xFF) key.pop_back();
  if (key.empty()) return std::nullopt;
  key.back() = static_cast<char>(key.back() + 1);
  return key;
}

}  // namespace quire
