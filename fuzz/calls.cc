// Sequences of calls of the C interface, against a model.
//
// What the input is: options of a database, and calls, whose handles are taken from all that were
// ever given out, those of things that have ended too, and whose arguments are sometimes wrong.
// There are keyspaces, collections of fixed fields with vectors and indexes of these, and ones
// whose fields change and that have sorted indexes of all forms.
//
// What is promised: each call returns what the model says: OK with the data of the model, or the
// error that the header names; a transaction sees its state until it ends, whatever others do; what
// is committed is there after the database was closed and opened; check finds nothing, where
// there are indexes after each commit. Where a quota leaves no room, the transaction is gone, and
// nothing else.
//
// The database lies in memory of the system (/dev/shm) where there is some: quire_open takes paths
// of the machine and no other disk, and so nothing between the caller and the files is left out.
#include "fuzz/calls_tables.h"
#include "fuzz/fuzz.h"
#include "fuzz/input.h"

namespace quire::fuzz {
namespace {

class Session : public TableCalls {
 public:
  explicit Session(Input& input) : TableCalls(input) {
    temporary_directory().empty();
    options_.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND;
    const std::uint8_t kind = input_.byte();
    options_.page_size = (kind & 1) != 0 ? 512 : 1024;
    options_.durability = QUIRE_DURABILITY_OS;
    if ((kind & 2) != 0) options_.log_budget_bytes = 500;  // commits by checkpoint
    if ((kind & 4) != 0) options_.private_bytes = 4096;    // pages written early
    if ((kind & 8) != 0) options_.flags |= QUIRE_OPEN_ARCHIVE;
    if ((kind & 16) != 0) options_.checkpoint_bytes = 2000;
    if ((kind & 32) != 0) options_.quota_bytes = options_.page_size * (40 + input_.byte() * 2UL);
    tables_ = (kind & 64) != 0;
    open_first();
  }

  void run() {
    for (int i = 0; i < 400 && !input_.empty(); ++i) step();
    verify_all();
    end_all();
    for (const Cursor& cursor : cursors_)
      if (!cursor.closed) quire_cursor_close(cursor.handle);
    close_first();
    options_.quota_bytes = 0;
    open_first();
    verify_committed();
    expect(quire_check(dbs_[0], nullptr, nullptr), QUIRE_OK, "check");
    expect(quire_close(dbs_[0]), QUIRE_OK, "close");
  }

 private:
  // --- databases ---

  void open_first() {
    quire_db* db = nullptr;
    int code = quire_open(temporary_directory().database().c_str(), &options_, &db);
    if (found_no_room(code)) {  // to carry out the log
      options_.quota_bytes = 0;
      code = quire_open(temporary_directory().database().c_str(), &options_, &db);
    }
    expect(code, QUIRE_OK, "open");
    dbs_.assign(1, db);
    wrote_ = false;
  }
  void close_first() {
    const int code = quire_close(dbs_[0]);
    if (!found_no_room(code)) expect(code, QUIRE_OK, "close");
    options_.flags &= ~static_cast<std::uint32_t>(QUIRE_OPEN_CREATE);
  }
  void checkpoint() {
    const int code = quire_checkpoint(dbs_[0]);
    if (!found_no_room(code)) expect(code, QUIRE_OK, "checkpoint");
  }
  void database_call() {
    switch (input_.byte() % 9) {
      case 8:
        return purge();
      case 0:
        checkpoint();
        break;
      case 1:
        expect(quire_sync(dbs_[0]), QUIRE_OK, "sync");
        if (has_vector_indexes()) maintenance_call();
        break;
      case 2: {
        quire_stat stat{};
        stat.size = sizeof stat;
        expect(quire_get_stat(dbs_[0], &stat), QUIRE_OK, "stat");
        demand(stat.keyspaces == committed_.spaces.size() &&
                   stat.collections == committed_.collections().size(),
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
  // In transactions of its own: what it has deleted is committed, also where a quota ended it.
  void purge() {
    if (writer() != nullptr) return;  // it would wait for its turn for ever
    quire_purge_options options = QUIRE_PURGE_OPTIONS_INIT;
    options.now_us = input_.byte() % 14 - 3;
    options.batch = 1 + input_.byte() % 8;
    std::uint64_t purged = 0;
    const int code = quire_purge_database(dbs_[0], &options, &purged);
    if (!found_no_room(code)) expect(code, QUIRE_OK, "purge of the database");
    wrote_ = wrote_ || purged != 0;
    quire_txn* txn = nullptr;
    expect(quire_begin(dbs_[0], QUIRE_READ, &txn), QUIRE_OK, "begin");
    for (auto& [id, table] : committed_.tables) {
      take_out_purged(txn, id, table, options.now_us, purged);
      demand(code != QUIRE_OK || table.over(options.now_us).empty(), "a purge leaves what is over");
    }
    demand(purged == 0, "a purge deleted less than it says");
    quire_abort(txn);
  }
  void second_handle() {
    if (dbs_.size() == 1) {
      quire_open_options options = options_;
      if (input_.flag()) options.flags = QUIRE_OPEN_READ_ONLY;
      quire_db* db = nullptr;
      expect(quire_open(temporary_directory().database().c_str(), &options, &db), QUIRE_OK,
             "a second open");
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
    close_first();
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
    expect(quire_open(temporary_directory().database().c_str(), &exclusive, &db), QUIRE_ERR_EXISTS,
           "an exclusive open of what is there");
  }

  // --- transactions ---

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
    const bool done = !txn.write || !found_no_room(code);
    if (done) expect(code, QUIRE_OK, "commit");
    if (done && txn.write) committed_ = txn.state;
    txn.open = false;
    // Records are compared with their indexes.
    if (txn.write && (!committed_.tables.empty() || has_vector_indexes()))
      expect(quire_check(dbs_[0], nullptr, nullptr), QUIRE_OK, "check after a commit");
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
  void savepoint_call(Txn& txn) {
    const std::uint8_t what = input_.byte() % 4;
    if (what < 2) {
      std::uint64_t id = 0;
      const int code = quire_savepoint(txn.handle, &id);
      expect_change(txn, code, change_code(txn), "savepoint");
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
    expect_change(txn, code, expected, what == 2 ? "rollback_to" : "release");
    if (code != QUIRE_OK) return;
    if (what == 2) {
      txn.state = place->second;
      txn.savepoints.erase(place + 1, txn.savepoints.end());
    } else {
      txn.savepoints.erase(place, txn.savepoints.end());
    }
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
      expect(quire_scan_open(txn, id, nullptr, 0, nullptr, 0, &scan), QUIRE_OK, "scan_open");
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
      verify_vectors(txn, id, shelf);
    }
    for (const auto& [id, table] : state.tables) verify_table(txn, id, table);
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
    if (tables_ && what >= 76 && what < 220) return table_call();
    if (what < 88) return name_call();
    if (what < 150) return entry_call();
    if (what < 200) return cursor_call();
    if (what < 250) return record_call();
    Txn& txn = some_txn();
    if (txn.open) verify(txn.handle, txn.state);
  }

  bool tables_ = false;  // mostly calls about them
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
    // With tables and a quota.
    seed[0] |= kind % 3 == 0 ? std::byte{96} : std::byte{64};
    if (kind % 3 == 0) seed.insert(seed.begin() + 1, std::byte{60});
    all.push_back(seed);
  }
  return all;
}

}  // namespace quire::fuzz
