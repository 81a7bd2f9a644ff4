#include "tools/demo/processes.h"

#include <unistd.h>

namespace quire::demo {
namespace {

constexpr std::uint32_t kWaitMs = 20;  // at most, before a look at whether the parent let go
constexpr std::int64_t kSearchEveryNs = 50'000'000;
// A load shorter than this could end before the parent gets to kill it, and shows nothing: on fast
// disks and with few records the writer takes its time.
constexpr std::int64_t kLoadNsMin = 300'000'000;

void sleep_until(std::int64_t time_ns) {
  const std::int64_t left = time_ns - now_ns();
  if (left > 0) usleep(static_cast<useconds_t>(left / 1'000));
}

// Reports the snapshot that the transaction is on; a half commit becomes a problem.
void report_snapshot(const Link& link, const Transaction& transaction) {
  Event event;
  event.kind = EventKind::kSeen;
  event.time_ns = now_ns();
  const Progress progress = progress_of(transaction);
  event.batch = progress.batches;
  event.records = packages_of(transaction).count();
  link.report(event);
  if (event.records != progress.records) {
    link.report_problem("a commit was seen in half: " + std::to_string(event.records) +
                        " records where the note says " + std::to_string(progress.records));
  }
}

void report_search(const Link& link, const Transaction& transaction, const Vector& query) {
  const Collection packages = packages_of(transaction);
  Event event;
  event.kind = EventKind::kSearch;
  const std::int64_t start = now_ns();
  const std::vector<Hit> hits = packages.search(kEmbeddingField, query, 1, QUIRE_METRIC_COSINE);
  event.time_ns = now_ns();
  event.milliseconds = static_cast<double>(event.time_ns - start) / 1e6;
  event.records = packages.count();
  event.batch = progress_of(transaction).batches;
  if (!hits.empty()) event.set_text(std::string(as_text(hits[0].key)));
  link.report(event);
}

}  // namespace

int run_writer(const Link& link, const std::string& directory, const Load& load) {
  Database database = Database::open(directory);
  create_schema(database);
  Event event;
  event.kind = EventKind::kReady;
  link.report(event);
  if (!link.wait_for_start()) return 0;
  const std::int64_t pace_ns = kLoadNsMin / static_cast<std::int64_t>(load.batch_count());
  for (std::size_t batch = 0; batch < load.batch_count(); ++batch) {
    const std::int64_t start = now_ns();
    commit_batch(database, load, batch);
    event.kind = EventKind::kCommit;
    event.time_ns = now_ns();
    event.milliseconds = static_cast<double>(event.time_ns - start) / 1e6;
    event.batch = static_cast<std::uint32_t>(batch + 1);
    event.records = load.batch_begin(batch + 1);
    link.report(event);
    sleep_until(start + pace_ns);
  }
  return 0;
}

int run_watcher(const Link& link, const std::string& directory, const Vector& query) {
  if (!link.wait_for_start()) return 0;
  const Database database = Database::open_read_only(directory);
  Transaction transaction = database.read();
  report_snapshot(link, transaction);
  std::int64_t searched_ns = 0;
  while (!link.parent_let_go()) {
    if (database.wait_commit(transaction.number(), kWaitMs)) {
      transaction.renew();
      report_snapshot(link, transaction);
    }
    if (now_ns() - searched_ns >= kSearchEveryNs) {
      report_search(link, transaction, query);
      searched_ns = now_ns();
    }
  }
  return 0;
}

}  // namespace quire::demo
