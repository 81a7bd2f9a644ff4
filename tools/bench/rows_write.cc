// Rows that write: durable commits, commits that the system writes when it pleases, bulk loads, and
// what a reader that stays open does to the size of the files.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <thread>

#include "tools/bench/rows.h"

namespace quire::bench {
namespace {

constexpr std::size_t kAppendSize = 4096;
constexpr off_t kAppendFileSize = off_t{64} << 20;
constexpr int kOverwriteRounds = 5;

// What the machine allows: 4 KiB appended to a file that was written before, and made durable.
class AppendFile {
 public:
  explicit AppendFile(const std::filesystem::path& path)
      : descriptor_(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)) {
    require(descriptor_ >= 0, "open");
    for (off_t offset = 0; offset < kAppendFileSize; offset += off_t{kAppendSize}) write_at(offset);
    require(fdatasync(descriptor_) == 0, "fdatasync");
  }
  ~AppendFile() { close(descriptor_); }
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  // From the start again at the end, as a recycled log segment is.
  void append() {
    write_at(offset_);
    require(fdatasync(descriptor_) == 0, "fdatasync");
    offset_ = (offset_ + off_t{kAppendSize}) % kAppendFileSize;
  }

 private:
  static void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(std::string("disk: ") + what + ": " + std::strerror(errno));
  }
  void write_at(off_t offset) {
    static const std::string block(kAppendSize, 'q');
    require(pwrite(descriptor_, block.data(), block.size(), offset) == ssize_t{kAppendSize},
            "pwrite");
  }

  int descriptor_;
  off_t offset_ = 0;
};

Sample append_ceiling(Workspace& workspace) {
  AppendFile file(workspace.directory() / "append");
  return {{"commits", rate(workspace.settings().seconds, 1, [&] { file.append(); })}};
}

// One put a commit, of keys taken at random, until told to stop; returns the commits.
std::uint64_t commit_until(const std::atomic<bool>& stop, Store& store, const Workspace& workspace,
                           std::uint64_t seed) {
  const std::unique_ptr<Session> session = store.session();
  KeyMaker keys = workspace.keys();
  Random random(seed);
  std::uint64_t commits = 0;
  for (; !stop.load(std::memory_order_relaxed); ++commits) {
    const Entry entry = {keys.key(random.below(workspace.settings().keys)),
                         workspace.values().value(random.next())};
    session->put({&entry, 1});
  }
  return commits;
}

// Sums what the threads commit in the time; rethrows what one of them throws.
std::uint64_t commit_in_threads(Store& store, const Workspace& workspace, int threads,
                                std::uint64_t seed) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> commits = 0;
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(threads));
  std::vector<std::jthread> workers;
  workers.reserve(failures.size());
  for (std::size_t i = 0; i < failures.size(); ++i) {
    workers.emplace_back([&, i] {
      try {
        commits += commit_until(stop, store, workspace, seed * 1'000 + i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(workspace.settings().seconds));
  stop = true;
  workers.clear();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return commits;
}

Sample commits(Workspace& workspace, const StoreKind& kind, Durability durability, int threads,
               std::uint64_t seed) {
  const std::unique_ptr<Store> store =
      kind.open(workspace.base(kind), durability, Access::kReadWrite);
  const auto device_before = device_bytes_written(workspace.directory());
  const Clock::time_point start = Clock::now();
  const std::uint64_t count = commit_in_threads(*store, workspace, threads, seed);
  const double elapsed = seconds_since(start);
  Sample sample = {{"commits", static_cast<double>(count) / elapsed}};
  const auto device_after = device_bytes_written(workspace.directory());
  if (durability == Durability::kAlways && device_before && device_after && count > 0) {
    sample["device"] =
        static_cast<double>(*device_after - *device_before) / 1024 / static_cast<double>(count);
  }
  return sample;
}

Sample load_fresh(Workspace& workspace, const StoreKind& kind, bool in_order, std::uint64_t seed) {
  const auto count = static_cast<std::uint32_t>(workspace.settings().keys);
  std::vector<std::uint32_t> order;
  if (!in_order) order = permutation(count, seed);
  const std::unique_ptr<Store> store =
      kind.open(workspace.fresh(), Durability::kOs, Access::kReadWrite);
  const std::unique_ptr<Session> session = store->session();
  const Clock::time_point start = Clock::now();
  if (in_order) {
    load(*session, workspace, count, [](std::uint64_t i) { return i; });
  } else {
    load(*session, workspace, count, [&](std::uint64_t i) { return order[i]; });
  }
  return {{"puts", count / seconds_since(start)}};
}

// A fifth of the keys, each overwritten five times at random, beside a snapshot of the start.
Sample overwrite_beside_reader(Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
  const auto count =
      static_cast<std::uint32_t>(std::max<std::uint64_t>(workspace.settings().keys / 5, 1));
  const std::string directory = workspace.fresh();
  const std::unique_ptr<Store> store = kind.open(directory, Durability::kOs, Access::kReadWrite);
  const std::unique_ptr<Session> writer = store->session();
  load(*writer, workspace, count, [](std::uint64_t i) { return i; });
  const std::unique_ptr<Session> reader = store->session();
  reader->begin_read();
  reader->get(workspace.keys().key(0));  // SQLite takes its snapshot at the first read
  for (int round = 0; round < kOverwriteRounds; ++round) {
    const std::vector<std::uint32_t> order =
        permutation(count, seed + static_cast<unsigned>(round));
    load(*writer, workspace, count, [&](std::uint64_t i) { return order[i]; });
  }
  const auto bytes = static_cast<double>(disk_usage(directory));
  reader->end_read();
  const double live = static_cast<double>(count) * (kKeySize + kValueSize);
  return {{"size", bytes / 1e6}, {"ratio", bytes / live}};
}

}  // namespace

std::vector<Row> write_rows() {
  const Metric device = {"device", "  device KiB per commit", "KiB", false};
  return {
      {"durable-1",
       {{"commits", "durable commits, 1 thread", "/s", true}, device},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return commits(workspace, kind, Durability::kAlways, 1, seed);
       },
       append_ceiling},
      {"durable-n",
       {{"commits", "durable commits, many threads", "/s", true}, device},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return commits(workspace, kind, Durability::kAlways, workspace.settings().threads, seed);
       },
       {}},
      {"os-1",
       {{"commits", "non-durable commits of one put", "/s", true}},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return commits(workspace, kind, Durability::kOs, 1, seed);
       },
       {}},
      {"load-ordered",
       {{"puts", "load in order, batches of 1,000", "/s", true}},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return load_fresh(workspace, kind, true, seed);
       },
       {}},
      {"load-random",
       {{"puts", "load at random, batches of 1,000", "/s", true}},
       100,
       false,
       [](Workspace& workspace, const StoreKind& kind, std::uint64_t seed) {
         return load_fresh(workspace, kind, false, seed);
       },
       {}},
      {"overwrite",
       {{"size", "size after 5 overwrites, a reader open", "MB", false},
        {"ratio", "  the same, times the live data", "x", false}},
       1,
       false,
       overwrite_beside_reader,
       {}},
  };
}

}  // namespace quire::bench
