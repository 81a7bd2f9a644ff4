#include "engine/txn/writer.h"

#include <algorithm>
#include <cassert>

#include "engine/txn/flusher.h"

namespace quire {
namespace {

// Log payloads are cut into records of at most this size.
constexpr std::size_t kPartBytes = 4 << 20;
// Lists and payloads that were larger than this are not kept for the next transaction.
constexpr std::size_t kListKept = 1024;
constexpr std::size_t kPayloadKept = 64 << 10;
// About what a log record has beside its payload.
constexpr std::uint64_t kRecordOverhead = 48;
// Pages that wait for nothing but a checkpoint cost file size, and each checkpoint costs a write of
// every page that changed since the last one. So one is due when as many wait as are in use, less
// what readers pin: the file is then about twice its live size, whoever causes it. It is due no
// sooner than at this part of the pages in use,
constexpr std::uint64_t kWaitingPart = 8;
// and no sooner than at so many.
constexpr std::uint64_t kWaitingPagesMin = 256;
// Free space at the end of the file is given back to the system from this size on.
constexpr std::uint64_t kTrimBytes = 4 << 20;

}  // namespace

Writer::Writer(Files files, std::uint32_t page_size, const WriterOptions& options)
    : data_(files.data),
      attachment_(files.attachment),
      space_(files.space),
      page_size_(page_size),
      options_(options),
      pool_(page_size),
      relieve_from_(options.private_bytes / 2) {}

Writer::~Writer() = default;

void Writer::start(const Root& root, const wal::Position& position, std::span<const PageRun> free,
                   PageRun free_map_run, PageNumber file_pages, TxnNumber highest, bool in_doubt) {
  const std::scoped_lock lock(state_mutex_);
  const PageNumber first_new = in_doubt ? std::max(root.page_count, file_pages) : root.page_count;
  free_map_ = std::make_unique<FreeMap>(data_, page_size_, first_new, file_pages,
                                        FreeMap::Options{options_.quota_bytes});
  next_txn_ = std::max(root.txn, highest) + 1;
  if (in_doubt) {
    // They wait under the checkpoint, which stays in the live set until the next one; by then a new
    // root is published, and only snapshots that are really open keep them waiting.
    free_map_->load_in_doubt(free, next_txn_, root.txn);
    if (file_pages > root.page_count) {
      const PageRun beyond{root.page_count, file_pages - root.page_count};
      free_map_->load_in_doubt({&beyond, 1}, next_txn_, root.txn);
    }
  } else {
    free_map_->load(free);
  }
  tip_ = visible_ = root;
  tip_position_ = position;
  published_root_ = root;
  written_ = synced_ = position.lsn;
  checkpoint_run_ = free_map_run;
  checkpoint_.store(root.txn);
  published_.store(root.txn);
  ring_.publish(root);
}

void Writer::set_log_position(const wal::Position& position) {
  const std::scoped_lock lock(state_mutex_);
  tip_position_ = position;
  written_ = synced_ = position.lsn;
}

void Writer::set_log(std::unique_ptr<wal::LogWriter> log) {
  log_owner_ = std::move(log);
  log_.store(log_owner_.get(), std::memory_order_release);
}

// While the log's sync is under way, the pages that other processes will want are written, so that
// publication has little left to do. A lock that is taken means that somebody does it already.
void Writer::write_ahead(wal::Lsn target) {
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
  const auto flushed = flush_pages(root);
  const std::scoped_lock lock(state_mutex_);
  publishing_ = 0;
  // An error is met again, and reported, by publish().
  if (flushed) note_flushed_locked(*flushed);
}

// Writes the private pages of a state that is pinned; their frames go as they are written.
// publish_mutex_ is held.
Result<Root> Writer::flush_pages(const Root& root) {
  Flusher flusher(data_, frames_, space_, page_size_, [this](std::vector<Frame*>& written) {
    const std::scoped_lock lock(state_mutex_);
    retire_locked(written);
  });
  return flusher.flush(root);
}

// The private pages of `root` are in the file now, and it has its checksum.
void Writer::note_flushed_locked(const Root& root) {
  for (Pending& pending : pending_) {
    if (pending.root.txn == root.txn) pending.root = root;
  }
  if (visible_.txn == root.txn) {
    visible_ = root;
    ring_.publish(root);
  }
  if (tip_.txn == root.txn) tip_ = root;
}

wal::LogWriter::Hooks Writer::log_hooks() {
  wal::LogWriter::Hooks hooks;
  hooks.meanwhile = [this](wal::Lsn target) { write_ahead(target); };
  hooks.has_meanwhile = [this] { return attachment_.others(); };
  hooks.progress = [this](wal::Lsn written, wal::Lsn synced) {
    const std::scoped_lock lock(state_mutex_);
    written_ = std::max(written_, written);
    synced_ = std::max(synced_, synced);
    advance_locked();
  };
  return hooks;
}

// --- transactions ---

Result<std::unique_ptr<WriteTxn>> Writer::begin(bool wait_for_turn) {
  QUIRE_CHECK(health());
  if (wait_for_turn) {
    turn_.take();
  } else if (!turn_.try_take()) {
    return fail(ErrorCode::kBusy, "another write transaction of this process is open");
  }
  const auto start = [this]() -> Result<std::unique_ptr<WriteTxn>> {
    QUIRE_CHECK(health());
    const std::scoped_lock lock(state_mutex_);
    if (next_txn_ > kMaxTxn)
      return fail(ErrorCode::kTooLarge, "all 2^48 transaction numbers are used up");
    const PageNumber page_count = free_map_->page_count();
    QUIRE_TRY(PageMap * map, space_.ensure(page_count));
    const PageReader reader(map, &frames_, page_count);
    const TxnNumber number = next_txn_++;
    attachment_.head().highest_txn.store(number, std::memory_order_relaxed);
    std::unique_ptr<WriteTxn> txn(new WriteTxn(*this, tip_, reader, map, number));
    txn->pages_.borrow(std::move(lists_));
    txn->payload_ = std::move(payload_);
    active_ = txn.get();
    return txn;
  };
  try {
    auto txn = start();
    if (!txn) turn_.give_up();
    return txn;
  } catch (const std::bad_alloc&) {
    turn_.give_up();
    throw;
  }
}

void Writer::end_turn(WriteTxn& txn) noexcept {
  txn.ended_ = true;
  turn_.give_up();
}

void Writer::abort(WriteTxn& txn) noexcept {
  if (txn.ended_) return;
  {
    const std::scoped_lock lock(state_mutex_);
    txn.pages_.abort();
    active_ = nullptr;
    keep_lists_locked(txn);
  }
  if (txn.streamed_ != 0) log()->abandon();
  end_turn(txn);
}

Result<wal::Lsn> Writer::commit(WriteTxn& txn, Durability durability) {
  const auto try_commit = [&]() -> Result<wal::Lsn> {
    QUIRE_CHECK(txn.usable());
    QUIRE_CHECK(health());
    if (!txn.wrote_ && txn.streamed_ == 0) return tip().lsn;
    QUIRE_TRY(Root root, txn.prepare());
    if (txn.bulk_) return commit_bulk(txn, root);
    return commit_logged(txn, root, durability);
  };
  auto lsn = try_commit();
  if (!txn.ended_) abort(txn);
  return lsn;
}

// For the next transaction, unless this one has made them large.
void Writer::keep_lists_locked(WriteTxn& txn) noexcept {
  lists_ = txn.pages_.give_lists_back();
  if (lists_.allocated.capacity() > kListKept) lists_.allocated = {};
  if (lists_.loose.capacity() > kListKept) lists_.loose = {};
  if (txn.payload_.capacity() > kPayloadKept) return;
  txn.payload_.clear();
  payload_ = std::move(txn.payload_);
}

// Splits a payload into records; returns the LSN of the last.
Result<wal::Lsn> Writer::append_parts(Bytes payload, bool first, bool last) {
  wal::Lsn lsn = 0;
  do {
    const Bytes part = payload.first(std::min(payload.size(), kPartBytes));
    payload = payload.subspan(part.size());
    const LogKind kind = first ? LogKind::kFirstOperations : LogKind::kOperations;
    first = false;
    QUIRE_TRY(lsn,
              log()->append({&part, 1}, static_cast<std::uint8_t>(kind), last && payload.empty()));
  } while (!payload.empty());
  return lsn;
}

Result<wal::Lsn> Writer::commit_logged(WriteTxn& txn, Root root, Durability durability) try {
  wal::Position position = replay_position_;
  if (log() != nullptr) {
    QUIRE_TRY(root.lsn, append_parts(txn.payload_, txn.streamed_ == 0, true));
    position = log()->position();
  } else {
    root.lsn = position.lsn;
  }
  const std::uint64_t bytes = txn.payload_.size() + txn.streamed_ + kRecordOverhead;
  {
    const std::scoped_lock lock(state_mutex_);
    pending_.push_back({root, log() == nullptr ? Durability::kNone : durability, {}});
    pending_.back().dead = txn.pages_.commit();
    active_ = nullptr;
    keep_lists_locked(txn);
    tip_ = root;
    tip_position_ = position;
    if (durability == Durability::kBatch) batch_lsn_.store(root.lsn, std::memory_order_relaxed);
    advance_locked();
  }
  end_turn(txn);
  commits_.fetch_add(1, std::memory_order_relaxed);
  logged_total_.fetch_add(bytes, std::memory_order_relaxed);
  const std::uint64_t before = logged_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const bool due = before == 0 || before + bytes > options_.checkpoint_bytes ||
                   checkpoint_wanted() || memory_due() || (log() != nullptr && log()->spare_due());
  if (notify_ && due) notify_();
  QUIRE_CHECK(wait_for(root, durability));
  return root.lsn;
} catch (const std::bad_alloc&) {
  // The log may have the commit, and memory not.
  poison(Error(ErrorCode::kNoMemory, "out of memory in a commit"));
  QUIRE_CHECK(health());
  return 0;
}

// Waits until the commit is what it was asked to be, and seen by whom it must be seen.
Status Writer::wait_for(const Root& root, Durability durability) {
  if (log() == nullptr) return {};
  Status status;
  if (durability == Durability::kAlways) {
    status = log()->sync(root.lsn);
  } else if (durability != Durability::kNone) {
    status = log()->write(root.lsn);
  }
  // A commit that is not `always` may have to wait for one before it that is.
  if (status && attachment_.head().committed_txn.load(std::memory_order_acquire) < root.txn)
    status = log()->sync(root.lsn);
  if (!status) {
    poison(status.error());
    return status;
  }
  if (durability == Durability::kBatch && !options_.background) (void)sync_batch();
  // Without a background thread nobody else would do it, not even when a process attaches.
  if (!options_.background || (durability == Durability::kAlways && attachment_.others())) {
    if (published_.load() < root.txn) return publish();
  } else if (notify_ && (durability == Durability::kNone || durability == Durability::kBatch ||
                         attachment_.others())) {
    notify_();
  }
  return {};
}

Result<wal::Lsn> Writer::commit_bulk(WriteTxn& txn, Root root) {
  // All before it has to be visible: its checkpoint contains it. And the place where the log will
  // go on has to be on the device before a meta page names it; a marker may lie before it.
  if (log() != nullptr) {
    if (auto status = log()->sync(tip_position().lsn); !status) {
      poison(status.error());
      return std::unexpected(std::move(status).error());
    }
  }
  QUIRE_CHECK(bulk_commit_(txn, root));
  end_turn(txn);
  commits_.fetch_add(1, std::memory_order_relaxed);
  return root.lsn;
}

// --- visibility ---

bool Writer::satisfied(const Pending& pending) const noexcept {
  if (pending.bulk) return false;
  switch (pending.durability) {
    case Durability::kAlways:
      return synced_ >= pending.root.lsn;
    case Durability::kBatch:
    case Durability::kOs:
      return written_ >= pending.root.lsn;
    case Durability::kNone:
      return true;
  }
  return false;
}

// Lets commits become visible, in their order, that are as durable as they asked to be.
void Writer::advance_locked() {
  if (poison_ || pending_.empty() || !satisfied(pending_.front())) return;
  std::vector<FreeMap::Dead> dead;
  Root newest;
  while (!pending_.empty() && satisfied(pending_.front())) {
    Pending& front = pending_.front();
    newest = front.root;
    if (dead.empty()) {
      dead = std::move(front.dead);
    } else {
      dead.insert(dead.end(), front.dead.begin(), front.dead.end());
    }
    pending_.pop_front();
  }
  // The flip comes first, then the look at the readers: see Attachment.
  make_visible_locked(newest);
  live_locked(live_, own_);
  released_.clear();
  free_map_->bury(dead, live_, released_);
  release_locked(released_);
  release_retired_locked();
  note_waiting_locked();
  if (lists_.freed.capacity() == 0 && dead.capacity() <= kListKept) {
    dead.clear();
    lists_.freed = std::move(dead);
  }
}

void Writer::note_waiting_locked() {
  const TxnNumber durable = checkpoint_.load();
  const TxnNumber running = running_checkpoint_ != 0 ? running_checkpoint_ : durable;
  const auto [used, pinned, waiting] = free_map_->usage(durable, running);
  if (waiting <= kWaitingPagesMin) {
    checkpoint_overdue_.store(false, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t by_readers = pinned - waiting;
  std::uint64_t allowed = std::max(used / kWaitingPart, used - std::min(used, by_readers));
  if (options_.quota_bytes != 0) {
    // Before the pages that wait are more than the quota leaves.
    const std::uint64_t quota = options_.quota_bytes / page_size_;
    allowed = std::min(allowed, quota - std::min(quota, used + pinned));
  }
  if (waiting > allowed) checkpoint_wanted_.store(true, std::memory_order_relaxed);
  // Transactions then wait for the checkpoint before they begin.
  checkpoint_overdue_.store(waiting > 2 * allowed, std::memory_order_relaxed);
}

void Writer::note_full() {
  const std::scoped_lock lock(state_mutex_);
  const TxnNumber durable = checkpoint_.load();
  const TxnNumber running = running_checkpoint_ != 0 ? running_checkpoint_ : durable;
  if (free_map_->usage(durable, running).waiting == 0) return;
  checkpoint_wanted_.store(true, std::memory_order_relaxed);
  checkpoint_overdue_.store(true, std::memory_order_relaxed);
  if (notify_) notify_();
}

void Writer::make_visible_locked(const Root& root) {
  visible_ = root;
  ring_.publish(root);
  attachment_.head().committed_txn.store(root.txn, std::memory_order_seq_cst);
  // Waiters of this process look at the same word as those of others.
  if (!attachment_.others()) attachment_.wake_commit_waiters();
}

void Writer::live_locked(LiveSet& all, LiveSet& own) const {
  all.clear();
  own.clear();
  attachment_.collect(all, &own);
  all.push_back(visible_.txn);
  all.push_back(tip_.txn);
  all.push_back(published_.load());
  if (publishing_ != 0) all.push_back(publishing_);
  all.push_back(checkpoint_.load());
  if (running_checkpoint_ != 0) all.push_back(running_checkpoint_);
  for (const Pending& pending : pending_) all.push_back(pending.root.txn);
  if (active_ != nullptr) own.push_back(active_->base().txn);
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  std::ranges::sort(own);
}

// Nobody can see these pages any more: their frames go, then their numbers may be taken.
void Writer::release_locked(std::span<const PageRun> released) {
  dropped_.clear();
  for (const PageRun& run : released) {
    if (Frame* frame = frames_.erase(run.first)) dropped_.push_back(frame);
  }
  pool_.release(dropped_);
  free_map_->reuse(released);
}

void Writer::reclaim() {
  const std::scoped_lock lock(state_mutex_);
  reclaim_locked();
}

void Writer::reclaim_locked(bool quiet) {
  live_locked(live_, own_);
  if (quiet && active_ != nullptr)  // one of them: a reader may be at the same state
    own_.erase(std::ranges::find(own_, active_->base().txn));
  released_.clear();
  free_map_->sweep(live_, released_);
  release_locked(released_);
  release_retired_locked();
}

// Of own_, as it was just looked at.
void Writer::release_retired_locked() {
  std::erase_if(retired_, [this](const Retired& retired) {
    const auto reader = std::ranges::lower_bound(own_, retired.first);
    if (reader != own_.end() && *reader <= retired.last) return false;
    pool_.release(retired.frames);
    return true;
  });
}

// The pages are in the file: new readers find them there. Who may have found the frame before began
// at or after its birth and not after the newest state now.
void Writer::retire_locked(std::vector<Frame*>& written) {
  std::erase_if(written, [this](const Frame* frame) {
    return frame == nullptr || frames_.find(frame->page) != frame;
  });
  if (written.empty()) return;
  TxnNumber first = written.front()->birth;
  for (const Frame* frame : written) {
    first = std::min(first, frame->birth);
    frames_.erase(frame->page);
  }
  retired_.push_back({std::move(written), first, tip_.txn});
}

Root Writer::visible() const {
  const std::scoped_lock lock(state_mutex_);
  return visible_;
}
Root Writer::tip() const {
  const std::scoped_lock lock(state_mutex_);
  return tip_;
}
wal::Position Writer::tip_position() const {
  const std::scoped_lock lock(state_mutex_);
  return tip_position_;
}

Result<PageReader> Writer::reader_for(const Root& root) {
  QUIRE_TRY(const PageMap* map, space_.ensure(root.page_count));
  // A root with its checksum was flushed: all it reaches is in the file.
  const bool in_file = !root.catalog || root.catalog.checksum != 0;
  return PageReader(map, in_file ? nullptr : &frames_, root.page_count);
}

Result<std::unique_ptr<Snapshot>> Writer::begin_read() {
  // Memory first: a slot that is taken must find somebody to give it back.
  auto snapshot = std::make_unique<Snapshot>(nullptr, Root{}, PageReader{});
  QUIRE_TRY(ReaderSlot * slot, attachment_.free_slot());
  snapshot->hold(slot);
  QUIRE_CHECK(renew(*snapshot));
  return snapshot;
}

Status Writer::renew(Snapshot& snapshot) {
  RootRing::Reading reading = Attachment::register_at(*snapshot.slot(), ring_);
  // Another process may be the writer by now. Where this load came too early, the slot did not: who
  // takes over looks at the slots after the writer's lock was given up.
  if (stepped_down_.load())
    reading = Attachment::register_at(*snapshot.slot(), attachment_.head().published);
  const std::optional<Root> root = from_image(reading.image);
  if (!root)
    return fail(ErrorCode::kCorrupt, "the root of the newest commit was overwritten in memory");
  auto reader = reader_for(*root);
  // The slot stands at the new state, so the old one may go: an empty one takes its place.
  snapshot.renew(reader ? *root : Root{}, reader.value_or(PageReader{}));
  if (!reader) return std::unexpected(std::move(reader).error());
  return {};
}

// --- durability and publication ---

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
  const auto work = [&]() -> Result<Root> {
    // In the log's file before anybody else can see it.
    if (log() != nullptr) QUIRE_CHECK(log()->write(root.lsn));
    return flush_pages(root);
  };
  auto flushed = work();
  if (!flushed) {
    poison(flushed.error());
    const std::scoped_lock lock(state_mutex_);
    publishing_ = 0;
    return std::unexpected(std::move(flushed).error());
  }
  {
    const std::scoped_lock lock(state_mutex_);
    if (publishing_on_ && !poisoned_.load()) {
      attachment_.head().published.publish(*flushed);
      published_.store(root.txn);
      published_root_ = *flushed;
    }
    publishing_ = 0;
    note_flushed_locked(*flushed);
    reclaim_locked();
    // What readers keep in memory is not to be looked at again with each commit.
    relieve_from_.store(
        std::max(options_.private_bytes / 2, pool_.used_bytes() + options_.private_bytes / 8),
        std::memory_order_relaxed);
  }
  attachment_.wake_commit_waiters();
  return {};
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

CheckpointPlan Writer::plan_locked(const Root& root, PageRun free_map_run) {
  assert(running_checkpoint_ == 0);
  CheckpointPlan plan;
  plan.free_map_run = free_map_run;
  plan.page_count = free_map_->page_count();
  plan.free = committed_free_locked(plan.page_count);
  if (checkpoint_run_.pages != 0) plan.free.push_back(checkpoint_run_);
  plan.root = root;
  plan.position = tip_position_;
  plan.root.page_count = plan.page_count;
  logged_bytes_.store(0, std::memory_order_relaxed);
  running_checkpoint_ = root.txn;
  plan_run_ = free_map_run;
  return plan;
}

Result<CheckpointPlan> Writer::plan_checkpoint(bool trim) {
  CheckpointPlan plan;
  {
    const std::scoped_lock lock(state_mutex_);
    reclaim_locked();
    if (trim) free_map_->trim_end(static_cast<PageNumber>(kTrimBytes / page_size_));
    const std::size_t held = active_ != nullptr ? active_->pages_.held_count() : 0;
    QUIRE_TRY(const PageRun run, take_free_map_run(held));
    plan = plan_locked(tip_, run);
  }
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
  // Space for the free map comes first: it is the last thing that may fail without harm.
  QUIRE_TRY(const PageRun run, take_free_map_run(txn.pages_.freed_count()));
  std::vector<FreeMap::Dead> dead = txn.pages_.commit();
  active_ = nullptr;
  pending_.push_back({root, Durability::kAlways, std::move(dead), /*bulk=*/true});
  return plan_locked(root, run);
}

Result<Root> Writer::flush_root(const Root& root) {
  const std::scoped_lock publishing(publish_mutex_);
  auto flushed = flush_pages(root);
  if (!flushed) {
    // What the pages in the file hold is not known.
    poison(flushed.error());
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

void Writer::finish_checkpoint(const CheckpointPlan& plan) {
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
  free_map_->give_back(plan.free_map_run);
}

void Writer::finish_bulk(const Root& root) {
  const std::scoped_lock publishing(publish_mutex_);
  const std::scoped_lock lock(state_mutex_);
  assert(pending_.size() == 1 && pending_.front().root.txn == root.txn);
  std::vector<FreeMap::Dead> dead = std::move(pending_.front().dead);
  pending_.clear();
  tip_ = root;
  if (log() != nullptr) tip_position_ = log()->position();
  make_visible_locked(root);
  published_root_ = root;
  attachment_.head().published.publish(root);
  published_.store(root.txn);
  live_locked(live_, own_);
  released_.clear();
  free_map_->bury(dead, live_, released_);
  release_locked(released_);
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

// --- failure ---

void Writer::poison(const Error& error) {
  {
    const std::scoped_lock lock(state_mutex_);
    if (poison_) return;
    poison_ = error;
    poisoned_.store(true);
    if (published_root_.txn != 0) {
      // Not published to other processes: what they see already stays.
      visible_ = published_root_;
      ring_.publish(published_root_);
    }
  }
  if (notify_) notify_();
}

bool Writer::step_down() {
  if (!turn_.try_take()) return false;  // a transaction is open
  {
    const std::scoped_lock publishing(publish_mutex_);
    if (log() != nullptr) log()->stop();
    stepped_down_.store(true);
  }
  turn_.give_up();
  return true;
}

Status Writer::health() const {
  if (!poisoned_.load(std::memory_order_acquire)) [[likely]]
    return {};
  const std::scoped_lock lock(state_mutex_);
  return fail(
      ErrorCode::kPoisoned,
      "the database stopped writing after an error; close it and open it again to recover: %s",
      poison_->message().c_str());
}

// --- check ---

Result<Writer::Census> Writer::census() {
  QUIRE_CHECK(health());
  QUIRE_TRY(ReaderSlot * slot, attachment_.free_slot());
  Census census;
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
  census.snapshot = std::make_unique<Snapshot>(slot, root, PageReader{});
  QUIRE_TRY(root, flush_root(root));
  QUIRE_TRY(const PageReader reader, reader_for(root));
  census.snapshot->renew(root, reader);
  return census;
}

}  // namespace quire
