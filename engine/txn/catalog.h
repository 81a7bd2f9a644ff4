// The catalog: one tree, under the root, that has the roots of all others.
//
//   'i' + be32(id)    a structure (tree or array): 48 bytes, CatalogEntry
//   'n' + name        a keyspace or collection of that name: kind and id, NameEntry
//   's' + be32(id)    definition of a collection (engine/record); no page pointers in it
//   'l'               where in the log the state is: PlaceEntry
//
// Names share one space over keyspaces and collections. Ids are never used again.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/array/array.h"
#include "engine/base/result.h"
#include "engine/tree/tree.h"
#include "wal/log.h"

namespace quire {

using StructureId = std::uint32_t;

enum class StructureKind : std::uint8_t { kTree = 1, kArray = 2 };

// Value of an 'i' key, 48 bytes:
//
//   0  24  pointer to the root page (page_ptr.h)
//  24  u8  kind (StructureKind)
//  25  u8  height
//  26  u16 flags
//  28  u32 pages of a block (array)
//  32  u64 elements (array)
//  40  u32 bytes of an element (array)
//  44  u32 pages of the only block (array of height 0)
struct CatalogEntry {
  static constexpr std::size_t kSize = 48;
  static constexpr std::size_t kRootOffset = 0;
  static constexpr std::uint16_t kKeyspace = 1;  // flag: a tree that its user sees
  static constexpr std::uint16_t kInternal = 2;  // besides: that only the library sees

  StructureKind kind = StructureKind::kTree;
  std::uint16_t flags = 0;
  PagePtr root;
  std::uint8_t height = 0;
  PageNumber block_pages = 0;
  PageNumber first_block_pages = 0;
  std::uint64_t elements = 0;
  std::uint32_t element_size = 0;
  bool operator==(const CatalogEntry&) const = default;

  TreeRoot tree(StructureId id) const noexcept {
    return {.root = root, .id = id, .height = height};
  }
  ArrayRoot array(StructureId id) const noexcept {
    return {root, elements, element_size, block_pages, first_block_pages, height, id};
  }
  void set(const TreeRoot& tree) noexcept {
    root = tree.root;
    height = tree.height;
  }
  void set(const ArrayRoot& array) noexcept;
  std::array<std::byte, kSize> encode() const noexcept;
  static Result<CatalogEntry> decode(Bytes bytes, StructureId id);
};

enum class NameKind : std::uint8_t { kKeyspace = 1, kCollection = 2 };
struct NameEntry {
  NameKind kind = NameKind::kKeyspace;
  StructureId id = 0;
  std::array<std::byte, 5> encode() const noexcept;
  static Result<NameEntry> decode(Bytes bytes, std::string_view name);
};

// Up to where the state has the log, for a salvage that finds it by its pages. Of the transaction
// that changed the catalog last; of an earlier one where a library that knows no such entry wrote
// since, and then it says nothing. 16 bytes: u64 transaction, u64 LSN.
struct PlaceEntry {
  TxnNumber txn = 0;
  wal::Lsn lsn = 0;
  std::array<std::byte, 16> encode() const noexcept;
  static Result<PlaceEntry> decode(Bytes bytes);
};

struct IdKey {
  std::array<std::byte, 5> bytes;
  operator Bytes() const noexcept { return bytes; }  // NOLINT: a key is its bytes
};
IdKey structure_key(StructureId id) noexcept;
IdKey definition_key(StructureId id) noexcept;
ByteVector name_key(std::string_view name);
inline constexpr std::string_view kPlaceKey = "l";
inline constexpr std::size_t kMaxNameSize = 255;
// 1 to 255 bytes of UTF-8 without control characters.
Status check_name(std::string_view name, const char* what);
bool is_utf8(std::string_view text) noexcept;
// The library's own keyspaces: their names begin with a control character, which no user's does, so
// that nobody can open one by its name. Lists and statistics leave them out.
inline constexpr std::string_view kBatchesName =
    "\x01"
    "batches";  // engine/record/batch_memory.h
bool is_internal_name(std::string_view name) noexcept;
std::unexpected<Error> no_structure(StructureId id);  // kNotFound

// What reads at one state of the database: a snapshot, or a write transaction with its own changes.
class View {
 public:
  virtual ~View() = default;
  virtual PageReader& reader() noexcept = 0;
  virtual Result<TreeRoot> tree_root(StructureId id) = 0;
  virtual Result<ArrayRoot> array_root(StructureId id) = 0;
  virtual TreeRoot catalog_root() const noexcept = 0;
  // A number that grows when borrowed memory and cursors of a structure are no longer good;
  // constant for a snapshot.
  virtual std::uint64_t tree_version(StructureId id) noexcept = 0;

  // The tree of a keyspace: kNotFound, also for the library's own; kType when the id is something
  // else.
  Result<TreeRoot> keyspace_root(StructureId id);
  Result<std::optional<NameEntry>> find_name(std::string_view name);

 protected:
  // Looks the id up in the catalog.
  Result<CatalogEntry> load_entry(StructureId id);
  virtual Result<std::uint16_t> structure_flags(StructureId id) = 0;
};

}  // namespace quire
