#include "tools/bench/vector/changing.h"

#include <quire/quire.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <numeric>
#include <random>
#include <sstream>
#include <thread>

namespace quire::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint32_t kVectorField = 1;
constexpr std::size_t kLoadBatch = 1000;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

std::string path_of(const IndexSettings& settings) { return settings.directory + "/changes.quire"; }

class Writer {
 public:
  Writer(const DataSet& set, const std::vector<std::uint8_t>& labels, const IndexSettings& index)
      : set_(set), labels_(labels), index_(index) {}

  std::string carry_out(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::int64_t count = 0;
    std::int64_t more = 0;
    words >> verb >> count >> more;
    const Clock::time_point begun = Clock::now();
    const auto many = static_cast<std::size_t>(count);
    if (verb == "make") {
      make(many);
    } else if (verb == "open") {
      open(0);
    } else if (verb == "insert") {
      insert(many, static_cast<std::uint32_t>(more));
    } else if (verb == "stream") {
      stream(many, static_cast<double>(more));
    } else if (verb == "put") {
      put(many, static_cast<std::uint32_t>(more));
    } else if (verb == "replace") {
      replace(many, more);
    } else if (verb == "flush") {
      db_.flush_maintenance();
    } else if (verb == "rebuild") {
      Transaction txn = db_.write();
      txn.find_collection("rows")->rebuild_index("near");
      txn.commit(QUIRE_DURABILITY_ALWAYS);
    } else if (verb == "checkpoint") {
      db_.checkpoint();
    } else {
      throw std::runtime_error("there is no verb " + verb);
    }
    return std::to_string(seconds_since(begun));
  }

 private:
  void open(std::uint32_t flags) {
    OpenOptions options;
    options.flags = flags;
    options.build_threads = index_.threads;
    db_ = Database::open(path_of(index_), options);
  }

  std::vector<Value> values(std::size_t record, std::size_t row) const {
    return {i64_value(static_cast<std::int64_t>(record)),
            vector_value({set_.base.row(row), set_.base.dimension})};
  }

  void make(std::size_t count) {
    open(QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE);
    Transaction txn = db_.write();
    txn.create_keyspace("plain");
    const std::array fields = {
        Field{.name = "id", .type = QUIRE_TYPE_I64, .key = true},
        Field{.name = "vector", .type = QUIRE_TYPE_VECTOR_F32, .dimension = set_.base.dimension}};
    Collection rows = txn.create_collection("rows", fields);
    for (std::size_t i = 0; i < count; ++i) {
      rows.insert(values(i, i));
      row_of_.push_back(i);
      if (i % kLoadBatch != kLoadBatch - 1) continue;
      txn.commit(QUIRE_DURABILITY_NONE);
      txn = db_.write();
      rows = *txn.find_collection("rows");
    }
    rows.create_index("near", {.options = R"({"field": "vector", "m": )" +
                                          std::to_string(index_.m) + R"(, "ef_construction": )" +
                                          std::to_string(index_.ef_construction) + "}",
                               .kind = "hnsw"});
    txn.commit(QUIRE_DURABILITY_ALWAYS);
    db_.checkpoint();
    spare_.resize(set_.base.count() - count);
    std::iota(spare_.begin(), spare_.end(), count);
    std::ranges::shuffle(spare_, random_);
  }

  void insert_one(std::uint32_t durability) {
    if (spare_.empty()) throw std::runtime_error("no vectors are left to insert");
    Transaction txn = db_.write();
    txn.find_collection("rows")->insert(values(row_of_.size(), spare_.back()));
    txn.commit(durability);
    row_of_.push_back(spare_.back());
    spare_.pop_back();
  }
  void insert(std::size_t count, std::uint32_t durability) {
    for (std::size_t i = 0; i < count; ++i) insert_one(durability);
  }
  void stream(std::size_t count, double rate) {
    const Clock::time_point begun = Clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      std::this_thread::sleep_until(
          begun + std::chrono::duration_cast<Clock::duration>(
                      std::chrono::duration<double>(static_cast<double>(i) / rate)));
      insert_one(QUIRE_DURABILITY_NONE);
    }
  }
  void put(std::size_t count, std::uint32_t durability) {
    for (std::size_t i = 0; i < count; ++i, ++puts_) {
      const float* row = set_.base.row(puts_ % set_.base.count());
      Transaction txn = db_.write();
      const std::string key = std::to_string(puts_);
      txn.find_keyspace("plain")->put(key, {static_cast<const char*>(static_cast<const void*>(row)),
                                            set_.base.dimension * sizeof(float)});
      txn.commit(durability);
    }
  }

  // Takes a spare row out: of the label, where there is one. Labels of -1 are any.
  std::size_t take_spare(std::int64_t label) {
    auto at = spare_.end() - 1;
    if (label >= 0) {
      const auto found = std::ranges::find(
          spare_, label, [&](std::size_t row) { return std::int64_t{labels_[row]}; });
      if (found != spare_.end()) at = found;
    }
    const std::size_t row = *at;
    *at = spare_.back();
    spare_.pop_back();
    return row;
  }
  void replace(std::size_t count, std::int64_t label) {
    std::vector<std::size_t> records;
    for (std::size_t record = 0; record < row_of_.size(); ++record)
      if (label < 0 || labels_[row_of_[record]] == label) records.push_back(record);
    std::ranges::shuffle(records, random_);
    records.resize(std::min(count, records.size()));
    std::vector<std::size_t> replaced;
    for (const std::size_t record : records) {
      const std::size_t row = take_spare(label);
      Transaction txn = db_.write();
      txn.find_collection("rows")->upsert(values(record, row));
      txn.commit(QUIRE_DURABILITY_NONE);
      replaced.push_back(std::exchange(row_of_[record], row));
    }
    // So that nothing comes back at once.
    spare_.insert(spare_.begin(), replaced.begin(), replaced.end());
  }

  const DataSet& set_;
  const std::vector<std::uint8_t>& labels_;
  const IndexSettings index_;
  Database db_;
  std::mt19937_64 random_{7};
  std::vector<std::size_t> row_of_;  // of each record
  std::vector<std::size_t> spare_;
  std::size_t puts_ = 0;
};

class Reader {
 public:
  Reader(const DataSet& set, const IndexSettings& index, std::size_t queries)
      : set_(set), index_(index), queries_(std::min(queries, set.queries.count())) {}

  std::string carry_out(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::uint32_t ef = 0;
    double seconds = 0;
    words >> verb >> ef >> seconds;
    std::ostringstream answer;
    if (verb == "open") {
      const Clock::time_point begun = Clock::now();
      db_ = Database::open_read_only(path_of(index_));
      begin();
      search(0, 128, false);
      answer << seconds_since(begun) << ' ';
      const std::vector<quire_hit> first = hits_;
      search(0, 0, true);
      answer << count_as_near(first, hits_.back().distance);
    } else if (verb == "renew") {
      begin();
      farthest_.clear();
      for (std::size_t q = 0; q < queries_; ++q) {
        search(q, 0, true);
        farthest_.push_back(hits_.empty() ? 0 : hits_.back().distance);
      }
    } else if (verb == "search" || verb == "fresh") {
      measure(ef, seconds, verb == "fresh", answer);
    } else if (verb == "checked") {
      measure_checked(ef, seconds, answer);
    } else {
      throw std::runtime_error("there is no verb " + verb);
    }
    return answer.str();
  }

 private:
  void begin() {
    rows_.reset();
    txn_.reset();
    txn_.emplace(db_.read());
    rows_ = txn_->find_collection("rows");
  }
  void search(std::size_t query, std::uint32_t ef, bool exact) {
    quire_search_options options = QUIRE_SEARCH_OPTIONS_INIT;
    options.field = kVectorField;
    options.vector = set_.queries.row(query);
    options.dimension = set_.queries.dimension;
    options.k = kMeasuredK;
    options.ef = ef;
    if (exact) options.flags = QUIRE_SEARCH_EXACT;
    hits_.resize(kMeasuredK);
    std::size_t found = 0;
    require(quire_search(txn_->handle(), rows_->id(), &options, hits_.data(), &found));
    hits_.resize(found);
  }
  static std::size_t count_as_near(const std::vector<quire_hit>& hits, double distance) {
    return static_cast<std::size_t>(std::ranges::count_if(
        hits, [&](const quire_hit& hit) { return hit.distance <= distance; }));
  }

  void measure(std::uint32_t ef, double seconds, bool fresh, std::ostringstream& answer) {
    std::size_t right = 0;
    for (std::size_t q = 0; q < queries_; ++q) {
      search(q, ef, false);
      if (!fresh) right += count_as_near(hits_, farthest_[q]);
    }
    std::vector<double> latencies;
    const Clock::time_point begun = Clock::now();
    Clock::time_point before = begun;
    double elapsed = 0;
    for (std::size_t q = 0; elapsed < seconds; q = (q + 1) % queries_) {
      if (fresh) require(quire_renew(txn_->handle()));
      search(q, ef, false);
      const Clock::time_point after = Clock::now();
      latencies.push_back(std::chrono::duration<double, std::micro>(after - before).count());
      before = after;
      elapsed = std::chrono::duration<double>(after - begun).count();
    }
    std::ranges::sort(latencies);
    answer << static_cast<double>(right) / static_cast<double>(queries_ * kMeasuredK) << ' '
           << static_cast<double>(latencies.size()) / elapsed << ' '
           << latencies[latencies.size() / 2] << ' ' << latencies[latencies.size() * 99 / 100];
  }

  // Against the record that each hit names, in the same snapshot; that is not timed.
  void measure_checked(std::uint32_t ef, double seconds, std::ostringstream& answer) {
    std::size_t wrong = 0;
    std::size_t done = 0;
    double elapsed = 0;
    for (std::size_t q = 0; elapsed < seconds; q = (q + 1) % queries_, ++done) {
      const Clock::time_point begun = Clock::now();
      require(quire_renew(txn_->handle()));
      search(q, ef, false);
      elapsed += seconds_since(begun);
      if (done % 16 == 0 && !is_right(q)) ++wrong;
    }
    answer << static_cast<double>(done) / elapsed << ' ' << wrong;
  }
  bool is_right(std::size_t query) {
    if (hits_.size() != kMeasuredK) return false;
    return std::ranges::all_of(hits_, [&](const quire_hit& hit) {
      const auto record = rows_->get_number(hit.record);
      if (!record || record->at(0).as.i64 != hit.key.as.i64) return false;
      const auto* vector = static_cast<const float*>(record->at(kVectorField).as.vector);
      double sum = 0;
      for (std::uint32_t i = 0; i < set_.queries.dimension; ++i) {
        const double one = static_cast<double>(vector[i] - set_.queries.row(query)[i]);
        sum += one * one;
      }
      return std::abs(sum - hit.distance) <= 1e-4 * std::max(1.0, sum);
    });
  }

  const DataSet& set_;
  const IndexSettings index_;
  const std::size_t queries_;
  Database db_;
  std::optional<Transaction> txn_;
  std::optional<Collection> rows_;
  std::vector<quire_hit> hits_;
  std::vector<double> farthest_;  // of the exact hits of each query
};

}  // namespace

LineHandler changing_writer(const DataSet& set, const std::vector<std::uint8_t>& labels,
                            const IndexSettings& index) {
  const auto writer = std::make_shared<Writer>(set, labels, index);
  return [writer](const std::string& line) { return writer->carry_out(line); };
}

LineHandler changing_reader(const DataSet& set, const IndexSettings& index, std::size_t queries) {
  const auto reader = std::make_shared<Reader>(set, index, queries);
  return [reader](const std::string& line) { return reader->carry_out(line); };
}

}  // namespace quire::bench
