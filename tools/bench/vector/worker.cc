#include "tools/bench/vector/worker.h"

#include <algorithm>
#include <chrono>
#include <sstream>

namespace quire::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

Point measure_engine(SearchEngine& engine, const DataSet& set, std::size_t ef, double seconds) {
  std::vector<std::uint32_t> ids;
  std::vector<double> latencies;
  std::size_t right = 0;
  const std::size_t queries = set.queries.count();
  // Once without a clock: for the recall, and to be warm.
  for (std::size_t q = 0; q < queries; ++q) {
    engine.search(set.queries.row(q), kMeasuredK, ef, ids);
    right += count_right(set, q, ids);
  }
  const Clock::time_point begun = Clock::now();
  Clock::time_point before = begun;
  double elapsed = 0;
  for (std::size_t q = 0; elapsed < seconds; q = (q + 1) % queries) {
    engine.search(set.queries.row(q), kMeasuredK, ef, ids);
    const Clock::time_point after = Clock::now();
    latencies.push_back(std::chrono::duration<double, std::micro>(after - before).count());
    before = after;
    elapsed = std::chrono::duration<double>(after - begun).count();
  }
  std::ranges::sort(latencies);
  return {.ef = ef,
          .recall = static_cast<double>(right) / static_cast<double>(queries * kMeasuredK),
          .qps = static_cast<double>(latencies.size()) / elapsed,
          .p50_us = latencies[latencies.size() / 2],
          .p99_us = latencies[latencies.size() * 99 / 100]};
}

class Server {
 public:
  Server(const Engine& engine, const DataSet& set, const IndexSettings& settings)
      : engine_(engine), set_(set), settings_(settings) {}

  std::string carry_out(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    std::ostringstream answer;
    if (verb == "build") {
      const Clock::time_point begun = Clock::now();
      engine_.build(set_.base, settings_);
      answer << seconds_since(begun);
    } else if (verb == "open") {
      search_ = engine_.open(settings_);
    } else {
      std::size_t ef = 0;
      double seconds = 0;
      words >> ef >> seconds;
      const Point point = measure_engine(*search_, set_, ef, seconds);
      answer << point.recall << ' ' << point.qps << ' ' << point.p50_us << ' ' << point.p99_us;
    }
    return answer.str();
  }

  const Engine& engine_;
  const DataSet& set_;
  const IndexSettings& settings_;
  std::unique_ptr<SearchEngine> search_;
};

}  // namespace

Worker::Worker(const Engine& engine, const DataSet& set, const IndexSettings& settings)
    : process_([&]() -> LineHandler {
        const auto server = std::make_shared<Server>(engine, set, settings);
        return [server](const std::string& line) { return server->carry_out(line); };
      }) {}

double Worker::build() { return std::stod(process_.ask("build")); }
void Worker::open() { (void)process_.ask("open"); }

Point Worker::measure(std::size_t ef, double seconds) {
  std::istringstream answer(
      process_.ask("measure " + std::to_string(ef) + " " + std::to_string(seconds)));
  Point point{.ef = ef};
  answer >> point.recall >> point.qps >> point.p50_us >> point.p99_us;
  return point;
}

}  // namespace quire::bench
