// A whole small database whose files were changed: opened, read through, checked, written to,
// killed, recovered and closed, on the simulated disk.
//
// What the input is: which database (closed in order, killed, killed after commits by checkpoint),
// changes to its files (bytes, whole pages, sizes, files that are missing or another's), whether
// the checksums are made right behind them (meta pages, free map, every page that the newest state
// reaches, log records), and what is done then.
//
// What is promised. Checksums left alone: whatever is read is what one of the commits left, the
// same commit for all of it, and the last one unless the log was changed; or it is an error; and
// what check finds clean can all be read. Whatever is written then is there again, after a kill
// too. Checksums made right: nothing worse than an error, in bounded time and memory. (Somebody who
// makes checksums right can also make answers wrong; that is not promised against.)
#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "engine/base/checksum.h"
#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "engine/record/collection.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "fuzz/fix_sums.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "wal/format.h"
#include "wal/log_reader.h"

namespace quire::fuzz {
namespace {

using io::SimulatedDisk;
using Files = std::map<std::string, ByteVector>;
// Entries of a keyspace, or records of a collection ("#name"), as texts.
using Part = std::map<std::string, std::string>;
using State = std::map<std::string, Part>;

const std::string kPath = "/db";
const std::string kData = kPath + "/data";
const std::string kLog = kPath + "/wal";
constexpr std::uint32_t kPage = 512;
constexpr std::size_t kLongestScan = 3000;

DatabaseOptions options() {
  DatabaseOptions options;
  options.page_size = 0;
  options.log_segment_bytes_min = options.log_segment_bytes_max = 4096;
  options.writer.durability = Durability::kAlways;
  options.writer.background = false;
  return options;
}

// --- reading ---

Result<Part> read_keyspace(View& view, StructureId id) {
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

std::string text_of(const Value& value) {
  if (value.is_null()) return "null";
  if (value.type == FieldType::kVectorF32) return std::string(as_text(value.vector_bytes()));
  if (value.type == FieldType::kI64) return std::to_string(value.i64);
  return std::string(as_text(value.bytes));
}

Result<Part> read_collection(View& view, StructureId id) {
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
    if (!part.emplace(text_of(values[collection.schema().key()]), text).second) break;
  }
  return part;
}

struct Reading {
  State parts;         // that could be read
  bool whole = false;  // that is everything
};

// Everything that can be read. A state that was read without an error is also counted right.
Reading read_all(View& view) {
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
    status = names.next();
  }
  if (!status) reading.whole = false;
  return reading;
}

// --- databases to begin with ---

struct Base {
  Files files;
  std::vector<State> history;  // behind each commit, from the checkpoint on
  std::vector<PageNumber> roots;
};

constexpr float kPlace[] = {1, 2};

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
    static const std::vector<float> kExtra(40, 3.0F);
    for (int i = 0; i < 4; ++i) {
      const std::string id = "book" + std::to_string((number * 5 + i) % 30);
      must(upsert_record(
          txn, books,
          std::vector<Value>{Value::of_text(id), i == 1 ? Value::null() : Value::of_i64(number),
                             Value::of_vector(kPlace, 2),
                             i == 2 ? Value::of_vector(kExtra.data(), 40) : Value::null()}));
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

MetaImage meta_at(Bytes data, std::size_t place) {
  MetaImage image;
  std::memcpy(static_cast<void*>(&image), data.data() + place, sizeof image);
  return image;
}
void put_meta(MutableBytes data, std::size_t place, MetaImage image) {
  image.root.checksum = checksum64(as_bytes(&image.root, offsetof(RootImage, checksum)));
  image.checksum = checksum64(as_bytes(&image, offsetof(MetaImage, checksum)));
  std::ranges::copy(as_bytes(&image, sizeof image),
                    data.begin() + static_cast<std::ptrdiff_t>(place));
}

void fix_log(Files& files, bool same_history);

// What differs from run to run (ids, seeds, times) made the same, so that an input is replayed
// everywhere as it was found.
void make_the_same(Base& base) {
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

Base build(Kind kind) {
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

// --- changes ---

// Records as their sizes say, sealed under the segment's key. With `same_history` each follows the
// one before; the positions in the meta pages follow too.
void fix_log(Files& files, bool same_history) {
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
void fix_pages(MutableBytes data, std::size_t place) {
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

enum Fix : std::uint8_t { kFixPages = 1, kFixLog = 2, kFixHistory = 4 };

struct Changes {
  bool data = false;
  bool log = false;
};

// One file's bytes, where something is said: most places of a page or a segment are free or zero.
std::size_t spot_in(Input& input, Bytes file, bool data) {
  const std::uint8_t part = input.byte();
  if (data) {
    if (part < 24) return part % 2 * kPage + input.byte() * 2U % kPage;  // meta pages
    const std::size_t page = input.byte() % std::max<std::size_t>(file.size() / kPage, 1);
    if (part < 90) return page * kPage + input.byte() % 96U;  // headers, hints
    return page * kPage + input.take<std::uint16_t>() % kPage;
  }
  if (part < 40) return input.byte() * 3U;  // header and start block
  return wal::kRecordsAt + input.take<std::uint16_t>() % 4096U;
}

void change_file(Input& input, Files& files, const std::string& path, std::uint8_t how) {
  const auto found = files.find(path);
  if (found == files.end()) return;
  ByteVector& bytes = found->second;
  const bool data = path == kData;
  if (how == 0) {
    files.erase(found);
  } else if (how == 1) {
    bytes.resize(input.take<std::uint16_t>() % (bytes.size() + 600));
  } else if (how < 6 && data && bytes.size() >= 4 * kPage) {  // a page of its own, elsewhere
    const std::size_t from = input.byte() % (bytes.size() / kPage) * kPage;
    const std::size_t to = input.byte() % (bytes.size() / kPage) * kPage;
    const ByteVector page = to_vector(Bytes(bytes).subspan(from, kPage));
    std::ranges::copy(page, bytes.begin() + static_cast<std::ptrdiff_t>(to));
  } else if (how == 6 && !data) {  // another segment under this name
    auto other = files.begin();
    std::advance(other, input.byte() % files.size());
    const ByteVector copy = other->second;
    files[path] = copy;
  } else {
    Edits::apply_one(input, bytes, spot_in(input, bytes, data));
  }
}

Changes change(Input& input, Files& files) {
  Changes changes;
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files) paths.push_back(path);
  const std::size_t count = input.byte() % (Edits::kMost + 1);
  for (std::size_t i = 0; i < count && !input.empty(); ++i) {
    const std::uint8_t where = input.byte();
    // The data comes first in order of names.
    const std::string& path = paths[where < 160 ? 0 : where % paths.size()];
    change_file(input, files, path, input.byte() % 32);
    (path == kData ? changes.data : changes.log) = true;
  }
  return changes;
}

// --- what is done with it ---

std::unique_ptr<SimulatedDisk> disk_of(const Files& files) {
  auto disk = std::make_unique<SimulatedDisk>(1);
  must(disk->make_directory(kPath));
  must(disk->make_directory(kLog));
  for (const auto& [path, bytes] : files)
    must(must(disk->open(path, io::OpenMode::kCreate))->write(0, bytes));
  return disk;
}

// Whether all parts are of one commit; which ones it may be.
bool fits(const State& commit, const Reading& reading) {
  for (const auto& [name, part] : reading.parts) {
    const auto there = commit.find(name);
    if (there == commit.end() || there->second != part) return false;
  }
  return !reading.whole || commit.size() == reading.parts.size();
}

class Session {
 public:
  Session(const Base& base, Input& input, SimulatedDisk& disk, Changes changes, bool strict)
      : base_(base), input_(input), disk_(disk), changes_(changes), strict_(strict) {}

  void run() {
    for (int life = 0; life < 3; ++life) {
      const std::uint8_t how = input_.byte();
      if (!open((how & 1) != 0)) return;
      clean_ = false;
      read();
      if ((how & 2) != 0) check();
      if (!database_->read_only() && (how & 4) == 0) write();
      if ((how & 8) != 0)
        database_->crash();
      else
        close();
      database_.reset();
    }
  }

 private:
  bool open(bool read_only) {
    DatabaseOptions opened = options();
    opened.create = false;
    opened.read_only = read_only;
    auto database = Database::open(disk_, kPath, opened);
    if (!database) {
      demand(!database.error().message().empty(), "an error without a sentence");
      demand(changes_.data || changes_.log, "a good database can't be opened");
      return false;
    }
    database_ = *std::move(database);
    return true;
  }

  void read() {
    const auto snapshot = database_->begin_read();
    if (!snapshot) return demand(changes_.data || changes_.log, "a good database can't be read");
    Reading reading = read_all(**snapshot);
    whole_ = reading.whole;
    if (!strict_) return;
    if (expected_) {
      demand(fits(*expected_, reading), "what was written is not there");
      return;
    }
    // Written beside damage, before it was known which commit this is.
    reading.parts.erase("written");
    for (std::size_t i = base_.history.size(); i-- > 0;) {
      if (!fits(base_.history[i], reading)) continue;
      if (!reading.whole) return;
      demand(changes_.log || i + 1 == base_.history.size(),
             "commits are missing, and the log was as it should be");
      if (lives_ == 0) expected_ = base_.history[i];
      return;
    }
    std::string parts;
    for (const auto& [name, part] : reading.parts)
      parts += " " + name + " (" + std::to_string(part.size()) + ")";
    found("no commit left what is read:" + parts + (reading.whole ? "" : ", and not all of it"));
  }

  void check() {
    int damages = 0;
    const Status status = database_->check([&](const std::string& text) {
      demand(!text.empty(), "a damage without a sentence");
      return ++damages < 50;
    });
    demand(whole_ || !status || !strict_, "check finds nothing, and not all can be read");
    demand(changes_.data || changes_.log || status, "check finds damage in a good database");
    clean_ = whole_ && status.has_value();
  }

  // A commit, which must be there from then on where nothing was found before.
  void write() {
    const bool sure = strict_ && clean_ && expected_;
    const auto txn = database_->begin_write(true);
    if (!txn) return demand(!sure, "a clean database can't be written to");
    const std::string key = "life" + std::to_string(++lives_);
    const Status done = change_all(**txn, key);
    if (!done) return demand(!sure, "a change of a clean database fails");
    const auto committed = database_->writer()->commit(**txn, Durability::kAlways);
    if (!committed) {
      if (!sure) expected_.reset();
      return demand(!sure, "a commit to a clean database fails");
    }
    if (expected_) (*expected_)["written"][key] = "value";
    if ((input_.byte() & 1) != 0) {
      const Status checkpoint = database_->checkpoint();
      demand(checkpoint || !sure, "a checkpoint of a clean database fails");
    }
  }
  Status change_all(WriteTxn& txn, const std::string& key) {
    QUIRE_TRY(const auto entry, txn.find_name("written"));
    StructureId id = entry ? entry->id : 0;
    if (!entry) {
      QUIRE_TRY(id, txn.create_keyspace("written"));
    }
    QUIRE_CHECK(txn.put(id, as_bytes(key), as_bytes("value"), TreeWriter::PutMode::kUpsert));
    // What touches the structures that were there, and is undone.
    QUIRE_TRY(const std::size_t savepoint, txn.savepoint());
    const Status touched = touch_what_was_there(txn);
    if (!touched && WriteTxn::breaks(touched.error().code())) return touched;
    return txn.rollback_to(savepoint);
  }
  Status touch_what_was_there(WriteTxn& txn) {
    QUIRE_TRY(const auto goods, txn.find_name("goods"));
    if (goods && goods->kind == NameKind::kKeyspace) {
      const std::string key = "key" + std::to_string(input_.byte());
      QUIRE_CHECK(txn.erase(goods->id, as_bytes(key)));
      QUIRE_CHECK(txn.put(goods->id, as_bytes(key), as_bytes(std::string(700, 'n')),
                          TreeWriter::PutMode::kUpsert));
      QUIRE_CHECK(txn.erase_range(goods->id, as_bytes("key2"), as_bytes("key5")));
    }
    QUIRE_TRY(const auto books, txn.find_name("books"));
    if (books && books->kind == NameKind::kCollection) {
      QUIRE_TRY(const Collection collection, Collection::open(txn, books->id));
      const std::string id = "book" + std::to_string(input_.byte() % 32);
      QUIRE_CHECK(erase_record(txn, collection, Value::of_text(id)));
      QUIRE_CHECK(collection.drop(txn));
    }
    if (goods) QUIRE_CHECK(txn.drop_keyspace(goods->id));
    return {};
  }
  void close() {
    const Status closed = database_->close();
    demand(closed || !strict_ || !clean_ || !expected_, "a clean database can't be closed");
  }

  const Base& base_;
  Input& input_;
  SimulatedDisk& disk_;
  const Changes changes_;
  const bool strict_;
  std::unique_ptr<Database> database_;
  bool whole_ = false;  // all could be read
  bool clean_ = false;  // and check found nothing
  int lives_ = 0;
  std::optional<State> expected_;  // once it is known
};

const Base& base_of(Kind kind) {
  static std::optional<Base> bases[kKinds];
  if (!bases[kind]) bases[kind] = build(kind);
  return *bases[kind];
}

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  const Base& base = base_of(static_cast<Kind>(input.byte() % kKinds));
  const std::uint8_t fix = input.byte();
  Files files = base.files;
  const Changes changes = change(input, files);
  if ((fix & kFixLog) != 0) fix_log(files, (fix & kFixHistory) != 0);
  if (const auto data = files.find(kData); data != files.end() && (fix & kFixPages) != 0) {
    fix_pages(data->second, 0);
    fix_pages(data->second, kPage);
  }
  const auto disk = disk_of(files);
  const bool strict = (fix & (kFixPages | kFixLog)) == 0;
  Session(base, input, *disk, changes, strict).run();
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  for (std::uint8_t kind = 0; kind < kKinds; ++kind) {
    for (std::uint8_t fix = 0; fix < 8; ++fix)
      all.push_back({std::byte{kind}, std::byte{fix}, std::byte{1}, std::byte{0}, std::byte{9},
                     std::byte{60}, std::byte{static_cast<std::uint8_t>(7 * fix)}, std::byte{40},
                     std::byte{16}, std::byte{8}, std::byte{4}});
    all.push_back(
        {std::byte{kind}, std::byte{0}, std::byte{0}, std::byte{2}, std::byte{0}, std::byte{8}});
    all.push_back({std::byte{kind}, std::byte{0}, std::byte{2}, std::byte{160}, std::byte{9},
                   std::byte{60}, std::byte{40}, std::byte{0}, std::byte{8}, std::byte{200},
                   std::byte{0}});
  }
  return all;
}

}  // namespace quire::fuzz
