// A mixed workload for the tests of crashes and failures: a fixed list of things to do, made from a
// seed, that is carried out as far as the disk allows, with a record of what was promised on the
// way.
#pragma once

#include <algorithm>
#include <array>

#include "engine/record/collection.h"
#include "engine/record/numbers.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "tests/db/state.h"

namespace quire::test {

// Every keyspace and every collection: the records as "#name", and which record has which number as
// "#name/numbers".
inline Result<State> read_everything(View& view) {
  QUIRE_TRY(State state, read_all(view));
  QUIRE_TRY(const auto collections, Collection::list(view));
  for (const CollectionInfo& info : collections) {
    QUIRE_TRY(const Collection collection, Collection::open(view, info.id));
    Keys& records = state["#" + info.name];
    Keys& numbers = state["#" + info.name + "/numbers"];
    RecordReader reader(view, collection);
    QUIRE_TRY(RecordScan scan, RecordScan::open(reader, nullptr, nullptr));
    std::array<Value, 3> values;
    for (;;) {
      QUIRE_TRY(const bool there, scan.next(values));
      if (!there) break;
      std::string text(values[1].is_null() ? "(null)" : as_text(values[1].bytes));
      text += as_text(values[2].vector_bytes());
      records.emplace(as_text(values[0].bytes), text);
    }
    QUIRE_TRY(const TreeRoot root, view.tree_root(collection.definition().numbers));
    for (RecordNumber number = 0; number < root.count(); ++number) {
      QUIRE_TRY(const NumberEntry entry, read_number(view, collection, number));
      if (entry.in_use) numbers.emplace(std::to_string(number), as_text(entry.key));
    }
    QUIRE_TRY(const std::uint64_t count, collection.count(view));
    if (count != records.size() || count != numbers.size())
      return fail(ErrorCode::kCorrupt, "collection %s: %llu records counted, %zu read, %zu numbers",
                  info.name.c_str(), static_cast<unsigned long long>(count), records.size(),
                  numbers.size());
  }
  return state;
}

// Each transaction writes its number here, so that a state tells which commit it is of.
inline constexpr const char* kLedger = "ledger";

inline std::size_t commit_of(const State& state) {
  const auto ledger = state.find(kLedger);
  if (ledger == state.end()) return 0;
  const auto number = ledger->second.find("n");
  return number == ledger->second.end() ? 0 : std::stoul(number->second);
}

// What an application knows of its database: how far it came, and what it was promised.
struct Promises {
  std::size_t attempted = 0;  // number of the last transaction that went into commit()
  std::size_t committed = 0;  // acknowledged, in whatever mode
  std::size_t written = 0;    // survives the death of the process
  std::size_t durable = 0;    // survives a power loss
  void all_durable() { durable = written = committed; }
};

struct WorkloadOptions {
  DatabaseOptions database;
  std::uint64_t seed = 1;
  int transactions = 60;
  int long_txn = 60;  // operations of one transaction in twelve
};

inline DatabaseOptions small_database() {
  DatabaseOptions options;
  options.page_size = 512;
  options.log_segment_bytes_min = 4096;
  options.log_segment_bytes_max = 16384;
  options.writer.durability = Durability::kBatch;
  options.writer.background = false;
  return options;
}

inline constexpr const char* kDatabasePath = "/shop.quire";
inline constexpr std::uint32_t kDimension = 4;

class Workload {
 public:
  Workload(io::Disk& disk, const WorkloadOptions& options)
      : disk_(disk), options_(options), random_(options.seed) {}
  ~Workload() { let_go(); }
  Workload(const Workload&) = delete;
  Workload& operator=(const Workload&) = delete;

  // From the opening to the close; ends with the first error.
  Status run() {
    QUIRE_CHECK(open());
    for (int i = 0; i < options_.transactions; ++i) QUIRE_CHECK(round());
    return close();
  }

  // --- the same in pieces, for who goes on after errors ---
  Status open() {
    QUIRE_TRY(database_, Database::open(disk_, kDatabasePath, options_.database));
    return {};
  }
  Status round() {
    QUIRE_CHECK(transaction());
    return between();
  }
  Status close() {
    reader_.reset();
    auto closed = database_->close();
    database_.reset();
    if (closed) promises_.all_durable();
    return closed;
  }
  // As the process's death.
  void let_go() {
    txn_.reset();
    reader_.reset();
    if (database_) database_->crash();
    database_.reset();
  }

  bool is_open() const { return database_ != nullptr; }
  Database& database() { return *database_; }
  const Promises& promises() const { return promises_; }
  Promises& promises() { return promises_; }
  // What each commit, by its number, makes of the database. Kept only if asked for.
  void keep_history() { keeps_history_ = true; }
  const std::vector<State>& history() const { return history_; }

  // A transaction's operations and its commit, or now and then its abort.
  Status transaction() {
    auto done = try_transaction();
    txn_.reset();
    return done;
  }

 private:
  Status try_transaction() {
    QUIRE_TRY(txn_, database_->begin_write(true));
    savepoints_ = 0;
    const bool is_long = random_() % 12 == 0;
    const int length = is_long ? options_.long_txn : 1 + static_cast<int>(random_() % 8);
    for (int i = 0; i < length; ++i) QUIRE_CHECK(operation());
    if (random_() % 10 == 0) return {};
    QUIRE_TRY(const StructureId ledger, keyspace(kLedger));
    const std::string number = std::to_string(promises_.attempted + 1);
    QUIRE_CHECK(txn_->put(ledger, as_bytes("n"), as_bytes(number), TreeWriter::PutMode::kUpsert));
    return commit();
  }

  Status commit() {
    static constexpr Durability kModes[] = {Durability::kAlways, Durability::kBatch,
                                            Durability::kOs, Durability::kNone};
    const Durability durability = kModes[random_() % 4];
    if (keeps_history_) {
      QUIRE_TRY(State state, read_everything(*txn_));
      history_.resize(promises_.attempted + 1);  // what never happened is not in it
      history_.push_back(std::move(state));
    }
    ++promises_.attempted;
    QUIRE_CHECK(database_->writer()->commit(*txn_, durability));
    promises_.committed = promises_.attempted;
    if (keeps_history_) {
      QUIRE_TRY(const auto snapshot, database_->begin_read());
      QUIRE_TRY(const State state, read_everything(*snapshot));
      const std::string words = difference(history_.back(), state);
      EXPECT_TRUE(words.empty()) << "commit " << promises_.committed << " shows: " << words;
    }
    if (durability != Durability::kNone) promises_.written = promises_.committed;
    if (durability == Durability::kAlways) promises_.durable = promises_.committed;
    return {};
  }

  // Checkpoints, syncs, a reader that comes and goes, new lives of the process.
  Status between() {
    const std::uint64_t what = random_() % 24;
    if (what < 2) {
      QUIRE_CHECK(database_->checkpoint());
      promises_.all_durable();
    } else if (what == 2) {
      QUIRE_CHECK(database_->sync());
      promises_.all_durable();
    } else if (what < 6) {
      reader_.reset();
      if (what < 5) {
        QUIRE_TRY(reader_, database_->begin_read());
      }
    } else if (what == 6) {
      QUIRE_CHECK(close());
      QUIRE_CHECK(open());
    } else if (what == 7 && promises_.written == promises_.committed) {
      let_go();
      QUIRE_CHECK(open());
      promises_.all_durable();
    }
    return {};
  }

  Status operation() {
    const std::uint64_t what = random_() % 24;
    if (what < 3) return savepoint();
    if (what == 3) return create_or_drop();
    if (what < 12) return record();
    const std::string name = "space" + std::to_string(random_() % 3);
    QUIRE_TRY(const StructureId id, keyspace(name));
    const std::string key = some_key();
    if (what < 20) {
      const std::string value = some_value();
      return forgiven(txn_->put(id, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
    }
    if (what < 23) return forgiven(txn_->erase(id, as_bytes(key)));
    const std::string high = key + "5";
    return forgiven(txn_->erase_range(id, as_bytes(key), as_bytes(high)));
  }

  // Errors of the caller are part of the workload.
  template <class T>
  static Status forgiven(const Result<T>& result) {
    if (result || !WriteTxn::breaks(result.error().code())) return {};
    return std::unexpected(result.error());
  }

  Status savepoint() {
    const std::uint64_t what = random_() % 4;
    if (what < 2 || savepoints_ == 0) {
      QUIRE_CHECK(txn_->savepoint());
      ++savepoints_;
      return {};
    }
    const std::size_t number = random_() % savepoints_;
    if (what == 2) {
      savepoints_ = number + 1;
      return txn_->rollback_to(number);
    }
    savepoints_ = number;
    return txn_->release(number);
  }

  Status create_or_drop() {
    const std::string name = "space" + std::to_string(random_() % 3);
    QUIRE_TRY(const auto entry, txn_->find_name(name));
    if (entry) return txn_->drop_keyspace(entry->id);
    return forgiven(txn_->create_keyspace(name));
  }

  Result<StructureId> keyspace(const std::string& name) {
    QUIRE_TRY(const auto entry, txn_->find_name(name));
    if (entry) return entry->id;
    return txn_->create_keyspace(name);
  }

  Result<Collection> books() {
    QUIRE_TRY(const auto entry, txn_->find_name("books"));
    if (entry) return Collection::open(*txn_, entry->id);
    QUIRE_TRY(const Schema schema,
              Schema::make({{"id", FieldType::kText},
                            {"title", FieldType::kText, true},
                            {"place", FieldType::kVectorF32, false, kDimension}},
                           0));
    return Collection::create(*txn_, "books", schema);
  }

  Status record() {
    QUIRE_TRY(const Collection collection, books());
    const std::string id = "book" + std::to_string(random_() % 40);
    const std::string title = as_letters(some_value());
    std::array<float, kDimension> place;
    for (float& element : place) element = static_cast<float>(random_() % 100);
    const std::array<Value, 3> values = {Value::of_text(id),
                                         random_() % 4 == 0 ? Value::null() : Value::of_text(title),
                                         Value::of_vector(place.data(), kDimension)};
    switch (random_() % 8) {
      case 0:
      case 1:
      case 2:
        return forgiven(upsert_record(*txn_, collection, values));
      case 3:
        return forgiven(insert_record(*txn_, collection, values));
      case 4: {
        const std::uint32_t field[] = {2};
        return forgiven(update_record(*txn_, collection, values[0], field, {&values[2], 1}));
      }
      case 5:
        if (random_() % 8 == 0) return collection.drop(*txn_);
        [[fallthrough]];
      default:
        return forgiven(erase_record(*txn_, collection, values[0]));
    }
  }

  static std::string as_letters(std::string text) {
    for (char& c : text) c = static_cast<char>('a' + static_cast<unsigned char>(c) % 26);
    return text;
  }
  std::string some_key() { return "key" + std::to_string(random_() % 120); }
  std::string some_value() {
    const std::uint64_t kind = random_() % 24;
    std::string value(kind == 0 ? random_() % 2500 : random_() % 40, 'v');
    for (char& c : value) c = static_cast<char>(random_());
    return value;
  }

  io::Disk& disk_;
  const WorkloadOptions options_;
  Random random_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<WriteTxn> txn_;
  std::unique_ptr<Snapshot> reader_;
  std::size_t savepoints_ = 0;
  Promises promises_;
  bool keeps_history_ = false;
  std::vector<State> history_ = std::vector<State>(1);
};

// Whether this run is the long one.
inline bool long_run() { return std::getenv("QUIRE_TEST_LONG") != nullptr; }

}  // namespace quire::test
