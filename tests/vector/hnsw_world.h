// A database on a simulated disk with a collection of vectors, an HNSW index over them, and what
// the records should be.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "engine/db/database.h"
#include "engine/io/simulated_disk.h"
#include "engine/record/collection_change.h"
#include "engine/record/record_writer.h"
#include "index/kernels/exact_scan.h"
#include "index/vector/hnsw/hnsw_kind.h"
#include "index/vector/hnsw/hnsw_search.h"
#include "tests/must.h"

namespace quire::test {

using hnsw::HnswIndex;
using hnsw::HnswReader;
using Random = std::mt19937_64;

inline const std::array<const IndexKind*, 1> kVectorKinds = {&hnsw_index_kind()};

// Bytes of a vector of a field's type, by chance; of f32 near one of some centres.
struct VectorMaker {
  FieldType type = FieldType::kVectorF32;
  std::uint32_t dimension = 0;

  std::size_t bytes() const { return vector_size(type, dimension); }
  ByteVector make(Random& random) const {
    ByteVector vector(bytes());
    if (type == FieldType::kVectorI8) {
      for (std::byte& byte : vector) byte = static_cast<std::byte>(random());
    } else if (type == FieldType::kVectorBits) {
      for (std::uint32_t i = 0; i < dimension; ++i)
        vector[i / 8] |= static_cast<std::byte>((random() & 1) << (i % 8));
    } else {
      std::normal_distribution<float> normal;
      const auto centre = static_cast<float>(random() % 8) * 0.5F;
      for (std::uint32_t i = 0; i < dimension; ++i)
        store(normal(random) + (i % 3 == 0 ? centre : 0), i, vector);
    }
    return vector;
  }

 private:
  void store(float value, std::uint32_t i, ByteVector& vector) const {
    if (type == FieldType::kVectorF32) return store_le(vector.data() + 4UL * i, value);
    const auto half = static_cast<_Float16>(value);
    std::memcpy(vector.data() + 2UL * i, &half, 2);
  }
  static void store_le(std::byte* to, float value) { std::memcpy(to, &value, sizeof value); }
};

class HnswWorld {
 public:
  struct Setting {
    VectorMaker maker{FieldType::kVectorF32, 8};
    std::string options = "{\"field\": \"vector\"}";
    std::uint32_t page_size = 4096;
    bool background = false;
    bool indexed = true;  // from the beginning
    std::uint32_t build_threads = 1;
  };
  HnswWorld() : HnswWorld(Setting{}) {}
  explicit HnswWorld(const Setting& setting) : setting_(setting), cache_(kVectorKinds) {
    options_.page_size = setting.page_size;
    options_.writer.background = setting.background;
    options_.writer.durability = Durability::kOs;
    options_.writer.build_threads = setting.build_threads;
    options_.index_kinds = kVectorKinds;
    reopen();
    const Schema schema = must(Schema::make({{"id", FieldType::kI64},
                                             {"note", FieldType::kI64, true},
                                             {.name = "vector",
                                              .type = setting.maker.type,
                                              .nullable = true,
                                              .dimension = setting.maker.dimension}},
                                            0));
    items_ = must(Collection::create(txn(), "items", schema, kVectorKinds));
    if (setting.indexed) add_index();
    commit();
  }
  ~HnswWorld() {
    txn_.reset();
    if (!database_) return;
    EXPECT_TRUE(database_->close());
  }

  const DatabaseOptions& options() const { return options_; }
  const VectorMaker& maker() const { return setting_.maker; }
  Database& database() { return *database_; }
  io::SimulatedDisk& disk() { return disk_; }
  WriteTxn& txn() {
    if (!txn_) txn_ = must(database_->begin_write(true));
    return *txn_;
  }
  bool in_txn() const { return txn_ != nullptr; }
  Result<wal::Lsn> try_commit() {
    auto lsn = database_->writer()->commit(txn(), Durability::kOs);
    txn_.reset();
    return lsn;
  }
  void commit() {
    if (txn_) must(try_commit());
  }
  void abort() { txn_.reset(); }
  void crash() {
    txn_.reset();
    database_->crash();
    database_.reset();
    reopen();
  }
  // The process and the power go; what the next boot finds. The world is over.
  std::unique_ptr<io::SimulatedDisk> lose_power(std::uint64_t seed) {
    txn_.reset();
    database_->crash();
    database_.reset();
    return disk_.after_crash(seed, io::Survival::kRandom);
  }
  void close_and_open() {
    txn_.reset();
    EXPECT_TRUE(database_->close());
    database_.reset();
    reopen();
  }
  void flush() {
    const Status flushed = database_->maintenance()->flush();
    EXPECT_TRUE(flushed) << flushed.error().message();
  }

  Result<Collection> try_index(std::string_view options, const ReportProgress& progress = {},
                               std::uint64_t memory_bytes = 64 << 20) {
    return create_index(
        txn(), items(),
        {.name = "near", .kind = "hnsw", .options = options, .memory_bytes = memory_bytes},
        kVectorKinds, progress);
  }
  void add_index() { items_ = must(try_index(setting_.options)); }
  const Collection& items() const { return *items_; }
  void set_items(Collection items) { items_ = std::move(items); }
  const HnswIndex& index() const { return *as_hnsw(items_->indexes().front().get()); }

  void put(std::int64_t id, const std::optional<ByteVector>& vector) {
    const Value values[] = {
        Value::of_i64(id), Value::null(),
        vector ? Value::of_vector(maker().type, vector->data(), maker().dimension) : Value::null()};
    must(upsert_record(txn(), items(), values));
  }
  void erase(std::int64_t id) {
    const Value key = Value::of_i64(id);
    must(erase_record(txn(), items(), key));
  }
  void put_some(std::int64_t first, std::int64_t count, Random& random) {
    for (std::int64_t id = first; id < first + count; ++id) put(id, maker().make(random));
  }

  hnsw::HnswState state(View& view) { return must(hnsw::HnswState::read(view, index().form())); }
  IndexStat stat() {
    const auto snapshot = must(database_->begin_read());
    return must(index().stat(*snapshot));
  }
  std::uint64_t figure(std::string_view name) {
    for (const auto& [each, value] : stat().figures)
      if (each == name) return value;
    ADD_FAILURE() << name;
    return 0;
  }
  // Everything, in every structure.
  std::string damages() {
    std::string damage;
    const Status status = database_->check([&](const std::string& text) {
      damage += text + "\n";
      return true;
    });
    if (!status && damage.empty()) damage = status.error().message();
    return damage;
  }
  void check() { EXPECT_EQ(damages(), ""); }

  std::vector<VectorHit> exact(View& view, const ByteVector& query, std::size_t k) {
    return must(
        exact_search(view, items(),
                     {.field = 2,
                      .metric = index().form().options.metric,
                      .vector = Value::of_vector(maker().type, query.data(), maker().dimension),
                      .k = k}));
  }
  // How many of the k nearest a search finds, of k. What it finds is in order, with the distances
  // of the exact search, and as many as there are.
  std::size_t found(View& view, const ByteVector& query, std::size_t k, std::size_t ef) {
    const auto truth = exact(view, query, k);
    const auto reader = must(HnswReader::open(view, items(), index()));
    const auto hits = reader->search({query.data(), k, ef});
    EXPECT_TRUE(hits) << hits.error().message();
    if (!hits) return 0;
    EXPECT_EQ(hits->size(), truth.size());
    std::size_t right = 0;
    for (std::size_t i = 1; i < hits->size(); ++i) EXPECT_TRUE(nearer((*hits)[i - 1], (*hits)[i]));
    // Of several that are as far as the last, any is right.
    for (const Neighbour<RecordNumber>& hit : *hits)
      if (hit.distance <= truth.back().distance) ++right;
    for (const VectorHit& hit : truth) {
      const auto at = std::ranges::find(*hits, hit.number, &Neighbour<RecordNumber>::id);
      if (at != hits->end()) {
        EXPECT_EQ(at->distance, hit.distance);
      }
    }
    return right;
  }
  double recall(Random& random, std::size_t queries, std::size_t k, std::size_t ef) {
    const auto snapshot = must(database_->begin_read());
    std::size_t right = 0;
    std::size_t all = 0;
    for (std::size_t i = 0; i < queries; ++i) {
      const ByteVector query = maker().make(random);
      right += found(*snapshot, query, k, ef);
      all += exact(*snapshot, query, k).size();
    }
    return all == 0 ? 1 : static_cast<double>(right) / static_cast<double>(all);
  }

 private:
  void reopen() {
    database_ = must(Database::open(disk_, "/items.quire", options_));
    if (!items_) return;
    const auto snapshot = must(database_->begin_read());
    items_ = must(Collection::open(*snapshot, "items", &cache_));
  }

  Setting setting_;
  io::SimulatedDisk disk_;
  DatabaseOptions options_;
  CollectionCache cache_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<WriteTxn> txn_;
  std::optional<Collection> items_;
};

}  // namespace quire::test
