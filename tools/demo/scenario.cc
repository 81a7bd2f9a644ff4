#include "tools/demo/scenario.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <stdexcept>

#include "tools/bench/text_table.h"

namespace quire::demo {
namespace {

using text::grouped;

constexpr int kChildTimeoutMs = 20'000;
constexpr int kWatcherTimeoutMs = 5'000;
// Rows come ever more slowly: enough of a short load, not too many of a long one.
constexpr double kPrintFirstMs = 100;
constexpr double kPrintGrowth = 1.35;
constexpr double kKillAfterPart = 0.45;
constexpr unsigned kKillDelayUsMax = 3'000;  // about two commits: any place within one can be hit

double ms_between(std::int64_t start_ns, std::int64_t end_ns) {
  return static_cast<double>(end_ns - start_ns) / 1e6;
}

std::string count_of(std::uint64_t number, const char* noun) {
  return grouped(static_cast<double>(number)) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace

Scenario::Scenario(Console& console, const Load& load, std::string directory,
                   const std::string& query_text, const Vector& query)
    : console_(console),
      load_(load),
      directory_(std::move(directory)),
      query_text_(query_text),
      writer_(std::make_unique<ChildProcess>(
          [this](const Link& link) { return run_writer(link, directory_, load_); })),
      watcher_(std::make_unique<ChildProcess>(
          [this, &query](const Link& link) { return run_watcher(link, directory_, query); })) {}

bool Scenario::handle_report(int timeout_ms) {
  pollfd ready[2] = {{writer_open_ ? writer_->descriptor() : -1, POLLIN, 0},
                     {watcher_open_ ? watcher_->descriptor() : -1, POLLIN, 0}};
  if (poll(ready, 2, timeout_ms) <= 0) return false;
  if (ready[0].revents != 0) handle_writer();
  if (ready[1].revents != 0) handle_watcher();
  return true;
}

void Scenario::handle_writer() {
  const std::optional<Event> event = writer_->receive();
  if (!event) {
    writer_open_ = false;
  } else if (event->kind == EventKind::kReady) {
    writer_ready_ = true;
  } else if (event->kind == EventKind::kCommit) {
    acknowledged_batches_ = event->batch;
    log_.acknowledged(event->batch, event->time_ns);
  } else {
    throw std::runtime_error(std::string("the writing process failed: ") + event->text.data());
  }
}

void Scenario::handle_watcher() {
  const std::optional<Event> event = watcher_->receive();
  if (!event) {
    watcher_open_ = false;
    return;
  }
  log_.add(*event);
  if (event->kind == EventKind::kSearch && ms_between(phase_ns_, event->time_ns) >= print_at_ms_) {
    print_at_ms_ *= kPrintGrowth;
    print_row();
  }
}

void Scenario::start_printing() {
  console_.line("");
  console_.line("    time   commits made  commits seen  records seen      search   nearest so far");
  phase_ns_ = now_ns();
  print_at_ms_ = kPrintFirstMs;
}

void Scenario::print_row() {
  const Event& search = log_.newest_search();
  console_.line(format("%6.2f s %14s %12s %12s %10.2f ms   %s",
                       ms_between(start_ns_, search.time_ns) / 1e3,
                       grouped(static_cast<double>(log_.newest_acknowledged())).c_str(),
                       grouped(static_cast<double>(log_.newest_snapshot().batch)).c_str(),
                       grouped(static_cast<double>(log_.newest_snapshot().records)).c_str(),
                       search.milliseconds, search.text.data()));
}

void Scenario::wait_for_first_snapshot() {
  while (!writer_ready_ && writer_open_) handle_report(kChildTimeoutMs);
  if (!writer_open_) throw std::runtime_error("the writing process ended before it began");
  watcher_->start();
  while (log_.snapshots_seen() == 0 && watcher_open_ && log_.problems().empty()) {
    if (!handle_report(kChildTimeoutMs)) throw std::runtime_error("the watching process hangs");
  }
  if (!log_.problems().empty()) {
    throw std::runtime_error("the watching process failed: " + log_.problems().front());
  }
}

void Scenario::load_until_killed() {
  console_.step("One process writes, another watches and searches");
  console_.line(format("writer: process %d, %s in durable commits of %zu", writer_->pid(),
                       count_of(load_.packages.size(), "record").c_str(), load_.batch_size));
  console_.line(
      format("watcher: process %d, searches for '%s'", watcher_->pid(), query_text_.c_str()));
  wait_for_first_snapshot();
  start_ns_ = now_ns();
  start_printing();
  writer_->start();
  const auto target =
      static_cast<std::size_t>(kKillAfterPart * static_cast<double>(load_.batch_count()));
  while (writer_open_ && acknowledged_batches_ < target) {
    if (!handle_report(kChildTimeoutMs)) throw std::runtime_error("the writing process hangs");
  }
  kill_writer();
  check_watcher_goes_on();
}

void Scenario::kill_writer() {
  std::random_device random;
  usleep(random() % kKillDelayUsMax);
  writer_->kill();
  const std::int64_t killed_ns = now_ns();
  // What the writer managed to report was acknowledged, even if nobody had read it yet.
  while (writer_open_) handle_report(kChildTimeoutMs);
  const int status = writer_->wait();
  const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  console_.step("The writer is killed in the middle (SIGKILL)");
  const std::uint64_t records = load_.batch_begin(acknowledged_batches_);
  console_.check(
      "killed while it was writing", killed && acknowledged_batches_ < load_.batch_count(),
      format("%s of %s acknowledged, in %.2f s", count_of(acknowledged_batches_, "commit").c_str(),
             grouped(static_cast<double>(load_.batch_count())).c_str(),
             ms_between(start_ns_, killed_ns) / 1e3));
  console_.document()["crash"] = {{"acknowledged_commits", acknowledged_batches_},
                                  {"acknowledged_records", records},
                                  {"seconds_before", ms_between(start_ns_, killed_ns) / 1e3}};
}

// A reader holds nothing that the writer's death could take away.
void Scenario::check_watcher_goes_on() {
  const std::int64_t dead_ns = now_ns();
  while (watcher_open_ && log_.newest_search().time_ns <= dead_ns) {
    if (!handle_report(kWatcherTimeoutMs)) break;
  }
  const bool answers = log_.newest_search().time_ns > dead_ns;
  console_.check("the watcher goes on answering", answers && log_.problems().empty(),
                 log_.problems().empty()
                     ? format("%s, search in %.2f ms",
                              count_of(log_.newest_search().records, "record").c_str(),
                              log_.newest_search().milliseconds)
                     : log_.problems().front());
}

void Scenario::reopen_and_verify() {
  console_.step("The database is opened again, and looked at record by record");
  const std::int64_t start = now_ns();
  database_ = Database::open(directory_);
  const double open_ms = ms_between(start, now_ns());
  console_.line(format("opened and recovered in %.1f ms, the watcher still reading", open_ms));
  console_.document()["crash"]["reopen_ms"] = open_ms;
  const Transaction transaction = database_.read();
  check_recovered(progress_of(transaction), packages_of(transaction).count());
  const std::int64_t check_start = now_ns();
  const std::vector<std::string> damage = database_.check();
  console_.check(
      "check finds no damage", damage.empty(),
      damage.empty() ? format("%.1f ms", ms_between(check_start, now_ns())) : damage.front());
}

std::size_t Scenario::matching_records(std::size_t batches) const {
  const Transaction transaction = database_.read();
  const Collection packages = packages_of(transaction);
  std::size_t matching = 0;
  for (std::size_t i = 0; i < load_.batch_begin(batches); ++i) {
    const auto values = packages.get(text_value(load_.packages[i].name));
    if (values && equals(*values, load_.packages[i], load_.vectors[i])) ++matching;
  }
  return matching;
}

void Scenario::check_recovered(const Progress& progress, std::uint64_t records) {
  const std::size_t acknowledged = load_.batch_begin(acknowledged_batches_);
  const std::size_t matching = matching_records(acknowledged_batches_);
  console_.check(
      "every acknowledged commit is there", matching == acknowledged,
      format("%s of %s records, each field and each of %zu numbers of its vector compared",
             grouped(static_cast<double>(matching)).c_str(),
             grouped(static_cast<double>(acknowledged)).c_str(), kDimension));
  const std::uint32_t more = progress.batches - std::min(progress.batches, acknowledged_batches_);
  const bool whole = progress.batches >= acknowledged_batches_ && more <= 1 &&
                     progress.records == load_.batch_begin(progress.batches) &&
                     records == progress.records && matching_records(progress.batches) == records;
  console_.check("no commit is there in half", whole,
                 format("%s; %s", count_of(records, "record").c_str(),
                        more == 0 ? "none beyond the acknowledged"
                                  : "one whole commit was durable, and not yet acknowledged"));
  console_.document()["crash"]["recovered_commits"] = progress.batches;
  console_.document()["crash"]["recovered_records"] = records;
}

void Scenario::finish_load() {
  console_.step("This process loads the rest, and the watcher sees that too");
  const std::size_t first = progress_of(database_.read()).batches;
  start_printing();
  const std::int64_t start = now_ns();
  for (std::size_t batch = first; batch < load_.batch_count(); ++batch) {
    commit_batch(database_, load_, batch);
    log_.acknowledged(static_cast<std::uint32_t>(batch + 1), now_ns());
    while (handle_report(0)) {
    }
  }
  const double seconds = ms_between(start, now_ns()) / 1e3;
  console_.line("");
  const std::size_t records = load_.packages.size() - load_.batch_begin(first);
  console_.line(format(
      "%s in %.2f s: %s records/s in %s durable commits/s", count_of(records, "record").c_str(),
      seconds, grouped(static_cast<double>(records) / seconds).c_str(),
      grouped(static_cast<double>(load_.batch_count() - first) / seconds).c_str()));
  console_.document()["load"] = {{"records", records},
                                 {"seconds", seconds},
                                 {"records_per_second", static_cast<double>(records) / seconds}};
  dismiss_watcher();
  const std::size_t matching = matching_records(load_.batch_count());
  console_.check("the database has every record", matching == load_.packages.size(),
                 count_of(matching, "record"));
  console_.check("check finds no damage", database_.check().empty(), "");
}

void Scenario::dismiss_watcher() {
  const auto last = static_cast<std::uint32_t>(load_.batch_count());
  while (watcher_open_ && log_.newest_snapshot().batch < last) {
    if (!handle_report(kWatcherTimeoutMs)) break;
  }
  watcher_->let_go();
  while (watcher_open_) {
    if (!handle_report(kWatcherTimeoutMs)) throw std::runtime_error("the watching process hangs");
  }
  const int status = watcher_->wait();
  const bool well = WIFEXITED(status) && WEXITSTATUS(status) == 0 && log_.problems().empty();
  console_.check(
      "the watcher saw the last commit, and none in half",
      well && log_.newest_snapshot().batch == last,
      log_.problems().empty()
          ? format("%s, %s; from acknowledgement to sight: median %.2f ms, longest %.2f ms",
                   count_of(log_.snapshots_seen(), "snapshot").c_str(),
                   log_.searches() == 1
                       ? "1 search"
                       : (grouped(static_cast<double>(log_.searches())) + " searches").c_str(),
                   log_.lag_ms_median(), log_.lag_ms_max())
          : log_.problems().front());
  console_.document()["watcher"] = {{"snapshots", log_.snapshots_seen()},
                                    {"searches", log_.searches()},
                                    {"lag_ms_median", log_.lag_ms_median()},
                                    {"lag_ms_max", log_.lag_ms_max()}};
}

}  // namespace quire::demo
