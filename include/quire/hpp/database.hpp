// Part of <quire/quire.hpp>: databases.
#ifndef QUIRE_HPP_DATABASE_HPP
#define QUIRE_HPP_DATABASE_HPP

#include <quire/hpp/transaction.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace quire {
inline namespace api1 {

struct CommitNumbers {
  std::uint64_t txn = 0;
  std::uint64_t lsn = 0;  // its log sequence number
};

struct PurgeOptions {
  std::string collection{};  // empty: all that have a field with `ttl`
  std::int64_t now_us = QUIRE_NOW;
  std::uint64_t limit = UINT64_MAX;
  std::uint32_t batch = 0;  // records of one transaction; 0: 256
  std::uint32_t durability = QUIRE_DURABILITY_DEFAULT;
  Progress progress{};
};

// Everything by default, and no flags: without QUIRE_OPEN_CREATE nothing is made.
struct OpenOptions : quire_open_options {
  OpenOptions() : quire_open_options{} { size = sizeof(quire_open_options); }
};

class Database {
 public:
  Database() = default;
  Database(Database&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Database& operator=(Database&& other) noexcept {
    std::swap(db_, other.db_);
    return *this;
  }
  // The error of a close is lost here: call close() where it matters.
  ~Database() {
    if (db_ != nullptr) quire_close(db_);
  }

  // Read-write; made when it is not there.
  static Database open(const std::string& path) { return open_with(path, nullptr); }
  static Database open(const std::string& path, const quire_open_options& options) {
    return open_with(path, &options);
  }
  // Never creates anything.
  static Database open_read_only(const std::string& path) {
    OpenOptions options;
    options.flags = QUIRE_OPEN_READ_ONLY;
    return open_with(path, &options);
  }

  // QUIRE_ERR_BUSY, and still open, while a read transaction is.
  void close() {
    if (db_ == nullptr) return;
    const int code = quire_close(db_);
    if (code != QUIRE_ERR_BUSY) db_ = nullptr;
    require(code);
  }

  Transaction read() const { return begin(QUIRE_READ); }
  // Waits its turn behind other threads' write transactions.
  Transaction write() { return begin(QUIRE_WRITE); }

  // Nothing while another transaction writes.
  std::optional<Transaction> try_write() {
    quire_txn* txn = nullptr;
    const int code = quire_begin(db_, QUIRE_WRITE | QUIRE_TRY, &txn);
    if (!require_or(code, QUIRE_ERR_BUSY)) return std::nullopt;
    return Transaction(txn);
  }

  // Of the newest commit that can be seen.
  CommitNumbers latest() const {
    CommitNumbers latest;
    require(quire_latest(db_, &latest.txn, &latest.lsn));
    return latest;
  }
  // Makes keys for the collection of this name, whose records have default_value() there; null:
  // none any more. `context` has to live as long as it may be called.
  void set_key_function(const std::string& collection, quire_key_function function,
                        void* context = nullptr) {
    require(quire_set_key_function(db_, collection.c_str(), function, context));
  }
  // Deletes records whose time is over, in transactions of its own; gives how many.
  std::uint64_t purge(const PurgeOptions& options = {}) {
    detail::ProgressCall call(options.progress);
    quire_purge_options c_options = QUIRE_PURGE_OPTIONS_INIT;
    if (!options.collection.empty()) c_options.collection = options.collection.c_str();
    c_options.now_us = options.now_us;
    c_options.limit = options.limit;
    c_options.batch = options.batch;
    c_options.durability = options.durability;
    c_options.progress = call.function();
    c_options.context = call.context();
    std::uint64_t purged = 0;
    call.require(quire_purge_database(db_, &c_options, &purged));
    return purged;
  }
  void sync() { require(quire_sync(db_)); }
  void wait_durable(std::uint64_t lsn) { require(quire_wait_durable(db_, lsn)); }
  void checkpoint() { require(quire_checkpoint(db_)); }
  std::size_t max_key_size() const { return quire_max_key_size(db_); }
  // Waits for a commit newer than `txn_number`; nothing after timeout_ms.
  std::optional<std::uint64_t> wait_commit(std::uint64_t txn_number,
                                           std::uint32_t timeout_ms) const {
    std::uint64_t newest = 0;
    const int code = quire_wait_commit(db_, txn_number, timeout_ms, &newest);
    if (!require_or(code, QUIRE_ERR_TIMEOUT)) return std::nullopt;
    return newest;
  }
  quire_stat stat() const {
    quire_stat stat{};
    stat.size = sizeof stat;
    require(quire_get_stat(db_, &stat));
    return stat;
  }

  // --- maintenance of indexes: what they put off at a commit

  // Does all that waits, in this thread. Waits for its turn behind write transactions, so it never
  // ends where this thread has one open.
  void flush_maintenance() { require(quire_maintenance_flush(db_)); }
  // Until it is resumed, or the last close, only flush_maintenance() and commits do any.
  void pause_maintenance() { require(quire_maintenance_pause(db_)); }
  void resume_maintenance() { require(quire_maintenance_resume(db_)); }
  // What waits in each index: Collection::indexes().
  quire_maintenance_stat maintenance_stat() const {
    quire_maintenance_stat stat{};
    stat.size = sizeof stat;
    require(quire_maintenance_get_stat(db_, &stat));
    return stat;
  }

  // --- check

  // A sentence for each damage found; none: clean.
  std::vector<std::string> check() const {
    detail::List<std::string> list;
    const int code = quire_check(db_, add_damage, &list);
    const bool clean = code != QUIRE_ERR_CORRUPT;
    std::vector<std::string> damage = list.take(clean ? code : QUIRE_OK);
    if (!clean && damage.empty()) damage.emplace_back(quire_last_error());
    return damage;
  }

  quire_db* handle() const noexcept { return db_; }

 private:
  static Database open_with(const std::string& path, const quire_open_options* options) {
    Database database;
    require(quire_open(path.c_str(), options, &database.db_));
    return database;
  }
  static int add_damage(void* context, const char* text) {
    return static_cast<detail::List<std::string>*>(context)->add([&] { return std::string(text); });
  }
  Transaction begin(std::uint32_t flags) const {
    quire_txn* txn = nullptr;
    require(quire_begin(db_, flags, &txn));
    return Transaction(txn);
  }

  quire_db* db_ = nullptr;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_DATABASE_HPP
