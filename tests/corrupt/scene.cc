#include "tests/corrupt/scene.h"

#include <sys/random.h>

#include "engine/db/meta.h"
#include "wal/log_reader.h"
#include "wal/segment_image.h"

// Ids and seeds of databases are random; here they have to be the same in every run, so that a case
// can be replayed. The engine's call finds this function before the system's.
namespace {
std::uint64_t random_state = 1;
}
extern "C" ssize_t getrandom(void* buffer, size_t size, unsigned) {
  auto* const bytes = static_cast<unsigned char*>(buffer);
  for (size_t i = 0; i < size; ++i) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    bytes[i] = static_cast<unsigned char>(random_state >> 56);
  }
  return static_cast<ssize_t>(size);
}

namespace quire::test {
namespace {

struct Plan {
  const char* name;
  bool closed;                   // in order; else the process dies
  bool archived;                 // segments are kept
  std::uint64_t log_budget = 0;  // transactions over it commit by checkpoint; 0: none does
};
// A new kind of state joins the campaign here; a new structure joins the workload.
constexpr Plan kPlans[] = {{"closed", true, false},         {"crashed", false, false},
                           {"archived-closed", true, true}, {"archived-crashed", false, true},
                           {"bulk", false, false, 1200},    {"archived-bulk", false, true, 1200}};

constexpr int kTransactions = 70;       // before the last checkpoint
constexpr int kTransactionsAfter = 60;  // behind it, in the log only

WorkloadOptions workload_options(const Plan& plan, std::uint64_t seed) {
  WorkloadOptions options;
  options.database = small_database();
  options.database.writer.archive = plan.archived;
  if (plan.log_budget != 0) options.database.writer.log_budget_bytes = plan.log_budget;
  options.seed = seed;
  return options;
}

// Transactions without what Workload does between them: no checkpoint of its own, no new life.
void run_plain(Workload& workload, int transactions) {
  for (int i = 0; i < transactions; ++i) must(workload.transaction());
}

// A part of the workload's transactions is given up: only commits count.
void add_records(Scene& scene) {
  const auto data = must(scene.disk->open(kDataPath, io::OpenMode::kRead));
  const Meta meta = must(read_metas(*data)).newest;
  std::size_t commit = 0;  // behind the checkpoint
  for (const std::uint64_t number : must(wal::list_segments(*scene.disk, kLogPath))) {
    if (meta.clean || number < meta.position.segment) continue;
    const std::string path = wal::segment_path(kLogPath, number);
    const auto segment = must(wal::SegmentImage::load(*scene.disk, path, meta.database, number));
    std::uint64_t at = number == meta.position.segment ? meta.position.offset : wal::kRecordsAt;
    wal::RecordView record;
    while (segment->record_at(at, record)) {
      if ((record.header.flags & wal::kFlagLast) != 0 && record.header.kind != 3) ++commit;
      scene.log.push_back({.path = path,
                           .begin = at,
                           .end = record.end,
                           .lsn = record.header.lsn,
                           .synced_lsn = record.header.synced_lsn,
                           .commit = commit});
      at = record.end;
    }
  }
  scene.at_checkpoint = scene.last - commit;
  for (LoggedRecord& record : scene.log) record.commit += scene.at_checkpoint;
}

void make_foreign(const Plan& plan, std::uint64_t seed, Scene& scene) {
  scene.foreign = std::make_unique<io::SimulatedDisk>(seed);
  Workload workload(*scene.foreign, workload_options(plan, seed));
  workload.keep_history();
  must(workload.open());
  run_plain(workload, kTransactions);
  must(workload.database().checkpoint());
  run_plain(workload, kTransactionsAfter);
  if (plan.closed) must(workload.close());
  scene.foreign_history = workload.history();
  workload.let_go();
}

}  // namespace

std::vector<std::string> scene_names() {
  std::vector<std::string> names;
  for (const Plan& plan : kPlans) names.emplace_back(plan.name);
  return names;
}

Scene make_scene(const std::string& name, std::uint64_t seed) {
  random_state = seed;
  const Plan* plan = nullptr;
  for (const Plan& candidate : kPlans)
    if (candidate.name == name) plan = &candidate;
  Scene scene;
  scene.name = name;
  scene.disk = std::make_unique<io::SimulatedDisk>(seed);
  Workload workload(*scene.disk, workload_options(*plan, seed));
  workload.keep_history();
  must(workload.open());
  for (int i = 0; i < kTransactions; ++i) {
    must(workload.round());
    if (i == kTransactions * 3 / 4) {
      must(workload.database().checkpoint());
      scene.older = scene.disk->survivor(seed, io::Survival::kEverything);
    }
  }
  must(workload.database().checkpoint());
  const std::size_t at_checkpoint = workload.promises().committed;
  run_plain(workload, kTransactionsAfter);
  if (plan->closed) must(workload.close());
  scene.last = workload.promises().committed;
  scene.history = workload.history();
  workload.let_go();
  make_foreign(*plan, seed + 1000, scene);
  scene.options = small_database();
  scene.options.page_size = 0;
  scene.options.create = false;

  const auto data = must(scene.disk->open(kDataPath, io::OpenMode::kRead));
  const Meta meta = must(read_metas(*data)).newest;
  scene.used_bytes = std::uint64_t{meta.page_count} * meta.page_size;
  scene.catalog_page = meta.root.catalog.page;
  add_records(scene);
  if (!plan->closed && plan->log_budget == 0 && scene.at_checkpoint != at_checkpoint)
    must(Status(fail(ErrorCode::kCorrupt, "%s: %zu commits in the log, not %zu", scene.name.c_str(),
                     scene.last - scene.at_checkpoint, scene.last - at_checkpoint)));
  scene.files.push_back(kDataPath);
  for (const std::uint64_t number : must(wal::list_segments(*scene.disk, kLogPath)))
    scene.files.push_back(wal::segment_path(kLogPath, number));
  return scene;
}

const std::vector<State>& history_for(const Scene& scene, bool foreign_data) {
  return foreign_data ? scene.foreign_history : scene.history;
}

std::string bytes_of(io::Disk& disk, const std::string& path) {
  const auto file = must(disk.open(path, io::OpenMode::kRead));
  std::string bytes(must(file->size()), '\0');
  must(file->read(0, {reinterpret_cast<std::byte*>(bytes.data()), bytes.size()}));
  return bytes;
}

void replace_file(io::Disk& disk, const std::string& path, const std::string& bytes) {
  const auto file = must(disk.open(path, io::OpenMode::kOpenOrCreate));
  must(file->resize(0));
  if (!bytes.empty()) must(file->write(0, as_bytes(bytes)));
}

State without_numbers(const State& state) {
  State rest;
  for (const auto& [name, keys] : state)
    if (!name.ends_with("/numbers")) rest.emplace(name, keys);
  return rest;
}

}  // namespace quire::test
