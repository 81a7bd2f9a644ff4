#include "tools/bench/vector/worker.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <sstream>
#include <stdexcept>

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

// Said, because the end of a pipe would not be seen: processes that were made later have it too.
constexpr const char* kEnd = "end\n";

// Answers a line with a line until there are no more; what goes wrong is answered "error: ...".
class Server {
 public:
  Server(const Engine& engine, const DataSet& set, const IndexSettings& settings)
      : engine_(engine), set_(set), settings_(settings) {}

  void run(std::FILE* in, std::FILE* out) {
    char line[256];
    while (std::fgets(line, sizeof line, in) != nullptr) {
      if (std::string_view(line) == kEnd) return;
      std::string answer;
      try {
        answer = carry_out(line);
      } catch (const std::exception& error) {
        answer = "error: " + std::string(error.what());
      }
      std::fprintf(out, "%s\n", answer.c_str());
      std::fflush(out);
    }
  }

 private:
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

Worker::Worker(const Engine& engine, const DataSet& set, const IndexSettings& settings) {
  int to[2];
  int from[2];
  if (::pipe(to) != 0 || ::pipe(from) != 0) throw std::runtime_error("no pipe for a process");
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("no process for " + engine.name);
  if (pid_ == 0) {
    ::close(to[1]);
    ::close(from[0]);
    std::FILE* in = ::fdopen(to[0], "r");
    std::FILE* out = ::fdopen(from[1], "w");
    Server(engine, set, settings).run(in, out);
    ::_exit(0);
  }
  ::close(to[0]);
  ::close(from[1]);
  to_ = to[1];
  from_ = from[0];
}

Worker::~Worker() {
  (void)!::write(to_, kEnd, std::char_traits<char>::length(kEnd));
  ::close(to_);
  ::close(from_);
  ::waitpid(pid_, nullptr, 0);
}

std::string Worker::ask(const std::string& line) {
  const std::string sent = line + "\n";
  if (::write(to_, sent.data(), sent.size()) != static_cast<ssize_t>(sent.size()))
    throw std::runtime_error("a measured process has ended");
  std::string answer;
  for (char letter = 0; ::read(from_, &letter, 1) == 1;) {
    if (letter == '\n') {
      if (answer.starts_with("error: ")) throw std::runtime_error(answer.substr(7));
      return answer;
    }
    answer += letter;
  }
  throw std::runtime_error("a measured process has ended");
}

double Worker::build() { return std::stod(ask("build")); }
void Worker::open() { (void)ask("open"); }

Point Worker::measure(std::size_t ef, double seconds) {
  std::istringstream answer(ask("measure " + std::to_string(ef) + " " + std::to_string(seconds)));
  Point point{.ef = ef};
  answer >> point.recall >> point.qps >> point.p50_us >> point.p99_us;
  return point;
}

}  // namespace quire::bench
