// Carries out what indexes put off (engine/record/index.h), between commits and in a thread of its
// own, by transactions that are not logged. Kinds of index are not known here.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "engine/record/collection_cache.h"
#include "engine/txn/writer.h"

namespace quire {

class Database;

struct MaintenanceStat {
  bool paused = false;
  bool working = false;           // a thread does it, or a call of flush()
  std::uint64_t steps = 0;        // carried out
  std::uint64_t conflicts = 0;    // worked out in vain
  std::uint64_t turn_us = 0;      // with the turn, in all
  std::uint64_t turn_us_max = 0;  // of one step
  std::optional<Error> failure;   // of the last step, if it failed
};

// Thread-safe but for stop(). The thread begins with the first work that is found for it; without
// `threaded` only flush() works.
class Maintenance {
 public:
  Maintenance(Database& database, IndexKinds kinds, bool threaded);
  ~Maintenance() { stop(); }
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

  // Looks at all collections for work that was left by an earlier life of the database.
  void look_everywhere() noexcept;
  // These have work now.
  void note(std::span<const StructureId> collections) noexcept;
  // At a commit that left work.
  Status before_commit(WriteTxn& txn);

  // Ends when no work waits, of what was committed before the call; by this thread, whether paused
  // or not. The first error of a step.
  Status flush();
  void pause();  // returns when no step is under way
  void resume();
  MaintenanceStat stat() const;
  void stop();
  // In a forked child, where the thread does not exist.
  void abandon() noexcept;

 private:
  struct Work;

  // Collections with indexes that may have put work off.
  Result<std::vector<StructureId>> find_everywhere();
  void loop();
  void start_locked();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  // One step on what waits most; false: nothing waits in the newest visible state.
  Result<bool> step();
  Result<std::optional<Work>> find_work(Snapshot& snapshot);
  Result<bool> carry_out(Snapshot& snapshot, const Work& work);
  void note_turn(std::chrono::steady_clock::duration taken);

  Database& database_;
  CollectionCache definitions_;
  const bool threaded_;

  std::mutex step_mutex_;        // held by who works
  std::size_t batch_;            // of the next step
  std::atomic<double> most_{0};  // the largest backlog at the last step

  mutable std::mutex mutex_;  // of what follows
  std::condition_variable changed_;
  std::set<StructureId> due_;
  MaintenanceStat stat_;
  bool stop_ = false;
  bool started_ = false;
  std::thread thread_;
};

}  // namespace quire
