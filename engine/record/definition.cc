#include "engine/record/definition.h"

#include <algorithm>

#include "engine/record/schema_codec.h"

namespace quire {
namespace {

StructureId get_id(ByteReader& reader) noexcept {
  const std::uint64_t id = reader.get_varint();
  return id <= UINT32_MAX ? static_cast<StructureId>(id) : 0;
}

std::unexpected<Error> damaged(StructureId id) {
  return fail(ErrorCode::kCorrupt, "the definition of collection %u makes no sense", id);
}

void encode_index(const IndexDefinition& index, ByteWriter& writer) {
  writer.put_varint(index.id);
  writer.put_sized(as_bytes(std::string_view(index.name)));
  writer.put_sized(as_bytes(std::string_view(index.kind)));
  writer.put_sized(index.options);
  writer.put_varint(index.structures.size());
  for (const StructureId structure : index.structures) writer.put_varint(structure);
}

// Whether it makes sense.
bool decode_index(ByteReader& reader, CollectionDefinition& definition) {
  IndexDefinition index;
  index.id = get_id(reader);
  index.name = as_text(reader.get_sized());
  index.kind = as_text(reader.get_sized());
  index.options = to_vector(reader.get_sized());
  const std::uint64_t structures = reader.get_varint();
  for (std::uint64_t i = 0; i < structures && reader.ok(); ++i)
    index.structures.push_back(get_id(reader));
  const bool is_new = definition.find_index(index.name) == definition.indexes.size() &&
                      std::ranges::count(definition.indexes, index.id, &IndexDefinition::id) == 0;
  const bool sound = is_new && index.id != 0 && index.id < definition.next_index &&
                     std::ranges::count(index.structures, StructureId{0}) == 0 &&
                     check_name(index.name, "index").has_value();
  definition.indexes.push_back(std::move(index));
  return sound;
}

bool decode_rest(ByteReader& reader, CollectionDefinition& definition) {
  definition.counters = get_id(reader);
  definition.next_index = get_id(reader);
  const std::uint64_t count = reader.get_varint();
  bool sound = count <= kMaxIndexes;
  for (std::uint64_t i = 0; sound && i < count && reader.ok(); ++i)
    sound = decode_index(reader, definition);
  return sound;
}

struct PartKey {
  PartKey(StructureId id, std::size_t part) noexcept : size(part == 0 ? 5 : 7) {
    const IdKey key = definition_key(id);
    std::copy_n(key.bytes.begin(), 5, bytes.begin());
    store_be(bytes.data() + 5, static_cast<std::uint16_t>(part));
  }
  std::array<std::byte, 7> bytes{};
  std::size_t size;
  operator Bytes() const noexcept { return Bytes(bytes).first(size); }  // NOLINT: a key
};

constexpr std::size_t kSizeBytes = 4;

std::size_t part_size(const PageReader& reader) noexcept {
  return inline_value_limit(reader.page_size(), sizeof(PartKey::bytes));
}

}  // namespace

ByteVector CollectionDefinition::encode() const {
  ByteVector out;
  ByteVector schema_bytes;
  SchemaCodec::encode(schema, schema_bytes);
  ByteWriter writer(out);
  writer.put_sized(as_bytes(std::string_view(name)));
  writer.put_varint(numbers);
  writer.put_varint(freed);
  writer.put_sized(schema_bytes);
  writer.put_varint(vectors.size());
  for (const StructureId vector : vectors) writer.put_varint(vector);
  writer.put_varint(counters);
  writer.put_varint(next_index);
  writer.put_varint(indexes.size());
  for (const IndexDefinition& index : indexes) encode_index(index, writer);
  return out;
}

Result<CollectionDefinition> CollectionDefinition::decode(Bytes bytes, StructureId id) {
  ByteReader reader(bytes);
  const Bytes name = reader.get_sized();
  const StructureId numbers = get_id(reader);
  const StructureId freed = get_id(reader);
  auto schema = SchemaCodec::decode(reader.get_sized());
  if (!schema)
    return std::unexpected(schema.error().with_context("collection " + std::to_string(id)));
  CollectionDefinition definition{.name = std::string(as_text(name)),
                                  .numbers = numbers,
                                  .freed = freed,
                                  .schema = *std::move(schema)};
  const std::uint64_t vectors = reader.get_varint();
  bool sound = vectors == definition.schema.vectors().size() && numbers != 0 && freed != 0 &&
               check_name(as_text(name), "collection").has_value();
  for (std::uint64_t i = 0; sound && i < vectors; ++i) {
    definition.vectors.push_back(get_id(reader));
    sound = definition.vectors.back() != 0;
  }
  // A definition of version 0.1 ends here.
  if (sound && reader.ok() && reader.left() != 0) sound = decode_rest(reader, definition);
  if (definition.counters == 0 && !definition.schema.counted().empty()) sound = false;
  if (!sound || !reader.ok() || reader.left() != 0) return damaged(id);
  return definition;
}

std::vector<StructureId> CollectionDefinition::structures() const {
  std::vector<StructureId> all = {numbers, freed};
  all.insert(all.end(), vectors.begin(), vectors.end());
  if (counters != 0) all.push_back(counters);
  for (const IndexDefinition& index : indexes)
    all.insert(all.end(), index.structures.begin(), index.structures.end());
  return all;
}

std::size_t CollectionDefinition::find_index(std::string_view index) const noexcept {
  const auto found = std::ranges::find(indexes, index, &IndexDefinition::name);
  return static_cast<std::size_t>(found - indexes.begin());
}

Result<std::optional<Bytes>> load_definition(View& view, StructureId id, ByteVector& parts) {
  QUIRE_TRY(const std::optional<Bytes> first,
            tree_get(view.reader(), view.catalog_root(), PartKey(id, 0)));
  if (!first) return std::nullopt;
  if (first->size() < kSizeBytes) return damaged(id);
  const std::size_t size = load_le<std::uint32_t>(first->data());
  if (first->size() == kSizeBytes + size) return first->subspan(kSizeBytes);
  parts = to_vector(first->subspan(kSizeBytes));
  for (std::size_t part = 1; parts.size() < size && part <= UINT16_MAX; ++part) {
    QUIRE_TRY(const std::optional<Bytes> next,
              tree_get(view.reader(), view.catalog_root(), PartKey(id, part)));
    if (!next) break;
    ByteWriter(parts).put_bytes(*next);
  }
  if (parts.size() != size) return damaged(id);
  return Bytes(parts);
}

Status store_definition(WriteTxn& txn, StructureId id, Bytes definition) {
  ByteVector stored;
  ByteWriter writer(stored);
  writer.put(static_cast<std::uint32_t>(definition.size()));
  writer.put_bytes(definition);
  const std::size_t size = part_size(txn.reader());
  for (std::size_t part = 0, at = 0; at < stored.size(); ++part, at += size) {
    const Bytes piece = Bytes(stored).subspan(at, std::min(size, stored.size() - at));
    QUIRE_CHECK(txn.put_catalog(PartKey(id, part), piece, TreeWriter::PutMode::kInsert));
  }
  return {};
}

Status erase_definition(WriteTxn& txn, StructureId id) {
  ByteVector parts;
  QUIRE_TRY(const std::optional<Bytes> definition, load_definition(txn, id, parts));
  if (!definition) return damaged(id);
  const std::size_t stored = kSizeBytes + definition->size();
  const std::size_t size = part_size(txn.reader());
  for (std::size_t part = 0; part * size < stored; ++part)
    QUIRE_CHECK(txn.erase_catalog(PartKey(id, part)));
  return {};
}

}  // namespace quire
