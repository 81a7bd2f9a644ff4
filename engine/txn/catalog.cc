#include "engine/txn/catalog.h"

namespace quire {
namespace {

IdKey id_key(char kind, StructureId id) noexcept {
  IdKey key;
  key.bytes[0] = static_cast<std::byte>(kind);
  store_be<std::uint32_t>(key.bytes.data() + 1, id);
  return key;
}

}  // namespace

IdKey structure_key(StructureId id) noexcept { return id_key('i', id); }
IdKey definition_key(StructureId id) noexcept { return id_key('s', id); }

ByteVector name_key(std::string_view name) {
  ByteVector key;
  key.reserve(name.size() + 1);
  key.push_back(static_cast<std::byte>('n'));
  const Bytes bytes = as_bytes(name);
  key.insert(key.end(), bytes.begin(), bytes.end());
  return key;
}

void CatalogEntry::set(const ArrayRoot& array) noexcept {
  root = array.root;
  height = array.height;
  block_pages = array.block_pages;
  first_block_pages = array.first_block_pages;
  elements = array.size;
  element_size = array.element_size;
}

std::array<std::byte, CatalogEntry::kSize> CatalogEntry::encode() const noexcept {
  std::array<std::byte, kSize> bytes{};
  store_ptr(bytes.data() + kRootOffset, root);
  bytes[24] = static_cast<std::byte>(kind);
  bytes[25] = static_cast<std::byte>(height);
  store_le<std::uint16_t>(bytes.data() + 26, flags);
  store_le<std::uint32_t>(bytes.data() + 28, block_pages);
  store_le<std::uint64_t>(bytes.data() + 32, elements);
  store_le<std::uint32_t>(bytes.data() + 40, element_size);
  store_le<std::uint32_t>(bytes.data() + 44, first_block_pages);
  return bytes;
}

Result<CatalogEntry> CatalogEntry::decode(Bytes bytes, StructureId id) {
  if (bytes.size() != kSize)
    return fail(ErrorCode::kCorrupt, "catalog: the entry of structure %u has %zu bytes, not %zu",
                id, bytes.size(), kSize);
  CatalogEntry entry;
  entry.root = load_ptr(bytes.data() + kRootOffset);
  const auto kind = static_cast<std::uint8_t>(bytes[24]);
  entry.kind = static_cast<StructureKind>(kind);
  entry.height = static_cast<std::uint8_t>(bytes[25]);
  entry.flags = load_le<std::uint16_t>(bytes.data() + 26);
  entry.block_pages = load_le<std::uint32_t>(bytes.data() + 28);
  entry.elements = load_le<std::uint64_t>(bytes.data() + 32);
  entry.element_size = load_le<std::uint32_t>(bytes.data() + 40);
  entry.first_block_pages = load_le<std::uint32_t>(bytes.data() + 44);
  const bool array_ok = entry.kind == StructureKind::kArray && entry.flags == 0 &&
                        entry.element_size != 0 && entry.block_pages != 0 &&
                        entry.block_pages <= (1u << 24) &&
                        entry.first_block_pages <= entry.block_pages;
  const bool tree_ok = entry.kind == StructureKind::kTree &&
                       (entry.flags & ~(CatalogEntry::kKeyspace | CatalogEntry::kInternal)) == 0 &&
                       (entry.root.page == 0) == (entry.height == 0);
  if (!array_ok && !tree_ok)
    return fail(ErrorCode::kCorrupt, "catalog: the entry of structure %u makes no sense (kind %u)",
                id, kind);
  return entry;
}

std::array<std::byte, 5> NameEntry::encode() const noexcept {
  std::array<std::byte, 5> bytes;
  bytes[0] = static_cast<std::byte>(kind);
  store_le<std::uint32_t>(bytes.data() + 1, id);
  return bytes;
}

Result<NameEntry> NameEntry::decode(Bytes bytes, std::string_view name) {
  const auto kind = bytes.size() == 5 ? static_cast<std::uint8_t>(bytes[0]) : 0;
  if (kind != 1 && kind != 2)
    return fail(ErrorCode::kCorrupt, "catalog: the entry of the name '%.*s' makes no sense",
                static_cast<int>(name.size()), name.data());
  return NameEntry{static_cast<NameKind>(kind), load_le<std::uint32_t>(bytes.data() + 1)};
}

std::array<std::byte, 16> PlaceEntry::encode() const noexcept {
  std::array<std::byte, 16> bytes;
  store_le<std::uint64_t>(bytes.data(), txn);
  store_le<std::uint64_t>(bytes.data() + 8, lsn);
  return bytes;
}

Result<PlaceEntry> PlaceEntry::decode(Bytes bytes) {
  if (bytes.size() != 16)
    return fail(ErrorCode::kCorrupt, "catalog: the place in the log has %zu bytes, not 16",
                bytes.size());
  return PlaceEntry{load_le<std::uint64_t>(bytes.data()), load_le<std::uint64_t>(bytes.data() + 8)};
}

bool is_utf8(std::string_view text) noexcept {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = p + text.size();
  constexpr std::uint64_t kNotAscii = 0x8080808080808080;
  while (p < end) {
    // Most texts are ASCII: eight of its characters at a time.
    while (end - p >= 8 &&
           (load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(p)) & kNotAscii) == 0)
      p += 8;
    // The last few with some before them, which were looked at already.
    if (end - p < 8 && text.size() >= 8 &&
        (load_le<std::uint64_t>(reinterpret_cast<const std::byte*>(end - 8)) & kNotAscii) == 0)
      return true;
    if (p == end) break;
    const unsigned char lead = *p++;
    if (lead < 0x80) continue;
    std::uint32_t code;
    int more;
    if (lead >= 0xC2 && lead < 0xE0) {
      code = lead & 0x1F;
      more = 1;
    } else if (lead >= 0xE0 && lead < 0xF0) {
      code = lead & 0x0F;
      more = 2;
    } else if (lead >= 0xF0 && lead < 0xF5) {
      code = lead & 0x07;
      more = 3;
    } else {
      return false;
    }
    if (end - p < more) return false;
    for (int i = 0; i < more; ++i) {
      if ((*p & 0xC0) != 0x80) return false;
      code = code << 6 | (*p++ & 0x3F);
    }
    const bool overlong = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
    if (overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  }
  return true;
}

Status check_name(std::string_view name, const char* what) {
  if (name.empty() || name.size() > kMaxNameSize)
    return fail(ErrorCode::kInvalid, "name of a %s: %zu bytes, must be 1 to %zu", what, name.size(),
                kMaxNameSize);
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      return fail(ErrorCode::kInvalid, "name of a %s: has the control character 0x%02x", what,
                  static_cast<unsigned char>(c));
  }
  if (!is_utf8(name)) return fail(ErrorCode::kInvalid, "name of a %s: is not valid UTF-8", what);
  return {};
}

bool is_internal_name(std::string_view name) noexcept { return name.starts_with('\x01'); }

Result<CatalogEntry> View::load_entry(StructureId id) {
  QUIRE_TRY(const std::optional<Bytes> found,
            tree_get(reader(), catalog_root(), structure_key(id)));
  if (!found) return no_structure(id);
  return CatalogEntry::decode(*found, id);
}

std::unexpected<Error> no_structure(StructureId id) {
  return fail(ErrorCode::kNotFound, "there is no keyspace or structure with id %u here", id);
}

Result<TreeRoot> View::keyspace_root(StructureId id) {
  QUIRE_TRY(const std::uint16_t flags, structure_flags(id));
  if ((flags & CatalogEntry::kInternal) != 0) return no_structure(id);
  if ((flags & CatalogEntry::kKeyspace) == 0)
    return fail(ErrorCode::kType, "id %u is not a keyspace", id);
  return tree_root(id);
}

Result<std::optional<NameEntry>> View::find_name(std::string_view name) {
  QUIRE_TRY(const std::optional<Bytes> found, tree_get(reader(), catalog_root(), name_key(name)));
  if (!found) return std::nullopt;
  QUIRE_TRY(const NameEntry entry, NameEntry::decode(*found, name));
  return entry;
}

}  // namespace quire
