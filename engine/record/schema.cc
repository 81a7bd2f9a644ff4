#include "engine/record/schema.h"

#include <algorithm>

#include "engine/txn/catalog.h"

namespace quire {
namespace {

constexpr std::uint8_t kSchemaFormat = 1;
constexpr std::uint8_t kNullableFlag = 1;

std::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::kCorrupt, "schema: %s", what);
}

}  // namespace

Result<Schema> Schema::make(std::vector<Field> fields, std::size_t key) {
  Schema schema;
  schema.fields_ = std::move(fields);
  schema.key_ = key;
  QUIRE_CHECK(schema.validate());
  schema.lay_out();
  return schema;
}

Status Schema::validate() const {
  if (fields_.empty() || fields_.size() > kMaxFields)
    return fail(ErrorCode::kInvalid, "schema: %zu fields, must be 1 to %zu", fields_.size(),
                kMaxFields);
  if (key_ >= fields_.size())
    return fail(ErrorCode::kInvalid, "schema: there is no key field %zu", key_);
  for (std::size_t i = 0; i < fields_.size(); ++i) QUIRE_CHECK(validate_field(i));
  std::vector<std::string_view> names;
  names.reserve(fields_.size());
  for (const Field& field : fields_) names.push_back(field.name);
  std::ranges::sort(names);
  if (const auto twice = std::ranges::adjacent_find(names); twice != names.end())
    return fail(ErrorCode::kInvalid, "schema: two fields are called '%.*s'",
                static_cast<int>(twice->size()), twice->data());
  return {};
}

Status Schema::validate_field(std::size_t i) const {
  const Field& field = fields_[i];
  QUIRE_CHECK(check_name(field.name, "field"));
  const char* name = field.name.c_str();
  if (!is_known_type(static_cast<std::uint8_t>(field.type)))
    return fail(ErrorCode::kInvalid, "schema: field '%s' has no type of a field (%u)", name,
                static_cast<unsigned>(field.type));
  const bool vector = field.type == FieldType::kVectorF32;
  if (vector && (field.dimension == 0 || field.dimension > kMaxDimension))
    return fail(ErrorCode::kInvalid, "schema: vector field '%s' has dimension %u, must be 1 to %u",
                name, field.dimension, kMaxDimension);
  if (!vector && field.dimension != 0)
    return fail(ErrorCode::kInvalid, "schema: field '%s' has a dimension but is not a vector",
                name);
  if (i != key_) return {};
  if (vector)
    return fail(ErrorCode::kInvalid, "schema: the key field '%s' is a vector, must be a scalar",
                name);
  if (field.nullable)
    return fail(ErrorCode::kInvalid, "schema: the key field '%s' can't be nullable", name);
  return {};
}

void Schema::lay_out() {
  places_.resize(fields_.size());
  required_.assign((fields_.size() + 7) / 8, std::byte{0xFF});
  std::uint32_t fixed = 0;
  std::uint32_t variable = 0;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    if (field.nullable) required_[i / 8] &= static_cast<std::byte>(~(1U << (i % 8)));
    if (field.type == FieldType::kVectorF32) {
      places_[i] = static_cast<std::uint32_t>(vectors_.size());
      vectors_.push_back(static_cast<std::uint32_t>(i));
    } else if (is_variable(field.type)) {
      places_[i] = variable++;
    } else {
      places_[i] = fixed;
      fixed += fixed_size(field.type);
    }
  }
  fixed_bytes_ = fixed;
  variable_count_ = variable;
}

std::size_t Schema::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  return static_cast<std::size_t>(found - fields_.begin());
}

void Schema::encode(ByteVector& out) const {
  ByteWriter writer(out);
  writer.put(kSchemaFormat);
  writer.put_varint(version_);
  writer.put_varint(key_);
  writer.put_varint(fields_.size());
  for (const Field& field : fields_) {
    writer.put_sized(as_bytes(field.name));
    writer.put(static_cast<std::uint8_t>(field.type));
    writer.put(static_cast<std::uint8_t>(field.nullable ? kNullableFlag : 0));
    if (field.type == FieldType::kVectorF32) writer.put_varint(field.dimension);
  }
}

Result<Schema> Schema::decode(Bytes bytes) {
  ByteReader reader(bytes);
  const auto format = reader.get<std::uint8_t>();
  if (reader.ok() && format != kSchemaFormat)
    return fail(ErrorCode::kVersion, "schema: of format %u, this library reads %u", format,
                kSchemaFormat);
  const std::uint64_t version = reader.get_varint();
  const std::uint64_t key = reader.get_varint();
  const std::uint64_t count = reader.get_varint();
  if (!reader.ok() || count > kMaxFields || version == 0 || version > UINT32_MAX)
    return damaged("its beginning makes no sense");
  Schema schema;
  schema.version_ = static_cast<std::uint32_t>(version);
  schema.key_ = key;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    Field field;
    field.name = as_text(reader.get_sized());
    field.type = static_cast<FieldType>(reader.get<std::uint8_t>());
    const auto flags = reader.get<std::uint8_t>();
    if ((flags & ~kNullableFlag) != 0) return damaged("a field has flags that do not exist");
    field.nullable = (flags & kNullableFlag) != 0;
    if (field.type == FieldType::kVectorF32)
      field.dimension =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(reader.get_varint(), UINT32_MAX));
    schema.fields_.push_back(std::move(field));
  }
  if (!reader.ok() || reader.left() != 0) return damaged("it does not have the size it says");
  if (const Status valid = schema.validate(); !valid)
    return damaged(valid.error().message().c_str());
  schema.lay_out();
  return schema;
}

}  // namespace quire
