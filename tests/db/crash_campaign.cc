// The crash campaign: one workload after another, each cut at its operations (crash_run.h), then
// with each kind of failure at its operations (fault_run.h), in several processes, until so many
// crashes were recovered from. Everything follows from the seeds: a failure prints the command that
// shows it again.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include <CLI/CLI.hpp>

#include "tests/db/fault_run.h"

namespace quire::test {
namespace {

struct Options {
  std::uint64_t crashes = 20'000;
  std::uint64_t seed = 1;
  std::uint64_t every = 0;
  std::uint64_t at = 0;
  std::uint64_t look = 0;
  bool deep = false;
  unsigned jobs = 0;
  bool only_one() const { return at != 0 || look != 0; }
};

// What the processes tell of themselves, in memory that they share.
struct Progress {
  std::atomic<std::uint64_t> recovered;       // crashes of the workload and of recovery
  std::atomic<std::uint64_t> recovered_late;  // crashes after a fault
  std::atomic<std::uint64_t> operations;      // that were cut
  std::atomic<std::uint64_t> faults;
  std::atomic<std::uint64_t> poisoned;
  std::atomic<std::uint64_t> workloads;
  std::atomic<bool> failed;
};
struct Place {  // where a process is
  std::atomic<std::uint64_t> seed;
  std::atomic<std::uint64_t> operation;
  std::atomic<std::uint64_t> look;
};
constexpr unsigned kJobsMax = 256;
struct Shared {
  Progress progress;
  Place places[kJobsMax];
};

constexpr io::FaultKind kFaults[] = {io::FaultKind::kIo, io::FaultKind::kFull,
                                     io::FaultKind::kShortWrite, io::FaultKind::kSyncFailure};

class Job {
 public:
  Job(const Options& options, Shared& shared, unsigned number)
      : options_(options), progress_(shared.progress), place_(shared.places[number]) {}

  bool enough() const {
    return progress_.failed.load() ||
           (!options_.only_one() && progress_.recovered.load() >= options_.crashes);
  }

  void workload(std::uint64_t seed) {
    place_.seed.store(seed);
    place_.operation.store(0);
    place_.look.store(0);
    const WorkloadOptions options = workload_of(seed);
    CrashRun crashes(options, options_.deep);
    if (options_.at > crashes.operations() || options_.look > crashes.looks())
      throw Failed("workload " + std::to_string(seed) + " has only " +
                   std::to_string(crashes.operations()) + " operations and " +
                   std::to_string(crashes.looks()) + " looks");
    each(options_.at, crashes.operations(), seed, [&](std::uint64_t at) {
      place_.operation.store(at);
      cut(crashes, at);
      for (const io::FaultKind kind : kFaults) fault(options, {at, kind});
    });
    place_.operation.store(0);
    each(options_.look, crashes.looks(), seed, [&](std::uint64_t at) {
      place_.look.store(at);
      fault(options, {at, std::nullopt});
    });
    progress_.workloads.fetch_add(1);
  }

 private:
  // The one that was asked for, or one in so many of all.
  template <class Body>
  void each(std::uint64_t only, std::uint64_t all, std::uint64_t seed, Body&& body) const {
    if (only != 0) return body(only);
    if (options_.only_one()) return;
    for (std::uint64_t at = 1 + seed % options_.every; at <= all && !enough(); at += options_.every)
      body(at);
  }
  void cut(CrashRun& run, std::uint64_t at) {
    const std::uint64_t before = run.recovered();
    run.crash_at(at);
    progress_.recovered.fetch_add(run.recovered() - before);
    progress_.operations.fetch_add(1);
  }
  void fault(const WorkloadOptions& options, const Fault& fault) {
    FaultRun run(options, fault);
    run.run();
    progress_.faults.fetch_add(1);
    progress_.poisoned.fetch_add(run.poisoned() ? 1 : 0);
    progress_.recovered_late.fetch_add(run.recovered());
  }

  const Options& options_;
  Progress& progress_;
  Place& place_;
};

void print_replay(const Place& place, bool deep) {
  std::fprintf(stderr, "again: ./dev crash --seed %llu",
               static_cast<unsigned long long>(place.seed.load()));
  if (place.operation.load() != 0)
    std::fprintf(stderr, " --at %llu", static_cast<unsigned long long>(place.operation.load()));
  if (place.look.load() != 0)
    std::fprintf(stderr, " --look %llu", static_cast<unsigned long long>(place.look.load()));
  std::fprintf(stderr, "%s\n", deep ? " --deep" : "");
}

// Workloads `number`, `number` + jobs, ... in this process.
int run_job(const Options& options, Shared& shared, unsigned number) {
  Job job(options, shared, number);
  try {
    for (std::uint64_t seed = options.seed + number; !job.enough(); seed += options.jobs) {
      job.workload(seed);
      if (options.only_one()) break;
    }
  } catch (const Failed& failure) {
    shared.progress.failed.store(true);
    std::fprintf(stderr, "FAILED: %s\n", failure.what());
    print_replay(shared.places[number], options.deep);
    return 1;
  }
  return 0;
}

void show_progress(const Shared& shared, const Options& options) {
  if (isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r%llu of %llu crashes, %llu faults  ",
               static_cast<unsigned long long>(shared.progress.recovered.load()),
               static_cast<unsigned long long>(options.crashes),
               static_cast<unsigned long long>(shared.progress.faults.load()));
}

// Waits for the processes; one that dies of a signal has failed too.
bool wait_for_jobs(const std::vector<pid_t>& pids, Shared& shared, const Options& options) {
  bool good = true;
  for (std::size_t left = pids.size(); left > 0;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0) {
      show_progress(shared, options);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      continue;
    }
    const auto job = std::find(pids.begin(), pids.end(), pid);
    if (job == pids.end()) continue;
    --left;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) continue;
    good = false;
    shared.progress.failed.store(true);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) continue;  // it has said so
    std::fprintf(stderr, "FAILED: a process ended with %s %d\n",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    print_replay(shared.places[job - pids.begin()], options.deep);
  }
  return good;
}

int run(const Options& options) {
  void* memory =
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    return 2;
  }
  auto& shared = *new (memory) Shared{};
  const auto start = std::chrono::steady_clock::now();
  std::vector<pid_t> pids;
  for (unsigned number = 0; number < options.jobs; ++number) {
    const pid_t pid = fork();
    if (pid == 0) _exit(run_job(options, shared, number));
    if (pid > 0) pids.push_back(pid);
  }
  bool good = wait_for_jobs(pids, shared, options) && pids.size() == options.jobs;
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const Progress& done = shared.progress;
  const auto shown = [](const std::atomic<std::uint64_t>& number) {
    return static_cast<unsigned long long>(number.load());
  };
  std::printf(
      "%llu simulated crashes recovered from, with nothing lost: %llu operations cut, %llu "
      "workloads\n"
      "ended; %llu faults, %llu poisoned, and %llu crashes after them; %.0f seconds, %u "
      "processes\n",
      shown(done.recovered), shown(done.operations), shown(done.workloads), shown(done.faults),
      shown(done.poisoned), shown(done.recovered_late), seconds.count(), options.jobs);
  if (done.faults.load() > 500 && done.poisoned.load() == 0) {
    std::puts("no fault poisoned the database: they are not carried out");
    good = false;
  }
  if (!good) std::puts("FAILED");
  return good ? 0 : 1;
}

}  // namespace
}  // namespace quire::test

int main(int argc, char** argv) {
  using namespace quire::test;
  Options options;
  CLI::App app{"Simulated crashes and failures at every operation of random workloads."};
  app.add_option("--crashes", options.crashes, "recover from so many crashes")
      ->check(CLI::PositiveNumber);
  app.add_option("--seed", options.seed, "of the first workload");
  app.add_option("--every", options.every,
                 "cut one operation in so many (default: 13; 1 from 100,000 crashes on)")
      ->check(CLI::PositiveNumber);
  app.add_option("--at", options.at, "only this operation of the first workload")
      ->check(CLI::PositiveNumber);
  app.add_option("--look", options.look, "only a failure of this look at the disk, likewise")
      ->check(CLI::PositiveNumber);
  app.add_flag("--deep", options.deep, "cut recovery at each of its operations, not at three");
  app.add_option("--jobs", options.jobs, "processes (default: one for each core)")
      ->check(CLI::Range(1u, kJobsMax));
  CLI11_PARSE(app, argc, argv);
  if (options.every == 0) options.every = options.crashes >= 100'000 ? 1 : 13;
  if (options.jobs == 0) options.jobs = std::max(1u, std::thread::hardware_concurrency());
  if (options.only_one()) options.jobs = 1;
  return run(options);
}
