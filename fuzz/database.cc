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
#include "fuzz/fuzz.h"
#include "fuzz/input.h"
#include "fuzz/must.h"
#include "fuzz/small_database.h"

namespace quire::fuzz {
namespace {

// --- changes ---

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
