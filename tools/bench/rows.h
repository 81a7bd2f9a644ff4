// The rows of the benchmark: what is measured, and how one store is measured once.
//
// A row runs every store in turn, in several rounds, and reports the median of each: a slow minute
// of the machine then hits all of them. A row is given a store and returns one number a metric.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tools/bench/store.h"
#include "tools/bench/system.h"
#include "tools/bench/workload.h"

namespace quire::bench {

struct Settings {
  std::uint64_t keys = 1'000'000;
  double seconds = 2;  // of each timed piece
  int rounds = 3;
  int threads = 16;  // of the row with many committing threads
  KeyForm key_form = KeyForm::kDecimal;
  std::filesystem::path directory;
};

// Settings, and the databases that several rows share.
class Workspace {
 public:
  Workspace(const Settings& settings, const std::filesystem::path& directory)
      : settings_(settings), directory_(directory) {}

  const Settings& settings() const { return settings_; }
  const std::filesystem::path& directory() const { return directory_; }
  const ValueSource& values() const { return values_; }
  KeyMaker keys() const { return {settings_.key_form, settings_.keys}; }

  // The directory of a store that holds every key, settled. Loaded when first asked for; rows
  // overwrite its values and never change its keys.
  std::string base(const StoreKind& kind);
  // An empty directory; the one given out before is removed.
  std::string fresh();
  // Waits until the file system has written what it holds back.
  void flush() const;

 private:
  Settings settings_;
  std::filesystem::path directory_;
  ValueSource values_;
  std::map<std::string, std::string> bases_;
};

struct Metric {
  std::string id;
  std::string title;
  std::string unit;
  bool higher_is_better;
};

using Sample = std::map<std::string, double>;  // by a metric's id

struct Row {
  std::string id;
  std::vector<Metric> metrics;  // the first is the row's main one
  int max_rounds;               // fewer than asked for where a round takes minutes
  bool needs_processes;         // stores of one process have no value here
  std::function<Sample(Workspace&, const StoreKind&, std::uint64_t seed)> run;
  std::function<Sample(Workspace&)> ceiling;  // of the machine, where there is one
};

const std::vector<Row>& kv_rows();

std::vector<Row> write_rows();
std::vector<Row> read_rows();
std::vector<Row> process_rows();

// Puts `count` keys in the order that `number_of` gives, in transactions of kBatchSize.
inline constexpr std::uint64_t kBatchSize = 1'000;
void load(Session& session, const Workspace& workspace, std::uint64_t count,
          const std::function<std::uint64_t(std::uint64_t)>& number_of);

// Reads everything once.
void warm(Session& session, const Workspace& workspace);

// Calls `operation` for about `seconds`, looking at the clock each `chunk` times; calls a second.
template <typename Operation>
double rate(double seconds, std::uint64_t chunk, Operation&& operation) {
  const Clock::time_point start = Clock::now();
  std::uint64_t calls = 0;
  double elapsed = 0;
  do {
    for (std::uint64_t i = 0; i < chunk; ++i) operation();
    calls += chunk;
    elapsed = seconds_since(start);
  } while (elapsed < seconds);
  return static_cast<double>(calls) / elapsed;
}

}  // namespace quire::bench
