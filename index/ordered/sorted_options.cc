#include "index/ordered/sorted_options.h"

#include <algorithm>
#include <string>

#include "index/ordered/json_text.h"

namespace quire {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kUnique = 1;
constexpr std::uint8_t kWhere = 2;

constexpr unsigned kSourceBits = 3;
constexpr unsigned kDescendingBit = 4;
constexpr unsigned kCollationShift = 3;

std::unexpected<Error> damaged() {
  return fail(ErrorCode::kCorrupt, "the options of a sorted index are damaged");
}

void encode_part(const SortedPart& part, ByteWriter& writer) {
  writer.put_varint(part.field);
  writer.put(static_cast<std::uint8_t>(static_cast<unsigned>(part.source) |
                                       (part.descending ? kDescendingBit : 0) |
                                       static_cast<unsigned>(part.collation) << kCollationShift));
  if (part.source == PartSource::kPath) part.path.encode(writer);
}

Result<SortedPart> decode_part(ByteReader& reader) {
  const std::uint64_t field = reader.get_varint();
  const unsigned bits = reader.get<std::uint8_t>();
  const unsigned source = bits & kSourceBits;
  const unsigned collation = bits >> kCollationShift;
  if (!reader.ok() || field > UINT32_MAX || source > static_cast<unsigned>(PartSource::kPath) ||
      collation > static_cast<unsigned>(Collation::kAsciiNocase))
    return damaged();
  SortedPart part{.field = static_cast<FieldId>(field),
                  .source = static_cast<PartSource>(source),
                  .descending = (bits & kDescendingBit) != 0,
                  .collation = static_cast<Collation>(collation),
                  .path = {}};
  if (part.source == PartSource::kPath) {
    QUIRE_TRY(part.path, JsonPath::decode(reader));
  }
  return part;
}

// ---------------------------------------------------------------- describing

const Field* field_of(const Schema& schema, FieldId id) noexcept {
  const std::size_t at = schema.find_id(id);
  return at == schema.size() ? nullptr : &schema.field(at);
}

// The place without direction and collation.
std::string describe_source(const Schema& schema, const SortedPart& part) {
  const Field* field = field_of(schema, part.field);
  std::string name = field == nullptr ? "(dropped)" : field->name;
  if (part.source == PartSource::kElements) return name + "[]";
  if (part.source == PartSource::kField) return name;
  // Where another field is named as the path begins, brackets tell the path from it.
  const std::string text = name + part.path.text();
  const auto same = parse_part(schema, text, true);
  return same && same->field == part.field && same->path == part.path ? text
                                                                      : name + part.path.text(true);
}

std::string describe_part(const Schema& schema, const SortedPart& part) {
  const std::string source = describe_source(schema, part);
  const std::string text = (part.descending ? "-" : "") + source;
  std::string json;
  if (const auto same = parse_part(schema, text, false); same && *same == part) {
    append_json_string(text, json);
    return json;
  }
  json = "{\"field\": ";
  append_json_string(source, json);
  if (part.descending) json += ", \"order\": \"desc\"";
  if (part.collation == Collation::kAsciiNocase) json += ", \"collation\": \"ascii_nocase\"";
  return json + "}";
}

std::string describe_covering(const Schema& schema, const std::vector<FieldId>& covering) {
  std::string json;
  for (const FieldId id : covering) {
    const Field* field = field_of(schema, id);
    if (!json.empty()) json += ", ";
    append_json_string(field == nullptr ? "(dropped)" : field->name, json);
  }
  return "[" + json + "]";
}

}  // namespace

ByteVector SortedOptions::encode() const {
  ByteVector bytes;
  ByteWriter writer(bytes);
  writer.put(kFormat);
  writer.put(static_cast<std::uint8_t>((unique ? kUnique : 0) | (where ? kWhere : 0)));
  writer.put_varint(parts.size());
  for (const SortedPart& part : parts) encode_part(part, writer);
  writer.put_varint(covering.size());
  for (const FieldId id : covering) writer.put_varint(id);
  if (where) writer.put_sized(*where);
  return bytes;
}

Result<SortedOptions> SortedOptions::decode(Bytes bytes) {
  ByteReader reader(bytes);
  const auto format = reader.get<std::uint8_t>();
  const auto flags = reader.get<std::uint8_t>();
  const std::uint64_t parts = reader.get_varint();
  if (!reader.ok() || format != kFormat || flags > (kUnique | kWhere) || parts == 0 ||
      parts > kMaxSortedParts)
    return damaged();
  SortedOptions options;
  options.unique = (flags & kUnique) != 0;
  for (std::uint64_t i = 0; i < parts; ++i) {
    QUIRE_TRY(options.parts.emplace_back(), decode_part(reader));
  }
  const std::uint64_t covering = reader.get_varint();
  if (covering > kMaxCovering) return damaged();
  for (std::uint64_t i = 0; i < covering; ++i) {
    const std::uint64_t id = reader.get_varint();
    if (id > UINT32_MAX) return damaged();
    options.covering.push_back(static_cast<FieldId>(id));
  }
  if ((flags & kWhere) != 0) options.where = to_vector(reader.get_sized());
  if (!reader.ok() || reader.left() != 0) return damaged();
  return options;
}

std::string describe_sorted_options(const Schema& schema, const SortedOptions& options,
                                    const FilterLanguage* language) {
  std::string fields;
  for (const SortedPart& part : options.parts) {
    if (!fields.empty()) fields += ", ";
    fields += describe_part(schema, part);
  }
  std::string json = "{\"fields\": [" + fields + "]";
  if (options.unique) json += ", \"unique\": true";
  if (!options.covering.empty())
    json += ", \"covering\": " + describe_covering(schema, options.covering);
  if (options.where && language != nullptr) {
    json += ", \"where\": ";
    append_json_string(language->describe(schema, *options.where), json);
  }
  return json + "}";
}

FieldType part_type(PartSource source, FieldType field) noexcept {
  switch (source) {
    case PartSource::kField:
      return is_scalar(field) ? field : FieldType::kNull;
    case PartSource::kElements:
      return is_array(field) ? element_type(field) : FieldType::kNull;
    case PartSource::kPath:
      return field == FieldType::kJson ? field : FieldType::kNull;
  }
  return FieldType::kNull;
}

bool has_collation(FieldType part) noexcept {
  return part == FieldType::kText || part == FieldType::kBytes || part == FieldType::kJson;
}

}  // namespace quire
