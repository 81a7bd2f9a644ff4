// LevelDB behind the benchmark's interface.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <stdexcept>

#include "tools/bench/store.h"

namespace quire::bench {
namespace {

// Large enough for every base that fits in memory, so that warm reads are warm.
constexpr std::size_t kBlockCacheBytes = std::size_t{2} << 30;
// The value that its own documents advise for bulk work; the default is 4 MiB.
constexpr std::size_t kWriteBufferBytes = std::size_t{64} << 20;
constexpr int kBloomBitsPerKey = 10;

void require(const leveldb::Status& status, const char* what) {
  if (status.ok()) return;
  throw std::runtime_error(std::string("leveldb: ") + what + ": " + status.ToString());
}

leveldb::Slice to_slice(std::string_view bytes) noexcept { return {bytes.data(), bytes.size()}; }

class LeveldbSession final : public Session {
 public:
  LeveldbSession(leveldb::DB* db, bool sync) : db_(db) { write_options_.sync = sync; }
  ~LeveldbSession() override { end_read(); }

  void put(std::span<const Entry> entries) override {
    batch_.Clear();
    for (const Entry& entry : entries) batch_.Put(to_slice(entry.key), to_slice(entry.value));
    require(db_->Write(write_options_, &batch_), "write");
  }

  void begin_read() override {
    snapshot_options_.snapshot = db_->GetSnapshot();
    cursor_.reset(db_->NewIterator(snapshot_options_));
  }

  void end_read() override {
    cursor_.reset();
    if (snapshot_options_.snapshot != nullptr) db_->ReleaseSnapshot(snapshot_options_.snapshot);
    snapshot_options_.snapshot = nullptr;
  }

  std::uint64_t get(std::string_view key) override { return get_at(snapshot_options_, key); }

  std::uint64_t scan(std::string_view from, std::size_t count) override {
    std::uint64_t sum = 0;
    for (cursor_->Seek(to_slice(from)); cursor_->Valid() && count > 0; --count) {
      sum += touch(cursor_->key().data(), cursor_->key().size()) +
             touch(cursor_->value().data(), cursor_->value().size());
      if (count > 1) cursor_->Next();
    }
    require(cursor_->status(), "scan");
    return sum;
  }

  std::uint64_t get_latest(std::string_view key) override {
    return get_at(leveldb::ReadOptions(), key);
  }

 private:
  std::uint64_t get_at(const leveldb::ReadOptions& options, std::string_view key) {
    require(db_->Get(options, to_slice(key), &value_), "get");
    return touch(value_.data(), value_.size());
  }

  leveldb::DB* db_;
  leveldb::WriteOptions write_options_;
  leveldb::ReadOptions snapshot_options_;
  leveldb::WriteBatch batch_;
  std::unique_ptr<leveldb::Iterator> cursor_;
  std::string value_;
};

class LeveldbStore final : public Store {
 public:
  LeveldbStore(const std::string& directory, Durability durability)
      : cache_(leveldb::NewLRUCache(kBlockCacheBytes)),
        bloom_(leveldb::NewBloomFilterPolicy(kBloomBitsPerKey)),
        sync_(durability == Durability::kAlways) {
    leveldb::Options options;
    options.create_if_missing = true;
    options.write_buffer_size = kWriteBufferBytes;
    options.block_cache = cache_.get();
    options.filter_policy = bloom_.get();
    options.compression = leveldb::kNoCompression;  // the values are random: it would only cost
    leveldb::DB* db = nullptr;
    require(leveldb::DB::Open(options, directory + "/leveldb", &db), "open");
    db_.reset(db);
  }

  std::unique_ptr<Session> session() override {
    return std::make_unique<LeveldbSession>(db_.get(), sync_);
  }

  void settle() override { db_->CompactRange(nullptr, nullptr); }

 private:
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<const leveldb::FilterPolicy> bloom_;
  std::unique_ptr<leveldb::DB> db_;
  bool sync_;
};

std::unique_ptr<Store> open(const std::string& directory, Durability durability, Access) {
  return std::make_unique<LeveldbStore>(directory, durability);
}

}  // namespace

StoreKind leveldb_kind() {
  return {"leveldb",
          "LevelDB " + std::to_string(leveldb::kMajorVersion) + "." +
              std::to_string(leveldb::kMinorVersion),
          "write buffer 64 MiB, block cache 2 GiB, bloom filter of 10 bits, no compression; "
          "WriteOptions.sync on / off",
          false, &open};
}

}  // namespace quire::bench
