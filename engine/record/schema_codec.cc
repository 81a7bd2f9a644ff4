#include "engine/record/schema_codec.h"

#include <algorithm>

namespace quire {
namespace {

constexpr std::uint8_t kFirstFormat = 1;
constexpr std::uint8_t kFormatWithoutTtl = 2;
constexpr std::uint8_t kSchemaFormat = 3;

enum FieldFlag : unsigned {
  kNullable = 1,
  kHasDefault = 2,
  kHasMin = 4,
  kHasMax = 8,
  kHasMinLength = 16,
  kHasMaxLength = 32,
  kHasList = 64,
  kHasPattern = 128,
  kHasBefore = 256,
  kIsTtl = 512,
  kAllFlags = 1023,
};

constexpr unsigned flags_in(std::uint8_t format) noexcept {
  return format == kFormatWithoutTtl ? unsigned{kAllFlags} & ~unsigned{kIsTtl} : kAllFlags;
}

std::unexpected<Error> damaged(const std::string& what) {
  return std::unexpected(Error(ErrorCode::kCorrupt, "schema: " + what));
}

std::uint32_t get_u32(ByteReader& reader) noexcept {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(reader.get_varint(), UINT32_MAX));
}

unsigned flags_of(const Field& field) noexcept {
  const FieldRules& rules = field.rules;
  unsigned flags = 0;
  if (field.nullable) flags |= kNullable;
  if (rules.default_kind != DefaultKind::kNone) flags |= kHasDefault;
  if (!rules.min.is_null()) flags |= kHasMin;
  if (!rules.max.is_null()) flags |= kHasMax;
  if (rules.min_length) flags |= kHasMinLength;
  if (rules.max_length) flags |= kHasMaxLength;
  if (!rules.one_of.empty()) flags |= kHasList;
  if (rules.pattern) flags |= kHasPattern;
  if (!field.before.is_null()) flags |= kHasBefore;
  if (field.ttl) flags |= kIsTtl;
  return flags;
}

void encode_field(const Field& field, ByteWriter& writer) {
  const FieldRules& rules = field.rules;
  writer.put_sized(as_bytes(std::string_view(field.name)));
  writer.put(static_cast<std::uint8_t>(field.type));
  writer.put_varint(flags_of(field));
  writer.put_varint(field.id);
  if (is_vector(field.type)) {
    writer.put_varint(field.dimension);
    writer.put_varint(field.slot);
  }
  if (rules.default_kind != DefaultKind::kNone) {
    writer.put(static_cast<std::uint8_t>(rules.default_kind));
    if (rules.default_kind == DefaultKind::kValue) rules.default_value.encode(writer);
  }
  if (!rules.min.is_null()) rules.min.encode(writer);
  if (!rules.max.is_null()) rules.max.encode(writer);
  if (rules.min_length) writer.put_varint(*rules.min_length);
  if (rules.max_length) writer.put_varint(*rules.max_length);
  if (!rules.one_of.empty()) {
    writer.put_varint(rules.one_of.size());
    for (const OwnedValue& one : rules.one_of) one.encode(writer);
  }
  if (rules.pattern) writer.put_sized(as_bytes(std::string_view(rules.pattern.expression())));
  if (!field.before.is_null()) field.before.encode(writer);
}

Status decode_into(ByteReader& reader, OwnedValue& value) {
  QUIRE_TRY(value, OwnedValue::decode(reader));
  return {};
}

Status decode_rules(ByteReader& reader, std::uint64_t flags, FieldRules& rules) {
  if ((flags & kHasDefault) != 0) {
    rules.default_kind = static_cast<DefaultKind>(reader.get<std::uint8_t>());
    if (rules.default_kind == DefaultKind::kValue)
      QUIRE_CHECK(decode_into(reader, rules.default_value));
  }
  if ((flags & kHasMin) != 0) QUIRE_CHECK(decode_into(reader, rules.min));
  if ((flags & kHasMax) != 0) QUIRE_CHECK(decode_into(reader, rules.max));
  if ((flags & kHasMinLength) != 0) rules.min_length = reader.get_varint();
  if ((flags & kHasMaxLength) != 0) rules.max_length = reader.get_varint();
  if ((flags & kHasList) != 0) {
    const std::uint64_t count = reader.get_varint();
    for (std::uint64_t i = 0; i < count && reader.ok(); ++i)
      QUIRE_CHECK(decode_into(reader, rules.one_of.emplace_back()));
  }
  if ((flags & kHasPattern) != 0) {
    auto pattern = Pattern::compile(as_text(reader.get_sized()));
    if (!pattern) return damaged(pattern.error().message());
    rules.pattern = *std::move(pattern);
  }
  return {};
}

Result<Field> decode_field(ByteReader& reader, std::uint8_t format) {
  Field field;
  field.name = as_text(reader.get_sized());
  field.type = static_cast<FieldType>(reader.get<std::uint8_t>());
  const std::uint64_t flags = reader.get_varint();
  if ((flags & ~std::uint64_t{flags_in(format)}) != 0)
    return damaged("a field has flags that do not exist");
  field.ttl = (flags & kIsTtl) != 0;
  field.nullable = (flags & kNullable) != 0;
  field.id = get_u32(reader);
  if (is_vector(field.type)) {
    field.dimension = get_u32(reader);
    field.slot = get_u32(reader);
  }
  QUIRE_CHECK(decode_rules(reader, flags, field.rules));
  if ((flags & kHasBefore) != 0) QUIRE_CHECK(decode_into(reader, field.before));
  return field;
}

// Ids and slots that can't be.
bool confused(std::span<const Field> fields, FieldId next_id, VectorSlot next_slot) {
  std::vector<FieldId> ids;
  std::vector<VectorSlot> slots;
  for (const Field& field : fields) {
    ids.push_back(field.id);
    if (field.id == 0 || field.id >= next_id) return true;
    if (!field.before.is_null() && field.before.type() != field.type) return true;
    if (!is_vector(field.type)) continue;
    slots.push_back(field.slot);
    if (field.slot >= next_slot || next_slot > kMaxVectorSlots) return true;
  }
  std::ranges::sort(ids);
  std::ranges::sort(slots);
  return std::ranges::adjacent_find(ids) != ids.end() ||
         std::ranges::adjacent_find(slots) != slots.end();
}

}  // namespace

void SchemaCodec::encode(const Schema& schema, ByteVector& out) {
  ByteWriter writer(out);
  writer.put(kSchemaFormat);
  writer.put_varint(schema.next_id_);
  writer.put_varint(schema.next_slot_);
  writer.put_varint(schema.key_.size());
  for (const std::uint32_t key : schema.key_) writer.put_varint(key);
  writer.put_varint(schema.fields_.size());
  for (const Field& field : schema.fields_) encode_field(field, writer);
  writer.put_varint(schema.layouts_.size());
  for (const Layout& layout : schema.layouts_) {
    writer.put_varint(layout.version());
    writer.put_varint(layout.columns().size());
    for (const Column& column : layout.columns()) {
      writer.put_varint(column.field);
      writer.put(static_cast<std::uint8_t>(column.type));
    }
  }
}

Result<Schema> SchemaCodec::decode(Bytes bytes) {
  ByteReader reader(bytes);
  const auto format = reader.get<std::uint8_t>();
  if (reader.ok() && (format < kFirstFormat || format > kSchemaFormat))
    return fail(ErrorCode::kVersion, "schema: of format %u, this library reads 1 to %u", format,
                kSchemaFormat);
  auto schema =
      format == kFirstFormat ? decode_first_format(reader) : decode_later_format(reader, format);
  if (!schema) return schema;
  if (!reader.ok() || reader.left() != 0) return damaged("it does not have the size it says");
  if (const Status valid = schema->validate(); !valid) return damaged(valid.error().message());
  return schema;
}

Result<Schema> SchemaCodec::decode_first_format(ByteReader& reader) {
  const std::uint32_t version = get_u32(reader);
  const std::uint32_t key = get_u32(reader);
  const std::uint64_t count = reader.get_varint();
  if (!reader.ok() || count > kMaxFields || version != 1 || key >= count)
    return damaged("its beginning makes no sense");
  Schema schema;
  schema.key_ = {key};
  std::vector<Column> columns;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    Field& field = schema.fields_.emplace_back();
    field.name = as_text(reader.get_sized());
    field.type = static_cast<FieldType>(reader.get<std::uint8_t>());
    const auto flags = reader.get<std::uint8_t>();
    if (flags > kNullable) return damaged("a field has flags that do not exist");
    field.nullable = flags != 0;
    field.id = schema.next_id_++;
    if (is_vector(field.type)) {
      field.dimension = get_u32(reader);
      field.slot = schema.next_slot_++;
    }
    columns.push_back({field.id, field.type});
  }
  schema.derive({std::move(columns)}, {1});
  return schema;
}

Result<Schema> SchemaCodec::decode_later_format(ByteReader& reader, std::uint8_t format) {
  Schema schema;
  schema.next_id_ = get_u32(reader);
  schema.next_slot_ = get_u32(reader);
  const std::uint64_t keys = reader.get_varint();
  if (!reader.ok() || keys > kMaxKeyFields) return damaged("its beginning makes no sense");
  for (std::uint64_t i = 0; i < keys; ++i) schema.key_.push_back(get_u32(reader));
  const std::uint64_t count = reader.get_varint();
  if (!reader.ok() || count > kMaxFields) return damaged("its beginning makes no sense");
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    QUIRE_TRY(Field field, decode_field(reader, format));
    schema.fields_.push_back(std::move(field));
  }
  if (!reader.ok()) return damaged("it does not have the size it says");
  if (confused(schema.fields_, schema.next_id_, schema.next_slot_))
    return damaged("ids, slots or values of its fields make no sense");
  for (const std::uint32_t key : schema.key_)
    if (key >= count) return damaged("a field of its key does not exist");
  QUIRE_CHECK(decode_layouts(reader, schema));
  return schema;
}

Status SchemaCodec::decode_layouts(ByteReader& reader, Schema& schema) {
  const std::uint64_t count = reader.get_varint();
  std::vector<std::vector<Column>> layouts;
  std::vector<std::uint32_t> versions;
  if (count == 0 || count > kMaxLayouts) return damaged("its number of layouts makes no sense");
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint32_t version = get_u32(reader);
    const std::uint64_t columns = reader.get_varint();
    if (!reader.ok() || version == 0 || columns > kMaxFields ||
        (i != 0 && version <= versions.back()))
      return damaged("its layouts make no sense");
    versions.push_back(version);
    std::vector<Column>& layout = layouts.emplace_back();
    std::vector<FieldId> ids;
    for (std::uint64_t c = 0; c < columns && reader.ok(); ++c) {
      const std::uint32_t id = get_u32(reader);
      const auto type = reader.get<std::uint8_t>();
      if (id == 0 || id >= schema.next_id_ || !is_known_type(type))
        return damaged("a column of a layout makes no sense");
      const std::size_t field = schema.find_id(id);
      if (field != schema.size() && !widens(static_cast<FieldType>(type), schema.field(field).type))
        return damaged("a column of a layout has a type that its field can't have had");
      layout.push_back({id, static_cast<FieldType>(type)});
      ids.push_back(id);
    }
    std::ranges::sort(ids);
    if (std::ranges::adjacent_find(ids) != ids.end()) return damaged("a layout has a field twice");
  }
  if (!reader.ok()) return damaged("it does not have the size it says");
  const auto fits = [](const Column& column, const Field& field) {
    return column.field == field.id && column.type == field.type;
  };
  if (!std::ranges::equal(layouts.back(), schema.fields_, fits))
    return damaged("its newest layout is not that of its fields");
  schema.derive(std::move(layouts), std::move(versions));
  return {};
}

}  // namespace quire
