#include "engine/record/value_check.h"

#include <cmath>

#include "engine/record/row_codec.h"

namespace quire {
namespace {

constexpr std::uint32_t kExponent = 0x7F800000;  // all ones in NaN and infinity, and only there

bool not_finite(const std::byte* element) noexcept {
  return (load_le<std::uint32_t>(element) & kExponent) == kExponent;
}

Status check_vector(const Collection& collection, std::size_t field, const Value& value) {
  const std::uint32_t dimension = collection.schema().field(field).dimension;
  if (value.dimension != dimension)
    return collection.field_failure(ErrorCode::kSchema, field,
                                    "a vector of dimension " + std::to_string(value.dimension) +
                                        ", must have " + std::to_string(dimension));
  if (value.vector == nullptr)
    return collection.field_failure(ErrorCode::kInvalid, field, "a vector without elements");
  const std::size_t bad = first_not_finite(value.vector_bytes().data(), dimension);
  if (bad == dimension) return {};
  const std::string what = std::isnan(value.vector[bad]) ? "NaN" : "infinite";
  return collection.field_failure(ErrorCode::kSchema, field,
                                  "element " + std::to_string(bad) + " of the vector is " + what);
}

}  // namespace

// Most vectors have none: the first loop has no exit, so that it runs on whole registers.
std::size_t first_not_finite(const std::byte* vector, std::size_t dimension) noexcept {
  unsigned any = 0;
  for (std::size_t i = 0; i < dimension; ++i) any |= not_finite(vector + 4 * i) ? 1U : 0U;
  if (any == 0) [[likely]]
    return dimension;
  std::size_t first = 0;
  while (!not_finite(vector + 4 * first)) ++first;
  return first;
}

Status check_value(const Collection& collection, std::size_t index, const Value& value) {
  const Field& field = collection.schema().field(index);
  if (value.is_null()) {
    if (field.nullable) return {};
    return collection.field_failure(ErrorCode::kSchema, index, "is null, and may not be");
  }
  if (value.type != field.type)
    return collection.field_failure(ErrorCode::kType, index,
                                    "is " + std::string(type_name(value.type)) + ", must be " +
                                        std::string(type_name(field.type)));
  if (is_variable(field.type) && value.bytes.data() == nullptr && !value.bytes.empty())
    return collection.field_failure(ErrorCode::kInvalid, index, "has a size but no bytes");
  if (field.type == FieldType::kText && !is_utf8(as_text(value.bytes)))
    return collection.field_failure(ErrorCode::kSchema, index, "is not valid UTF-8");
  if (field.type == FieldType::kVectorF32) return check_vector(collection, index, value);
  if (index == collection.schema().key() && field.type == FieldType::kF64 && std::isnan(value.f64))
    return collection.field_failure(ErrorCode::kSchema, index, "the key is NaN");
  return {};
}

Status check_values(const Collection& collection, std::span<const Value> values) {
  const Schema& schema = collection.schema();
  if (values.size() != schema.size())
    return collection.failure(ErrorCode::kSchema, "a record of " + std::to_string(values.size()) +
                                                      " values, must have " +
                                                      std::to_string(schema.size()));
  for (std::size_t i = 0; i < values.size(); ++i)
    QUIRE_CHECK(check_value(collection, i, values[i]));
  if (row_size_bound(schema, values) > kMaxValueSize)
    return collection.failure(ErrorCode::kValueSize, "a record without its vectors has at most " +
                                                         std::to_string(kMaxValueSize) + " bytes");
  return {};
}

Status make_key(const Collection& collection, const Value& value, std::size_t limit,
                EncodedKey& key) {
  const std::size_t field = collection.schema().key();
  QUIRE_CHECK(check_value(collection, field, value));
  encode_key(value, key);
  if (key.size() > limit)
    return collection.field_failure(ErrorCode::kKeySize, field,
                                    "a key of " + std::to_string(key.size() - 1) +
                                        " bytes, may have " + std::to_string(limit - 1));
  return {};
}

}  // namespace quire
