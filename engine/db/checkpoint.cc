// Checkpoints: on demand, by the background thread, at close, and as the commit of a bulk
// transaction.
#include <algorithm>

#include "engine/base/checksum.h"
#include "engine/base/sync_point.h"
#include "engine/db/database.h"
#include "engine/txn/operation.h"

namespace quire {
namespace {

// Space behind the last page that is kept for growth.
constexpr std::uint64_t kSlackBytes = 2 << 20;

}  // namespace

Status Database::checkpoint() {
  if (writer_ == nullptr)
    return fail(ErrorCode::kReadOnly, "%s is open read-only: its writer makes checkpoints",
                path_.c_str());
  QUIRE_CHECK(writer_->health());
  if (!writing_.load()) return {};  // nothing was changed since it was closed in order
  return checkpoint_now(false);
}

// Before a transaction begins: a checkpoint in this thread, where there is no other for it, or
// where the file would grow for want of one. When it can't be made the transaction goes on: it will
// find out for itself what is wrong.
void Database::make_room() {
  const bool alone = !options_.writer.background;
  if (alone && attachment_->others()) look_around();
  const auto due = [&] {
    if (writer_->checkpoint_overdue()) return true;
    if (!alone) return false;
    const std::uint64_t logged = writer_->logged_bytes();
    if (logged == 0) last_checkpoint_ms_.store(now_ms());
    const bool long_ago = now_ms() >= last_checkpoint_ms_.load() + options_.writer.checkpoint_ms;
    return writer_->checkpoint_wanted() || logged > options_.writer.checkpoint_bytes ||
           (logged != 0 && long_ago);
  };
  if (!due()) return;
  const std::uint64_t before = checkpoints_.load();
  {
    const std::scoped_lock running(checkpoint_mutex_);
  }  // one that is running may be enough
  if (checkpoints_.load() == before || due()) (void)checkpoint_now(false);
}

Status Database::checkpoint_now(bool clean) {
  const std::scoped_lock lock(checkpoint_mutex_);
  QUIRE_CHECK(writer_->health());
  last_checkpoint_ms_.store(now_ms());
  QUIRE_TRY(CheckpointPlan plan,
            catch_out_of_memory([&] { return writer_->plan_checkpoint(true); }));
  if (auto flushed = catch_out_of_memory([&] { return flush_plan(plan); }); !flushed) {
    // Where only memory ended, so does this checkpoint alone: no page that is in use was written.
    writer_->cancel_checkpoint(plan);
    return flushed;
  }
  auto written = catch_out_of_memory([&] { return write_checkpoint(plan, clean); });
  if (!written) {
    // Pages or the meta page may have been written in part: what the device has is not known.
    writer_->poison(written.error());
    return written;
  }
  return catch_out_of_memory([&] { return tidy_up(plan, clean); });
}

// What the checkpoint made superfluous. A failure leaves more than needed, nothing else.
Status Database::tidy_up(const CheckpointPlan& plan, bool clean) {
  sync_point::reach("checkpoint: made");
  // After a large transaction; what transactions usually need is kept.
  writer_->pool().trim(options_.writer.private_bytes / 4);
  const std::uint64_t slack = clean ? 0 : kSlackBytes;
  QUIRE_CHECK(writer_->free_map().cut_file(static_cast<PageNumber>(slack / page_size_)));
  if (clean || writer_->log() == nullptr) return {};
  QUIRE_CHECK(writer_->log()->release_before(plan.position));
  return remove_old_segments();
}

// What a checkpoint writes before anything depends on it, and what its free map will say.
Status Database::flush_plan(CheckpointPlan& plan) {
  plan.free = merge_runs(std::move(plan.free));
  return writer_->flush(plan);
}

// The order is the whole point: pages (flush_plan) and free map, sync, meta page, sync; only then
// may anything that the state before needs be overwritten, removed or cut off.
Status Database::write_checkpoint(CheckpointPlan& plan, bool clean) {
  const std::vector<PageRun>& free = plan.free;
  sync_point::reach("checkpoint: pages written");
  const Bytes bytes = std::as_bytes(std::span(free));
  if (bytes.size() > std::uint64_t{plan.free_map_run.pages} * page_size_)
    return fail(ErrorCode::kTooLarge, "%s: the free map has %zu runs, more than its %u pages hold",
                data_path().c_str(), free.size(), plan.free_map_run.pages);
  QUIRE_CHECK(data_->write(std::uint64_t{plan.free_map_run.first} * page_size_, bytes));
  QUIRE_CHECK(data_->sync());
  sync_point::reach("checkpoint: pages synced");

  Meta next = meta_;
  next.sequence = meta_.sequence + 1;
  next.root = plan.root;
  next.position = plan.position;
  next.free_map_run = plan.free_map_run;
  next.free_map_runs = free.size();
  next.free_map_checksum = checksum64(bytes);
  next.page_count = plan.page_count;
  next.clean = clean;
  next.archive = options_.writer.archive;
  if (clean) {
    next.position.segment = 0;
    next.position.offset = 0;
  }
  QUIRE_CHECK(writer_->health());
  QUIRE_CHECK(write_meta(*data_, next));
  sync_point::reach("checkpoint: meta written");
  QUIRE_CHECK(data_->sync());
  sync_point::reach("checkpoint: meta synced");

  meta_ = next;
  checkpoint_lsn_.store(next.position.lsn);
  checkpoints_.fetch_add(1);
  writer_->finish_checkpoint(plan);
  return {};
}

// A transaction whose changes are too many for the log: its data is written once, by a checkpoint
// that is its commit. The turn is held throughout, so no commit can be logged before the meta page
// is synced; the log gets a marker, for who reads it as an archive.
Status Database::checkpoint_bulk(WriteTxn& txn, Root& root) {
  const std::scoped_lock lock(checkpoint_mutex_);
  QUIRE_TRY(CheckpointPlan plan, writer_->plan_bulk(txn, root));
  const auto finish = [&]() -> Status {
    QUIRE_CHECK(flush_plan(plan));
    QUIRE_CHECK(write_checkpoint(plan, false));
    root = plan.root;
    if (writer_->log() != nullptr) {
      std::byte number[8];
      store_le<std::uint64_t>(number, root.txn);
      const Bytes payload(number, sizeof number);
      // The commit stands already: a device with no room for the marker does not undo it.
      (void)writer_->log()->append({&payload, 1}, static_cast<std::uint8_t>(LogKind::kBulkMarker),
                                   true);
    }
    writer_->finish_bulk(root);
    return {};
  };
  auto done = catch_out_of_memory(finish);
  if (!done) {
    writer_->poison(done.error());
    return done;
  }
  // The commit stands, whatever becomes of old segments.
  (void)catch_out_of_memory([&] { return tidy_up(plan, false); });
  return {};
}

// After an error: once nothing of this process is under way, another may take over. It recovers
// from what is on the device, and takes no page that this process's snapshots still use. True when
// the writer's place is given up.
bool Database::step_down() {
  const std::unique_lock checkpoint(checkpoint_mutex_, std::try_to_lock);
  if (!checkpoint.owns_lock() || !writer_->step_down()) return false;
  sync_point::reach("step down: stopped");
  if (writer_lock_held_.exchange(false)) {
    attachment_->head().writer_pid.store(0);
    (void)locks_->unlock(lock_range::kWriter, 1);
  }
  return true;
}

}  // namespace quire
