// A database with handles and transactions, real and modelled, and what an input chooses among.
#pragma once

#include "fuzz/calls_model.h"
#include "fuzz/input.h"

namespace quire::fuzz {

// The calls stand in classes that are made of one another, each with those of one kind.
class CallsWorld {
 protected:
  explicit CallsWorld(Input& input) : input_(input) {}

  Txn* writer() {
    for (Txn& txn : txns_)
      if (txn.open && txn.write) return &txn;
    return nullptr;
  }
  Txn& some_txn() {
    if (txns_.empty()) begin(true);
    if (txns_.empty()) begin(false);  // there was no room for the other
    // Mostly the one that may change something, or one that was begun lately.
    const std::uint8_t which = input_.byte();
    if (Txn* const write = writer(); write != nullptr && which < 150) return *write;
    const std::size_t lately = std::min<std::size_t>(txns_.size(), which < 240 ? 3 : 12);
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
    const int code = quire_begin(dbs_[db], write ? QUIRE_WRITE : QUIRE_READ, &handle);
    if (write && found_no_room(code)) return;
    expect(code, QUIRE_OK, "begin");
    wrote_ |= write;
    txns_.push_back({.handle = handle,
                     .db = db,
                     .open = true,
                     .write = write,
                     .state = committed_,
                     .savepoints = {}});
  }

  // --- the quota ---

  bool found_no_room(int code) const {
    return code == QUIRE_ERR_QUOTA && options_.quota_bytes != 0;
  }
  // What a call that changes something returns. One that finds no room breaks its transaction: that
  // is ended then, and nothing of it may be there.
  void expect_change(Txn& txn, int code, int expected, const char* call) {
    const bool broken = txn.open && txn.write && found_no_room(code);
    if (!broken) return expect(code, expected, call);
    std::uint64_t id = 0;
    expect(quire_savepoint(txn.handle, &id), QUIRE_ERR_QUOTA, "savepoint of what is broken");
    expect(quire_commit(txn.handle), QUIRE_ERR_QUOTA, "commit of what is broken");
    txn.open = false;
  }

  // READ_ONLY or CLOSED where a change is refused for its transaction; OK where it is not.
  static int change_code(const Txn& txn) {
    if (!txn.open) return QUIRE_ERR_CLOSED;
    return txn.write ? QUIRE_OK : QUIRE_ERR_READ_ONLY;
  }
  std::string some_name() { return "name" + std::to_string(input_.byte() % 4); }
  std::string some_key() {
    const std::uint8_t which = input_.byte();
    if (which < 230) return "key" + std::to_string(which);
    if (which == 255) return std::string(2000, 'k');
    return std::string(input_.text(20));
  }
  std::string some_value() {
    const std::uint8_t size = input_.byte();
    return std::string(size > 240 ? size * 11U : size % 40, static_cast<char>('a' + size % 26));
  }
  std::uint32_t some_id() {
    // No other is ever given: below 16 there are none, and others may be parts of a collection.
    const std::uint8_t which = input_.byte();
    if (ids_.empty() || which > 250) return input_.byte() % 16;
    const std::size_t lately = std::min<std::size_t>(ids_.size(), which < 180 ? 2 : 8);
    return ids_[ids_.size() - 1 - which % lately];
  }
  // What a call with this keyspace's number returns for it.
  static int space_code(const State& state, quire_keyspace id) {
    if (state.spaces.contains(id)) return QUIRE_OK;
    return state.has(id) ? QUIRE_ERR_TYPE : kNotThere;
  }
  bool key_fits(const std::string& key) const {
    return !key.empty() && key.size() <= options_.page_size / 4;
  }
  static int shelf_code(const State& state, quire_collection id) {
    if (state.shelves.contains(id)) return QUIRE_OK;
    return state.spaces.contains(id) ? QUIRE_ERR_TYPE : kNotThere;
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
  std::vector<quire_collection> table_ids_;
};

}  // namespace quire::fuzz
