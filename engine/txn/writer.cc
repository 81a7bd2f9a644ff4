// The turn, commits in their order, their visibility, failure. What reaches the file:
// writer_pages.cc.
#include "engine/txn/writer.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "engine/base/sync_point.h"

namespace quire {
namespace {

// Log payloads are cut into records of at most this size.
constexpr std::size_t kPartBytes = 4 << 20;
// Lists and payloads that were larger than this are not kept for the next transaction.
constexpr std::size_t kListKept = 1024;
constexpr std::size_t kPayloadKept = 64 << 10;
// How long maintenance lets others go first.
constexpr std::chrono::milliseconds kPatience{5};
// About what a log record has beside its payload.
constexpr std::uint64_t kRecordOverhead = 48;
// Pages that wait for nothing but a checkpoint cost file size, and each checkpoint costs a write of
// every page that changed since the last one. So one is due when as many wait as are in use, less
// what readers pin: the file is then about twice its live size, whoever causes it. It is due no
// sooner than at this part of the pages in use,
constexpr std::uint64_t kWaitingPart = 8;
// and no sooner than at so many.
constexpr std::uint64_t kWaitingPagesMin = 256;

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

Result<std::unique_ptr<WriteTxn>> Writer::begin(Wait wait) {
  QUIRE_CHECK(health());
  if (wait == Wait::kInOrder) {
    turn_.take();
  } else if (wait == Wait::kLast) {
    turn_.take_last(kPatience);
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
    make_room_for_pending_locked();
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

// Nobody else adds to pending_ before the transaction that begins now does.
void Writer::make_room_for_pending_locked() {
  if (pending_.size() < pending_.capacity()) [[likely]]
    return;
  pending_.reserve(std::max<std::size_t>(8, 2 * pending_.size()));
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
    if (log() != nullptr) {
      // What it has logged already has no end and belongs to nothing: a checkpoint lies behind it.
      log()->abandon();
      tip_position_ = log()->position();
    }
  }
  end_turn(txn);
}

Result<wal::Lsn> Writer::commit(WriteTxn& txn, Durability durability) {
  const bool deferring = !txn.deferred_.empty() && !txn.replaying() && !txn.unlogged_;
  auto lsn = catch_out_of_memory([&]() -> Result<wal::Lsn> {
    QUIRE_CHECK(txn.usable());
    QUIRE_CHECK(health());
    if (deferring && deferral_.before_commit) QUIRE_CHECK(deferral_.before_commit(txn));
    return commit_as_asked(txn, durability);
  });
  if (!txn.ended_) abort(txn);
  if (lsn && deferring && deferral_.after_commit) deferral_.after_commit(txn.deferred_);
  return lsn;
}

// Of the last log record of the state that the transaction is about to become. Nobody else appends
// before it does.
wal::Lsn Writer::lsn_behind(const WriteTxn& txn) const {
  if (txn.unlogged_ || txn.bulk_) return txn.base().lsn;
  if (log() == nullptr) return replay_position_.lsn;
  return log()->position().lsn +
         std::max<std::size_t>(1, (txn.payload_.size() + kPartBytes - 1) / kPartBytes);
}

Result<wal::Lsn> Writer::commit_as_asked(WriteTxn& txn, Durability durability) {
  if (!txn.wrote_ && !txn.unlogged_ && txn.streamed_ == 0) return tip().lsn;
  QUIRE_TRY(Root root, txn.prepare(lsn_behind(txn)));
  if (txn.unlogged_) return txn.wrote_ ? commit_unlogged(txn, root) : tip().lsn;
  if (txn.bulk_) return commit_bulk(txn, root);
  return commit_logged(txn, root, durability);
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

Result<wal::Lsn> Writer::commit_logged(WriteTxn& txn, Root root, Durability durability) {
  wal::Position position = replay_position_;
  if (log() != nullptr) {
    QUIRE_TRY([[maybe_unused]] const wal::Lsn lsn,
              append_parts(txn.payload_, txn.streamed_ == 0, true));
    assert(lsn == root.lsn);
    position = log()->position();
    sync_point::reach("commit: appended");
  } else {
    durability = Durability::kNone;
  }
  install(txn, root, position, durability);
  commits_.fetch_add(1, std::memory_order_relaxed);
  QUIRE_CHECK(wait_for(root, durability));
  return root.lsn;
}

// The log does not know of it: recovery finds what it changed as it was at the checkpoint, and what
// is logged does not depend on it. It becomes visible with the commit before it, and nobody is
// promised more.
Result<wal::Lsn> Writer::commit_unlogged(WriteTxn& txn, const Root& root) {
  install(txn, root, tip_position(), Durability::kNone);
  // Where it fails, the next one that is published has it.
  if (!options_.background) (void)publish();
  if (notify_ && attachment_.others()) notify_();
  return root.lsn;
}

// The log has the commit: from here on there is no way back.
void Writer::install(WriteTxn& txn, const Root& root, const wal::Position& position,
                     Durability durability) noexcept {
  const std::uint64_t bytes = txn.payload_.size() + txn.streamed_ + kRecordOverhead;
  {
    const std::scoped_lock lock(state_mutex_);
    assert(pending_.size() < pending_.capacity());
    pending_.push_back({root, durability, txn.pages_.commit()});
    active_ = nullptr;
    keep_lists_locked(txn);
    tip_ = root;
    tip_position_ = position;
    if (durability == Durability::kBatch) batch_lsn_.store(root.lsn, std::memory_order_relaxed);
    advance_locked();
  }
  end_turn(txn);
  sync_point::reach("commit: turn given up");
  logged_total_.fetch_add(bytes, std::memory_order_relaxed);
  const std::uint64_t before = logged_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  const bool due = before == 0 || before + bytes > options_.checkpoint_bytes ||
                   checkpoint_wanted() || memory_due() || (log() != nullptr && log()->spare_due());
  if (notify_ && due) notify_();
}

void Writer::note_acknowledged(TxnNumber txn) noexcept {
  std::atomic<TxnNumber>& newest = attachment_.head().acknowledged_txn;
  for (TxnNumber known = newest.load(); known < txn;) {
    if (newest.compare_exchange_weak(known, txn)) return;
  }
}

// Waits until the commit is what it was asked to be, and seen by whom it must be seen.
Status Writer::wait_for(const Root& root, Durability durability) noexcept {
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
  if (durability == Durability::kAlways && !attachment_.others()) note_acknowledged(root.txn);
  // Without a background thread nobody else would do it, not even when a process attaches.
  if (!options_.background || (durability == Durability::kAlways && attachment_.others())) {
    if (published_.load() >= root.txn) return {};
    auto published = publish();
    if (!published) poison(published.error());  // acknowledged commits are seen by all
    return published;
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
  // The marker, too: should the meta page be lost, the log must not look as if it ended before. The
  // commit stands without it.
  if (log() != nullptr) {
    if (auto status = log()->sync(log()->position().lsn); !status) poison(status.error());
  }
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
void Writer::advance_locked() noexcept {
  if (poison_ || pending_.empty() || !satisfied(pending_.front())) return;
  std::size_t settled = 1;
  while (settled < pending_.size() && satisfied(pending_[settled])) ++settled;
  // The flip comes first, then the look at the readers: see Attachment.
  make_visible_locked(pending_[settled - 1].root);
  sync_point::reach("commit: visible");
  bury_settled_locked(settled);
  note_waiting_locked();
}

// What the first `settled` commits freed goes where it can be used again as soon as nobody sees it.
void Writer::bury_settled_locked(std::size_t settled) noexcept {
  const bool seen = see_readers_locked(settled);
  released_.clear();
  for (std::size_t i = 0; i < settled; ++i) {
    const std::vector<FreeMap::Dead>& dead = pending_[i].dead;
    if (!seen) {
      free_map_->bury_unseen(dead);
    } else if (i + 1 < settled) {
      free_map_->bury_only(dead, live_, released_);
    } else {
      free_map_->bury(dead, live_, released_);
    }
  }
  release_locked(released_);
  if (seen) release_retired_locked();
  std::vector<FreeMap::Dead>& dead = pending_.front().dead;
  if (lists_.freed.capacity() == 0 && dead.capacity() <= kListKept) {
    dead.clear();
    lists_.freed = std::move(dead);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(settled));
}

void Writer::note_waiting_locked() noexcept {
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

void Writer::make_visible_locked(const Root& root) noexcept {
  visible_ = root;
  ring_.publish(root);
  attachment_.head().committed_txn.store(root.txn, std::memory_order_seq_cst);
  // Waiters of this process look at the same word as those of others.
  if (!attachment_.others()) attachment_.wake_commit_waiters();
}

bool Writer::see_readers_locked(std::size_t settled) noexcept try {
  LiveSet& all = live_;
  LiveSet& own = own_;
  all.clear();
  own.clear();
  attachment_.collect(all, &own);
  all.push_back(visible_.txn);
  all.push_back(tip_.txn);
  all.push_back(published_.load());
  if (publishing_ != 0) all.push_back(publishing_);
  all.push_back(checkpoint_.load());
  if (running_checkpoint_ != 0) all.push_back(running_checkpoint_);
  for (const Pending& pending : std::span(pending_).subspan(settled))
    all.push_back(pending.root.txn);
  if (active_ != nullptr) own.push_back(active_->base().txn);
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  std::ranges::sort(own);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

// Nobody can see these pages any more: their frames go, then their numbers may be taken.
void Writer::release_locked(std::span<const PageRun> released) noexcept {
  std::array<Frame*, 64> dropped;
  std::size_t count = 0;
  for (const PageRun& run : released) {
    if (Frame* frame = frames_.erase(run.first)) dropped[count++] = frame;
    if (count < dropped.size()) continue;
    pool_.release(dropped);
    count = 0;
  }
  pool_.release(std::span(dropped).first(count));
  free_map_->reuse(released);
}

void Writer::reclaim() noexcept {
  const std::scoped_lock lock(state_mutex_);
  reclaim_locked();
}

void Writer::reclaim_locked(bool quiet) noexcept {
  if (!see_readers_locked()) return;
  if (quiet && active_ != nullptr)  // one of them: a reader may be at the same state
    own_.erase(std::ranges::find(own_, active_->base().txn));
  released_.clear();
  free_map_->sweep(live_, released_);
  release_locked(released_);
  release_retired_locked();
}

// Of own_, as it was just looked at.
void Writer::release_retired_locked() noexcept {
  std::erase_if(retired_, [this](const Retired& retired) {
    const auto reader = std::ranges::lower_bound(own_, retired.first);
    if (reader != own_.end() && *reader <= retired.last) return false;
    pool_.release(retired.frames);
    return true;
  });
}

// The pages are in the file: new readers find them there. Who may have found the frame before began
// at or after its birth and not after the newest state now. Where there is no memory to note that,
// the frames stay in the table until their pages are dead: they say the same as the file.
void Writer::retire_locked(std::vector<Frame*>& written) noexcept try {
  std::erase_if(written, [this](const Frame* frame) {
    return frame == nullptr || frames_.find(frame->page) != frame;
  });
  if (written.empty()) return;
  if (retired_.size() == retired_.capacity())
    retired_.reserve(std::max<std::size_t>(8, 2 * retired_.size()));
  TxnNumber first = written.front()->birth;
  for (const Frame* frame : written) {
    first = std::min(first, frame->birth);
    frames_.erase(frame->page);
  }
  // Before it is told to whom they may still matter: see AddressCache.
  retired_generation_.fetch_add(1);
  retired_.push_back({std::move(written), first, tip_.txn});
} catch (const std::bad_alloc&) {
  return;
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
  PageReader reader(map, in_file ? nullptr : &frames_, root.page_count);
  // The caller has registered its slot, or holds the state otherwise.
  reader.lend({addresses_, retired_generation_.load()});
  return reader;
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

// --- failure ---

void Writer::poison(const Error& error) noexcept {
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
  sync_point::reach("step down: turn taken");
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

}  // namespace quire
