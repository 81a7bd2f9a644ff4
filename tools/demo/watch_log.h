// What the watching process reported, against what the writer had acknowledged.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/demo/child_process.h"

namespace quire::demo {

class WatchLog {
 public:
  // A commit's acknowledgement reached the one who asked for it at this time.
  void acknowledged(std::uint32_t batches, std::int64_t time_ns);
  void add(const Event& event);

  // Milliseconds from a commit's acknowledgement until the watcher saw it, or a later one. At most
  // zero: it was seen no later than it was acknowledged.
  double lag_ms_median() const;
  double lag_ms_max() const;

  // The largest number of batches that was acknowledged.
  std::uint32_t newest_acknowledged() const { return newest_acknowledged_; }
  std::uint64_t snapshots_seen() const { return snapshots_; }
  std::uint64_t searches() const { return searches_; }
  const Event& newest_snapshot() const { return newest_snapshot_; }
  const Event& newest_search() const { return newest_search_; }
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<double> lags() const;

  std::vector<std::int64_t> acknowledged_ns_;  // by number of batches; 0: not acknowledged
  std::vector<std::int64_t> seen_ns_;          // likewise; 0: never newest in a snapshot
  std::uint32_t newest_acknowledged_ = 0;
  std::uint64_t snapshots_ = 0;
  std::uint64_t searches_ = 0;
  Event newest_snapshot_;
  Event newest_search_;
  std::vector<std::string> problems_;
};

}  // namespace quire::demo
