#include "engine/record/key_codec.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/txn/catalog.h"

namespace quire {
namespace {

constexpr char kValueTag = 2;
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

void put_u64(EncodedKey& key, std::uint64_t bits) {
  std::byte bytes[8];
  store_be(bytes, bits);
  key += as_text(bytes);
}

std::uint64_t ordered_bits(double number) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
  return (bits & kSignBit) != 0 ? ~bits : bits ^ kSignBit;
}

double from_ordered_bits(std::uint64_t bits) noexcept {
  return std::bit_cast<double>((bits & kSignBit) != 0 ? bits ^ kSignBit : ~bits);
}

std::unexpected<Error> no_key(const Field& field) {
  return fail(ErrorCode::kCorrupt, "a key is not one of the field '%s'", field.name.c_str());
}

Result<Value> decode_f64(const Field& field, std::uint64_t bits) {
  const double number = from_ordered_bits(bits);
  if (std::isnan(number) || ordered_bits(number) != bits) return no_key(field);
  return Value::of_f64(number);
}

}  // namespace

void encode_key(const Value& value, EncodedKey& key) {
  key.clear();
  key.push_back(kValueTag);
  switch (value.type) {
    case FieldType::kBool:
      key.push_back(value.boolean ? 1 : 0);
      return;
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return put_u64(key, static_cast<std::uint64_t>(value.i64) ^ kSignBit);
    case FieldType::kF64:
      return put_u64(key, ordered_bits(value.f64));
    case FieldType::kText:
    case FieldType::kBytes:
      key += as_text(value.bytes);
      return;
    case FieldType::kNull:
    case FieldType::kVectorF32:
      return;
  }
}

Result<Value> decode_key(const Field& field, Bytes key) {
  if (key.empty() || key[0] != std::byte{kValueTag}) return no_key(field);
  const Bytes rest = key.subspan(1);
  const std::uint32_t size = fixed_size(field.type);
  if (size != 0 && rest.size() != size) return no_key(field);
  switch (field.type) {
    case FieldType::kBool:
      if (static_cast<unsigned>(rest[0]) > 1) return no_key(field);
      return Value::of_bool(rest[0] != std::byte{0});
    case FieldType::kI64:
      return Value::of_i64(
          static_cast<std::int64_t>(load_be<std::uint64_t>(rest.data()) ^ kSignBit));
    case FieldType::kTimestamp:
      return Value::of_timestamp(
          static_cast<std::int64_t>(load_be<std::uint64_t>(rest.data()) ^ kSignBit));
    case FieldType::kF64:
      return decode_f64(field, load_be<std::uint64_t>(rest.data()));
    case FieldType::kText:
      if (!is_utf8(as_text(rest))) return no_key(field);
      return Value::of_text(as_text(rest));
    case FieldType::kBytes:
      return Value::of_bytes(rest);
    case FieldType::kNull:
    case FieldType::kVectorF32:
      break;
  }
  return no_key(field);
}

std::string describe_key(const Field& field, Bytes key) {
  constexpr std::size_t kShown = 64;
  const auto value = decode_key(field, key);
  if (!value) return "(damaged)";
  switch (value->type) {
    case FieldType::kBool:
      return value->boolean ? "true" : "false";
    case FieldType::kI64:
    case FieldType::kTimestamp:
      return std::to_string(value->i64);
    case FieldType::kF64:
      return std::to_string(value->f64);
    case FieldType::kText: {
      const std::string_view text = as_text(value->bytes);
      const bool cut = text.size() > kShown;
      // Not in the middle of a character.
      std::size_t end = cut ? kShown : text.size();
      while (cut && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
      std::string quoted = "'";
      quoted += text.substr(0, end);
      quoted += cut ? "...'" : "'";
      return quoted;
    }
    default: {
      std::string hex = "0x";
      for (const std::byte byte : value->bytes.first(std::min(value->bytes.size(), kShown / 2))) {
        hex += "0123456789abcdef"[static_cast<unsigned>(byte) >> 4];
        hex += "0123456789abcdef"[static_cast<unsigned>(byte) & 15];
      }
      return value->bytes.size() > kShown / 2 ? hex + "..." : hex;
    }
  }
}

}  // namespace quire
