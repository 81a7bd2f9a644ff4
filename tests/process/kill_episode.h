// One database whose processes are killed, stopped and forked at random, and what must hold.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "worker_handle.h"

namespace quire::test {

struct KillCounts {
  std::atomic<std::uint64_t> writers{0};     // killed
  std::atomic<std::uint64_t> readers{0};     // killed
  std::atomic<std::uint64_t> stops{0};       // of writers and readers, gone on with later
  std::atomic<std::uint64_t> recoveries{0};  // opens after a death, that told what they found
  std::atomic<std::uint64_t> commits{0};     // acknowledged, and found again after a death
  std::atomic<std::uint64_t> looks{0};       // at whole states, by readers
  std::atomic<std::uint64_t> locks{0};       // `lock` files deleted, cut, overwritten, replaced
  std::atomic<std::uint64_t> forks{0};
  std::atomic<std::uint64_t> reused{0};  // processes that got a dead writer's pid
  std::atomic<std::uint64_t> inner{0};   // processes that ran in a pid namespace of their own
  std::atomic<std::uint64_t> held{0};    // snapshots that were held over deaths, and were right
  std::uint64_t kills() const { return writers.load() + readers.load(); }
};

// What must not be.
class KillFailure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Invariants, over any number of deaths:
//  1. What the writer was told is committed, in a durability that survives the process, is there;
//     at most what it had begun since is there too, in whole commits.
//  2. Every state that a reader sees is whole, none is older than the one before, and one that is
//     held stays what it was.
//  3. A writer that lives, stopped or not, keeps others out, whoever has its pid; one that died
//  does
//     not.
class KillEpisode {
 public:
  // `namespaces`: processes may be put into pid namespaces of their own, and pids be chosen.
  KillEpisode(std::uint64_t seed, std::string path, bool namespaces, KillCounts& counts);
  // At least so many kills. Throws KillFailure.
  void run(std::uint64_t kills);

 private:
  // A process, and what was killed to kill it: where it has a pid namespace, the one inside.
  struct Process {
    std::unique_ptr<Worker> worker;
    bool inner = false;
    pid_t pid() const;
  };
  struct Reader {
    Process process;
    bool opened = false;  // has said so
    int stopped = 0;      // rounds to go
  };

  bool one_in(unsigned n) { return random_() % n == 0; }
  static std::uint64_t number_in(const std::string& answer);
  static void require(bool holds, const std::string& words);
  static void require_line(const std::string& said, const std::string& wanted, const char* what);
  Process spawn();
  std::string options();
  void make();

  void start_writer();
  void listen_to_writer(bool until_started);
  void take(const std::string& line);
  void settle_writer();
  void kill_writer();
  void stop_writer();

  void start_reader(Reader& reader);
  void await_open(Reader& reader);
  void hear(const std::string& line);
  void kill_reader(Reader& reader);
  void stop_reader(Reader& reader);
  void go_on(Reader& reader);
  void end_loop(Reader& reader);

  void start_holder();
  void check_holder(bool again);
  void kill_process(Process& process, const char* who);
  void kill_all();

  void lose_lock();
  void damage_lock();
  void fork_a_reader();
  void fork_a_writer();
  void reuse_pid();
  void round();
  void finish();

  std::mt19937_64 random_;
  std::string path_;
  bool namespaces_;
  KillCounts& counts_;
  std::string options_;
  std::uint64_t kills_ = 0;

  Process writer_;
  bool started_ = false;            // it has said where it began
  std::uint64_t acknowledged_ = 0;  // must be there
  std::uint64_t newest_ = 0;        // may be, and one more
  std::uint64_t found_ = 0;         // where the last writer began
  std::vector<Reader> readers_;
  Process holder_;
  bool holder_stopped_ = false;
  std::uint64_t held_ = 0;
};

}  // namespace quire::test
