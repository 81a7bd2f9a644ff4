#include "engine/db/maintenance.h"

#include <algorithm>

#include "engine/base/sync_point.h"
#include "engine/db/database.h"
#include "engine/record/collection.h"

namespace quire {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t kFirstBatch = 32;
constexpr std::size_t kLeastBatch = 4;
constexpr std::size_t kMostBatch = 512;
// A step that has the turn for longer is made smaller, one that has it for less is made larger.
constexpr milliseconds kLongTurn{2};
constexpr milliseconds kShortTurn{1};
// Less than this part of what may wait, waits this long for more.
constexpr double kLittle = 0.25;
constexpr milliseconds kForMore{100};
// After a failure; twice as long after each that follows it.
constexpr milliseconds kAfterFailure{1000};
constexpr milliseconds kAfterFailureMost{60'000};
// From here on others come second.
constexpr double kPressing = 0.5;

// Dropped since, or never come about: its id may be another's by now.
bool is_gone(const Error& error) noexcept {
  return error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kType;
}

}  // namespace

struct Maintenance::Work {
  Collection collection;
  const Index* index = nullptr;  // of `collection`
  double backlog = 0;
};

Maintenance::Maintenance(Database& database, IndexKinds kinds, bool threaded)
    : database_(database), definitions_(kinds), threaded_(threaded), batch_(kFirstBatch) {}

// --- what is to be done ---

Result<std::vector<StructureId>> Maintenance::find_everywhere() {
  std::vector<StructureId> found;
  if (definitions_.kinds().empty()) return found;
  QUIRE_TRY(const auto snapshot, database_.begin_read());
  QUIRE_TRY(const auto collections, Collection::list(*snapshot));
  for (const CollectionInfo& info : collections) {
    const auto collection = Collection::open(*snapshot, info.id, &definitions_);
    if (!collection) continue;  // damage is for those to tell who read
    for (const auto& index : collection->indexes())
      if (index != nullptr && index->maintenance() != nullptr) found.push_back(info.id);
  }
  return found;
}

void Maintenance::look_everywhere() noexcept try {
  if (const auto found = find_everywhere()) note(*found);
} catch (const std::bad_alloc&) {
  return;  // the next commit that leaves work says so
}

void Maintenance::note(std::span<const StructureId> collections) noexcept try {
  if (collections.empty()) return;
  const std::scoped_lock lock(mutex_);
  due_.insert(collections.begin(), collections.end());
  if (threaded_ && !started_ && !stop_) start_locked();
  changed_.notify_all();
} catch (const std::exception&) {
  return;  // no memory or no thread: the next commit tries again
}

Status Maintenance::before_commit(WriteTxn& txn) {
  for (const StructureId id : txn.deferred()) {
    const auto collection = Collection::open(txn, id, &definitions_);
    if (!collection && is_gone(collection.error())) continue;
    QUIRE_CHECK(collection);
    for (const auto& index : collection->indexes()) {
      if (index == nullptr || index->maintenance() == nullptr) continue;
      QUIRE_CHECK(index->maintenance()->before_commit(txn, *collection));
    }
  }
  return {};
}

// --- steps ---

Result<std::optional<Maintenance::Work>> Maintenance::find_work(Snapshot& snapshot) {
  std::vector<StructureId> due;
  {
    const std::scoped_lock lock(mutex_);
    due.assign(due_.begin(), due_.end());
  }
  std::optional<Work> most;
  for (const StructureId id : due) {
    const auto collection = Collection::open(snapshot, id, &definitions_);
    double waits = 0;
    if (collection) {
      for (const auto& index : collection->indexes()) {
        if (index == nullptr || index->maintenance() == nullptr) continue;
        QUIRE_TRY(const double backlog, index->maintenance()->backlog(snapshot));
        waits = std::max(waits, backlog);
        if (backlog > 0 && (!most || backlog > most->backlog))
          most = Work{*collection, index.get(), backlog};
      }
    } else if (!is_gone(collection.error())) {
      return std::unexpected(collection.error());
    }
    if (waits > 0) continue;
    // Later commits say so again; one that is not visible yet may have said it already.
    const std::scoped_lock lock(mutex_);
    if (database_.writer()->tip().txn == snapshot.root().txn) due_.erase(id);
  }
  return most;
}

Result<bool> Maintenance::step() {
  const std::scoped_lock working(step_mutex_);
  QUIRE_TRY(const auto snapshot, database_.begin_read());
  QUIRE_TRY(const auto work, find_work(*snapshot));
  most_ = work ? work->backlog : 0;
  if (!work) return false;
  return carry_out(*snapshot, *work);
}

Result<bool> Maintenance::carry_out(Snapshot& snapshot, const Work& work) {
  const IndexMaintenance& maintenance = *work.index->maintenance();
  QUIRE_TRY(const auto step, maintenance.prepare(snapshot, work.collection, batch_));
  if (step == nullptr) return true;
  sync_point::reach("maintenance: prepared");
  QUIRE_TRY(const auto txn, database_.begin_unlogged());
  const Clock::time_point begun = Clock::now();
  // The collection may be another by now, or gone.
  const auto collection = Collection::open(*txn, work.collection.id(), &definitions_);
  if (!collection && !is_gone(collection.error())) return std::unexpected(collection.error());
  const bool same = collection && collection->definition() == work.collection.definition();
  const Status applied = same ? step->apply(*txn, *collection) : Status();
  if (!same || (!applied && applied.error().code() == ErrorCode::kConflict)) {
    const std::scoped_lock lock(mutex_);
    ++stat_.conflicts;
    return true;
  }
  QUIRE_CHECK(applied);
  QUIRE_CHECK(database_.writer()->commit(*txn, Durability::kNone));
  note_turn(Clock::now() - begun);
  return true;
}

void Maintenance::note_turn(Clock::duration taken) {
  if (taken > kLongTurn) {
    batch_ = std::max(kLeastBatch, batch_ / 2);
  } else if (taken < kShortTurn) {
    batch_ = std::min(kMostBatch, batch_ + batch_ / 4);
  }
  const auto us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<microseconds>(taken).count());
  const std::scoped_lock lock(mutex_);
  ++stat_.steps;
  stat_.turn_us += us;
  stat_.turn_us_max = std::max(stat_.turn_us_max, us);
}

// --- the thread ---

void Maintenance::start_locked() {
  thread_ = std::thread([this] { loop(); });
  started_ = true;
}

// Whether there is work, and not an end.
bool Maintenance::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto ready = [this] { return stop_ || (!stat_.paused && !due_.empty()); };
  const bool at_once = ready();
  changed_.wait(lock, ready);
  // What comes one by one is done together.
  if (!at_once || most_ < kLittle) changed_.wait_for(lock, kForMore, [this] { return stop_; });
  return !stop_;
}

void Maintenance::loop() {
  std::unique_lock lock(mutex_);
  milliseconds pause = kAfterFailure;
  while (wait_for_work(lock)) {
    if (stat_.paused) continue;
    stat_.working = true;
    lock.unlock();
    const Clock::time_point begun = Clock::now();
    const auto done = catch_out_of_memory([this] { return step(); });
    const Clock::duration worked = Clock::now() - begun;
    lock.lock();
    stat_.working = false;
    if (done) {
      stat_.failure.reset();
      pause = kAfterFailure;
    } else {
      stat_.failure = done.error();
      // It stays as it is: what reads it tells the same, and nobody was promised anything.
      if (done.error().code() == ErrorCode::kCorrupt || done.error().code() == ErrorCode::kPoisoned)
        due_.clear();
    }
    changed_.notify_all();
    if (!done) {
      changed_.wait_for(lock, pause, [this] { return stop_; });
      pause = std::min(2 * pause, kAfterFailureMost);
    } else if (most_ < kPressing) {
      changed_.wait_for(lock, worked, [this] { return stop_; });
    }
  }
}

Status Maintenance::flush() {
  // Nobody has looked yet where nothing was written since a clean close.
  QUIRE_TRY(const auto found, find_everywhere());
  {
    const std::scoped_lock lock(mutex_);
    due_.insert(found.begin(), found.end());
  }
  while (true) {
    QUIRE_TRY(const bool more, step());
    if (!more) return {};
  }
}

void Maintenance::pause() {
  std::unique_lock lock(mutex_);
  stat_.paused = true;
  changed_.wait(lock, [this] { return !stat_.working; });
}

void Maintenance::resume() {
  const std::scoped_lock lock(mutex_);
  stat_.paused = false;
  changed_.notify_all();
}

MaintenanceStat Maintenance::stat() const {
  const std::scoped_lock lock(mutex_);
  return stat_;
}

void Maintenance::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Maintenance::abandon() noexcept {
  if (thread_.joinable()) thread_.detach();
}

}  // namespace quire
