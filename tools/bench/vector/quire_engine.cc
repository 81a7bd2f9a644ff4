#include <quire/quire.hpp>

#include <algorithm>
#include <array>

#include "tools/bench/vector/engine.h"

namespace quire::bench {
namespace {

constexpr std::uint32_t kVectorField = 1;
constexpr std::size_t kLoadBatch = 1000;  // records of a transaction

std::string path_of(const IndexSettings& settings) { return settings.directory + "/vectors.quire"; }

void load(Database& db, const Rows& base) {
  for (std::size_t first = 0; first < base.count(); first += kLoadBatch) {
    Transaction txn = db.write();
    Collection rows = *txn.find_collection("rows");
    const std::size_t end = std::min(first + kLoadBatch, base.count());
    for (std::size_t i = first; i < end; ++i) {
      const std::array values = {i64_value(static_cast<std::int64_t>(i)),
                                 vector_value({base.row(i), base.dimension})};
      rows.insert(values);
    }
    txn.commit(QUIRE_DURABILITY_NONE);
  }
}

std::string options_of(const IndexSettings& settings) {
  return R"({"field": "vector", "m": )" + std::to_string(settings.m) + R"(, "ef_construction": )" +
         std::to_string(settings.ef_construction) + "}";
}

// The records first, then the index, to the sync of its commit.
void build(const Rows& base, const IndexSettings& settings) {
  OpenOptions options;
  options.flags = QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE;
  options.build_threads = settings.threads;
  Database db = Database::open(path_of(settings), options);
  {
    Transaction txn = db.write();
    const std::array fields = {
        Field{.name = "id", .type = QUIRE_TYPE_I64, .key = true},
        Field{.name = "vector", .type = QUIRE_TYPE_VECTOR_F32, .dimension = base.dimension}};
    txn.create_collection("rows", fields);
    txn.commit(QUIRE_DURABILITY_NONE);
  }
  load(db, base);
  Transaction txn = db.write();
  txn.find_collection("rows")->create_index("near",
                                            {.options = options_of(settings), .kind = "hnsw"});
  txn.commit(QUIRE_DURABILITY_ALWAYS);
  db.close();
}

// From a process that may only read.
class QuireSearch final : public SearchEngine {
 public:
  explicit QuireSearch(const IndexSettings& settings)
      : db_(Database::open_read_only(path_of(settings))),
        txn_(db_.read()),
        rows_(*txn_.find_collection("rows")) {
    options_.field = kVectorField;
    options_.dimension = rows_.fields()[kVectorField].dimension;
    options_.index = "near";
  }

  void search(const float* query, std::size_t k, std::size_t ef,
              std::vector<std::uint32_t>& ids) override {
    options_.vector = query;
    options_.k = static_cast<std::uint32_t>(k);
    options_.ef = static_cast<std::uint32_t>(ef);
    hits_.resize(k);
    std::size_t found = 0;
    require(quire_search(txn_.handle(), rows_.id(), &options_, hits_.data(), &found));
    ids.clear();
    for (std::size_t i = 0; i < found; ++i)
      ids.push_back(static_cast<std::uint32_t>(hits_[i].key.as.i64));
  }

 private:
  Database db_;
  Transaction txn_;
  Collection rows_;
  quire_search_options options_ = QUIRE_SEARCH_OPTIONS_INIT;
  std::vector<quire_hit> hits_;
};

}  // namespace

Engine quire_engine() {
  return {
      .name = "quire",
      .build = build,
      .open = [](const IndexSettings& settings) { return std::make_unique<QuireSearch>(settings); },
      .in_files = true};
}

}  // namespace quire::bench
