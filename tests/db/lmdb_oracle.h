// LMDB as the second opinion: the same operations, carried out by another database.
#pragma once

#include <string>
#include <vector>

#include "tests/db/state.h"

#ifdef QUIRE_HAVE_LMDB
#include <lmdb.h>
#include <stdlib.h>
#include <unistd.h>

namespace quire::test {

// Savepoints are nested transactions: rolling back to one ends it and begins it again. LMDB's
// handles don't go well with nesting, so they are all opened first; which keyspaces there are is
// told by the keys of one more database.
class LmdbOracle {
 public:
  static constexpr bool kThere = true;

  explicit LmdbOracle(const std::vector<std::string>& spaces) {
    char path[] = "/tmp/quire-oracle-XXXXXX";
    if (::mkdtemp(path) == nullptr) std::abort();
    directory_ = path;
    must(mdb_env_create(&env_));
    must(mdb_env_set_maxdbs(env_, 64));
    must(mdb_env_set_mapsize(env_, std::size_t{1} << 30));
    must(mdb_env_open(env_, path, MDB_NOSYNC, 0600));
    push();
    for (const std::string& space : spaces) {
      must(mdb_dbi_open(txns_.back(), space.c_str(), MDB_CREATE, &handles_[space]));
    }
    must(mdb_dbi_open(txns_.back(), "names", MDB_CREATE, &names_));
    commit();
  }
  ~LmdbOracle() {
    if (!txns_.empty()) mdb_txn_abort(txns_.front());
    mdb_env_close(env_);
    for (const char* name : {"/data.mdb", "/lock.mdb"}) ::unlink((directory_ + name).c_str());
    ::rmdir(directory_.c_str());
  }
  LmdbOracle(const LmdbOracle&) = delete;
  LmdbOracle& operator=(const LmdbOracle&) = delete;

  void begin() { push(); }
  void commit() {
    while (!txns_.empty()) pop_commit();
  }
  void abort() {
    mdb_txn_abort(txns_.front());
    txns_.clear();
  }
  void savepoint() { push(); }
  void roll_back(std::size_t savepoint) {
    while (txns_.size() > savepoint + 1) pop_abort();
    push();
  }
  void release(std::size_t savepoint) {
    while (txns_.size() > savepoint + 1) pop_commit();
  }

  void create(const std::string& space) { put_in(names_, space, "x"); }
  void drop(const std::string& space) {
    must(mdb_drop(txns_.back(), handles_.at(space), 0));
    erase_in(names_, space);
  }
  void put(const std::string& space, const std::string& key, const std::string& value) {
    put_in(handles_.at(space), key, value);
  }
  void erase(const std::string& space, const std::string& key) {
    erase_in(handles_.at(space), key);
  }
  void erase_range(const std::string& space, const std::optional<std::string>& low,
                   const std::optional<std::string>& high) {
    MDB_cursor* cursor = nullptr;
    must(mdb_cursor_open(txns_.back(), handles_.at(space), &cursor));
    const std::string from = low.value_or("");
    MDB_val k = val(from);
    MDB_val v{};
    int rc = mdb_cursor_get(cursor, &k, &v, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (rc == 0 && (!high || text(k) < *high)) {
      must(mdb_cursor_del(cursor, 0));
      rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
  }
  // All it has, as the open transaction sees it.
  State state() {
    const bool own = txns_.empty();
    if (own) push();
    State state;
    for (const auto& [name, value] : scan(names_)) state[name] = scan(handles_.at(name));
    if (own) abort();
    return state;
  }

 private:
  static void must(int rc) {
    if (rc == 0) return;
    std::fprintf(stderr, "LMDB: %s\n", mdb_strerror(rc));
    std::abort();
  }
  static MDB_val val(const std::string& text) {
    return {text.size(), const_cast<char*>(text.data())};
  }
  static std::string text(const MDB_val& val) {
    return {static_cast<const char*>(val.mv_data), val.mv_size};
  }
  void push() {
    MDB_txn* txn = nullptr;
    must(mdb_txn_begin(env_, txns_.empty() ? nullptr : txns_.back(), 0, &txn));
    txns_.push_back(txn);
  }
  void pop_commit() {
    must(mdb_txn_commit(txns_.back()));
    txns_.pop_back();
  }
  void pop_abort() {
    mdb_txn_abort(txns_.back());
    txns_.pop_back();
  }
  void put_in(MDB_dbi dbi, const std::string& key, const std::string& value) {
    MDB_val k = val(key);
    MDB_val v = val(value);
    must(mdb_put(txns_.back(), dbi, &k, &v, 0));
  }
  void erase_in(MDB_dbi dbi, const std::string& key) {
    MDB_val k = val(key);
    const int rc = mdb_del(txns_.back(), dbi, &k, nullptr);
    if (rc != MDB_NOTFOUND) must(rc);
  }
  Keys scan(MDB_dbi dbi) {
    Keys keys;
    MDB_cursor* cursor = nullptr;
    must(mdb_cursor_open(txns_.back(), dbi, &cursor));
    MDB_val k{};
    MDB_val v{};
    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) keys.emplace(text(k), text(v));
    mdb_cursor_close(cursor);
    return keys;
  }

  std::string directory_;
  MDB_env* env_ = nullptr;
  std::map<std::string, MDB_dbi> handles_;
  MDB_dbi names_ = 0;
  std::vector<MDB_txn*> txns_;  // the transaction and its savepoints
};

}  // namespace quire::test
#else
namespace quire::test {

// Built without LMDB: agrees with everything.
class LmdbOracle {
 public:
  static constexpr bool kThere = false;
  explicit LmdbOracle(const std::vector<std::string>&) {}
  void begin() {}
  void commit() {}
  void abort() {}
  void savepoint() {}
  void roll_back(std::size_t) {}
  void release(std::size_t) {}
  void create(const std::string&) {}
  void drop(const std::string&) {}
  void put(const std::string&, const std::string&, const std::string&) {}
  void erase(const std::string&, const std::string&) {}
  void erase_range(const std::string&, const std::optional<std::string>&,
                   const std::optional<std::string>&) {}
  State state() { return {}; }
};

}  // namespace quire::test
#endif
