// Prints the byte tables of docs/format.md from the structs themselves, so that the page cannot
// drift from the code. `./dev docs` writes them there; the test `format_tables` compares.
//
// Each field of a struct is listed here with its meaning. Offsets, sizes and types come from the
// compiler, and a struct whose fields do not tile it without a gap ends the program.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/array/array_format.h"
#include "engine/db/meta.h"
#include "engine/page/free_map.h"
#include "engine/page/page_ptr.h"
#include "engine/record/record_log.h"
#include "engine/tree/node.h"
#include "engine/txn/catalog.h"
#include "engine/txn/operation.h"
#include "engine/txn/root.h"
#include "engine/txn/shared_head.h"
#include "wal/format.h"

namespace quire {
namespace {

struct Field {
  std::size_t offset;
  std::size_t size;
  std::string type;
  const char* name;
  const char* meaning;
};

template <class T>
struct Unwrapped {
  using Type = T;
};
template <class T>
struct Unwrapped<std::atomic<T>> {
  using Type = T;
};

template <class T>
std::string type_name() {
  using Type = typename Unwrapped<std::remove_cv_t<T>>::Type;
  if constexpr (std::is_same_v<Type, std::byte>) {
    return "u8";
  } else if constexpr (std::is_same_v<Type, char>) {
    return "char";
  } else if constexpr (std::is_integral_v<Type> || std::is_enum_v<Type>) {
    return (std::is_signed_v<Type> ? "i" : "u") + std::to_string(8 * sizeof(Type));
  } else if constexpr (std::is_array_v<Type>) {
    return type_name<std::remove_extent_t<Type>>() + "[" + std::to_string(std::extent_v<Type>) +
           "]";
  } else if constexpr (requires { std::tuple_size<Type>::value; }) {
    return type_name<typename Type::value_type>() + "[" + std::to_string(std::tuple_size_v<Type>) +
           "]";
  } else {
    return "u8[" + std::to_string(sizeof(Type)) + "]";
  }
}

#define QUIRE_FIELD(owner, member, meaning)                                                        \
  Field {                                                                                          \
    offsetof(owner, member), sizeof(owner::member), type_name<decltype(owner::member)>(), #member, \
        meaning                                                                                    \
  }

[[noreturn]] void stop(const char* table, const std::string& why) {
  std::fprintf(stderr, "format_tables: %s: %s\n", table, why.c_str());
  std::exit(1);
}

void print_rows(const std::vector<Field>& fields) {
  std::printf("| offset | bytes | type | field | meaning |\n");
  std::printf("| ---: | ---: | --- | --- | --- |\n");
  for (const Field& field : fields)
    std::printf("| %zu | %zu | %s | `%s` | %s |\n", field.offset, field.size, field.type.c_str(),
                field.name, field.meaning);
}

// What a struct's alignment adds behind its fields: fine in memory that processes share, not in a
// file that is read again.
enum class Tail : std::uint8_t { kNone, kMayBePadded };

// `size`: of the struct, which the fields must fill.
void print_table(const char* name, std::size_t size, std::vector<Field> fields,
                 Tail tail = Tail::kNone) {
  std::size_t next = 0;
  for (const Field& field : fields) {
    if (field.offset != next)
      stop(name, std::string(field.name) + " is at " + std::to_string(field.offset) + ", not at " +
                     std::to_string(next));
    next = field.offset + field.size;
  }
  if (next < size && tail == Tail::kMayBePadded) {
    fields.push_back({next, size - next, "-", "padding", "0"});
    next = size;
  }
  if (next != size)
    stop(name, "the fields end at " + std::to_string(next) + " of " + std::to_string(size));
  std::printf("<!-- table: %s -->\n", name);
  print_rows(fields);
  std::printf("<!-- end -->\n");
}

// What has no struct is encoded by a function. A field's bytes are those that change when the field
// alone does, from all bits 0 to all bits 1.
template <class T, class Encode>
Field probed(const char* name, const T& zeros, const T& ones, Encode encode, const char* meaning) {
  const auto before = encode(zeros);
  const auto after = encode(ones);
  std::size_t first = 0;
  while (first < before.size() && before[first] == after[first]) ++first;
  std::size_t end = first;
  while (end < before.size() && before[end] != after[end]) ++end;
  for (std::size_t i = end; i < before.size(); ++i)
    if (before[i] != after[i]) stop(name, "its bytes are not consecutive");
  const std::size_t size = end - first;
  const bool number = size == 1 || size == 2 || size == 4 || size == 8;
  return {first, size, number ? "u" + std::to_string(8 * size) : "u8[" + std::to_string(size) + "]",
          name, meaning};
}

Field pointer_field(const char* name, const PagePtr& ones, const char* meaning) {
  const auto encode = [](const PagePtr& ptr) {
    std::array<std::byte, kPagePtrSize> bytes{};
    store_ptr(bytes.data(), ptr);
    return bytes;
  };
  return probed(name, PagePtr{}, ones, encode, meaning);
}

void page_pointer() {
  const std::uint64_t low = 0xFFFFFFFF;
  const std::uint64_t high = std::uint64_t{0xFFFF} << 32;
  print_table(
      "page-pointer", kPagePtrSize,
      {pointer_field(
           "checksum", {.checksum = ~std::uint64_t{0}},
           "XXH3-64 of the page, or of all pages of a run or block; a hash of 0 is stored as 1"),
       pointer_field("page", {.page = 0xFFFFFFFF}, "number of the (first) page; 0: no page"),
       pointer_field("count_high", {.count = high}, "entries or elements below, bits 32 to 47"),
       pointer_field("birth_high", {.birth = high},
                     "transaction that made the page, bits 32 to 47"),
       pointer_field("count_low", {.count = low}, "entries or elements below, bits 0 to 31"),
       pointer_field("birth_low", {.birth = low}, "transaction that made the page, bits 0 to 31")});
}

void tree_node() {
  print_table("node-header", sizeof(NodeHeader),
              {QUIRE_FIELD(NodeHeader, kind, "1 leaf, 2 branch, 3 leaf of the catalog"),
               QUIRE_FIELD(NodeHeader, level, "0 for a leaf; a branch's children are one below it"),
               QUIRE_FIELD(NodeHeader, count, "slots, at least 1"),
               QUIRE_FIELD(NodeHeader, prefix_size, "bytes of the prefix that all keys share"),
               QUIRE_FIELD(NodeHeader, overflow_count, "slots whose value is in an overflow run"),
               QUIRE_FIELD(NodeHeader, heap_begin, "offset of the lowest cell"),
               QUIRE_FIELD(NodeHeader, garbage, "dead bytes between the cells"),
               QUIRE_FIELD(NodeHeader, page, "its own number: tells a misdirected write"),
               QUIRE_FIELD(NodeHeader, tree, "id of the tree: for salvage"),
               QUIRE_FIELD(NodeHeader, birth_low, "transaction that made the page, bits 0 to 31"),
               QUIRE_FIELD(NodeHeader, birth_high, "bits 32 to 47"),
               QUIRE_FIELD(NodeHeader, reserved, "0")});
  print_table("node-slot", sizeof(NodeSlot),
              {QUIRE_FIELD(NodeSlot, head,
                           "first four bytes of the key after the prefix, as a number whose "
                           "first byte is the highest; zeros where the key is shorter"),
               QUIRE_FIELD(NodeSlot, offset, "of the cell in the page"),
               QUIRE_FIELD(NodeSlot, key_size,
                           "bytes of the key after the prefix; bit 15: overflow cell")});
  print_table("overflow-cell", sizeof(OverflowCell),
              {QUIRE_FIELD(OverflowCell, size, "of the value in bytes, at least 1"),
               QUIRE_FIELD(OverflowCell, pointer, "page pointer to the run; its count is 0")});
}

void array_table() {
  print_table(
      "array-table", sizeof(ArrayTableHeader),
      {QUIRE_FIELD(ArrayTableHeader, kind, "4"),
       QUIRE_FIELD(ArrayTableHeader, level,
                   "1: its slots point to blocks; else to tables of level - 1"),
       QUIRE_FIELD(ArrayTableHeader, used, "one past the last slot that is not null"),
       QUIRE_FIELD(ArrayTableHeader, element_size, "bytes of an element"),
       QUIRE_FIELD(ArrayTableHeader, block_pages, "pages of a block"),
       QUIRE_FIELD(ArrayTableHeader, reserved, "0"),
       QUIRE_FIELD(ArrayTableHeader, page, "its own number: tells a misdirected write"),
       QUIRE_FIELD(ArrayTableHeader, array, "id of the array: for salvage"),
       QUIRE_FIELD(ArrayTableHeader, birth_low, "transaction that made the page, bits 0 to 31"),
       QUIRE_FIELD(ArrayTableHeader, birth_high, "bits 32 to 47"),
       QUIRE_FIELD(ArrayTableHeader, reserved_end, "0")});
}

void catalog() {
  const PagePtr pointer{
      .checksum = ~std::uint64_t{0}, .count = kMaxCount, .birth = kMaxTxn, .page = ~PageNumber{0}};
  CatalogEntry zeros;
  zeros.kind = StructureKind{0};
  const auto field = [&]<class M>(const char* name, M CatalogEntry::* member,
                                  std::type_identity_t<M> ones, const char* meaning) {
    CatalogEntry changed = zeros;
    changed.*member = ones;
    return probed(
        name, zeros, changed, [](const CatalogEntry& entry) { return entry.encode(); }, meaning);
  };
  print_table(
      "catalog-entry", CatalogEntry::kSize,
      {field("root", &CatalogEntry::root, pointer, "page pointer to the root page"),
       field("kind", &CatalogEntry::kind, StructureKind{0xFF}, "1 tree, 2 array"),
       field("height", &CatalogEntry::height, 0xFF, "levels of the tree, or of an array's tables"),
       field("flags", &CatalogEntry::flags, 0xFFFF,
             "1: a keyspace, a tree that its user sees; 2, besides: only the library does"),
       field("block_pages", &CatalogEntry::block_pages, ~PageNumber{0},
             "pages of an array's block"),
       field("elements", &CatalogEntry::elements, ~std::uint64_t{0}, "of an array"),
       field("element_size", &CatalogEntry::element_size, ~std::uint32_t{0},
             "bytes of an array's element"),
       field("first_block_pages", &CatalogEntry::first_block_pages, ~PageNumber{0},
             "pages of the only block of an array of height 0")});

  const auto encode_name = [](const NameEntry& entry) { return entry.encode(); };
  const NameEntry none{.kind = NameKind{0}, .id = 0};
  print_table("name-entry", none.encode().size(),
              {probed("kind", none, NameEntry{.kind = NameKind{0xFF}, .id = 0}, encode_name,
                      "1 keyspace, 2 collection"),
               probed("id", none, NameEntry{.kind = NameKind{0}, .id = ~StructureId{0}},
                      encode_name, "of the keyspace's tree, or of the collection")});
}

void log_segment() {
  using wal::RecordHeader;
  using wal::SegmentHeader;
  using wal::SegmentStart;
  print_table(
      "segment-header", sizeof(SegmentHeader),
      {QUIRE_FIELD(SegmentHeader, magic, "`QUIRELOG`"),
       QUIRE_FIELD(SegmentHeader, byte_order, "0x01020304; other byte orders are refused by name"),
       QUIRE_FIELD(SegmentHeader, version, "1"),
       QUIRE_FIELD(SegmentHeader, database, "id of the database"),
       QUIRE_FIELD(SegmentHeader, number, "equals the file's name"),
       QUIRE_FIELD(SegmentHeader, seed, "random, new each time the file begins a new life"),
       QUIRE_FIELD(SegmentHeader, size_bytes, "of the file"),
       QUIRE_FIELD(SegmentHeader, reserved, "0"),
       QUIRE_FIELD(SegmentHeader, checksum, "XXH3-64 of all the bytes before")});
  print_table("segment-start", sizeof(SegmentStart),
              {QUIRE_FIELD(SegmentStart, checksum, "of the rest, seeded with the segment's key"),
               QUIRE_FIELD(SegmentStart, first_lsn, "of the first record in the segment"),
               QUIRE_FIELD(SegmentStart, previous, "checksum of the record before that one")});
  print_table(
      "log-record", sizeof(RecordHeader),
      {QUIRE_FIELD(RecordHeader, checksum,
                   "of the rest, payload and padding, seeded with the segment's key"),
       QUIRE_FIELD(RecordHeader, lsn, "consecutive"),
       QUIRE_FIELD(RecordHeader, synced_lsn, "known to be on the device when this was appended"),
       QUIRE_FIELD(RecordHeader, previous, "checksum of the record before: the chain"),
       QUIRE_FIELD(RecordHeader, payload_bytes, "without the padding to a multiple of 8"),
       QUIRE_FIELD(RecordHeader, tag, "from the segment's key, never 0"),
       QUIRE_FIELD(RecordHeader, kind, "of the payload"),
       QUIRE_FIELD(RecordHeader, flags, "1: begins a commit; 2: ends one")});
}

void root_image() {
  print_table("root", sizeof(RootImage),
              {QUIRE_FIELD(RootImage, txn, "number of the commit"),
               QUIRE_FIELD(RootImage, lsn, "of its last log record"),
               QUIRE_FIELD(RootImage, catalog, "page pointer to the catalog's tree"),
               QUIRE_FIELD(RootImage, page_count, "every page number of the snapshot is below"),
               QUIRE_FIELD(RootImage, next_id, "of the next keyspace, collection or structure"),
               QUIRE_FIELD(RootImage, catalog_height, "of the catalog's tree; 0: empty"),
               QUIRE_FIELD(RootImage, zero, "0"),
               QUIRE_FIELD(RootImage, checksum, "XXH3-64 of the 56 bytes before")});
}

struct Code {
  int code;
  const char* name;
  const char* meaning;
};
void print_codes(const char* name, const std::vector<Code>& codes, const char* heading) {
  std::printf("<!-- table: %s -->\n| code | name | %s |\n| ---: | --- | --- |\n", name, heading);
  for (const Code& code : codes)
    std::printf("| %d | %s | %s |\n", code.code, code.name, code.meaning);
  std::printf("<!-- end -->\n");
}

void codes() {
  const auto kind = [](PageKind value) { return static_cast<int>(value); };
  print_codes("page-kinds",
              {{kind(PageKind::kLeaf), "leaf", "tree: keys and values"},
               {kind(PageKind::kBranch), "branch", "tree: separators and page pointers"},
               {kind(PageKind::kCatalogLeaf), "catalog leaf", "tree: a leaf of the catalog"},
               {kind(PageKind::kArrayTable), "table", "array: pointers to tables or blocks"}},
              "page");

  const auto log = [](LogKind value) { return static_cast<int>(value); };
  print_codes("log-kinds",
              {{log(LogKind::kOperations), "operations", "a part of a transaction"},
               {log(LogKind::kFirstOperations), "first operations", "the same, and begins one"},
               {log(LogKind::kBulkMarker), "bulk marker",
                "a transaction was committed by checkpoint: its number (u64)"}},
              "payload");

  const auto op = [](OpCode value) { return static_cast<int>(value); };
  print_codes("operations",
              {{op(OpCode::kPut), "put", "id, key size, key, value size, value"},
               {op(OpCode::kErase), "erase", "id, key size, key"},
               {op(OpCode::kEraseRange), "erase range",
                "id, flags (1: low, 2: high), then those flagged: size, bytes"},
               {op(OpCode::kCreateKeyspace), "create keyspace", "id, name size, name"},
               {op(OpCode::kDropKeyspace), "drop keyspace", "id"},
               {op(OpCode::kSavepoint), "savepoint", "nothing; numbered from 0 as they nest"},
               {op(OpCode::kRollback), "roll back to", "number of the savepoint"},
               {op(OpCode::kRelease), "release", "number of the savepoint"},
               {op(kCreateCollection), "create collection", "id, size, definition"},
               {op(kDropCollection), "drop collection", "id, size 0"},
               {op(kPutRecord), "put record",
                "id, size, then: size of the row, row, number of vectors that change, and of each "
                "its place among the vector fields and its elements"},
               {op(kEraseRecord), "erase record", "id, size, key"},
               {op(kChangeCollection), "change collection",
                "id, size, the whole new definition: what differs is carried out"}},
              "fields");

  const auto type = [](FieldType value) { return static_cast<int>(value); };
  constexpr const char* kArray = "in the heap, see below";
  print_codes("field-types",
              {{type(FieldType::kBool), "bool", "1 byte, 0 or 1"},
               {type(FieldType::kI64), "i64", "8 bytes"},
               {type(FieldType::kF64), "f64", "8 bytes"},
               {type(FieldType::kText), "text", "UTF-8, in the heap"},
               {type(FieldType::kBytes), "bytes", "in the heap"},
               {type(FieldType::kTimestamp), "timestamp", "i64, microseconds since 1970 UTC"},
               {type(FieldType::kJson), "json", "the text of a document, in the heap"},
               {type(FieldType::kArrayBool), "array of bool", kArray},
               {type(FieldType::kArrayI64), "array of i64", kArray},
               {type(FieldType::kArrayF64), "array of f64", kArray},
               {type(FieldType::kArrayText), "array of text", kArray},
               {type(FieldType::kArrayBytes), "array of bytes", kArray},
               {type(FieldType::kArrayTimestamp), "array of timestamp", kArray},
               {type(FieldType::kVectorF32), "vector f32", "not in the row: 4 bytes an element"},
               {type(FieldType::kVectorF16), "vector f16", "not in the row: 2 bytes an element"},
               {type(FieldType::kVectorI8), "vector i8", "not in the row: a byte an element"},
               {type(FieldType::kVectorBits), "vector bits",
                "not in the row: eight elements a byte, lowest first"}},
              "in a row");
}

void meta_page() {
  print_table(
      "meta-page", sizeof(MetaImage),
      {QUIRE_FIELD(MetaImage, magic, "`QUIREDB1`"),
       QUIRE_FIELD(MetaImage, format_version, "1"),
       QUIRE_FIELD(MetaImage, byte_order, "0x01020304; other byte orders are refused by name"),
       QUIRE_FIELD(MetaImage, page_size, "bytes"),
       QUIRE_FIELD(MetaImage, flags, "1: closed in order, no log; 2: log segments are kept"),
       QUIRE_FIELD(MetaImage, database, "id, the same in every file of the database"),
       QUIRE_FIELD(MetaImage, sequence,
                   "of two good meta pages the higher one counts; even ones lie in page 0"),
       QUIRE_FIELD(MetaImage, created_us, "microseconds since 1970"),
       QUIRE_FIELD(MetaImage, root, "the state, as above"),
       QUIRE_FIELD(MetaImage, log_segment, "where the log goes on; 0: there is none"),
       QUIRE_FIELD(MetaImage, log_offset, "in that segment"),
       QUIRE_FIELD(MetaImage, log_lsn, "of the last record that the state contains"),
       QUIRE_FIELD(MetaImage, log_chain, "its checksum"),
       QUIRE_FIELD(MetaImage, free_map_page, "first page of the free map"),
       QUIRE_FIELD(MetaImage, free_map_pages, "its pages; 0: there is none"),
       QUIRE_FIELD(MetaImage, free_map_runs, "runs in it"),
       QUIRE_FIELD(MetaImage, free_map_checksum, "XXH3-64 of the runs"),
       QUIRE_FIELD(MetaImage, page_count, "pages of the file that are in use or free"),
       QUIRE_FIELD(MetaImage, zero0, "0"),
       QUIRE_FIELD(MetaImage, zero, "0"),
       QUIRE_FIELD(MetaImage, checksum, "XXH3-64 of the 504 bytes before")});
  print_table("free-run", sizeof(PageRun),
              {QUIRE_FIELD(PageRun, first, "number of the first free page"),
               QUIRE_FIELD(PageRun, pages, "how many")});
}

void lock_file() {
  print_table(
      "lock-header", sizeof(LockHeader),
      {QUIRE_FIELD(LockHeader, magic, "`QUIRELOK`"),
       QUIRE_FIELD(LockHeader, version, "1"),
       QUIRE_FIELD(LockHeader, page_size, "of the database"),
       QUIRE_FIELD(LockHeader, database, "id of the database"),
       QUIRE_FIELD(LockHeader, boot, "boot of the machine that the contents belong to"),
       QUIRE_FIELD(LockHeader, device, "of `data`"),
       QUIRE_FIELD(LockHeader, inode, "of `data`: a copied directory does not share a lock file"),
       QUIRE_FIELD(LockHeader, generation, "of the last process that attached"),
       QUIRE_FIELD(LockHeader, committed_txn, "newest commit that the writer's process can see"),
       QUIRE_FIELD(LockHeader, highest_txn, "no transaction has had a higher number"),
       QUIRE_FIELD(LockHeader, attached, "processes"),
       QUIRE_FIELD(LockHeader, writer_pid, "0: none"),
       QUIRE_FIELD(LockHeader, writer_wake, "futex of the writer's background thread"),
       QUIRE_FIELD(LockHeader, want_publish, "an attaching process waits for publication"),
       QUIRE_FIELD(LockHeader, commit_wake, "futex: changes with each published root"),
       QUIRE_FIELD(LockHeader, commit_waiters, "how many wait on it"),
       QUIRE_FIELD(LockHeader, slot_capacity, "reader slots that the file has room for"),
       QUIRE_FIELD(LockHeader, slot_high, "one past the highest slot ever used"),
       QUIRE_FIELD(LockHeader, durable_lsn,
                   "these ten are the writer's figures, for `stat` elsewhere"),
       QUIRE_FIELD(LockHeader, log_bytes, "since the checkpoint"),
       QUIRE_FIELD(LockHeader, private_bytes, ""),
       QUIRE_FIELD(LockHeader, pages_pinned, ""),
       QUIRE_FIELD(LockHeader, pages_free, ""),
       QUIRE_FIELD(LockHeader, oldest_pinned_bytes, "what the oldest reader pins"),
       QUIRE_FIELD(LockHeader, quota_bytes, "0: none"),
       QUIRE_FIELD(LockHeader, commits, "since the writer opened it"),
       QUIRE_FIELD(LockHeader, syncs, "likewise"),
       QUIRE_FIELD(LockHeader, checkpoints, "likewise"),
       QUIRE_FIELD(LockHeader, want_figures, "somebody waits for them"),
       QUIRE_FIELD(LockHeader, unused0, "0"),
       QUIRE_FIELD(LockHeader, acknowledged_txn,
                   "newest `always` commit acknowledged while the writer was alone"),
       QUIRE_FIELD(LockHeader, unused, "0"),
       QUIRE_FIELD(LockHeader, published,
                   "sequence number (u64), 56 unused bytes, ring of 8 roots")});
  print_table("process-entry", sizeof(ProcessEntry),
              {QUIRE_FIELD(ProcessEntry, owner, "generation and index; 0: free"),
               QUIRE_FIELD(ProcessEntry, pid, "for people; liveness is a held lock"),
               QUIRE_FIELD(ProcessEntry, writes, "1: the read-write process"),
               QUIRE_FIELD(ProcessEntry, unused, "0")});
  print_table("reader-slot", sizeof(ReaderSlot),
              {QUIRE_FIELD(ReaderSlot, txn, "number of the snapshot; 0: none"),
               QUIRE_FIELD(ReaderSlot, owner, "the process; 0: the slot is free"),
               QUIRE_FIELD(ReaderSlot, since_ns, "monotonic clock when the snapshot began"),
               QUIRE_FIELD(ReaderSlot, thread, "for people"), QUIRE_FIELD(ReaderSlot, unused, "0")},
              Tail::kMayBePadded);
}

}  // namespace
}  // namespace quire

int main() {
  quire::page_pointer();
  quire::tree_node();
  quire::array_table();
  quire::catalog();
  quire::root_image();
  quire::meta_page();
  quire::log_segment();
  quire::codes();
  quire::lock_file();
  return 0;
}
