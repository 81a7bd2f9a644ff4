#include "tools/bench/run.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <iostream>
#include <set>
#include <stdexcept>

#include "tools/signals.h"

namespace quire::bench {
namespace {

void say(const Row& row, int round, const std::string& store, const Sample& sample) {
  std::fprintf(stderr, "%-13s round %d  %-8s", row.id.c_str(), round + 1, store.c_str());
  for (const Metric& metric : row.metrics) {
    const auto found = sample.find(metric.id);
    if (found == sample.end()) continue;
    std::fprintf(stderr, "  %s %.6g %s", metric.id.c_str(), found->second, metric.unit.c_str());
  }
  std::fputc('\n', stderr);
}

// By way of an exception, so that the databases are removed.
void stop_if_interrupted() {
  if (tools::interrupted()) throw std::runtime_error("interrupted");
}

class Runner {
 public:
  Runner(const Settings& settings, const Selection& selection)
      : selection_(selection),
        directory_(settings.directory),
        workspace_(settings, directory_.path()),
        report_(settings, selection.kinds) {}

  Report run() {
    for (const Row* row : selection_.rows) run_row(*row);
    return report_;
  }

 private:
  void run_row(const Row& row) {
    failed_.clear();
    const int rounds = std::min(workspace_.settings().rounds, row.max_rounds);
    for (int round = 0; round < rounds; ++round) run_round(row, round);
  }

  // The stores take turns at being first, so that none always meets what another left behind.
  void run_round(const Row& row, int round) {
    stop_if_interrupted();
    if (row.ceiling) record(row, round, kCeilingStore, row.ceiling(workspace_));
    const std::size_t count = selection_.kinds.size();
    for (std::size_t i = 0; i < count; ++i) {
      const StoreKind& kind = *selection_.kinds[(i + static_cast<std::size_t>(round)) % count];
      if (failed_.contains(kind.name) || (row.needs_processes && !kind.many_processes)) continue;
      stop_if_interrupted();
      try {
        // The pages that the store before left dirty are written at its expense.
        workspace_.flush();
        record(row, round, kind.name,
               row.run(workspace_, kind, static_cast<std::uint64_t>(round) + 1));
      } catch (const std::exception& error) {
        stop_if_interrupted();
        std::cerr << row.id << ": " << kind.name << " left out: " << error.what() << "\n";
        failed_.insert(kind.name);
      }
    }
  }

  void record(const Row& row, int round, const std::string& store, const Sample& sample) {
    say(row, round, store, sample);
    report_.add(row, store, sample);
  }

  Selection selection_;
  TemporaryDirectory directory_;
  Workspace workspace_;
  Report report_;
  std::set<std::string> failed_;
};

}  // namespace

Report run(const Settings& settings, const Selection& selection) {
  tools::catch_interrupts();
  return Runner(settings, selection).run();
}

}  // namespace quire::bench
