// The writer's side of what reaches the file: publication to other processes, checkpoints, memory.
#include <algorithm>
#include <cassert>

#include "engine/base/sync_point.h"
#include "engine/txn/flusher.h"
#include "engine/txn/writer.h"

namespace quire {
namespace {

// Free space at the end of the file is given back to the system from this size on.
constexpr std::uint64_t kTrimBytes = 4 << 20;

}  // namespace

// --- durability and publication ---

// While the log's sync is under way, the pages that other processes will want are written, so that
// publication has little left to do. A lock that is taken means that somebody does it already.
void Writer::write_ahead(wal::Lsn target) noexcept {
  const std::unique_lock publishing(publish_mutex_, std::try_to_lock);
  if (!publishing.owns_lock() || poisoned_.load()) return;
  Root root;
  {
    const std::scoped_lock lock(state_mutex_);
    for (const Pending& pending : pending_) {
      if (pending.root.lsn <= target) root = pending.root;
    }
    if (root.txn == 0) return;
    publishing_ = root.txn;
  }
  sync_point::reach("write ahead: root chosen");
  const auto flushed = flush_pages(root);
  const std::scoped_lock lock(state_mutex_);
  publishing_ = 0;
  // An error is met again, and reported, by publish().
  if (flushed) note_flushed_locked(*flushed);
}

// Writes the private pages of a state that is pinned; their frames go as they are written.
// publish_mutex_ is held.
Result<Root> Writer::flush_pages(const Root& root) noexcept try {
  Flusher flusher(data_, frames_, space_, page_size_, [this](std::vector<Frame*>& written) {
    const std::scoped_lock lock(state_mutex_);
    retire_locked(written);
  });
  return flusher.flush(root);
} catch (const std::bad_alloc&) {
  // What was written may be written again: nobody finds it before the root is known.
  return out_of_memory();
}

// The private pages of `root` are in the file now, and it has its checksum.
void Writer::note_flushed_locked(const Root& root) noexcept {
  for (Pending& pending : pending_) {
    if (pending.root.txn == root.txn) pending.root = root;
  }
  if (visible_.txn == root.txn) {
    visible_ = root;
    ring_.publish(root);
  }
  if (tip_.txn == root.txn) tip_ = root;
}

Status Writer::sync(wal::Lsn lsn) {
  QUIRE_CHECK(health());
  if (log() == nullptr) return {};
  auto status = log()->sync(std::min(lsn, tip().lsn));
  if (!status) poison(status.error());
  return status;
}

std::optional<std::uint64_t> Writer::sync_batch() {
  const std::scoped_lock lock(batch_mutex_);
  if (log() == nullptr || log()->synced() >= batch_lsn_.load(std::memory_order_relaxed)) {
    batch_since_ms_ = 0;
    return std::nullopt;
  }
  const std::uint64_t now = now_ms();
  const std::uint64_t total = logged_total_.load(std::memory_order_relaxed);
  if (batch_since_ms_ == 0) batch_since_ms_ = now;
  const std::uint64_t due = batch_since_ms_ + options_.batch_ms;
  if (now < due && total - batch_synced_bytes_ < options_.batch_bytes) return due;
  (void)sync(tip().lsn);  // an error poisons, which says so to everybody
  batch_synced_bytes_ = total;
  batch_since_ms_ = 0;
  return std::nullopt;
}

Status Writer::publish() {
  const std::scoped_lock publishing(publish_mutex_);
  QUIRE_CHECK(health());
  Root root;
  {
    const std::scoped_lock lock(state_mutex_);
    root = visible_;
    if (root.txn == published_.load()) return {};
    publishing_ = root.txn;
  }
  sync_point::reach("publish: root chosen");
  const auto work = [&]() -> Result<Root> {
    // In the log's file before anybody else can see it.
    if (log() != nullptr) QUIRE_CHECK(log()->write(root.lsn));
    return flush_pages(root);
  };
  auto flushed = work();
  if (!flushed) {
    if (flushed.error().code() != ErrorCode::kNoMemory) poison(flushed.error());
    const std::scoped_lock lock(state_mutex_);
    publishing_ = 0;
    return std::unexpected(std::move(flushed).error());
  }
  sync_point::reach("publish: pages written");
  bool overtaken = false;  // by a failure elsewhere: others were not shown it
  {
    const std::scoped_lock lock(state_mutex_);
    overtaken = poisoned_.load();
    if (publishing_on_ && !overtaken) {
      attachment_.head().published.publish(*flushed);
      published_.store(root.txn);
      published_root_ = *flushed;
    }
    sync_point::reach("publish: root flipped");
    publishing_ = 0;
    note_flushed_locked(*flushed);
    reclaim_locked();
    // What readers keep in memory is not to be looked at again with each commit.
    relieve_from_.store(
        std::max(options_.private_bytes / 2, pool_.used_bytes() + options_.private_bytes / 8),
        std::memory_order_relaxed);
  }
  attachment_.wake_commit_waiters();
  return overtaken ? health() : Status();
}

bool Writer::publication_due() const noexcept {
  return attachment_.others() &&
         published_.load() < attachment_.head().committed_txn.load(std::memory_order_relaxed);
}

bool Writer::written_due() const noexcept {
  return log() != nullptr && log()->written() < log()->appended();
}

// --- checkpoint ---

// Of the pages before `end`, which the caller has asked for first: a running transaction may take
// more at the file's end meanwhile.
std::vector<PageRun> Writer::committed_free_locked(PageNumber end) const {
  std::vector<PageRun> free =
      active_ != nullptr ? active_->pages_.committed_free() : free_map_->committed_free({});
  for (const Pending& pending : pending_) {
    for (const FreeMap::Dead& dead : pending.dead) free.push_back(dead.run);
  }
  std::erase_if(free, [end](const PageRun& run) { return run.first >= end; });
  for (PageRun& run : free) run.pages = std::min(run.pages, end - run.first);
  return free;
}

Result<PageRun> Writer::take_free_map_run(std::size_t more_runs) {
  // What taking it, a running transaction and the run of the checkpoint before may add.
  std::size_t runs = free_map_->committed_free({}).size() + more_runs + 8;
  for (const Pending& pending : pending_) runs += pending.dead.size();
  const PageNumber pages = PageWriter::run_pages(runs * sizeof(PageRun), page_size_);
  QUIRE_TRY(const PageNumber first, free_map_->take(pages));
  return PageRun{first, pages};
}

CheckpointPlan Writer::draft_plan_locked(const Root& root, PageRun free_map_run,
                                         PageNumber page_count, std::vector<PageRun> free) const {
  CheckpointPlan plan;
  plan.free_map_run = free_map_run;
  plan.page_count = page_count;
  plan.free = std::move(free);
  if (checkpoint_run_.pages != 0) plan.free.push_back(checkpoint_run_);
  plan.root = root;
  plan.position = tip_position_;
  plan.root.page_count = plan.page_count;
  return plan;
}

void Writer::start_checkpoint_locked(const CheckpointPlan& plan) noexcept {
  assert(running_checkpoint_ == 0);
  plan_logged_bytes_ = logged_bytes_.exchange(0, std::memory_order_relaxed);
  running_checkpoint_ = plan.root.txn;
  plan_run_ = plan.free_map_run;
}

namespace {

// Gives a run of pages back that was taken, unless it is kept.
class TakenRun {
 public:
  TakenRun(FreeMap& map, PageRun run) noexcept : map_(&map), run_(run) {}
  TakenRun(const TakenRun&) = delete;
  TakenRun& operator=(const TakenRun&) = delete;
  ~TakenRun() {
    if (map_ != nullptr) map_->give_back(run_);
  }
  PageRun run() const noexcept { return run_; }
  void keep() noexcept { map_ = nullptr; }

 private:
  FreeMap* map_;
  PageRun run_;
};

}  // namespace

Result<CheckpointPlan> Writer::plan_checkpoint(bool trim) {
  CheckpointPlan plan;
  {
    const std::scoped_lock lock(state_mutex_);
    reclaim_locked();
    if (trim) free_map_->trim_end(static_cast<PageNumber>(kTrimBytes / page_size_));
    const std::size_t held = active_ != nullptr ? active_->pages_.held_count() : 0;
    QUIRE_TRY(const PageRun run, take_free_map_run(held));
    TakenRun taken(*free_map_, run);
    const PageNumber page_count = free_map_->page_count();
    plan = draft_plan_locked(tip_, run, page_count, committed_free_locked(page_count));
    start_checkpoint_locked(plan);
    taken.keep();
  }
  sync_point::reach("checkpoint: planned");
  // The tip may still wait for its sync, and so may the marker of a bulk commit behind it.
  if (log() != nullptr) {
    if (auto status = log()->sync(plan.position.lsn); !status) {
      cancel_checkpoint(plan);
      poison(status.error());
      return std::unexpected(std::move(status).error());
    }
  }
  return plan;
}

Result<CheckpointPlan> Writer::plan_bulk(WriteTxn& txn, const Root& root) {
  QUIRE_CHECK(health());
  const std::scoped_lock lock(state_mutex_);
  assert(poisoned_.load() || pending_.empty());
  // Space and memory come first: from commit() on there is no way back.
  QUIRE_TRY(const PageRun run, take_free_map_run(txn.pages_.freed_count()));
  TakenRun taken(*free_map_, run);
  CheckpointPlan plan =
      draft_plan_locked(root, run, free_map_->page_count(), txn.pages_.free_when_committed());
  start_checkpoint_locked(plan);
  taken.keep();
  pending_.push_back({root, Durability::kAlways, txn.pages_.commit(), /*bulk=*/true});
  active_ = nullptr;
  return plan;
}

Result<Root> Writer::flush_root(const Root& root) {
  const std::scoped_lock publishing(publish_mutex_);
  auto flushed = flush_pages(root);
  if (!flushed) {
    // What the pages in the file hold is not known; but where only memory ended, nobody looks.
    if (flushed.error().code() != ErrorCode::kNoMemory) poison(flushed.error());
    return flushed;
  }
  const std::scoped_lock lock(state_mutex_);
  note_flushed_locked(*flushed);
  return flushed;
}

Status Writer::flush(CheckpointPlan& plan) {
  QUIRE_TRY(plan.root, flush_root(plan.root));
  const Root& flushed = plan.root;
  const std::scoped_lock publishing(publish_mutex_);
  const std::scoped_lock lock(state_mutex_);
  if (publishing_on_ && visible_.txn >= flushed.txn && flushed.txn > published_.load()) {
    published_root_ = flushed;
    attachment_.head().published.publish(flushed);
    published_.store(flushed.txn);
    attachment_.wake_commit_waiters();
  }
  return {};
}

void Writer::finish_checkpoint(const CheckpointPlan& plan) noexcept {
  const std::scoped_lock lock(state_mutex_);
  checkpoint_.store(plan.root.txn);
  checkpoint_wanted_.store(false, std::memory_order_relaxed);
  running_checkpoint_ = 0;
  if (checkpoint_run_.pages != 0) free_map_->give_back(checkpoint_run_);
  checkpoint_run_ = plan.free_map_run;
  plan_run_ = {};
  reclaim_locked();
  note_waiting_locked();
}

void Writer::cancel_checkpoint(const CheckpointPlan& plan) noexcept {
  const std::scoped_lock lock(state_mutex_);
  running_checkpoint_ = 0;
  plan_run_ = {};
  logged_bytes_.fetch_add(plan_logged_bytes_, std::memory_order_relaxed);
  free_map_->give_back(plan.free_map_run);
}

void Writer::finish_bulk(const Root& root) noexcept {
  const std::scoped_lock publishing(publish_mutex_);
  const std::scoped_lock lock(state_mutex_);
  assert(pending_.size() == 1 && pending_.front().root.txn == root.txn);
  tip_ = root;
  if (log() != nullptr) tip_position_ = log()->position();
  make_visible_locked(root);
  published_root_ = root;
  attachment_.head().published.publish(root);
  published_.store(root.txn);
  bury_settled_locked(1);
  reclaim_locked();
  attachment_.wake_commit_waiters();
}

// --- memory ---

Status Writer::relieve(WriteTxn& txn) {
  // What is committed goes first: it is written once and for all.
  QUIRE_CHECK(publish());
  {
    const std::scoped_lock lock(state_mutex_);
    reclaim_locked(/*quiet=*/true);
  }
  if (private_bytes() <= options_.private_bytes) return {};
  Flusher flusher(data_, frames_, space_, page_size_);
  for (auto& [id, structure] : txn.open_) {
    if (structure->tree) QUIRE_CHECK(flusher.spill(txn.pages_, structure->tree->root()));
    if (structure->array) QUIRE_CHECK(flusher.spill(txn.pages_, structure->array->root()));
  }
  return {};
}

// --- check ---

Result<Writer::Census> Writer::census() {
  QUIRE_CHECK(health());
  // Memory first: a slot that is taken must find somebody to give it back.
  Census census{std::make_unique<Snapshot>(nullptr, Root{}, PageReader{}), {}, 0};
  QUIRE_TRY(ReaderSlot * slot, attachment_.free_slot());
  census.snapshot->hold(slot);
  Root root;
  {
    // The tip can't be waited for: there may always be a commit under way. It is live itself, so
    // nothing of it goes before the slot is seen.
    const std::scoped_lock lock(state_mutex_);
    root = tip_;
    slot->txn.store(root.txn);
    slot->since_ns.store(coarse_clock_ns(), std::memory_order_relaxed);
    census.page_count = free_map_->page_count();
    census.free = committed_free_locked(census.page_count);
    if (checkpoint_run_.pages != 0) census.free.push_back(checkpoint_run_);
    if (plan_run_.pages != 0) census.free.push_back(plan_run_);
  }
  QUIRE_TRY(root, flush_root(root));
  QUIRE_TRY(const PageReader reader, reader_for(root));
  census.snapshot->renew(root, reader);
  return census;
}

}  // namespace quire
