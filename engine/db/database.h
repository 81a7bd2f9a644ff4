// One open database: files, locks, the writer or a reader's view of somebody else's, the background
// thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/array/block_addresses.h"
#include "engine/db/maintenance.h"
#include "engine/db/meta.h"
#include "engine/io/disk.h"
#include "engine/page/page_space.h"
#include "engine/record/index.h"
#include "engine/txn/attachment.h"
#include "engine/txn/writer.h"

namespace quire {

struct DatabaseOptions {
  bool read_only = false;
  bool create = true;                 // make it when it is not there
  bool exclusive = false;             // kExists when it is
  std::uint32_t page_size = 0;        // of a new one; 0: 4096
  std::uint32_t busy_timeout_ms = 0;  // UINT32_MAX: for ever
  WriterOptions writer;
  IndexKinds index_kinds;  // those that this process knows
  // Segment sizes, for tests.
  std::uint64_t log_segment_bytes_min = 64 << 10;
  std::uint64_t log_segment_bytes_max = 16 << 20;
};

struct DatabaseStat {
  std::uint32_t page_size = 0;
  wal::DatabaseId id{};
  Root newest;
  wal::Lsn durable_lsn = 0;
  TxnNumber checkpoint_txn = 0;
  wal::Lsn checkpoint_lsn = 0;
  TxnNumber published_txn = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t log_bytes = 0;
  std::uint64_t log_files = 0;
  std::uint64_t pages_total = 0;
  std::uint64_t pages_free = 0;
  std::uint64_t pages_pinned = 0;
  std::uint64_t private_bytes = 0;
  std::uint64_t readers = 0;
  std::optional<ReaderInfo> oldest;
  std::uint64_t oldest_pinned_bytes = 0;
  std::uint32_t writer_pid = 0;
  std::uint64_t quota_bytes = 0;
  std::uint64_t commits = 0;
  std::uint64_t syncs = 0;
  std::uint64_t checkpoints = 0;
};

// Thread-safe but for close. Lifetime: closed before it ends; no transaction outlives it.
class Database {
 public:
  static Result<std::unique_ptr<Database>> open(io::Disk& disk, const std::string& path,
                                                const DatabaseOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  bool read_only() const noexcept { return writer_ == nullptr; }
  const std::string& path() const noexcept { return path_; }
  const DatabaseOptions& options() const noexcept { return options_; }
  std::uint32_t page_size() const noexcept { return page_size_; }
  const wal::DatabaseId& id() const noexcept { return id_; }
  io::FileIdentity identity() const noexcept { return identity_; }
  Writer* writer() noexcept { return writer_.get(); }
  // nullptr: read-only.
  Maintenance* maintenance() noexcept { return maintenance_.get(); }

  // --- transactions ---
  Result<std::unique_ptr<Snapshot>> begin_read();
  Status renew(Snapshot& snapshot);
  Result<std::unique_ptr<WriteTxn>> begin_write(bool wait_for_turn);
  // For maintenance: behind others, not logged.
  Result<std::unique_ptr<WriteTxn>> begin_unlogged();

  // --- durability ---
  Status sync();
  Status wait_durable(wal::Lsn lsn);
  Status checkpoint();
  Root newest();
  // The number of the newest commit, once it is above `txn`; kTimeout.
  Result<TxnNumber> wait_commit(TxnNumber txn, std::uint32_t timeout_ms);

  Result<DatabaseStat> stat();
  // Calls `report` for each damage; false stops. kCorrupt when there was any.
  Status check(const std::function<bool(const std::string&)>& report);

  // Checkpoint, empty log, files closed. The object is of no more use, whatever it returns.
  Status close();
  // As if the process had died here (tests): closes the files, nothing else.
  void crash() noexcept;
  // In a forked child: closes the descriptors, which share their locks with the parent's.
  void abandon_in_child() noexcept;

 private:
  Database(io::Disk& disk, std::string path, DatabaseOptions options);

  std::string data_path() const { return path_ + "/data"; }
  std::string lock_path() const { return path_ + "/lock"; }
  std::string log_directory() const { return path_ + "/wal"; }
  wal::LogOptions log_options() const;
  Result<LockIdentity> lock_identity();

  // open.cc
  Status prepare_path();
  Status create_files();
  Status make_names_durable();
  Status take_metas();
  Status open_data(io::OpenMode mode);
  Status open_writer();
  Status open_reader();
  Status join_as_reader(bool writer_alive);
  Status take_writer_lock();
  Status take_init_lock(io::LockMode mode);
  Result<bool> wait_for_publication();
  Status recover_for_reader();
  bool retry_until_timeout(std::uint64_t& waited_ms, std::uint64_t least_ms) const;
  // recover.cc
  Result<bool> closed_in_order();
  Status recover();
  Status replay(Writer& writer, wal::Position& end, std::uint64_t& highest_segment);
  Status start_writing();
  Status start_log(const wal::Position& after, std::uint64_t highest_segment);
  Status remove_old_segments();
  // checkpoint.cc
  Status checkpoint_now(bool clean);
  void make_room();
  Status tidy_up(const CheckpointPlan& plan, bool clean);
  Status checkpoint_bulk(WriteTxn& txn, Root& root);
  Status flush_plan(CheckpointPlan& plan);
  Status write_checkpoint(CheckpointPlan& plan, bool clean);
  bool step_down();
  // check.cc
  struct FilesOnDisk;
  Result<FilesOnDisk> look_at_files(wal::Lsn least);
  Result<FilesOnDisk> look_again_at_files(wal::Lsn least);
  Status check_archive(const Meta& meta);
  // background.cc
  void start_background();
  void stop_threads();
  void background_loop();
  void wait_for_more();
  std::uint32_t background_step();
  std::uint64_t look_around();
  void tell_figures();
  void ask_for_figures(DatabaseStat& stat);
  PageReader file_reader(const PageMap* map, const Root& root) noexcept;
  void notify();

  io::Disk& disk_;
  std::string path_;
  DatabaseOptions options_;
  std::uint32_t page_size_ = 0;
  wal::DatabaseId id_{};
  io::FileIdentity identity_;
  std::unique_ptr<io::File> data_;
  // `data` once more, for locks alone: they belong to an open file description, and a forked child
  // that keeps the maps of one keeps it open.
  std::unique_ptr<io::File> locks_;
  AddressCache addresses_;  // lent to snapshots
  std::unique_ptr<PageSpace> space_;
  std::unique_ptr<Attachment> attachment_;  // null: this process keeps writers out instead
  std::unique_ptr<Writer> writer_;          // null: read-only
  Root root_;                               // without attachment: the only state
  Meta meta_;                               // last written; under checkpoint_mutex_
  std::optional<Error> lost_meta_;          // why the other meta page was of no use at open
  std::mutex checkpoint_mutex_;
  std::atomic<wal::Lsn> checkpoint_lsn_{0};
  std::atomic<std::uint64_t> checkpoints_{0};
  std::atomic<bool> writer_lock_held_{false};
  std::mutex start_mutex_;
  std::atomic<bool> writing_{false};  // the log is open and the meta page says so
  bool closed_ = false;

  std::unique_ptr<Maintenance> maintenance_;  // null: read-only
  std::thread background_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> notified_{false};
  std::atomic<std::uint64_t> last_checkpoint_ms_{0};  // began, or there was nothing to write
  std::atomic<std::uint64_t> last_look_ms_{0};
};

// Who has the database open for writing, as far as its lock file says; 0: it does not say.
std::uint32_t holder_pid(io::Disk& disk, const std::string& lock_path);

}  // namespace quire
