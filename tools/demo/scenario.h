// The story of the demo: load in one process while another watches, die, come back, finish.
#pragma once

#include <memory>
#include <string>

#include "tools/demo/console.h"
#include "tools/demo/processes.h"
#include "tools/demo/watch_log.h"

namespace quire::demo {

class Scenario {
 public:
  // Starts both children, which have to be forked before this process opens any database.
  // `query_text` is what the watcher searches for, with vector `query`.
  Scenario(Console& console, const Load& load, std::string directory, const std::string& query_text,
           const Vector& query);

  void load_until_killed();
  void reopen_and_verify();
  void finish_load();

  // After finish_load: opened anew, with everything in it.
  Database& database() { return database_; }

 private:
  // Handles one report of either child, waiting for it at most so long.
  bool handle_report(int timeout_ms);
  void handle_writer();
  void handle_watcher();
  // A new table of what the watcher sees.
  void start_printing();
  void print_row();
  void wait_for_first_snapshot();
  void kill_writer();
  void check_watcher_goes_on();
  // How many of the packages in the first batches are there, bit for bit.
  std::size_t matching_records(std::size_t batches) const;
  void check_recovered(const Progress& progress, std::uint64_t records);
  void dismiss_watcher();

  Console& console_;
  const Load& load_;
  std::string directory_;
  std::string query_text_;
  std::unique_ptr<ChildProcess> writer_;
  std::unique_ptr<ChildProcess> watcher_;
  WatchLog log_;
  Database database_;

  bool writer_open_ = true;
  bool watcher_open_ = true;
  bool writer_ready_ = false;
  std::uint32_t acknowledged_batches_ = 0;
  std::int64_t start_ns_ = 0;
  std::int64_t phase_ns_ = 0;   // when the table began
  double print_at_ms_ = 1e300;  // no row before
};

}  // namespace quire::demo
