// Sequences of calls of the C interface, against a model.
//
// What the input is: options of a database, and calls, whose handles are taken from all that were
// ever given out, those of things that have ended too, and whose arguments are sometimes wrong.
//
// What is promised: each call returns what the model says: OK with the data of the model, or the
// error that the header names; a transaction sees its state until it ends, whatever others do; what
// is committed is there after the database was closed and opened; check finds nothing.
//
// The database lies in memory of the system (/dev/shm) where there is some: quire_open takes paths
// of the machine and no other disk, and so nothing between the caller and the files is left out.
#include <quire/quire.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"
#include "fuzz/input.h"

namespace quire::fuzz {
namespace {

namespace fs = std::filesystem;
using Map = std::map<std::string, std::string>;

// --- the model ---

struct Record {
  std::optional<std::int64_t> number;
  std::string bytes;
  std::optional<std::array<float, 2>> place;
  bool operator==(const Record&) const = default;
};
struct State {
  struct Space {
    std::string name;
    Map entries;
    bool operator==(const Space&) const = default;
  };
  struct Shelf {
    std::string name;
    std::map<std::string, Record> records;
    bool operator==(const Shelf&) const = default;
  };
  std::map<quire_keyspace, Space> spaces;
  std::map<quire_collection, Shelf> shelves;

  quire_keyspace space_named(const std::string& name) const {
    for (const auto& [id, space] : spaces)
      if (space.name == name) return id;
    return 0;
  }
  quire_collection shelf_named(const std::string& name) const {
    for (const auto& [id, shelf] : shelves)
      if (shelf.name == name) return id;
    return 0;
  }
};

struct Txn {
  quire_txn* handle = nullptr;
  std::size_t db = 0;
  bool open = false;
  bool write = false;
  State state;
  std::vector<std::pair<std::uint64_t, State>> savepoints;
};

struct Cursor {
  enum Place { kNowhere, kBefore, kOn, kAfter };
  quire_cursor* handle = nullptr;
  std::size_t txn = 0;
  bool closed = false;
  quire_keyspace space = 0;
  std::optional<std::string> low, high, prefix;
  Place place = kNowhere;
  std::string at;

  bool has(const std::string& key) const {
    return (!low || key >= *low) && (!high || key < *high) && (!prefix || key.starts_with(*prefix));
  }
};

std::string text(const quire_slice& slice) {
  return {static_cast<const char*>(slice.data), slice.size};
}
quire_slice slice(const std::string& bytes) { return {bytes.data(), bytes.size()}; }

void expect(int code, int expected, const char* call) {
  if (code == expected) return;
  found(std::string(call) + ": " + quire_error_name(code) + ", expected " +
        quire_error_name(expected) + "; the last error was: " + quire_last_error());
}

// A directory that goes away, on the fastest file system there is.
class Directory {
 public:
  Directory() {
    const fs::path memory = "/dev/shm";
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    path_ = (usable ? memory : fs::temp_directory_path()) /
            ("quire-fuzz-" + std::to_string(::getpid()));
    fs::remove_all(path_);
    fs::create_directory(path_);
  }
  ~Directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::string database() const { return (path_ / "db").string(); }
  void empty() const { fs::remove_all(path_ / "db"); }

 private:
  fs::path path_;
};

const Directory& directory() {
  static const Directory directory;
  return directory;
}

// --- the calls ---

class Session {
 public:
  explicit Session(Input& input) : input_(input) {
    directory().empty();
    options_.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND;
    const std::uint8_t kind = input_.byte();
    options_.page_size = (kind & 1) != 0 ? 512 : 1024;
    options_.durability = QUIRE_DURABILITY_OS;
    if ((kind & 2) != 0) options_.log_budget_bytes = 500;  // commits by checkpoint
    if ((kind & 4) != 0) options_.private_bytes = 4096;    // pages written early
    if ((kind & 8) != 0) options_.flags |= QUIRE_OPEN_ARCHIVE;
    if ((kind & 16) != 0) options_.checkpoint_bytes = 2000;
    open_first();
  }

  void run() {
    for (int i = 0; i < 400 && !input_.empty(); ++i) step();
    verify_all();
    end_all();
    for (const Cursor& cursor : cursors_)
      if (!cursor.closed) quire_cursor_close(cursor.handle);
    expect(quire_close(dbs_[0]), QUIRE_OK, "the last close");
    options_.flags &= ~static_cast<std::uint32_t>(QUIRE_OPEN_CREATE);
    open_first();
    verify_committed();
    expect(quire_check(dbs_[0], nullptr, nullptr), QUIRE_OK, "check");
    expect(quire_close(dbs_[0]), QUIRE_OK, "close");
  }

 private:
  // --- databases ---

  void open_first() {
    quire_db* db = nullptr;
    expect(quire_open(directory().database().c_str(), &options_, &db), QUIRE_OK, "open");
    dbs_.assign(1, db);
  }
  void database_call() {
    switch (input_.byte() % 8) {
      case 0:
        expect(quire_checkpoint(dbs_[0]), QUIRE_OK, "checkpoint");
        break;
      case 1:
        expect(quire_sync(dbs_[0]), QUIRE_OK, "sync");
        break;
      case 2: {
        quire_stat stat{};
        stat.size = sizeof stat;
        expect(quire_get_stat(dbs_[0], &stat), QUIRE_OK, "stat");
        demand(stat.keyspaces == committed_.spaces.size() &&
                   stat.collections == committed_.shelves.size(),
               "stat counts other keyspaces or collections");
        break;
      }
      case 3:
        expect(quire_check(dbs_[0], nullptr, nullptr), QUIRE_OK, "check");
        break;
      case 4:
        return reopen();
      case 5:
        return second_handle();
      case 6: {
        std::uint64_t newest = 0;
        std::uint64_t lsn = 0;
        expect(quire_latest(dbs_[0], &newest, &lsn), QUIRE_OK, "latest");
        expect(quire_wait_commit(dbs_[0], newest, 0, nullptr), QUIRE_ERR_TIMEOUT, "wait_commit");
        if (wrote_) expect(quire_wait_durable(dbs_[0], lsn), QUIRE_OK, "wait_durable");
        expect(quire_wait_durable(dbs_[0], lsn + 1), QUIRE_ERR_INVALID, "wait_durable");
        break;
      }
      default:
        return wrong_call();
    }
  }
  void second_handle() {
    if (dbs_.size() == 1) {
      quire_open_options options = options_;
      if (input_.flag()) options.flags = QUIRE_OPEN_READ_ONLY;
      quire_db* db = nullptr;
      expect(quire_open(directory().database().c_str(), &options, &db), QUIRE_OK, "a second open");
      second_reads_only_ = options.flags == QUIRE_OPEN_READ_ONLY;
      dbs_.push_back(db);
      return;
    }
    bool reads = false;
    for (const Txn& txn : txns_) reads |= txn.open && !txn.write && txn.db == 1;
    expect(quire_close(dbs_[1]), reads ? QUIRE_ERR_BUSY : QUIRE_OK, "close of the second handle");
    if (reads) return;
    for (Txn& txn : txns_)
      if (txn.db == 1) txn.open = false;  // a write transaction is undone
    expect(quire_checkpoint(dbs_[1]), QUIRE_ERR_CLOSED, "a handle that was closed");
    dbs_.pop_back();
  }
  void reopen() {
    end_all();
    expect(quire_close(dbs_[0]), QUIRE_OK, "close");
    options_.flags &= ~static_cast<std::uint32_t>(QUIRE_OPEN_CREATE);
    wrote_ = false;
    open_first();
  }
  void end_all() {
    for (Txn& txn : txns_) {
      if (txn.open) quire_abort(txn.handle);
      txn.open = false;
    }
    if (dbs_.size() == 2) {
      expect(quire_close(dbs_[1]), QUIRE_OK, "close of the second handle");
      dbs_.pop_back();
    }
  }
  // What is wrong whatever the state is.
  void wrong_call() {
    quire_txn* txn = nullptr;
    quire_db* db = nullptr;
    expect(quire_begin(dbs_[0], 77, &txn), QUIRE_ERR_INVALID, "begin with unknown flags");
    expect(quire_begin(nullptr, QUIRE_READ, &txn), QUIRE_ERR_INVALID, "begin of NULL");
    expect(quire_begin(dbs_[0], QUIRE_READ, nullptr), QUIRE_ERR_INVALID, "begin into NULL");
    demand(txn == nullptr, "a transaction without success");
    expect(quire_commit(nullptr), QUIRE_ERR_INVALID, "commit of NULL");
    expect(quire_renew(nullptr), QUIRE_ERR_INVALID, "renew of NULL");
    expect(quire_open(nullptr, nullptr, &db), QUIRE_ERR_INVALID, "open of NULL");
    expect(quire_checkpoint(nullptr), QUIRE_ERR_INVALID, "checkpoint of NULL");
    expect(quire_cursor_next(nullptr, nullptr, nullptr), QUIRE_ERR_INVALID, "next of NULL");
    expect(quire_close(nullptr), QUIRE_OK, "close of NULL");
    quire_abort(nullptr);
    quire_cursor_close(nullptr);
    quire_open_options exclusive = options_;
    exclusive.flags |= QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE;
    expect(quire_open(directory().database().c_str(), &exclusive, &db), QUIRE_ERR_EXISTS,
           "an exclusive open of what is there");
  }

  // --- transactions ---

  Txn* writer() {
    for (Txn& txn : txns_)
      if (txn.open && txn.write) return &txn;
    return nullptr;
  }
  Txn& some_txn() {
    if (txns_.empty()) begin(true);
    // Mostly one that was begun lately.
    const std::uint8_t which = input_.byte();
    const std::size_t lately = std::min<std::size_t>(txns_.size(), which < 200 ? 3 : 12);
    return txns_[txns_.size() - 1 - which % lately];
  }

  void begin(bool write) {
    const std::size_t db = dbs_.size() == 2 && input_.byte() < 80 ? 1 : 0;
    quire_txn* handle = nullptr;
    if (write && db == 1 && second_reads_only_)
      return expect(quire_begin(dbs_[db], QUIRE_WRITE, &handle), QUIRE_ERR_READ_ONLY,
                    "a write transaction of a read-only handle");
    if (write && writer() != nullptr)
      return expect(quire_begin(dbs_[db], QUIRE_WRITE | QUIRE_TRY, &handle), QUIRE_ERR_BUSY,
                    "a second write transaction");
    expect(quire_begin(dbs_[db], write ? QUIRE_WRITE : QUIRE_READ, &handle), QUIRE_OK, "begin");
    wrote_ |= write;
    txns_.push_back({.handle = handle,
                     .db = db,
                     .open = true,
                     .write = write,
                     .state = committed_,
                     .savepoints = {}});
  }

  void transaction_call() {
    switch (input_.byte() % 8) {
      case 0:
      case 1:
        return begin(true);
      case 2:
        return begin(false);
      case 3:
      case 4:
        return commit(some_txn());
      case 5: {
        Txn& txn = some_txn();
        quire_abort(txn.handle);
        txn.open = false;
        return;
      }
      case 6:
        return renew(some_txn());
      default:
        return savepoint_call(some_txn());
    }
  }
  void commit(Txn& txn) {
    const std::uint32_t durability = input_.byte() % 6;
    std::uint64_t lsn = 0;
    const int code = quire_commit_ex(txn.handle, durability, &lsn);
    if (!txn.open) return expect(code, QUIRE_ERR_CLOSED, "commit of what has ended");
    if (durability > QUIRE_DURABILITY_NONE)
      return expect(code, QUIRE_ERR_INVALID, "commit with another durability");
    expect(code, QUIRE_OK, "commit");
    if (txn.write) committed_ = txn.state;
    txn.open = false;
  }
  void renew(Txn& txn) {
    const int code = quire_renew(txn.handle);
    if (!txn.open) return expect(code, QUIRE_ERR_CLOSED, "renew of what has ended");
    if (txn.write) return expect(code, QUIRE_ERR_INVALID, "renew of a write transaction");
    expect(code, QUIRE_OK, "renew");
    txn.state = committed_;
    const auto place = static_cast<std::size_t>(&txn - txns_.data());
    for (Cursor& cursor : cursors_)
      if (cursor.txn == place) cursor.place = Cursor::kNowhere;
  }
  // READ_ONLY or CLOSED where a change is refused for its transaction; OK where it is not.
  static int change_code(const Txn& txn) {
    if (!txn.open) return QUIRE_ERR_CLOSED;
    return txn.write ? QUIRE_OK : QUIRE_ERR_READ_ONLY;
  }
  void savepoint_call(Txn& txn) {
    const std::uint8_t what = input_.byte() % 4;
    if (what < 2) {
      std::uint64_t id = 0;
      const int code = quire_savepoint(txn.handle, &id);
      expect(code, change_code(txn), "savepoint");
      if (code != QUIRE_OK) return;
      txn.savepoints.emplace_back(id, txn.state);
      savepoints_.push_back(id);
      return;
    }
    if (savepoints_.empty()) return;
    const std::uint64_t id =
        savepoints_[savepoints_.size() - 1 -
                    input_.byte() % std::min<std::size_t>(savepoints_.size(), 6)];
    const auto place = std::ranges::find(txn.savepoints, id, [](const auto& s) { return s.first; });
    int expected = change_code(txn);
    if (expected == QUIRE_OK && place == txn.savepoints.end()) expected = QUIRE_ERR_CONFLICT;
    const int code = what == 2 ? quire_rollback_to(txn.handle, id) : quire_release(txn.handle, id);
    expect(code, expected, what == 2 ? "rollback_to" : "release");
    if (code != QUIRE_OK) return;
    if (what == 2) {
      txn.state = place->second;
      txn.savepoints.erase(place + 1, txn.savepoints.end());
    } else {
      txn.savepoints.erase(place, txn.savepoints.end());
    }
  }

  // --- keyspaces ---

  std::string some_name() { return "name" + std::to_string(input_.byte() % 4); }
  std::string some_key() {
    const std::uint8_t which = input_.byte();
    if (which < 230) return "key" + std::to_string(which % 60);
    if (which == 255) return std::string(2000, 'k');
    return std::string(input_.text(20));
  }
  std::string some_value() {
    const std::uint8_t size = input_.byte();
    return std::string(size > 240 ? size * 11U : size % 40, static_cast<char>('a' + size % 26));
  }
  std::uint32_t some_id() {
    // No other is ever given: below 16 there are none, and others may be parts of a collection.
    if (ids_.empty() || input_.byte() > 250) return input_.byte() % 16;
    return ids_[ids_.size() - 1 - input_.byte() % std::min<std::size_t>(ids_.size(), 8)];
  }
  // What a call with this keyspace's number returns for it.
  static int space_code(const State& state, quire_keyspace id) {
    if (state.spaces.contains(id)) return QUIRE_OK;
    return state.shelves.contains(id) ? QUIRE_ERR_TYPE : QUIRE_ERR_NOT_FOUND;
  }
  bool key_fits(const std::string& key) const {
    return !key.empty() && key.size() <= options_.page_size / 4;
  }

  void name_call() {
    Txn& txn = some_txn();
    const std::uint8_t what = input_.byte() % 8;
    if (what < 5) return open_space(txn);
    if (what < 6) return drop(txn);
    list(txn);
  }
  void open_space(Txn& txn) {
    const std::string name = some_name();
    static constexpr std::uint32_t kFlags[] = {0, QUIRE_CREATE, QUIRE_CREATE, QUIRE_MUST_CREATE};
    const std::uint32_t flags = kFlags[input_.byte() % 4];
    quire_keyspace id = 0;
    const int code = quire_keyspace_open(txn.handle, name.c_str(), flags, &id);
    if (!txn.open) return expect(code, QUIRE_ERR_CLOSED, "keyspace_open");
    const quire_keyspace there = txn.state.space_named(name);
    const bool other = txn.state.shelf_named(name) != 0;
    int expected = there != 0 ? QUIRE_OK : QUIRE_ERR_NOT_FOUND;
    if (flags != 0 && !txn.write) {
      expected = QUIRE_ERR_READ_ONLY;
    } else if (flags == QUIRE_MUST_CREATE && (there != 0 || other)) {
      // Of another kind either is true.
      expected = other && code == QUIRE_ERR_TYPE ? QUIRE_ERR_TYPE : QUIRE_ERR_EXISTS;
    } else if (other) {
      expected = QUIRE_ERR_TYPE;
    } else if (there == 0 && flags != 0) {
      expected = QUIRE_OK;
    }
    expect(code, expected, "keyspace_open");
    if (code != QUIRE_OK) return;
    demand(there == 0 || there == id, "a keyspace has another number");
    if (there != 0) return;
    demand(!txn.state.spaces.contains(id) && !txn.state.shelves.contains(id), "a number twice");
    txn.state.spaces[id].name = name;
    ids_.push_back(id);
  }
  void drop(Txn& txn) {
    const std::uint32_t id = some_id();
    int expected = change_code(txn);
    if (input_.flag()) {
      if (expected == QUIRE_OK) expected = space_code(txn.state, id);
      const int code = quire_keyspace_drop(txn.handle, id);
      expect(code, expected, "keyspace_drop");
      if (code == QUIRE_OK) txn.state.spaces.erase(id);
    } else {
      if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
      const int code = quire_collection_drop(txn.handle, id);
      expect(code, expected, "collection_drop");
      if (code == QUIRE_OK) txn.state.shelves.erase(id);
    }
  }
  void list(Txn& txn) {
    std::map<std::string, std::uint64_t> names;
    const auto visit = [](void* context, const char* name, std::uint32_t, std::uint64_t entries) {
      (*static_cast<std::map<std::string, std::uint64_t>*>(context))[name] = entries;
      return 0;
    };
    const bool spaces = input_.flag();
    const int code = spaces ? quire_keyspace_list(txn.handle, visit, &names)
                            : quire_collection_list(txn.handle, visit, &names);
    expect(code, txn.open ? QUIRE_OK : QUIRE_ERR_CLOSED, "a list");
    if (code != QUIRE_OK) return;
    std::map<std::string, std::uint64_t> expected;
    if (spaces)
      for (const auto& [id, space] : txn.state.spaces) expected[space.name] = space.entries.size();
    else
      for (const auto& [id, shelf] : txn.state.shelves) expected[shelf.name] = shelf.records.size();
    demand(names == expected, "a list has other names or counts");
  }

  void entry_call() {
    Txn& txn = some_txn();
    const quire_keyspace id = some_id();
    switch (input_.byte() % 8) {
      case 0:
      case 1:
      case 2:
        return put(txn, id);
      case 3:
        return erase(txn, id);
      case 4:
        return erase_range(txn, id);
      case 5:
        return count(txn, id);
      default:
        return get(txn, id);
    }
  }
  void put(Txn& txn, quire_keyspace id) {
    const std::string key = some_key();
    const std::string value = some_value();
    static constexpr std::uint32_t kFlags[] = {
        0, 0, QUIRE_NO_OVERWRITE, QUIRE_APPEND, QUIRE_MUST_EXIST, 99};
    const std::uint32_t flags = kFlags[input_.byte() % 6];
    const int code =
        quire_put(txn.handle, id, key.data(), key.size(), value.data(), value.size(), flags);
    int expected = change_code(txn);
    if (expected == QUIRE_OK && flags == 99) expected = QUIRE_ERR_INVALID;
    if (expected == QUIRE_OK) expected = space_code(txn.state, id);
    if (expected == QUIRE_OK && !key_fits(key)) expected = QUIRE_ERR_KEY_SIZE;
    if (expected == QUIRE_OK) {
      const Map& entries = txn.state.spaces[id].entries;
      const bool there = entries.contains(key);
      if (flags == QUIRE_NO_OVERWRITE && there) expected = QUIRE_ERR_EXISTS;
      if (flags == QUIRE_MUST_EXIST && !there) expected = QUIRE_ERR_NOT_FOUND;
      if (flags == QUIRE_APPEND && !entries.empty() && entries.rbegin()->first >= key)
        expected = QUIRE_ERR_INVALID;
    }
    expect(code, expected, "put");
    if (code == QUIRE_OK) txn.state.spaces[id].entries[key] = value;
  }
  void erase(Txn& txn, quire_keyspace id) {
    const std::string key = some_key();
    const int code = quire_delete(txn.handle, id, key.data(), key.size());
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = space_code(txn.state, id);
    if (expected == QUIRE_OK && !key_fits(key)) expected = QUIRE_ERR_KEY_SIZE;
    if (expected == QUIRE_OK && txn.state.spaces[id].entries.erase(key) == 0)
      expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "delete");
  }
  struct Bounds {
    std::optional<std::string> low, high;
    quire_slice low_slice{}, high_slice{};
    const quire_slice* low_pointer() const { return low ? &low_slice : nullptr; }
    const quire_slice* high_pointer() const { return high ? &high_slice : nullptr; }
  };
  Bounds some_bounds() {
    Bounds bounds;
    const std::uint8_t which = input_.byte();
    if ((which & 1) != 0) bounds.low = some_key();
    if ((which & 2) != 0) bounds.high = some_key();
    if (bounds.low) bounds.low_slice = slice(*bounds.low);
    if (bounds.high) bounds.high_slice = slice(*bounds.high);
    return bounds;
  }
  static std::pair<Map::const_iterator, Map::const_iterator> range_of(const Map& map,
                                                                      const Bounds& bounds) {
    const auto first = bounds.low ? map.lower_bound(*bounds.low) : map.begin();
    if (bounds.low && bounds.high && *bounds.high <= *bounds.low) return {first, first};
    return {first, bounds.high ? map.lower_bound(*bounds.high) : map.end()};
  }
  void erase_range(Txn& txn, quire_keyspace id) {
    const Bounds bounds = some_bounds();
    std::uint64_t deleted = 0;
    const int code =
        quire_delete_range(txn.handle, id, bounds.low_pointer(), bounds.high_pointer(), &deleted);
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = space_code(txn.state, id);
    expect(code, expected, "delete_range");
    if (code != QUIRE_OK) return;
    Map& entries = txn.state.spaces[id].entries;
    const auto [first, last] = range_of(entries, bounds);
    demand(deleted == static_cast<std::uint64_t>(std::distance(first, last)),
           "delete_range deletes another number");
    entries.erase(first, last);
  }
  void count(Txn& txn, quire_keyspace id) {
    const Bounds bounds = some_bounds();
    const std::string key = some_key();
    std::uint64_t count = 0;
    std::uint64_t rank = 0;
    const int code =
        quire_count(txn.handle, id, bounds.low_pointer(), bounds.high_pointer(), &count);
    const int expected = txn.open ? space_code(txn.state, id) : QUIRE_ERR_CLOSED;
    expect(code, expected, "count");
    expect(quire_rank(txn.handle, id, key.data(), key.size(), &rank), expected, "rank");
    if (code != QUIRE_OK) return;
    const Map& entries = txn.state.spaces[id].entries;
    const auto [first, last] = range_of(entries, bounds);
    demand(count == static_cast<std::uint64_t>(std::distance(first, last)), "a wrong count");
    demand(rank ==
               static_cast<std::uint64_t>(std::distance(entries.begin(), entries.lower_bound(key))),
           "a wrong rank");
  }
  void get(Txn& txn, quire_keyspace id) {
    const std::string key = some_key();
    quire_slice value{};
    const int code = quire_get(txn.handle, id, key.data(), key.size(), &value);
    int expected = txn.open ? space_code(txn.state, id) : QUIRE_ERR_CLOSED;
    if (expected == QUIRE_OK && !key_fits(key)) expected = QUIRE_ERR_KEY_SIZE;
    const Map* entries = expected == QUIRE_OK ? &txn.state.spaces[id].entries : nullptr;
    if (entries != nullptr && !entries->contains(key)) expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "get");
    if (code == QUIRE_OK) demand(text(value) == entries->at(key), "get gives another value");
  }

  // --- cursors ---

  void cursor_call() {
    if (cursors_.empty() || input_.byte() < 40) return open_cursor();
    const std::size_t lately = std::min<std::size_t>(cursors_.size(), 5);
    Cursor& cursor = cursors_[cursors_.size() - 1 - input_.byte() % lately];
    // A handle that was closed is given out again after 64 others.
    if (cursor.closed && closings_ > 30) return;
    const std::uint8_t what = input_.byte() % 10;
    if (what == 8) return cursor_delete(cursor);
    if (what == 9 && input_.byte() < 60) {
      if (!cursor.closed) ++closings_;
      quire_cursor_close(cursor.handle);
      cursor.closed = true;
      return;
    }
    move(cursor, what);
  }
  void open_cursor() {
    Txn& txn = some_txn();
    const quire_keyspace id = some_id();
    Cursor cursor;
    quire_range range = QUIRE_RANGE_INIT;
    const std::uint8_t which = input_.byte();
    if ((which & 1) != 0) cursor.low = some_key();
    if ((which & 2) != 0) cursor.high = some_key();
    if ((which & 12) == 12) cursor.prefix = some_key().substr(0, 4);
    if (cursor.low) range.low = slice(*cursor.low);
    if (cursor.high) range.high = slice(*cursor.high);
    if (cursor.prefix) range.prefix = slice(*cursor.prefix);
    const int code =
        quire_cursor_open(txn.handle, id, (which & 16) != 0 ? nullptr : &range, &cursor.handle);
    expect(code, txn.open ? space_code(txn.state, id) : QUIRE_ERR_CLOSED, "cursor_open");
    if (code != QUIRE_OK) return;
    if ((which & 16) != 0) cursor.low = cursor.high = cursor.prefix = std::nullopt;
    cursor.txn = static_cast<std::size_t>(&txn - txns_.data());
    cursor.space = id;
    cursors_.push_back(std::move(cursor));
  }
  // What a call of the cursor returns for what it is a cursor of; OK where that is there.
  int cursor_code(const Cursor& cursor) const {
    if (cursor.closed || !txns_[cursor.txn].open) return QUIRE_ERR_CLOSED;
    return space_code(txns_[cursor.txn].state, cursor.space);
  }
  // The entries in the cursor's range, as it sees them now.
  Map entries_of(const Cursor& cursor) const {
    Map inside;
    for (const auto& [key, value] : txns_[cursor.txn].state.spaces.at(cursor.space).entries)
      if (cursor.has(key)) inside[key] = value;
    return inside;
  }
  void move(Cursor& cursor, std::uint8_t what) {
    const std::string wanted = what == 5 ? some_key() : "";
    const std::uint64_t rank = what == 6 ? input_.byte() % 32 : 0;
    quire_slice key{};
    quire_slice value{};
    int code = 0;
    if (what < 2 || what > 7) code = quire_cursor_next(cursor.handle, &key, &value);
    if (what == 2) code = quire_cursor_previous(cursor.handle, &key, &value);
    if (what == 3) code = quire_cursor_first(cursor.handle, &key, &value);
    if (what == 4) code = quire_cursor_last(cursor.handle, &key, &value);
    if (what == 5)
      code = quire_cursor_seek(cursor.handle, wanted.data(), wanted.size(), &key, &value);
    if (what == 6) code = quire_cursor_seek_rank(cursor.handle, rank, &key, &value);
    if (what == 7) code = quire_cursor_current(cursor.handle, &key, &value);
    const int usable = cursor_code(cursor);
    if (usable != QUIRE_OK) {
      expect(code, usable, "a cursor of what is not there");
      // After an error it is nowhere, if it was asked at all.
      if (usable != QUIRE_ERR_CLOSED) cursor.place = Cursor::kNowhere;
      return;
    }
    const Map inside = entries_of(cursor);
    const Map::const_iterator there = where(cursor, inside, what, wanted, rank);
    expect(code, there == inside.end() ? QUIRE_ERR_NOT_FOUND : QUIRE_OK, "a cursor");
    if (code != QUIRE_OK) return;
    demand(text(key) == there->first && text(value) == there->second,
           "a cursor is on another entry");
  }
  // Moves the model's cursor; where it is then.
  static Map::const_iterator where(Cursor& cursor, const Map& inside, std::uint8_t what,
                                   const std::string& wanted, std::uint64_t rank) {
    Map::const_iterator to = inside.end();
    bool forward = true;
    if (what == 7) {
      if (cursor.place == Cursor::kOn) to = inside.find(cursor.at);
      return to;
    }
    if (what < 2 || what > 7) {
      if (cursor.place == Cursor::kAfter) return to;
      to = cursor.place == Cursor::kOn ? inside.upper_bound(cursor.at) : inside.begin();
    } else if (what == 2) {
      forward = false;
      if (cursor.place == Cursor::kBefore) return to;
      to = cursor.place == Cursor::kOn ? inside.lower_bound(cursor.at) : inside.end();
      to = to == inside.begin() ? inside.end() : std::prev(to);
    } else if (what == 3) {
      to = inside.begin();
    } else if (what == 4) {
      forward = false;
      if (!inside.empty()) to = std::prev(inside.end());
    } else if (what == 5) {
      to = inside.lower_bound(wanted);
    } else if (rank < inside.size()) {
      to = std::next(inside.begin(), static_cast<std::ptrdiff_t>(rank));
    }
    if (to == inside.end()) {
      cursor.place = forward ? Cursor::kAfter : Cursor::kBefore;
    } else {
      cursor.place = Cursor::kOn;
      cursor.at = to->first;
    }
    return to;
  }
  void cursor_delete(Cursor& cursor) {
    const int code = quire_cursor_delete(cursor.handle);
    int expected = cursor_code(cursor);
    const bool closed = expected == QUIRE_ERR_CLOSED;
    if (!closed && !txns_[cursor.txn].write) expected = QUIRE_ERR_READ_ONLY;
    if (expected == QUIRE_OK) {
      Map& entries = txns_[cursor.txn].state.spaces[cursor.space].entries;
      if (cursor.place != Cursor::kOn || entries.erase(cursor.at) == 0)
        expected = QUIRE_ERR_NOT_FOUND;
    } else if (!closed && txns_[cursor.txn].write) {
      cursor.place = Cursor::kNowhere;
    }
    expect(code, expected, "cursor_delete");
  }

  // --- collections ---

  static int shelf_code(const State& state, quire_collection id) {
    if (state.shelves.contains(id)) return QUIRE_OK;
    return state.spaces.contains(id) ? QUIRE_ERR_TYPE : QUIRE_ERR_NOT_FOUND;
  }
  void record_call() {
    Txn& txn = some_txn();
    if (input_.byte() < 40) return make_shelf(txn);
    const quire_collection id = some_id();
    switch (input_.byte() % 8) {
      case 0:
      case 1:
        return insert(txn, id, false);
      case 2:
        return insert(txn, id, true);
      case 3:
        return update(txn, id);
      case 4:
        return erase_record(txn, id);
      case 5:
        return search(txn, id);
      default:
        return get_record(txn, id);
    }
  }
  void make_shelf(Txn& txn) {
    static constexpr quire_field kFields[] = {
        {"id", QUIRE_TYPE_TEXT, QUIRE_FIELD_KEY, 0, 0},
        {"number", QUIRE_TYPE_I64, QUIRE_FIELD_NULLABLE, 0, 0},
        {"bytes", QUIRE_TYPE_BYTES, 0, 0, 0},
        {"place", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, 2, 0}};
    const std::string name = some_name();
    quire_collection id = 0;
    const int code = quire_collection_create(txn.handle, name.c_str(), kFields, 4, &id);
    int expected = change_code(txn);
    const bool there = txn.state.space_named(name) != 0 || txn.state.shelf_named(name) != 0;
    if (expected == QUIRE_OK && there) expected = QUIRE_ERR_EXISTS;
    expect(code, expected, "collection_create");
    if (code != QUIRE_OK) return;
    demand(!txn.state.spaces.contains(id) && !txn.state.shelves.contains(id), "a number twice");
    txn.state.shelves[id].name = name;
    ids_.push_back(id);
  }
  static quire_value text_value(const std::string& text, std::uint32_t type) {
    quire_value value{};
    value.type = type;
    value.as.bytes = slice(text);
    return value;
  }
  static quire_value number_value(const std::optional<std::int64_t>& number) {
    quire_value value{};
    if (!number) return value;
    value.type = QUIRE_TYPE_I64;
    value.as.i64 = *number;
    return value;
  }
  static quire_value place_value(const std::optional<std::array<float, 2>>& place) {
    quire_value value{};
    if (!place) return value;
    value.type = QUIRE_TYPE_VECTOR_F32;
    value.dimension = 2;
    value.as.vector = place->data();
    return value;
  }
  std::string some_record_key() { return "r" + std::to_string(input_.byte() % 24); }
  Record some_record() {
    Record record;
    const std::uint8_t what = input_.byte();
    if ((what & 1) != 0) record.number = what;
    record.bytes = some_value();
    if ((what & 2) != 0)
      record.place = {static_cast<float>(input_.byte()), static_cast<float>(what % 5)};
    return record;
  }
  void insert(Txn& txn, quire_collection id, bool upsert) {
    const std::string key = some_record_key();
    const Record record = some_record();
    const std::uint8_t wrong = input_.byte();
    quire_value values[] = {text_value(key, QUIRE_TYPE_TEXT), number_value(record.number),
                            text_value(record.bytes, QUIRE_TYPE_BYTES), place_value(record.place)};
    if (wrong == 255) values[2] = quire_value{};         // null where it can't be
    if (wrong == 254) values[1].type = QUIRE_TYPE_BOOL;  // another type
    if (wrong == 253) values[3].dimension = 3;           // another dimension, if it is a vector
    const std::size_t count = wrong == 252 ? 3 : 4;
    const int code = upsert ? quire_record_upsert(txn.handle, id, values, count)
                            : quire_record_insert(txn.handle, id, values, count);
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    if (expected == QUIRE_OK && (wrong == 255 || wrong == 252)) expected = QUIRE_ERR_SCHEMA;
    if (expected == QUIRE_OK && wrong == 254) expected = QUIRE_ERR_TYPE;
    if (expected == QUIRE_OK && wrong == 253 && record.place) expected = QUIRE_ERR_SCHEMA;
    if (expected == QUIRE_OK && !upsert && txn.state.shelves[id].records.contains(key))
      expected = QUIRE_ERR_EXISTS;
    expect(code, expected, upsert ? "record_upsert" : "record_insert");
    if (code == QUIRE_OK) txn.state.shelves[id].records[key] = record;
  }
  void update(Txn& txn, quire_collection id) {
    const std::string key = some_record_key();
    const Record record = some_record();
    const std::uint8_t which = input_.byte();
    std::vector<std::uint32_t> fields;
    std::vector<quire_value> values;
    const quire_value all[] = {text_value(key, QUIRE_TYPE_TEXT), number_value(record.number),
                               text_value(record.bytes, QUIRE_TYPE_BYTES),
                               place_value(record.place)};
    for (std::uint32_t field = 1; field < 4; ++field) {
      if ((which >> field & 1) == 0) continue;
      fields.push_back(field);
      values.push_back(all[field]);
    }
    if (fields.empty()) return;
    const int code =
        quire_record_update(txn.handle, id, all, fields.data(), values.data(), fields.size());
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    if (expected == QUIRE_OK && !txn.state.shelves[id].records.contains(key))
      expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "record_update");
    if (code != QUIRE_OK) return;
    Record& changed = txn.state.shelves[id].records[key];
    if ((which & 2) != 0) changed.number = record.number;
    if ((which & 4) != 0) changed.bytes = record.bytes;
    if ((which & 8) != 0) changed.place = record.place;
  }
  void erase_record(Txn& txn, quire_collection id) {
    const std::string key = some_record_key();
    const quire_value value = text_value(key, QUIRE_TYPE_TEXT);
    const int code = quire_record_delete(txn.handle, id, &value);
    int expected = change_code(txn);
    if (expected == QUIRE_OK) expected = shelf_code(txn.state, id);
    if (expected == QUIRE_OK && txn.state.shelves[id].records.erase(key) == 0)
      expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "record_delete");
  }
  static Record record_of(const quire_value* values) {
    Record record;
    if (values[1].type == QUIRE_TYPE_I64) record.number = values[1].as.i64;
    record.bytes = text(values[2].as.bytes);
    if (values[3].type == QUIRE_TYPE_VECTOR_F32)
      record.place = {values[3].as.vector[0], values[3].as.vector[1]};
    return record;
  }
  void get_record(Txn& txn, quire_collection id) {
    const std::string key = some_record_key();
    const quire_value wanted = text_value(key, QUIRE_TYPE_TEXT);
    quire_value values[4];
    const int code = quire_record_get(txn.handle, id, &wanted, values, 4);
    int expected = txn.open ? shelf_code(txn.state, id) : QUIRE_ERR_CLOSED;
    if (expected == QUIRE_OK && !txn.state.shelves[id].records.contains(key))
      expected = QUIRE_ERR_NOT_FOUND;
    expect(code, expected, "record_get");
    if (code != QUIRE_OK) return;
    demand(
        text(values[0].as.bytes) == key && record_of(values) == txn.state.shelves[id].records[key],
        "another record");
  }
  void search(Txn& txn, quire_collection id) {
    const std::array<float, 2> query = {static_cast<float>(input_.byte()), 1};
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = 3;
    options.vector = query.data();
    options.dimension = 2;
    options.k = 1 + input_.byte() % 6;
    std::array<quire_hit, 6> hits;
    std::size_t count = 0;
    const int code = quire_search(txn.handle, id, &options, hits.data(), &count);
    expect(code, txn.open ? shelf_code(txn.state, id) : QUIRE_ERR_CLOSED, "search");
    if (code != QUIRE_OK) return;
    std::vector<double> distances;
    for (const auto& [key, record] : txn.state.shelves[id].records)
      if (record.place) distances.push_back(distance(*record.place, query));
    std::ranges::sort(distances);
    demand(count == std::min<std::size_t>(options.k, distances.size()), "another number of hits");
    for (std::size_t i = 0; i < count; ++i) {
      demand(hits[i].distance == distances[i], "another distance");
      const auto record = txn.state.shelves[id].records.find(text(hits[i].key.as.bytes));
      demand(record != txn.state.shelves[id].records.end() && record->second.place &&
                 distance(*record->second.place, query) == distances[i],
             "a hit that is none");
    }
  }
  // Small whole numbers: exact.
  static double distance(const std::array<float, 2>& a, const std::array<float, 2>& b) {
    const double x = static_cast<double>(a[0] - b[0]);
    const double y = static_cast<double>(a[1] - b[1]);
    return x * x + y * y;
  }

  // --- all of a state ---

  void verify(quire_txn* txn, const State& state) {
    closings_ += state.spaces.size() + state.shelves.size();
    for (const auto& [id, space] : state.spaces) {
      quire_cursor* cursor = nullptr;
      expect(quire_cursor_open(txn, id, nullptr, &cursor), QUIRE_OK, "cursor_open");
      quire_slice key{};
      quire_slice value{};
      for (const auto& [expected_key, expected_value] : space.entries) {
        expect(quire_cursor_next(cursor, &key, &value), QUIRE_OK, "a scan ends early");
        demand(text(key) == expected_key && text(value) == expected_value,
               "a scan gives another entry");
      }
      expect(quire_cursor_next(cursor, &key, &value), QUIRE_ERR_NOT_FOUND, "a scan goes on");
      quire_cursor_close(cursor);
    }
    for (const auto& [id, shelf] : state.shelves) {
      quire_cursor* scan = nullptr;
      expect(quire_scan_open(txn, id, nullptr, nullptr, &scan), QUIRE_OK, "scan_open");
      quire_value values[4];
      for (const auto& [key, record] : shelf.records) {
        expect(quire_scan_next(scan, values, 4), QUIRE_OK, "a scan of records ends early");
        demand(text(values[0].as.bytes) == key && record_of(values) == record,
               "a scan gives another record");
      }
      expect(quire_scan_next(scan, values, 4), QUIRE_ERR_NOT_FOUND, "a scan of records goes on");
      quire_cursor_close(scan);
      std::uint64_t records = 0;
      expect(quire_collection_count(txn, id, &records), QUIRE_OK, "collection_count");
      demand(records == shelf.records.size(), "another number of records");
    }
  }
  void verify_all() {
    for (const Txn& txn : txns_)
      if (txn.open) verify(txn.handle, txn.state);
    verify_committed();
  }
  void verify_committed() {
    quire_txn* txn = nullptr;
    expect(quire_begin(dbs_[0], QUIRE_READ, &txn), QUIRE_OK, "begin");
    verify(txn, committed_);
    quire_abort(txn);
  }

  void step() {
    const std::uint8_t what = input_.byte();
    if (what < 16) return database_call();
    if (what < 64) return transaction_call();
    if (what < 88) return name_call();
    if (what < 150) return entry_call();
    if (what < 200) return cursor_call();
    if (what < 250) return record_call();
    Txn& txn = some_txn();
    if (txn.open) verify(txn.handle, txn.state);
  }

  Input& input_;
  quire_open_options options_ = QUIRE_OPEN_OPTIONS_INIT;
  std::vector<quire_db*> dbs_;
  bool second_reads_only_ = false;
  bool wrote_ = false;  // a write transaction since the database was opened
  State committed_;
  std::vector<Txn> txns_;  // ended ones too
  std::vector<Cursor> cursors_;
  std::vector<std::uint64_t> savepoints_;
  std::size_t closings_ = 0;        // of cursors
  std::vector<std::uint32_t> ids_;  // of keyspaces and collections, ever
};

}  // namespace

void fuzz_one(Bytes bytes) {
  Input input(bytes);
  Session(input).run();
}

std::vector<ByteVector> seeds() {
  std::vector<ByteVector> all;
  // Any bytes are calls; a few runs of them from a simple sequence.
  for (std::uint32_t kind = 0; kind < 16; ++kind) {
    ByteVector seed = {static_cast<std::byte>(kind * 2 + 1),
                       std::byte{20},
                       std::byte{0},
                       std::byte{0},
                       std::byte{70},
                       std::byte{0},
                       std::byte{0},
                       std::byte{0},
                       std::byte{1}};
    std::uint32_t number = kind * 7919 + 1;
    for (int i = 0; i < 400; ++i) {
      number = number * 1664525 + 1013904223;
      seed.push_back(static_cast<std::byte>(number >> 24));
    }
    all.push_back(seed);
  }
  return all;
}

}  // namespace quire::fuzz
