// LMDB behind the benchmark's interface. Its two fastest habits are used: a read transaction is
// reset and renewed rather than begun anew, and a cursor is kept as long as its transaction.
#include <lmdb.h>

#include <stdexcept>

#include "tools/bench/store.h"

namespace quire::bench {
namespace {

// Address space only: the file grows as it is filled.
constexpr std::size_t kMapSize = std::size_t{64} << 30;

void require(int code, const char* what) {
  if (code == MDB_SUCCESS) return;
  throw std::runtime_error(std::string("lmdb: ") + what + ": " + mdb_strerror(code));
}

// LMDB's structs take pointers to non-const and never write through these.
MDB_val to_val(std::string_view bytes) noexcept {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

class LmdbSession final : public Session {
 public:
  LmdbSession(MDB_env* env, MDB_dbi dbi) : env_(env), dbi_(dbi) {}

  ~LmdbSession() override {
    end_read();
    if (latest_ != nullptr) mdb_txn_abort(latest_);
  }

  void put(std::span<const Entry> entries) override {
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env_, nullptr, 0, &txn), "begin");
    for (const Entry& entry : entries) {
      MDB_val key = to_val(entry.key);
      MDB_val value = to_val(entry.value);
      const int code = mdb_put(txn, dbi_, &key, &value, 0);
      if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        require(code, "put");
      }
    }
    require(mdb_txn_commit(txn), "commit");
  }

  void begin_read() override {
    require(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn_), "begin");
    require(mdb_cursor_open(txn_, dbi_, &cursor_), "cursor");
  }

  void end_read() override {
    if (txn_ == nullptr) return;
    mdb_cursor_close(cursor_);
    mdb_txn_abort(txn_);
    txn_ = nullptr;
  }

  std::uint64_t get(std::string_view key) override { return get_in(txn_, key); }

  std::uint64_t scan(std::string_view from, std::size_t count) override {
    std::uint64_t sum = 0;
    MDB_val key = to_val(from);
    MDB_val value;
    int code = mdb_cursor_get(cursor_, &key, &value, MDB_SET_RANGE);
    for (; code == MDB_SUCCESS && count > 0; --count) {
      sum += touch(key.mv_data, key.mv_size) + touch(value.mv_data, value.mv_size);
      if (count > 1) code = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) require(code, "scan");
    return sum;
  }

  std::uint64_t get_latest(std::string_view key) override {
    if (latest_ == nullptr) {
      require(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &latest_), "begin");
    } else {
      require(mdb_txn_renew(latest_), "renew");
    }
    const std::uint64_t sum = get_in(latest_, key);
    mdb_txn_reset(latest_);
    return sum;
  }

 private:
  std::uint64_t get_in(MDB_txn* txn, std::string_view key) {
    MDB_val wanted = to_val(key);
    MDB_val value;
    require(mdb_get(txn, dbi_, &wanted, &value), "get");
    return touch(value.mv_data, value.mv_size);
  }

  MDB_env* env_;
  MDB_dbi dbi_;
  MDB_txn* txn_ = nullptr;
  MDB_txn* latest_ = nullptr;  // reset between uses
  MDB_cursor* cursor_ = nullptr;
};

class LmdbStore final : public Store {
 public:
  LmdbStore(const std::string& directory, Durability durability, Access access) {
    require(mdb_env_create(&env_), "create");
    require(mdb_env_set_mapsize(env_, kMapSize), "map size");
    unsigned flags = MDB_NOTLS;  // sessions, not threads, own the reader slots
    if (durability == Durability::kOs) flags |= MDB_NOSYNC;
    if (access == Access::kReadOnly) flags |= MDB_RDONLY;
    require(mdb_env_open(env_, directory.c_str(), flags, 0644), "open");
    MDB_txn* txn = nullptr;
    require(mdb_txn_begin(env_, nullptr, access == Access::kReadOnly ? MDB_RDONLY : 0, &txn),
            "begin");
    require(mdb_dbi_open(txn, nullptr, 0, &dbi_), "open");
    require(mdb_txn_commit(txn), "commit");
  }

  ~LmdbStore() override { mdb_env_close(env_); }

  std::unique_ptr<Session> session() override { return std::make_unique<LmdbSession>(env_, dbi_); }

  void settle() override { require(mdb_env_sync(env_, 1), "sync"); }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

std::unique_ptr<Store> open(const std::string& directory, Durability durability, Access access) {
  return std::make_unique<LmdbStore>(directory, durability, access);
}

}  // namespace

StoreKind lmdb_kind() {
  int major = 0;
  int minor = 0;
  int patch = 0;
  mdb_version(&major, &minor, &patch);
  const std::string version =
      std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  return {"lmdb", "LMDB " + version,
          "map of 64 GiB, no WRITEMAP; default flags / MDB_NOSYNC; MDB_NOTLS; a get of its own: "
          "renew, get, reset",
          true, &open};
}

}  // namespace quire::bench
