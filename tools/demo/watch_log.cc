#include "tools/demo/watch_log.h"

#include <algorithm>

namespace quire::demo {
namespace {

void set_at(std::vector<std::int64_t>& times, std::size_t index, std::int64_t time_ns) {
  if (times.size() <= index) times.resize(index + 1);
  if (times[index] == 0) times[index] = time_ns;
}

}  // namespace

void WatchLog::acknowledged(std::uint32_t batches, std::int64_t time_ns) {
  set_at(acknowledged_ns_, batches, time_ns);
  newest_acknowledged_ = std::max(newest_acknowledged_, batches);
}

void WatchLog::add(const Event& event) {
  switch (event.kind) {
    case EventKind::kSeen:
      ++snapshots_;
      if (event.batch < newest_snapshot_.batch)
        problems_.emplace_back("a snapshot went back in time");
      newest_snapshot_ = event;
      set_at(seen_ns_, event.batch, event.time_ns);
      break;
    case EventKind::kSearch:
      ++searches_;
      newest_search_ = event;
      break;
    default:
      problems_.emplace_back(event.text.data());
      break;
  }
}

std::vector<double> WatchLog::lags() const {
  std::vector<double> lags;
  std::size_t seen = 1;
  for (std::size_t batch = 1; batch < acknowledged_ns_.size(); ++batch) {
    if (acknowledged_ns_[batch] == 0) continue;
    // A snapshot with a later commit shows this one too.
    seen = std::max(seen, batch);
    while (seen < seen_ns_.size() && seen_ns_[seen] == 0) ++seen;
    if (seen >= seen_ns_.size()) break;
    lags.push_back(static_cast<double>(seen_ns_[seen] - acknowledged_ns_[batch]) / 1e6);
  }
  std::sort(lags.begin(), lags.end());
  return lags;
}

double WatchLog::lag_ms_median() const {
  const std::vector<double> sorted = lags();
  return sorted.empty() ? 0 : sorted[sorted.size() / 2];
}

double WatchLog::lag_ms_max() const {
  const std::vector<double> sorted = lags();
  return sorted.empty() ? 0 : sorted.back();
}

}  // namespace quire::demo
