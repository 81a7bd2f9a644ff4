// The writer's side of a database: the turn, the order of commits, their visibility, publication to
// other processes, and the reuse of pages. One for each database that is open read-write.
//
// The states a commit goes through:
//
//   tip        appended to the log; the next transaction builds on it. Nobody reads it.
//   visible    as durable as it asked to be: snapshots of this process begin here.
//   published  its pages are in the file and its root in the shared head: all processes.
//   checkpoint its pages are synced and its root is in a meta page.
//
// Each state's newest commit is at or before the one's above it. A crash leaves what the log has,
// from the checkpoint on.
//
// Where memory ends: what a step will need at its end is there before it begins, so from the moment
// that the log has a commit until it is visible nothing asks for memory, and neither does what
// undoes a transaction. Before that moment the transaction fails and is undone. What only makes
// room (pages and frames that nobody needs any more) is put off.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/page/free_map.h"
#include "engine/page/page_space.h"
#include "engine/txn/attachment.h"
#include "engine/txn/root.h"
#include "engine/txn/snapshot.h"
#include "engine/txn/turn.h"
#include "engine/txn/write_txn.h"
#include "wal/log_writer.h"

namespace quire {

enum class Durability : std::uint8_t { kAlways = 1, kBatch = 2, kOs = 3, kNone = 4 };

struct WriterOptions {
  Durability durability = Durability::kAlways;
  std::uint32_t publish_ms = 1;
  std::uint32_t batch_ms = 50;
  std::uint64_t batch_bytes = 4 << 20;
  std::uint64_t checkpoint_bytes = 64 << 20;
  std::uint32_t checkpoint_ms = 60'000;
  std::uint64_t log_budget_bytes = 64 << 20;
  std::uint64_t private_bytes = 256 << 20;
  std::uint64_t quota_bytes = 0;
  bool archive = false;
  bool background = true;
  std::uint32_t build_threads = 1;  // that work out what is built, the caller's among them
};

// What a checkpoint writes down: a committed state and the free pages in it.
struct CheckpointPlan {
  Root root;                  // its catalog pointer gets its checksum by flush()
  wal::Position position;     // of the log, just behind the root
  std::vector<PageRun> free;  // in that state; without `free_map_run`
  PageRun free_map_run;       // where the free map is to be written
  PageNumber page_count = 0;
};

// Thread-safe. Lock order: publish_mutex_, then state_mutex_; the log's and the free map's own
// locks come last. A transaction's turn is outside all of them.
class Writer {
 public:
  struct Files {
    io::File& data;
    Attachment& attachment;
    PageSpace& space;
  };
  Writer(Files files, std::uint32_t page_size, const WriterOptions& options);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Lent to all snapshots from here on, and outlives them. Before the first.
  void share_addresses(AddressCache* cache) noexcept { addresses_ = cache; }

  const WriterOptions& options() const noexcept { return options_; }

  // --- opening (before any transaction; one thread) ---
  // The state to begin at, with its free pages. In doubt: a dead writer's readers may still see
  // free pages. Transactions get numbers above `highest`.
  void start(const Root& root, const wal::Position& position, std::span<const PageRun> free,
             PageRun free_map_run, PageNumber file_pages, TxnNumber highest, bool in_doubt);
  // The log to append to from now on; without one, commits are not logged (replay).
  void set_log(std::unique_ptr<wal::LogWriter> log);
  wal::LogWriter* log() const noexcept { return log_.load(std::memory_order_acquire); }
  // Where the log's next record goes when nothing is logged yet.
  void set_log_position(const wal::Position& position);
  // While there is no log, the next commit is the one that ended here.
  void set_replay_position(const wal::Position& position) { replay_position_ = position; }
  // While false (recovery), private pages may be written but no root is shown to other processes.
  void set_publishing(bool publishing) noexcept { publishing_on_ = publishing; }
  // Hooks for LogWriter::start.
  wal::LogWriter::Hooks log_hooks();

  // --- transactions ---
  // Whether who begins waits for the turn: kBusy where it is taken; in order of coming; behind who
  // comes within some milliseconds (maintenance).
  enum class Wait : std::uint8_t { kNo, kInOrder, kLast };
  Result<std::unique_ptr<WriteTxn>> begin(Wait wait);
  // Ends the transaction whatever it returns. The LSN is of its last log record, or of the one
  // before it if it logged nothing.
  Result<wal::Lsn> commit(WriteTxn& txn, Durability durability);
  void abort(WriteTxn& txn) noexcept;
  // Carries out a commit by checkpoint (engine/db): called with the turn held and everything before
  // visible.
  using BulkCommit = std::function<Status(WriteTxn& txn, Root& root)>;
  void set_bulk_commit(BulkCommit bulk_commit) { bulk_commit_ = std::move(bulk_commit); }

  // What is done for collections whose indexes put work off, where a transaction has changed some:
  // with the turn, before its commit, which fails with it; and when it is committed. Not in a
  // replay.
  struct Deferral {
    std::function<Status(WriteTxn& txn)> before_commit;
    std::function<void(std::span<const StructureId> collections)> after_commit;
  };
  void set_deferral(Deferral deferral) { deferral_ = std::move(deferral); }

  Result<std::unique_ptr<Snapshot>> begin_read();
  Status renew(Snapshot& snapshot);
  Root visible() const;
  Root tip() const;

  // --- durability and publication ---
  Status sync(wal::Lsn lsn);
  // Makes the newest visible commit (at least) visible to all processes. kNoMemory: not yet, and
  // may be tried again; any other failure poisons.
  Status publish();
  TxnNumber published_txn() const noexcept { return published_.load(); }

  // --- checkpoint (engine/db), one at a time ---
  // Chooses the tip, pins it, and takes space for the free map. With `trim`, free pages at the
  // file's end are left out of it.
  Result<CheckpointPlan> plan_checkpoint(bool trim);
  // The same for a bulk transaction that holds the turn: its changes are the tip from here on.
  Result<CheckpointPlan> plan_bulk(WriteTxn& txn, const Root& root);
  // Writes the private pages of the plan's root; sets its checksum. kNoMemory as in publish().
  Status flush(CheckpointPlan& plan);
  // The meta page is on the device: the plan's state is the checkpoint.
  void finish_checkpoint(const CheckpointPlan& plan) noexcept;
  void cancel_checkpoint(const CheckpointPlan& plan) noexcept;
  // A bulk commit has become durable: visible and published.
  void finish_bulk(const Root& root) noexcept;

  // --- reuse ---
  // Looks for snapshots that have gone; cheap. Also done with every commit.
  void reclaim() noexcept;
  // A transaction found no room: a checkpoint is made before the next, if pages wait for one.
  void note_full();
  // Frees memory while `txn` is in the middle of its work and over the budget.
  Status relieve(WriteTxn& txn);

  // --- failure ---
  // First error wins: nothing is written any more; snapshots begin at the last published root.
  void poison(const Error& error) noexcept;
  Status health() const;
  // After poison: makes sure that nothing is written any more, and lets snapshots begin where the
  // next writer's readers do. False while a transaction is open. No checkpoint may run (engine/db).
  bool step_down();
  bool stepped_down() const noexcept { return stepped_down_.load(); }

  // --- figures ---
  std::uint64_t private_bytes() const noexcept { return pool_.used_bytes(); }
  FreeMap& free_map() noexcept { return *free_map_; }
  FramePool& pool() noexcept { return pool_; }
  const FrameTable& frames() const noexcept { return frames_; }
  TxnNumber checkpoint_txn() const noexcept { return checkpoint_.load(); }
  std::uint64_t commits() const noexcept { return commits_.load(std::memory_order_relaxed); }
  wal::Position tip_position() const;
  // Whether the background thread has commits to publish, or `batch` commits to sync.
  bool publication_due() const noexcept;
  // Whether so much memory is in private pages that it is time to write them, before a transaction
  // has to.
  bool memory_due() const noexcept {
    return pool_.used_bytes() > relieve_from_.load(std::memory_order_relaxed);
  }
  bool written_due() const noexcept;
  // Syncs `batch` commits if it is time; else says when it will be (now_ms), if one waits.
  std::optional<std::uint64_t> sync_batch();
  // A committed state with all that must partition the file, for check: pages neither reachable
  // from the root nor in `free` are damage. The snapshot pins it.
  struct Census {
    std::unique_ptr<Snapshot> snapshot;
    std::vector<PageRun> free;
    PageNumber page_count = 0;
  };
  // No bulk commit may be under way (engine/db).
  Result<Census> census();
  // Called when there is something for the background thread.
  void set_notify(std::function<void()> notify) { notify_ = std::move(notify); }
  // Bytes logged since the last checkpoint, and whether one is due for other reasons: pages that
  // wait for it only.
  std::uint64_t logged_bytes() const noexcept {
    return logged_bytes_.load(std::memory_order_relaxed);
  }
  // So many that nobody should write on before it is made.
  bool checkpoint_overdue() const noexcept {
    return checkpoint_overdue_.load(std::memory_order_relaxed);
  }
  bool checkpoint_wanted() const noexcept {
    return checkpoint_wanted_.load(std::memory_order_relaxed);
  }

 private:
  friend class WriteTxn;
  struct Pending {
    Root root;
    Durability durability;
    std::vector<FreeMap::Dead> dead;
    bool bulk = false;  // becomes visible by finish_bulk only
  };
  struct Retired {  // frames whose pages are in the file, until nobody can be reading them
    std::vector<Frame*> frames;
    TxnNumber first;
    TxnNumber last;
  };

  Result<wal::Lsn> append_parts(Bytes payload, bool first, bool last);
  wal::Lsn lsn_behind(const WriteTxn& txn) const;
  Result<wal::Lsn> commit_as_asked(WriteTxn& txn, Durability durability);
  Result<wal::Lsn> commit_logged(WriteTxn& txn, Root root, Durability durability);
  Result<wal::Lsn> commit_unlogged(WriteTxn& txn, const Root& root);
  Result<wal::Lsn> commit_bulk(WriteTxn& txn, Root root);
  void install(WriteTxn& txn, const Root& root, const wal::Position& position,
               Durability durability) noexcept;
  void note_acknowledged(TxnNumber txn) noexcept;
  Status wait_for(const Root& root, Durability durability) noexcept;
  void make_room_for_pending_locked();
  void end_turn(WriteTxn& txn) noexcept;
  void keep_lists_locked(WriteTxn& txn) noexcept;
  bool satisfied(const Pending& pending) const noexcept;
  void advance_locked() noexcept;
  void note_waiting_locked() noexcept;
  void make_visible_locked(const Root& root) noexcept;
  // Looks which snapshots are live: live_, and own_, those of this process, among them the state
  // that the running transaction reads. The first `settled` of pending_ count no more. False where
  // there is no memory for the lists.
  bool see_readers_locked(std::size_t settled = 0) noexcept;
  void bury_settled_locked(std::size_t settled) noexcept;
  void release_locked(std::span<const PageRun> released) noexcept;
  // `quiet`: the running transaction holds no memory that it looked up (it asks itself).
  void reclaim_locked(bool quiet = false) noexcept;
  void write_ahead(wal::Lsn target) noexcept;
  Result<Root> flush_pages(const Root& root) noexcept;
  void note_flushed_locked(const Root& root) noexcept;
  void retire_locked(std::vector<Frame*>& written) noexcept;
  void release_retired_locked() noexcept;
  std::vector<PageRun> committed_free_locked(PageNumber end) const;
  // Space for the free map of a checkpoint, enough for every run there can be.
  Result<PageRun> take_free_map_run(std::size_t more_runs);
  CheckpointPlan draft_plan_locked(const Root& root, PageRun free_map_run, PageNumber page_count,
                                   std::vector<PageRun> free) const;
  void start_checkpoint_locked(const CheckpointPlan& plan) noexcept;
  Result<PageReader> reader_for(const Root& root);
  // Writes the private pages of a state that is pinned; returns it with its checksum.
  Result<Root> flush_root(const Root& root);

  io::File& data_;
  Attachment& attachment_;
  PageSpace& space_;
  std::uint32_t page_size_;
  WriterOptions options_;
  FrameTable frames_;
  FramePool pool_;
  std::unique_ptr<FreeMap> free_map_;
  std::unique_ptr<wal::LogWriter> log_owner_;
  std::atomic<wal::LogWriter*> log_{nullptr};
  BulkCommit bulk_commit_;
  Deferral deferral_;
  std::function<void()> notify_;
  TurnQueue turn_;

  mutable std::mutex state_mutex_;
  RootRing ring_;  // visible roots
  Root tip_;
  wal::Position tip_position_;
  Root visible_;
  Root published_root_;
  std::vector<Pending> pending_;  // appended, not visible; has room for that of active_
  WriteTxn* active_ = nullptr;
  TxnNumber next_txn_ = 1;
  TxnNumber running_checkpoint_ = 0;
  PageRun checkpoint_run_;               // where the free map of the checkpoint lies
  PageRun plan_run_;                     // of the running one
  std::uint64_t plan_logged_bytes_ = 0;  // logged_bytes_ when it began
  TxnNumber publishing_ = 0;
  std::vector<Retired> retired_;
  std::atomic<std::uint64_t> retired_generation_{0};  // how often frames were retired
  AddressCache* addresses_ = nullptr;                 // null: nothing is shared
  wal::Lsn written_ = 0;                              // the log's marks, as the hook told
  wal::Lsn synced_ = 0;
  std::optional<Error> poison_;
  std::vector<PageRun> released_;  // scratch
  PageWriter::Lists lists_;        // of the transaction before, for the next
  ByteVector payload_;             // the same
  LiveSet live_;
  LiveSet own_;

  std::mutex publish_mutex_;
  std::atomic<TxnNumber> published_{0};
  std::atomic<TxnNumber> checkpoint_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<bool> poisoned_{false};
  std::atomic<bool> stepped_down_{false};
  std::atomic<std::uint64_t> logged_bytes_{0};
  std::atomic<std::uint64_t> logged_total_{0};
  std::atomic<bool> checkpoint_wanted_{false};
  std::atomic<bool> checkpoint_overdue_{false};
  std::mutex batch_mutex_;            // of the two
  std::uint64_t batch_since_ms_ = 0;  // when the oldest that waits was first seen; 0: none
  std::uint64_t batch_synced_bytes_ = 0;
  std::atomic<std::uint64_t> relieve_from_;  // private bytes
  std::atomic<wal::Lsn> batch_lsn_{0};       // of the newest `batch` commit
  wal::Position replay_position_;
  bool publishing_on_ = true;
};

}  // namespace quire
