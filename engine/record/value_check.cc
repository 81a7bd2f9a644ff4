#include "engine/record/value_check.h"

#include <cmath>
#include <string>

#include "engine/record/array_value.h"
#include "engine/record/json_value.h"
#include "engine/record/row_codec.h"

namespace quire {
namespace {

// The bits that are all ones in NaN and infinity, and only there; and those that then tell them
// apart.
template <class Element>
struct FloatBits;
template <>
struct FloatBits<std::uint32_t> {
  static constexpr std::uint32_t kExponent = 0x7F800000;
  static constexpr std::uint32_t kMantissa = 0x007FFFFF;
};
template <>
struct FloatBits<std::uint16_t> {
  static constexpr std::uint16_t kExponent = 0x7C00;
  static constexpr std::uint16_t kMantissa = 0x03FF;
};

template <class Element>
bool not_finite(const std::byte* vector, std::size_t i) noexcept {
  constexpr Element kExponent = FloatBits<Element>::kExponent;
  return (load_le<Element>(vector + i * sizeof(Element)) & kExponent) == kExponent;
}

// Most vectors have none: the first loop has no exit, so that it runs on whole registers.
template <class Element>
std::optional<std::string> wrong_float(const std::byte* vector, std::size_t dimension) {
  unsigned any = 0;
  for (std::size_t i = 0; i < dimension; ++i) any |= not_finite<Element>(vector, i) ? 1U : 0U;
  if (any == 0) [[likely]]
    return std::nullopt;
  std::size_t first = 0;
  while (!not_finite<Element>(vector, first)) ++first;
  const auto bits = load_le<Element>(vector + first * sizeof(Element));
  const bool nan = (bits & FloatBits<Element>::kMantissa) != 0;
  return "element " + std::to_string(first) + (nan ? " is NaN" : " is infinite");
}

std::optional<std::string> wrong_bits(const std::byte* vector, std::uint32_t dimension) {
  if (dimension % 8 == 0) return std::nullopt;
  const auto last = static_cast<unsigned>(vector[dimension / 8]);
  if (last >> (dimension % 8) == 0) return std::nullopt;
  return "there are bits behind its last one";
}

Status check_vector(const Collection& collection, std::size_t index, const Value& value) {
  const Field& field = collection.schema().field(index);
  if (value.dimension != field.dimension)
    return collection.field_failure(ErrorCode::kSchema, index,
                                    "a vector of dimension " + std::to_string(value.dimension) +
                                        ", must have " + std::to_string(field.dimension));
  if (value.vector == nullptr)
    return collection.field_failure(ErrorCode::kInvalid, index, "a vector without elements");
  const auto wrong = wrong_element(field, value.vector);
  if (!wrong) return {};
  return collection.field_failure(ErrorCode::kSchema, index, "the vector's " + *wrong);
}

Status check_bytes(const Collection& collection, std::size_t index, const Value& value) {
  const FieldType type = value.type;
  if (value.bytes.data() == nullptr && !value.bytes.empty())
    return collection.field_failure(ErrorCode::kInvalid, index, "has a size but no bytes");
  if (type == FieldType::kText && !is_utf8(value.text()))
    return collection.field_failure(ErrorCode::kSchema, index, "is not valid UTF-8");
  if (is_array(type)) {
    if (const Status sound = check_array(type, value.bytes); !sound)
      return collection.field_failure(ErrorCode::kSchema, index, sound.error().message());
  }
  if (type == FieldType::kJson) {
    if (const Status sound = check_json(value.text()); !sound)
      return collection.field_failure(ErrorCode::kSchema, index, sound.error().message());
  }
  return {};
}

}  // namespace

std::optional<std::string> wrong_element(const Field& field, const std::byte* vector) {
  switch (field.type) {
    case FieldType::kVectorF32:
      return wrong_float<std::uint32_t>(vector, field.dimension);
    case FieldType::kVectorF16:
      return wrong_float<std::uint16_t>(vector, field.dimension);
    case FieldType::kVectorBits:
      return wrong_bits(vector, field.dimension);
    default:
      return std::nullopt;
  }
}

Status check_value(const Collection& collection, std::size_t index, const Value& value) {
  QUIRE_CHECK(check_type(collection, index, value));
  if (value.is_null()) return {};
  if (const auto broken = broken_rule(collection.schema().field(index), value))
    return collection.field_failure(ErrorCode::kSchema, index, *broken);
  return {};
}

Status check_type(const Collection& collection, std::size_t index, const Value& value) {
  const Field& field = collection.schema().field(index);
  if (value.is_null()) {
    if (field.nullable) return {};
    return collection.field_failure(ErrorCode::kSchema, index, "is null, and may not be");
  }
  if (value.type != field.type)
    return collection.field_failure(ErrorCode::kType, index,
                                    "is " + std::string(type_name(value.type)) + ", must be " +
                                        std::string(type_name(field.type)));
  if (is_vector(field.type)) return check_vector(collection, index, value);
  if (is_variable(field.type)) QUIRE_CHECK(check_bytes(collection, index, value));
  if (field.type == FieldType::kF64 && std::isnan(value.f64) && collection.schema().is_key(index))
    return collection.field_failure(ErrorCode::kSchema, index, "the key is NaN");
  return {};
}

Status check_values(const Collection& collection, std::span<const Value> values) {
  const Schema& schema = collection.schema();
  if (values.size() != schema.size())
    return collection.failure(ErrorCode::kSchema, "a record of " + std::to_string(values.size()) +
                                                      " values, must have " +
                                                      std::to_string(schema.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    // Most are of their type, have one size and no rules.
    const FieldType type = schema.field(i).type;
    const bool plain = values[i].type == type && fixed_size(type) != 0 &&
                       !(type == FieldType::kF64 && std::isnan(values[i].f64));
    if (plain && !broken_rule(schema.field(i), values[i])) continue;
    QUIRE_CHECK(check_value(collection, i, values[i]));
  }
  if (row_size_bound(schema, values) > kMaxValueSize)
    return collection.failure(ErrorCode::kValueSize, "a record without its vectors has at most " +
                                                         std::to_string(kMaxValueSize) + " bytes");
  return {};
}

Status check_key_count(const Collection& collection, std::size_t count) {
  const std::size_t fields = collection.schema().key().size();
  if (count == fields) return {};
  return collection.failure(
      ErrorCode::kInvalid,
      "a key of " + std::to_string(count) + " values, must have " + std::to_string(fields));
}

Status check_key_prefix_count(const Collection& collection, std::size_t count) {
  const std::size_t fields = collection.schema().key().size();
  if (count <= fields) return {};
  return collection.failure(ErrorCode::kInvalid, "a bound of " + std::to_string(count) +
                                                     " key values, may have at most " +
                                                     std::to_string(fields));
}

Status make_key_prefix(const Collection& collection, std::span<const Value> values,
                       EncodedKey& key) {
  QUIRE_CHECK(check_key_prefix_count(collection, values.size()));
  const std::span<const std::uint32_t> fields = collection.schema().key();
  for (std::size_t i = 0; i < values.size(); ++i)
    QUIRE_CHECK(check_type(collection, fields[i], values[i]));
  encode_key(collection.schema(), values, key);
  return {};
}

Status make_key(const Collection& collection, KeyValues given, std::size_t limit, EncodedKey& key) {
  const std::span<const std::uint32_t> fields = collection.schema().key();
  const std::span<const Value> values = given.values();
  QUIRE_CHECK(check_key_count(collection, values.size()));
  QUIRE_CHECK(make_key_prefix(collection, values, key));
  if (key.size() > limit)
    return collection.field_failure(ErrorCode::kKeySize, fields.back(),
                                    "a key of " + std::to_string(key.size() - 1) +
                                        " bytes, may have " + std::to_string(limit - 1));
  return {};
}

}  // namespace quire
