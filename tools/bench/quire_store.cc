// Quire behind the benchmark's interface, through its C API alone.
#include <stdexcept>

#include "quire/quire.h"
#include "tools/bench/store.h"

namespace quire::bench {
namespace {

constexpr const char* kKeyspaceName = "bench";

void require(int code, const char* what) {
  if (code == QUIRE_OK) return;
  throw std::runtime_error(std::string("quire: ") + what + ": " + quire_last_error());
}

class QuireSession final : public Session {
 public:
  QuireSession(quire_db* db, quire_keyspace keyspace) : db_(db), keyspace_(keyspace) {}
  ~QuireSession() override { end_read(); }

  void put(std::span<const Entry> entries) override {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, QUIRE_WRITE, &txn), "begin");
    for (const Entry& entry : entries) {
      const int code = quire_put(txn, keyspace_, entry.key.data(), entry.key.size(),
                                 entry.value.data(), entry.value.size(), 0);
      if (code != QUIRE_OK) {
        const std::string sentence = quire_last_error();
        quire_abort(txn);
        throw std::runtime_error("quire: put: " + sentence);
      }
    }
    require(quire_commit(txn), "commit");
  }

  void begin_read() override {
    require(quire_begin(db_, QUIRE_READ, &txn_), "begin");
    require(quire_cursor_open(txn_, keyspace_, nullptr, &cursor_), "cursor");
  }

  void end_read() override {
    quire_cursor_close(cursor_);
    quire_abort(txn_);
    cursor_ = nullptr;
    txn_ = nullptr;
  }

  std::uint64_t get(std::string_view key) override {
    quire_slice value;
    require(quire_get(txn_, keyspace_, key.data(), key.size(), &value), "get");
    return touch(value.data, value.size);
  }

  std::uint64_t scan(std::string_view from, std::size_t count) override {
    std::uint64_t sum = 0;
    quire_slice key;
    quire_slice value;
    int code = quire_cursor_seek(cursor_, from.data(), from.size(), &key, &value);
    for (; code == QUIRE_OK && count > 0; --count) {
      sum += touch(key.data, key.size) + touch(value.data, value.size);
      if (count > 1) code = quire_cursor_next(cursor_, &key, &value);
    }
    if (code != QUIRE_ERR_NOT_FOUND) require(code, "scan");
    return sum;
  }

  std::uint64_t get_latest(std::string_view key) override {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, QUIRE_READ, &txn), "begin");
    quire_slice value;
    const int code = quire_get(txn, keyspace_, key.data(), key.size(), &value);
    const std::uint64_t sum = code == QUIRE_OK ? touch(value.data, value.size) : 0;
    quire_abort(txn);
    require(code, "get");
    return sum;
  }

 private:
  quire_db* db_;
  quire_keyspace keyspace_;
  quire_txn* txn_ = nullptr;
  quire_cursor* cursor_ = nullptr;
};

class QuireStore final : public Store {
 public:
  QuireStore(const std::string& directory, Durability durability, Access access) {
    quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
    const bool writes = access == Access::kReadWrite;
    options.flags = writes ? QUIRE_OPEN_CREATE : QUIRE_OPEN_READ_ONLY;
    options.durability =
        durability == Durability::kAlways ? QUIRE_DURABILITY_ALWAYS : QUIRE_DURABILITY_OS;
    require(quire_open((directory + "/bench.quire").c_str(), &options, &db_), "open");
    if (!open_keyspace(QUIRE_READ, 0)) open_keyspace(QUIRE_WRITE, QUIRE_CREATE);
  }

  ~QuireStore() override { quire_close(db_); }

  std::unique_ptr<Session> session() override {
    return std::make_unique<QuireSession>(db_, keyspace_);
  }

  void settle() override { require(quire_checkpoint(db_), "checkpoint"); }

 private:
  // False when it is not there, in a transaction that may not create it.
  bool open_keyspace(std::uint32_t transaction_flags, std::uint32_t flags) {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, transaction_flags, &txn), "begin");
    const int code = quire_keyspace_open(txn, kKeyspaceName, flags, &keyspace_);
    if (code != QUIRE_OK) {
      const std::string sentence = quire_last_error();
      quire_abort(txn);
      if (code == QUIRE_ERR_NOT_FOUND) return false;
      throw std::runtime_error("quire: keyspace: " + sentence);
    }
    require(quire_commit(txn), "commit");
    return true;
  }

  quire_db* db_ = nullptr;
  quire_keyspace keyspace_ = 0;
};

std::unique_ptr<Store> open(const std::string& directory, Durability durability, Access access) {
  return std::make_unique<QuireStore>(directory, durability, access);
}

}  // namespace

StoreKind quire_kind() {
  return {"quire", std::string("Quire ") + quire_version(),
          "defaults; durability always / os; a get of its own: begin, get, abort", true, &open};
}

}  // namespace quire::bench
