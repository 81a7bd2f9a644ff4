// SQLite behind the benchmark's interface: one table without row ids, one connection a session,
// statements prepared once.
#include <sqlite3.h>

#include <stdexcept>

#include "tools/bench/store.h"

namespace quire::bench {
namespace {

constexpr int kBusyTimeoutMs = 60'000;

void require(int code, sqlite3* db, const char* what) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  throw std::runtime_error(std::string("sqlite: ") + what + ": " +
                           (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code)));
}

void execute(sqlite3* db, const char* sql) {
  require(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), db, sql);
}

// A prepared statement.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) : db_(db) {
    require(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr), db, sql);
  }
  ~Statement() { sqlite3_finalize(handle_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  void bind(int index, std::string_view bytes) {
    require(sqlite3_bind_blob(handle_, index, bytes.data(), static_cast<int>(bytes.size()),
                              SQLITE_STATIC),
            db_, "bind");
  }
  void bind(int index, std::size_t number) {
    require(sqlite3_bind_int64(handle_, index, static_cast<sqlite3_int64>(number)), db_, "bind");
  }
  bool step() {
    const int code = sqlite3_step(handle_);
    require(code, db_, "step");
    return code == SQLITE_ROW;
  }
  void reset() { sqlite3_reset(handle_); }
  std::uint64_t touch_column(int column) {
    const void* data = sqlite3_column_blob(handle_, column);
    return touch(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
  }

 private:
  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
};

// A connection with the benchmark's settings.
class Connection {
 public:
  Connection(const std::string& path, Durability durability) {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    require(sqlite3_open_v2(path.c_str(), &handle_, kFlags, nullptr), handle_, "open");
    sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
    execute(handle_, "PRAGMA journal_mode=WAL");
    execute(handle_, durability == Durability::kAlways ? "PRAGMA synchronous=FULL"
                                                       : "PRAGMA synchronous=OFF");
    execute(handle_, "PRAGMA cache_size=-1048576");  // KiB: 1 GiB
    execute(handle_, "PRAGMA mmap_size=17179869184");
    execute(handle_,
            "CREATE TABLE IF NOT EXISTS bench (k BLOB PRIMARY KEY, v BLOB NOT NULL) "
            "WITHOUT ROWID");
  }
  ~Connection() { sqlite3_close(handle_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* handle() const { return handle_; }

 private:
  sqlite3* handle_ = nullptr;
};

class SqliteSession final : public Session {
 public:
  SqliteSession(const std::string& path, Durability durability)
      : connection_(path, durability),
        begin_write_(connection_.handle(), "BEGIN IMMEDIATE"),
        begin_read_(connection_.handle(), "BEGIN"),
        commit_(connection_.handle(), "COMMIT"),
        put_(connection_.handle(), "INSERT OR REPLACE INTO bench (k, v) VALUES (?1, ?2)"),
        get_(connection_.handle(), "SELECT v FROM bench WHERE k = ?1"),
        scan_(connection_.handle(), "SELECT k, v FROM bench WHERE k >= ?1 ORDER BY k LIMIT ?2") {}

  void put(std::span<const Entry> entries) override {
    const bool alone = entries.size() == 1;  // then the statement is the transaction
    if (!alone) run(begin_write_);
    for (const Entry& entry : entries) {
      put_.bind(1, entry.key);
      put_.bind(2, entry.value);
      run(put_);
    }
    if (!alone) run(commit_);
  }

  void begin_read() override { run(begin_read_); }
  void end_read() override { run(commit_); }

  std::uint64_t get(std::string_view key) override {
    get_.bind(1, key);
    if (!get_.step()) throw std::runtime_error("sqlite: get: no such key");
    const std::uint64_t sum = get_.touch_column(0);
    get_.reset();
    return sum;
  }

  std::uint64_t scan(std::string_view from, std::size_t count) override {
    std::uint64_t sum = 0;
    scan_.bind(1, from);
    scan_.bind(2, count);
    while (scan_.step()) sum += scan_.touch_column(0) + scan_.touch_column(1);
    scan_.reset();
    return sum;
  }

  // Outside BEGIN a statement is its own transaction.
  std::uint64_t get_latest(std::string_view key) override { return get(key); }

  sqlite3* handle() const { return connection_.handle(); }

 private:
  static void run(Statement& statement) {
    statement.step();
    statement.reset();
  }

  Connection connection_;
  Statement begin_write_;
  Statement begin_read_;
  Statement commit_;
  Statement put_;
  Statement get_;
  Statement scan_;
};

class SqliteStore final : public Store {
 public:
  SqliteStore(const std::string& directory, Durability durability)
      : path_(directory + "/bench.sqlite"), durability_(durability), first_(path_, durability) {}

  std::unique_ptr<Session> session() override {
    return std::make_unique<SqliteSession>(path_, durability_);
  }

  void settle() override { execute(first_.handle(), "PRAGMA wal_checkpoint(TRUNCATE)"); }

 private:
  std::string path_;
  Durability durability_;
  Connection first_;
};

std::unique_ptr<Store> open(const std::string& directory, Durability durability, Access) {
  return std::make_unique<SqliteStore>(directory, durability);
}

}  // namespace

StoreKind sqlite_kind() {
  return {"sqlite", std::string("SQLite ") + sqlite3_libversion(),
          "table WITHOUT ROWID with blob keys, prepared statements, WAL, synchronous FULL / OFF, "
          "cache 1 GiB, mmap 16 GiB, one connection a thread",
          true, &open};
}

}  // namespace quire::bench
