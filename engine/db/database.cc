#include "engine/db/database.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "wal/log_reader.h"

namespace quire {

Database::Database(io::Disk& disk, std::string path, DatabaseOptions options)
    : disk_(disk), path_(std::move(path)), options_(options) {
  while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
}

Database::~Database() {
  if (!closed_) crash();
}

Result<std::unique_ptr<Snapshot>> Database::begin_read() {
  if (writer_ != nullptr) return writer_->begin_read();
  if (attachment_ == nullptr) {
    QUIRE_TRY(const PageMap* map, space_->ensure(root_.page_count));
    return std::make_unique<Snapshot>(nullptr, root_, file_reader(map, root_));
  }
  // Memory first: a slot that is taken must find somebody to give it back.
  auto snapshot = std::make_unique<Snapshot>(nullptr, Root{}, PageReader{});
  QUIRE_TRY(ReaderSlot * slot, attachment_->free_slot());
  snapshot->hold(slot);
  QUIRE_CHECK(renew(*snapshot));
  return snapshot;
}

// Of a state that is in the file whole.
PageReader Database::file_reader(const PageMap* map, const Root& root) noexcept {
  PageReader reader(map, nullptr, root.page_count);
  reader.lend({.cache = &addresses_});
  return reader;
}

Status Database::renew(Snapshot& snapshot) {
  if (writer_ != nullptr) return writer_->renew(snapshot);
  if (attachment_ == nullptr) {
    QUIRE_TRY(const PageMap* map, space_->ensure(root_.page_count));
    snapshot.renew(root_, file_reader(map, root_));
    return {};
  }
  const RootRing::Reading reading =
      Attachment::register_at(*snapshot.slot(), attachment_->head().published);
  const std::optional<Root> root = from_image(reading.image);
  if (!root)
    return fail(ErrorCode::kCorrupt, "%s: the published root is damaged", lock_path().c_str());
  const auto map = space_->ensure(root->page_count);
  // The slot stands at the new state, so the old one may go: an empty one takes its place.
  snapshot.renew(map ? *root : Root{}, map ? file_reader(*map, *root) : PageReader{});
  if (!map) return std::unexpected(map.error());
  return {};
}

Result<std::unique_ptr<WriteTxn>> Database::begin_write(bool wait_for_turn) {
  if (writer_ == nullptr) return fail(ErrorCode::kReadOnly, "%s is open read-only", path_.c_str());
  if (auto healthy = writer_->health(); !healthy) {
    (void)step_down();
    return std::unexpected(std::move(healthy).error());
  }
  if (!writing_.load(std::memory_order_acquire)) QUIRE_CHECK(start_writing());
  // Who does not want to wait leaves it to the background thread, where there is one.
  if (wait_for_turn || !options_.writer.background) make_room();
  return writer_->begin(wait_for_turn ? Writer::Wait::kInOrder : Writer::Wait::kNo);
}

Result<std::unique_ptr<WriteTxn>> Database::begin_unlogged() {
  if (writer_ == nullptr) return fail(ErrorCode::kReadOnly, "%s is open read-only", path_.c_str());
  if (!writing_.load(std::memory_order_acquire)) QUIRE_CHECK(start_writing());
  QUIRE_TRY(auto txn, writer_->begin(Writer::Wait::kLast));
  txn->set_unlogged();
  return txn;
}

Status Database::sync() {
  if (writer_ == nullptr)
    return fail(ErrorCode::kReadOnly, "%s is open read-only: its writer syncs", path_.c_str());
  return writer_->sync(writer_->tip().lsn);
}

Status Database::wait_durable(wal::Lsn lsn) {
  if (writer_ == nullptr)
    return fail(ErrorCode::kReadOnly, "%s is open read-only: its writer syncs", path_.c_str());
  if (lsn > writer_->tip().lsn)
    return fail(ErrorCode::kInvalid, "LSN %llu is not given yet; the newest is %llu",
                static_cast<unsigned long long>(lsn),
                static_cast<unsigned long long>(writer_->tip().lsn));
  return writer_->sync(lsn);
}

Root Database::newest() {
  if (writer_ != nullptr && !writer_->stepped_down()) return writer_->visible();
  if (attachment_ == nullptr) return root_;
  return from_image(attachment_->head().published.read().image).value_or(Root{});
}

Result<TxnNumber> Database::wait_commit(TxnNumber txn, std::uint32_t timeout_ms) {
  if (attachment_ == nullptr) {
    if (root_.txn > txn) return root_.txn;
    return fail(ErrorCode::kTimeout, "%s can't change: this process keeps writers out",
                path_.c_str());
  }
  LockHeader& head = attachment_->head();
  const std::uint64_t until = coarse_clock_ns() / 1'000'000 + timeout_ms;
  for (;;) {
    const std::uint32_t before = head.commit_wake.load();
    head.commit_waiters.fetch_add(1);
    const TxnNumber newest_txn = newest().txn;
    const std::uint64_t now = coarse_clock_ns() / 1'000'000;
    const bool over = timeout_ms != UINT32_MAX && now >= until;
    if (newest_txn <= txn && !over) {
      const std::uint64_t left = timeout_ms == UINT32_MAX ? UINT32_MAX : until - now;
      futex_wait(head.commit_wake, before, static_cast<std::uint32_t>(left));
    }
    head.commit_waiters.fetch_sub(1);
    if (newest_txn > txn) return newest_txn;
    if (over)
      return fail(ErrorCode::kTimeout, "no commit after transaction %llu came within %u ms",
                  static_cast<unsigned long long>(txn), timeout_ms);
  }
}

Result<DatabaseStat> Database::stat() {
  DatabaseStat stat;
  stat.page_size = page_size_;
  stat.id = id_;
  stat.newest = newest();
  QUIRE_TRY(stat.file_bytes, data_->size());
  QUIRE_TRY(const auto segments, wal::list_segments(disk_, log_directory()));
  stat.log_files = segments.size();
  stat.quota_bytes = options_.writer.quota_bytes;
  stat.checkpoints = checkpoints_.load();
  stat.pages_total = stat.newest.page_count;
  if (attachment_ != nullptr) {
    const LockHeader& head = attachment_->head();
    stat.published_txn = head.published.read().image.txn;
    // A dead writer's stays there until the next one comes.
    bool writer_alive = writer_ != nullptr;
    if (!writer_alive) {
      QUIRE_TRY(writer_alive, locks_->locked_elsewhere(lock_range::kWriter, 1));
    }
    if (writer_alive) stat.writer_pid = head.writer_pid.load();
    for (const ReaderInfo& reader : attachment_->readers()) {
      ++stat.readers;
      if (!stat.oldest || reader.txn < stat.oldest->txn) stat.oldest = reader;
    }
  }
  if (writer_ == nullptr) {
    // What the newest checkpoint says; only the writer knows more.
    QUIRE_TRY(const Metas metas, read_metas(*data_));
    stat.checkpoint_txn = metas.newest.root.txn;
    stat.checkpoint_lsn = metas.newest.position.lsn;
    if (stat.writer_pid != 0) {
      ask_for_figures(stat);
      return stat;
    }
    stat.durable_lsn = stat.newest.lsn;
    const auto free = read_free_map(*data_, metas.newest);
    if (free) {  // damage is for check() to tell
      for (const PageRun& run : *free) stat.pages_free += run.pages;
    }
    return stat;
  }
  stat.checkpoint_txn = writer_->checkpoint_txn();
  stat.checkpoint_lsn = checkpoint_lsn_.load();
  stat.private_bytes = writer_->private_bytes();
  stat.commits = writer_->commits();
  stat.pages_free = writer_->free_map().free_pages();
  stat.pages_pinned = writer_->free_map().pinned_pages();
  stat.pages_total = writer_->free_map().page_count();
  stat.log_bytes = writer_->logged_bytes();
  if (stat.oldest)
    stat.oldest_pinned_bytes = writer_->free_map().pinned_at(stat.oldest->txn) * page_size_;
  if (wal::LogWriter* log = writer_->log()) {
    stat.durable_lsn = log->synced();
    stat.syncs = log->syncs();
  }
  return stat;
}

// What only the writer's process knows. Without its background thread it says nothing new.
void Database::ask_for_figures(DatabaseStat& stat) {
  constexpr int kPatienceMs = 100;
  LockHeader& head = attachment_->head();
  head.want_figures.store(1);
  attachment_->wake_writer();
  for (int i = 0; i < kPatienceMs && head.want_figures.load() != 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  stat.durable_lsn = head.durable_lsn.load();
  stat.log_bytes = head.log_bytes.load();
  stat.private_bytes = head.private_bytes.load();
  stat.pages_pinned = head.pages_pinned.load();
  stat.pages_free = head.pages_free.load();
  if (stat.oldest) stat.oldest_pinned_bytes = head.oldest_pinned_bytes.load();
  stat.quota_bytes = head.quota_bytes.load();
  stat.commits = head.commits.load();
  stat.syncs = head.syncs.load();
  stat.checkpoints = head.checkpoints.load();
}

void Database::tell_figures() {
  LockHeader& head = attachment_->head();
  const wal::LogWriter* log = writer_->log();
  head.durable_lsn.store(log != nullptr ? log->synced() : writer_->visible().lsn);
  head.log_bytes.store(writer_->logged_bytes());
  head.private_bytes.store(writer_->private_bytes());
  head.pages_pinned.store(writer_->free_map().pinned_pages());
  head.pages_free.store(writer_->free_map().free_pages());
  TxnNumber oldest = kMaxTxn;
  for (const ReaderInfo& reader : attachment_->readers()) oldest = std::min(oldest, reader.txn);
  head.oldest_pinned_bytes.store(
      oldest == kMaxTxn ? 0 : writer_->free_map().pinned_at(oldest) * page_size_);
  head.quota_bytes.store(options_.writer.quota_bytes);
  head.commits.store(writer_->commits());
  head.syncs.store(log != nullptr ? log->syncs() : 0);
  head.checkpoints.store(checkpoints_.load());
  head.want_figures.store(0);
}

Status Database::close() {
  closed_ = true;
  stop_threads();
  auto status = catch_out_of_memory([this]() -> Status {
    if (writer_ == nullptr || writer_->log() == nullptr) return {};
    QUIRE_CHECK(checkpoint_now(true));
    QUIRE_CHECK(writer_->log()->finish_empty());
    return remove_old_segments();
  });
  crash();  // whatever it says, nothing stays open
  return status;
}

void Database::crash() noexcept {
  closed_ = true;
  stop_threads();
  if (attachment_ != nullptr && writer_lock_held_.load()) attachment_->head().writer_pid.store(0);
  maintenance_.reset();
  writer_.reset();
  attachment_.reset();
  space_.reset();
  data_.reset();
  locks_.reset();
}

void Database::abandon_in_child() noexcept {
  // The threads do not exist here; their handles must not be joined.
  if (maintenance_ != nullptr) maintenance_->abandon();
  if (background_.joinable()) background_.detach();
  if (attachment_ != nullptr) attachment_->abandon();
  if (data_ != nullptr) data_->close_in_child();
  if (locks_ != nullptr) locks_->close_in_child();
}

}  // namespace quire
