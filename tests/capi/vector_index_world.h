// A collection with vectors and an HNSW index of them, and searches of it.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <vector>

#include "capi_world.h"
#include "quire/quire.hpp"

namespace quire::test {

// Record i has vectors that i and a version tell. Without a background thread, so that nothing is
// done but what a test asks for.
class VectorIndexApi : public World {
 protected:
  enum : std::uint32_t { kId, kSection, kPlace, kWide, kBits, kFields };
  static constexpr std::uint32_t kDimension = 8;
  static constexpr std::uint32_t kWideDimension = 128;
  using Found = std::vector<std::pair<std::int64_t, double>>;  // keys and distances

  void SetUp() override {
    World::SetUp();
    reopen(open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND));
    const std::array<quire_field, kFields> fields = {
        {{"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0, nullptr},
         {"section", QUIRE_TYPE_TEXT, 0, 0, 0, nullptr},
         {"place", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, kDimension, 0, nullptr},
         {"wide", QUIRE_TYPE_VECTOR_F32, QUIRE_FIELD_NULLABLE, kWideDimension, 0, nullptr},
         {"bits", QUIRE_TYPE_VECTOR_BITS, QUIRE_FIELD_NULLABLE, 64, 0, nullptr}}};
    quire_txn* txn = write();
    ASSERT_OK(quire_collection_create(txn, "things", fields.data(), fields.size(), &things));
    ASSERT_OK(quire_commit(txn));
  }
  void TearDown() override {
    for (quire_txn* txn : reads_) quire_abort(txn);
    World::TearDown();
  }
  // Ended with the test.
  quire_txn* read() { return reads_.emplace_back(World::read()); }

  static std::vector<float> numbers(std::int64_t id, std::int64_t version, std::uint32_t count) {
    std::mt19937 random(static_cast<std::uint32_t>(id * 31 + version));
    std::vector<float> all(count);
    for (float& each : all) each = static_cast<float>(random() % 2001) / 1000 - 1;
    return all;
  }
  static std::vector<float> place(std::int64_t id, std::int64_t version = 0) {
    return numbers(id, version, kDimension);
  }

  int upsert(quire_txn* txn, std::int64_t id, std::int64_t version = 0) {
    const auto near = place(id, version);
    const auto wide = numbers(id, version, kWideDimension);
    const std::uint64_t bits = std::mt19937_64(static_cast<std::uint64_t>(id * 31 + version))();
    const std::array values = {quire::i64_value(id),
                               quire::text_value(id % 2 == 0 ? "even" : "odd"),
                               quire::vector_value(std::span<const float>(near)),
                               quire::vector_value(std::span<const float>(wide)),
                               quire::vector_value(QUIRE_TYPE_VECTOR_BITS, 64, &bits)};
    return quire_record_upsert(txn, things, values.data(), values.size());
  }
  int erase(quire_txn* txn, std::int64_t id) {
    const quire_value key = quire::i64_value(id);
    return quire_record_delete(txn, things, &key, 1);
  }
  // [first, last), in one commit.
  void fill(std::int64_t first, std::int64_t last, std::int64_t version = 0) {
    quire_txn* txn = write();
    for (std::int64_t id = first; id < last; ++id) ASSERT_OK(upsert(txn, id, version));
    ASSERT_OK(quire_commit(txn));
  }
  int make_index(quire_txn* txn, const char* name, const char* json) {
    quire_index_options options = QUIRE_INDEX_OPTIONS_INIT;
    options.kind = "hnsw";
    options.options = json;
    return quire_index_create(txn, things, name, &options);
  }
  void make_index(const char* name, const char* json) {
    quire_txn* txn = write();
    ASSERT_OK(make_index(txn, name, json));
    ASSERT_OK(quire_commit(txn));
  }

  static quire_search_options asking(const std::vector<float>& vector, std::uint32_t k = 10) {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = vector.size() == kDimension ? kPlace : kWide;
    options.vector = vector.data();
    options.dimension = static_cast<std::uint32_t>(vector.size());
    options.k = k;
    return options;
  }
  int search(quire_txn* txn, const quire_search_options& options, Found* found = nullptr) {
    std::vector<quire_hit> hits(std::min(options.k, 100'000U));
    std::size_t count = 0;
    const int code = quire_search(txn, things, &options, hits.data(), &count);
    for (std::size_t i = 0; found != nullptr && i < count; ++i)
      found->emplace_back(hits[i].key.as.i64, hits[i].distance);
    return code;
  }
  Found found(quire_txn* txn, const quire_search_options& options) {
    Found all;
    EXPECT_OK(search(txn, options, &all));
    return all;
  }
  Found exact(quire_txn* txn, quire_search_options options) {
    options.flags = QUIRE_SEARCH_EXACT;
    options.index = nullptr;
    options.ef = 0;
    return found(txn, options);
  }
  // How many of the true neighbours of each of 30 places are found; every distance has to be true.
  double recall(quire_txn* txn, quire_search_options options) {
    std::size_t good = 0;
    std::size_t all = 0;
    for (std::int64_t query = 0; query < 30; ++query) {
      const std::vector<float> vector = place(query, 77);
      options.vector = vector.data();
      const Found nearest = exact(txn, options);
      const Found given = found(txn, options);
      EXPECT_EQ(given.size(), nearest.size());
      quire_search_options every = options;
      every.k = 100'000;
      const Found records = exact(txn, every);
      const std::map<std::int64_t, double> truth(records.begin(), records.end());
      for (const auto& [key, distance] : given) {
        EXPECT_TRUE(truth.contains(key));
        if (truth.contains(key)) {
          EXPECT_NEAR(distance, truth.at(key), 1e-5);
        }
        good += static_cast<std::size_t>(
            std::ranges::any_of(nearest, [&](const auto& hit) { return hit.first == key; }));
      }
      all += nearest.size();
      EXPECT_TRUE(std::ranges::is_sorted(given, {}, [](const auto& hit) { return hit.second; }));
    }
    return static_cast<double>(good) / static_cast<double>(all);
  }
  // Of what an index tells of itself; UINT64_MAX: it has no such figure.
  std::uint64_t figure(quire_txn* txn, const std::string& index, const std::string& name) {
    for (const quire::IndexInfo& info : quire::Collection(txn, things).indexes()) {
      const std::string& json = info.name == index ? info.figures.value_or("") : std::string();
      const std::size_t at = json.find("\"" + name + "\": ");
      if (at != std::string::npos) return std::stoull(json.substr(at + name.size() + 4));
    }
    return UINT64_MAX;
  }
  // Of the newest state.
  std::uint64_t figure(const std::string& index, const std::string& name) {
    quire_txn* txn = World::read();
    const std::uint64_t value = figure(txn, index, name);
    quire_abort(txn);
    return value;
  }

  quire_collection things = 0;

 private:
  std::vector<quire_txn*> reads_;
};

}  // namespace quire::test
