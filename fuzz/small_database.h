// A small database for the fuzzer of whole ones: its files, what each commit left in it, how it is
// read, and how its checksums are made right after a change.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/checksum.h"
#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "engine/record/collection.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "fuzz/fix_sums.h"
#include "fuzz/must.h"
#include "index/vector/exact_search.h"
#include "wal/format.h"
#include "wal/log_reader.h"

namespace quire::fuzz {

using io::SimulatedDisk;
using Files = std::map<std::string, ByteVector>;
// Entries of a keyspace, records of a collection ("#name") or what a search in one finds ("?name"),
// as texts.
using Part = std::map<std::string, std::string>;
using State = std::map<std::string, Part>;

inline const std::string kPath = "/db";
inline const std::string kData = kPath + "/data";
inline const std::string kLog = kPath + "/wal";
inline constexpr std::uint32_t kPage = 512;
inline constexpr std::size_t kLongestScan = 3000;

inline DatabaseOptions options() {
  DatabaseOptions options;
  options.page_size = 0;
  options.log_segment_bytes_min = options.log_segment_bytes_max = 4096;
  options.writer.durability = Durability::kAlways;
  options.writer.background = false;
  return options;
}

// --- reading ---

inline Result<Part> read_keyspace(View& view, StructureId id) {
  Part part;
  QUIRE_TRY(const TreeRoot root, view.keyspace_root(id));
  TreeCursor cursor(&view.reader(), root);
  QUIRE_CHECK(cursor.first());
  while (cursor.valid() && part.size() < kLongestScan) {
    QUIRE_TRY(const Bytes value, cursor.value());
    if (!part.emplace(as_text(cursor.key()), as_text(value)).second) break;
    QUIRE_CHECK(cursor.next());
  }
  return part;
}

inline std::string text_of(const Value& value) {
  if (value.is_null()) return "null";
  if (value.type == FieldType::kVectorF32) return std::string(as_text(value.vector_bytes()));
  if (value.type == FieldType::kI64) return std::to_string(value.i64);
  return std::string(as_text(value.bytes));
}

inline Result<Part> read_collection(View& view, StructureId id) {
  Part part;
  QUIRE_TRY(const Collection collection, Collection::open(view, id));
  RecordReader reader(view, collection);
  QUIRE_TRY(RecordScan scan, RecordScan::open(reader, nullptr, nullptr));
  std::vector<Value> values(collection.schema().size());
  while (part.size() < kLongestScan) {
    QUIRE_TRY(const bool there, scan.next(values));
    if (!there) break;
    std::string text;
    for (const Value& value : values) text += text_of(value) + "|";
    if (!part.emplace(text_of(values[collection.schema().key()[0]]), text).second) break;
  }
  return part;
}

// What an exact search finds that asks for all: the distances of each record, by its key.
inline Result<Part> search_collection(View& view, StructureId id) {
  Part part;
  QUIRE_TRY(const Collection collection, Collection::open(view, id));
  for (const std::uint32_t field : collection.schema().vectors()) {
    const Field& searched = collection.schema().field(field);
    // Of floats one; of the others all zero bits.
    const std::vector<float> ones(searched.dimension, 1.0F);
    const ByteVector zeros(searched.vector_bytes());
    const Value query = searched.type == FieldType::kVectorF32
                            ? Value::of_vector(ones.data(), searched.dimension)
                            : Value::of_vector(searched.type, zeros.data(), searched.dimension);
    QUIRE_TRY(const auto hits,
              exact_search(view, collection,
                           {.field = field, .metric = {}, .vector = query, .k = kLongestScan}));
    for (const VectorHit& hit : hits)
      part.emplace(std::to_string(field) + std::string(as_text(hit.key)),
                   std::to_string(hit.distance));
  }
  return part;
}

struct Reading {
  State parts;         // that could be read
  bool whole = false;  // that is everything
};

// Everything that can be read. A state that was read without an error is also counted right.
inline Reading read_all(View& view) {
  Reading reading{{}, true};
  TreeCursor names(&view.reader(), view.catalog_root());
  Status status = names.seek(name_key(""));
  for (std::size_t i = 0; status && names.valid() && i < kLongestScan; ++i) {
    if (names.key().empty() || static_cast<char>(names.key()[0]) != 'n') break;
    const std::string name(as_text(names.key().subspan(1)));
    const auto value = names.value();
    const auto entry =
        value ? NameEntry::decode(*value, name) : Result<NameEntry>(std::unexpected(value.error()));
    auto part = !entry                               ? Result<Part>(std::unexpected(entry.error()))
                : entry->kind == NameKind::kKeyspace ? read_keyspace(view, entry->id)
                                                     : read_collection(view, entry->id);
    if (part)
      reading.parts[(entry->kind == NameKind::kCollection ? "#" : "") + name] = *std::move(part);
    else
      reading.whole = false;
    if (entry && entry->kind == NameKind::kCollection) {
      auto found = search_collection(view, entry->id);
      if (found)
        reading.parts["?" + name] = *std::move(found);
      else
        reading.whole = false;
    }
    status = names.next();
  }
  if (!status) reading.whole = false;
  return reading;
}

// --- databases to begin with ---

struct Base {
  Files files;
  std::vector<State> history;  // behind each commit, from the checkpoint on
  ByteVector lock;             // as the process left it that was killed
};

class Builder {
 public:
  explicit Builder(std::uint64_t log_budget) {
    DatabaseOptions made = options();
    made.page_size = kPage;
    made.writer.log_budget_bytes = log_budget;
    database_ = must(Database::open(disk_, kPath, made));
  }

  // A commit with a little of everything.
  void commit(int number) {
    const auto txn = must(database_->begin_write(true));
    const StructureId goods = keyspace(*txn, "goods");
    for (int i = 0; i < 6; ++i) {
      const std::string key = "key" + std::to_string(number * 37 % 50 * 3 + i);
      const std::string value(number % 4 == 1 && i == 2 ? 900 : (number * i) % 60, 'v');
      must(txn->put(goods, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
    }
    if (number % 3 == 2) {
      const std::size_t savepoint = must(txn->savepoint());
      must(txn->erase_range(goods, as_bytes("key1"), as_bytes("key12")));
      if (number % 2 == 0) must(txn->rollback_to(savepoint));
    }
    const StructureId extra = keyspace(*txn, "extra");
    must(txn->put(extra, as_bytes("n"), as_bytes(std::to_string(number)),
                  TreeWriter::PutMode::kUpsert));
    if (number % 5 == 4) must(txn->drop_keyspace(extra));
    records(*txn, number);
    State state = read_all(*txn).parts;
    must(database_->writer()->commit(*txn, Durability::kAlways));
    history_.push_back(std::move(state));
  }
  void checkpoint() {
    must(database_->checkpoint());
    history_.erase(history_.begin(), history_.end() - 1);
  }
  void close() {
    must(database_->close());
    history_.erase(history_.begin(), history_.end() - 1);
  }
  Base take() {
    database_->crash();
    database_.reset();
    Base base;
    base.history = history_;
    for (const std::string& name : must(disk_.list(kLog)))
      if (name.size() == 16) base.files[kLog + "/" + name] = content(kLog + "/" + name);
    base.files[kData] = content(kData);
    base.lock = content(kPath + "/lock");
    return base;
  }

 private:
  static StructureId keyspace(WriteTxn& txn, std::string_view name) {
    const auto entry = must(txn.find_name(name));
    return entry ? entry->id : must(txn.create_keyspace(name));
  }
  static void records(WriteTxn& txn, int number) {
    const auto entry = must(txn.find_name("books"));
    const Collection books =
        entry ? must(Collection::open(txn, entry->id))
              : must(Collection::create(
                    txn, "books",
                    must(Schema::make({{"id", FieldType::kText},
                                       {"size", FieldType::kI64, true},
                                       {"place", FieldType::kVectorF32, false, 2},
                                       {"extra", FieldType::kVectorF32, true, 40}},
                                      0))));
    const std::vector<float> extra(40, static_cast<float>(number));
    for (int i = 0; i < 4; ++i) {
      const std::string id = "book" + std::to_string((number * 5 + i) % 30);
      const float place[] = {static_cast<float>(number), static_cast<float>(i)};
      must(upsert_record(
          txn, books,
          std::vector<Value>{Value::of_text(id), i == 1 ? Value::null() : Value::of_i64(number),
                             Value::of_vector(place, 2),
                             i == 2 ? Value::of_vector(extra.data(), 40) : Value::null()}));
    }
    const std::string gone = "book" + std::to_string(number * 5 % 30);
    if (number % 2 == 1) must(erase_record(txn, books, Value::of_text(gone)));
  }
  ByteVector content(const std::string& path) {
    const auto file = must(disk_.open(path, io::OpenMode::kRead));
    ByteVector bytes(must(file->size()));
    must(file->read(0, bytes));
    return bytes;
  }

  SimulatedDisk disk_;
  std::unique_ptr<Database> database_;
  std::vector<State> history_;
};

inline MetaImage meta_at(Bytes data, std::size_t place) {
  MetaImage image;
  std::memcpy(static_cast<void*>(&image), data.data() + place, sizeof image);
  return image;
}
inline void put_meta(MutableBytes data, std::size_t place, MetaImage image) {
  image.root.checksum = checksum64(as_bytes(&image.root, offsetof(RootImage, checksum)));
  image.checksum = checksum64(as_bytes(&image, offsetof(MetaImage, checksum)));
  std::ranges::copy(as_bytes(&image, sizeof image),
                    data.begin() + static_cast<std::ptrdiff_t>(place));
}

inline void fix_log(Files& files, bool same_history);

// What differs from run to run (ids, seeds, times) made the same, so that an input is replayed
// everywhere as it was found.
inline void make_the_same(Base& base) {
  ByteVector& data = base.files.at(kData);
  PageNumber pages = 0;
  for (const std::size_t place : {std::size_t{0}, std::size_t{kPage}}) {
    MetaImage image = meta_at(data, place);
    if (image.magic != kMetaMagic) continue;
    image.database[0] = 1;
    image.database[1] = 2;
    image.created_us = 3;
    pages = std::max(pages, image.page_count);
    put_meta(data, place, image);
  }
  data.resize(std::size_t{pages} * kPage);
  for (auto& [path, bytes] : base.files) {
    if (path == kData) continue;
    wal::SegmentHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    header.database = {1, 2};
    header.seed = header.number * 1000;
    std::memcpy(bytes.data(), &header, sizeof header);
  }
  fix_log(base.files, true);
}

enum Kind : std::uint8_t { kClosed, kKilled, kBulk, kKinds };

inline Base build(Kind kind) {
  Builder builder(kind == kBulk ? 700 : 64 << 20);
  for (int i = 0; i < 14; ++i) {
    builder.commit(i);
    if (i == 4 || i == 9) builder.checkpoint();
  }
  if (kind == kClosed) builder.close();
  Base base = builder.take();
  make_the_same(base);
  return base;
}

// --- checksums ---

// Records as their sizes say, sealed under the segment's key. With `same_history` each follows the
// one before; the positions in the meta pages follow too.
inline void fix_log(Files& files, bool same_history) {
  std::map<std::uint64_t, std::uint64_t> chain_of;  // by LSN
  for (auto& [path, bytes] : files) {
    if (path == kData || bytes.size() < wal::kRecordsAt) continue;
    wal::SegmentHeader header;
    std::memcpy(&header, bytes.data(), sizeof header);
    const Bytes covered = as_bytes(&header, offsetof(wal::SegmentHeader, checksum));
    header.checksum = checksum64(covered);
    std::memcpy(bytes.data(), &header, sizeof header);
    const std::uint64_t key = wal::segment_key(header);
    wal::SegmentStart start;
    std::memcpy(&start, bytes.data() + wal::kStartAt, sizeof start);
    if (start.first_lsn == 0) continue;
    std::uint64_t chain = start.previous;
    if (const auto known = chain_of.find(start.first_lsn - 1);
        same_history && known != chain_of.end())
      chain = known->second;
    start = wal::make_start(key, start.first_lsn, chain);
    std::memcpy(bytes.data() + wal::kStartAt, &start, sizeof start);
    chain_of[start.first_lsn - 1] = chain;
    for (std::uint64_t at = wal::kRecordsAt; at + sizeof(wal::RecordHeader) <= bytes.size();) {
      std::byte* const record = bytes.data() + at;
      const auto lsn = load_le<std::uint64_t>(record + offsetof(wal::RecordHeader, lsn));
      const std::uint64_t size = wal::record_bytes(
          load_le<std::uint32_t>(record + offsetof(wal::RecordHeader, payload_bytes)));
      if (lsn == 0 || size > bytes.size() - at) break;
      if (same_history) store_le(record + offsetof(wal::RecordHeader, previous), chain);
      chain = wal::seal_record(MutableBytes(bytes).subspan(at, size), key);
      chain_of[lsn] = chain;
      at += size;
    }
  }
  const auto data = files.find(kData);
  if (!same_history || data == files.end() || data->second.size() < 2 * kPage) return;
  for (const std::size_t place : {std::size_t{0}, std::size_t{kPage}}) {
    MetaImage image = meta_at(data->second, place);
    const auto known = chain_of.find(image.log_lsn);
    if (image.magic != kMetaMagic || known == chain_of.end()) continue;
    image.log_chain = known->second;
    put_meta(data->second, place, image);
  }
}

// Every pointer that the state of a meta page reaches, then the meta page.
inline void fix_pages(MutableBytes data, std::size_t place) {
  if (place + sizeof(MetaImage) > data.size()) return;
  MetaImage image = meta_at(data, place);
  if (image.page_size != kPage) return put_meta(data, place, image);
  const MutableBytes pages = data.first(data.size() / kPage * kPage);
  SumFixer* inner = nullptr;
  SumFixer fixer(pages, kPage, false, [&](Bytes key, MutableBytes value) {
    if (value.size() != CatalogEntry::kSize || key.size() != 5) return;
    auto entry = CatalogEntry::decode(value, 0);
    if (!entry) return;
    TreeRoot tree = entry->tree(0);
    ArrayRoot array = entry->array(0);
    if (entry->kind == StructureKind::kTree)
      inner->fix_tree(tree.root);
    else
      inner->fix_array(array);
    store_ptr(value.data(), entry->kind == StructureKind::kTree ? tree.root : array.root);
  });
  inner = &fixer;
  PagePtr catalog = load_ptr(image.root.catalog);
  fixer.fix_tree(catalog);
  store_ptr(image.root.catalog, catalog);
  const std::uint64_t map = std::uint64_t{image.free_map_page} * kPage;
  const std::uint64_t map_bytes = image.free_map_runs * sizeof(PageRun);
  if (map < data.size() && image.free_map_runs < kPage && map_bytes <= data.size() - map)
    image.free_map_checksum = checksum64(Bytes(data).subspan(map, map_bytes));
  put_meta(data, place, image);
}

}  // namespace quire::fuzz
