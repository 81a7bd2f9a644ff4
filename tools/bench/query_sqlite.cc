// SQLite's side of the benchmark of queries: one connection a session, statements prepared once,
// the settings of the benchmark of keys and values.
#include <sqlite3.h>

#include <map>
#include <stdexcept>

#include "tools/bench/query_store.h"

namespace quire::bench {
namespace {

constexpr int kBusyTimeoutMs = 60'000;

void require(int code, sqlite3* db, const char* what) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
  throw std::runtime_error(std::string("sqlite: ") + what + ": " + sqlite3_errmsg(db));
}

class Connection {
 public:
  Connection(const std::filesystem::path& file, bool durable) {
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    require(sqlite3_open_v2(file.c_str(), &db_, kFlags, nullptr), db_, "open");
    sqlite3_busy_timeout(db_, kBusyTimeoutMs);
    execute("PRAGMA journal_mode=WAL");
    execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
    execute("PRAGMA cache_size=-1048576");  // KiB: 1 GiB
    execute("PRAGMA mmap_size=17179869184");
    execute("PRAGMA temp_store=MEMORY");
  }
  ~Connection() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void execute(const char* sql) {
    require(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), db_, sql);
  }
  sqlite3_stmt* statement(const char* sql) {
    sqlite3_stmt*& known = statements_[sql];
    if (known == nullptr)
      require(sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &known, nullptr), db_,
              sql);
    return known;
  }
  void bind(sqlite3_stmt* statement, int at, std::int64_t number) {
    require(sqlite3_bind_int64(statement, at, number), db_, "bind");
  }
  void bind(sqlite3_stmt* statement, int at, double number) {
    require(sqlite3_bind_double(statement, at, number), db_, "bind");
  }
  void bind(sqlite3_stmt* statement, int at, const std::string& text) {
    require(
        sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC),
        db_, "bind");
  }
  bool step(sqlite3_stmt* statement) {
    const int code = sqlite3_step(statement);
    require(code, db_, "step");
    return code == SQLITE_ROW;
  }
  void run(const char* sql) {
    sqlite3_stmt* made = statement(sql);
    (void)step(made);
    sqlite3_reset(made);
  }

 private:
  sqlite3* db_ = nullptr;
  std::map<std::string, sqlite3_stmt*> statements_;
};

class Session final : public GoodsSession {
 public:
  Session(const std::filesystem::path& file, bool durable) : connection_(file, durable) {}

  void insert(std::uint64_t first, std::uint64_t count) override {
    connection_.run("BEGIN IMMEDIATE");
    sqlite3_stmt* put =
        connection_.statement("INSERT INTO goods VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    for (std::uint64_t i = first; i < first + count; ++i) {
      const Goods goods(i);
      connection_.bind(put, 1, goods.id);
      connection_.bind(put, 2, goods.sku);
      connection_.bind(put, 3, goods.category);
      connection_.bind(put, 4, goods.name);
      connection_.bind(put, 5, goods.price);
      connection_.bind(put, 6, goods.stock);
      connection_.bind(put, 7, goods.created);
      connection_.bind(put, 8, goods.maker);
      connection_.bind(put, 9, goods.rating);
      (void)connection_.step(put);
      sqlite3_reset(put);
    }
    connection_.run("COMMIT");
  }

  void begin_read() override { connection_.run("BEGIN"); }
  void end_read() override { connection_.run("COMMIT"); }

  Answer ask(const Question& question, const std::vector<Argument>& arguments) override {
    sqlite3_stmt* statement = connection_.statement(question.sql);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      std::visit(
          [&](const auto& value) { connection_.bind(statement, static_cast<int>(i) + 1, value); },
          arguments[i]);
    }
    Answer answer;
    const int columns = sqlite3_column_count(statement);
    while (connection_.step(statement)) {
      ++answer.rows;
      answer.sum += sqlite3_column_int64(statement, 0);
      for (int i = 1; i < columns; ++i) {
        if (sqlite3_column_type(statement, i) == SQLITE_TEXT)
          (void)sqlite3_column_text(statement, i);
      }
    }
    sqlite3_reset(statement);
    return answer;
  }

 private:
  Connection connection_;
};

class Store final : public GoodsStore {
 public:
  Store(const std::filesystem::path& directory, bool durable)
      : file_(directory / "goods.sqlite"), durable_(durable), connection_(file_, durable) {
    connection_.execute(
        "CREATE TABLE goods (id INTEGER PRIMARY KEY, sku TEXT NOT NULL, category TEXT NOT NULL, "
        "name TEXT NOT NULL, price REAL NOT NULL, stock INTEGER NOT NULL, created INTEGER NOT "
        "NULL, maker INTEGER NOT NULL, rating INTEGER NOT NULL)");
  }
  void add_index(const GoodsIndex& index) override {
    const std::string sql = std::string("CREATE ") + (index.unique ? "UNIQUE " : "") + "INDEX " +
                            index.name + " ON goods " + index.sql;
    connection_.execute(sql.c_str());
  }
  void settle() override { connection_.execute("PRAGMA wal_checkpoint(TRUNCATE)"); }
  std::unique_ptr<GoodsSession> session() override {
    return std::make_unique<Session>(file_, durable_);
  }

 private:
  std::filesystem::path file_;
  bool durable_;
  Connection connection_;
};

}  // namespace

std::unique_ptr<GoodsStore> make_sqlite_goods(const std::filesystem::path& directory,
                                              bool durable) {
  return std::make_unique<Store>(directory, durable);
}

}  // namespace quire::bench
