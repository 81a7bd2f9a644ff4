#include "engine/record/key_codec.h"

#include <bit>
#include <cmath>

#include <boost/container/small_vector.hpp>

#include "engine/txn/catalog.h"

namespace quire {
namespace {

constexpr char kValueTag = 2;
constexpr char kEscape = '\xFF';
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

void put_escaped(EncodedKey& key, std::string_view text) {
  for (;;) {
    const std::size_t zero = text.find('\0');
    key += text.substr(0, zero);
    if (zero == std::string_view::npos) break;
    key.push_back('\0');
    key.push_back(kEscape);
    text.remove_prefix(zero + 1);
  }
  key.append(2, '\0');
}

std::unexpected<Error> no_key() {
  return fail(ErrorCode::kCorrupt, "a key is not one of the collection");
}

Result<Value> decode_f64(std::uint64_t bits) {
  const double number = from_ordered_bits(bits);
  if (std::isnan(number) || ordered_bits(number) != bits) return no_key();
  return Value::of_f64(number);
}

Result<Value> take_fixed(FieldType type, Bytes& key) {
  const std::uint32_t size = fixed_size(type);
  if (key.size() < size) return no_key();
  const Bytes bytes = key.first(size);
  key = key.subspan(size);
  if (type == FieldType::kBool) {
    if (static_cast<unsigned>(bytes[0]) > 1) return no_key();
    return Value::of_bool(bytes[0] != std::byte{0});
  }
  const auto bits = load_be<std::uint64_t>(bytes.data());
  if (type == FieldType::kF64) return decode_f64(bits);
  Value value = Value::of_i64(static_cast<std::int64_t>(bits ^ kSignBit));
  value.type = type;
  return value;
}

// The bytes up to the end 00 00, without their escapes.
Result<Bytes> take_escaped(Bytes& key, std::string& memory) {
  const std::string_view rest = as_text(key);
  std::size_t from = 0;
  bool borrowed = true;
  for (;;) {
    const std::size_t zero = rest.find('\0', from);
    if (zero == std::string_view::npos || zero + 1 == rest.size()) return no_key();
    const bool end = rest[zero + 1] == '\0';
    if (!end && rest[zero + 1] != kEscape) return no_key();
    if (end && borrowed) {
      key = key.subspan(zero + 2);
      return as_bytes(rest.substr(0, zero));
    }
    if (borrowed) memory.clear();
    borrowed = false;
    memory += rest.substr(from, zero + (end ? 0 : 1) - from);
    from = zero + 2;
    if (!end) continue;
    key = key.subspan(from);
    return as_bytes(std::string_view(memory));
  }
}

}  // namespace

void append_component(const Value& value, bool last, EncodedKey& key) {
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
      if (last) {
        key += value.text();
      } else {
        put_escaped(key, value.text());
      }
      return;
    default:
      return;
  }
}

Result<Value> take_component(FieldType type, bool last, Bytes& key, std::string& memory) {
  if (key.empty() || key[0] != std::byte{kValueTag}) return no_key();
  key = key.subspan(1);
  if (fixed_size(type) != 0) return take_fixed(type, key);
  if (type != FieldType::kText && type != FieldType::kBytes) return no_key();
  Bytes bytes = key;
  if (last) {
    key = {};
  } else {
    QUIRE_TRY(bytes, take_escaped(key, memory));
  }
  if (type == FieldType::kText && !is_utf8(as_text(bytes))) return no_key();
  return Value::of_array(type, bytes);
}

void encode_key(const Schema& schema, KeyValues values, EncodedKey& key) {
  key.clear();
  const std::size_t size = schema.key().size();
  for (std::size_t i = 0; i < values.values().size(); ++i)
    append_component(values.values()[i], i + 1 == size, key);
}

void encode_key_of(const Schema& schema, std::span<const Value> values, EncodedKey& key) {
  key.clear();
  for (const std::uint32_t field : schema.key())
    append_component(values[field], field == schema.key().back(), key);
}

void encode_key_of(const RowView& row, EncodedKey& key) {
  key.clear();
  const std::span<const std::uint32_t> fields = row.schema().key();
  for (const std::uint32_t field : fields)
    append_component(row.value(field), field == fields.back(), key);
}

Result<std::vector<OwnedValue>> decode_key(const Schema& schema, Bytes key) {
  std::vector<OwnedValue> values;
  std::string memory;
  for (const std::uint32_t field : schema.key()) {
    QUIRE_TRY(const Value value,
              take_component(schema.field(field).type, field == schema.key().back(), key, memory));
    values.emplace_back(value);
  }
  if (!key.empty()) return no_key();
  return values;
}

Result<Value> decode_single_key(FieldType type, Bytes key) {
  std::string none;
  QUIRE_TRY(const Value value, take_component(type, true, key, none));
  if (!key.empty()) return no_key();
  return value;
}

std::string describe_key(const Schema& schema, Bytes key) {
  const auto values = decode_key(schema, key);
  if (!values) return "(damaged)";
  if (values->size() == 1) return describe_value(values->front().view());
  std::string text = "(";
  for (const OwnedValue& value : *values) {
    if (text.size() > 1) text += ", ";
    text += describe_value(value.view());
  }
  return text + ")";
}

}  // namespace quire
