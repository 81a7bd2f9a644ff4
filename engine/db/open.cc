// Opening: which files, which locks, in which role.
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <bit>
#include <chrono>
#include <thread>

#include "engine/base/sync_point.h"
#include "engine/db/database.h"

namespace quire {
namespace {

constexpr std::uint64_t kRightRetryMs = 2;
// How long a reader waits for a process that is just opening or recovering the database, and for
// the first publication, whatever its own time-out.
constexpr std::uint64_t kJoinMs = 30'000;
constexpr std::uint32_t kPublicationMs = 2'000;
constexpr std::uint32_t kPromisedMs = 5'000;  // what has to be seen

std::uint64_t wall_clock_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

Result<wal::DatabaseId> random_id() {
  wal::DatabaseId id;
  if (::getrandom(id.data(), sizeof id, 0) != sizeof id)
    return fail_errno(errno, "random bytes for the id of a new database");
  return id;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(io::Disk& disk, const std::string& path,
                                                 const DatabaseOptions& options) {
  std::unique_ptr<Database> db(new Database(disk, path, options));
  QUIRE_CHECK(db->prepare_path());
  auto opened = options.read_only ? db->open_reader() : db->open_writer();
  if (!opened) {
    db->crash();  // nothing was changed that has to be finished
    return std::unexpected(std::move(opened).error());
  }
  return db;
}

// Leaves with the path of a database that is there, or makes it.
Status Database::prepare_path() {
  const std::uint32_t size = options_.page_size;
  if (size != 0 && (size < kMinPageSize || size > kMaxPageSize || !std::has_single_bit(size)))
    return fail(ErrorCode::kPageSize, "page size %u is not a power of two from %u to %u", size,
                kMinPageSize, kMaxPageSize);
  QUIRE_TRY(const bool there, disk_.exists(data_path()));
  if (there) {
    if (options_.exclusive && options_.create)
      return fail(ErrorCode::kExists, "%s is a database already", path_.c_str());
  } else if (options_.read_only || !options_.create) {
    QUIRE_TRY(const bool path_there, disk_.exists(path_));
    if (path_there)
      return fail(ErrorCode::kNotDatabase, "%s is not a Quire database (it has no file 'data')",
                  path_.c_str());
    return fail(ErrorCode::kNotFound, "there is no database at %s", path_.c_str());
  } else {
    QUIRE_CHECK(create_files());
  }
  QUIRE_TRY(path_, disk_.canonical_path(path_));
  QUIRE_TRY(const std::string network, disk_.network_filesystem(path_));
  if (!network.empty())
    return fail(ErrorCode::kNotSupported,
                "%s lies on %s: locks and maps do not hold together across machines; use a local "
                "file system",
                path_.c_str(), network.c_str());
  return {};
}

namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

// Whoever made the database may have died before its names were on the device, so the first who
// writes to it sees to that: from then on commits are promised to be durable.
Status Database::make_names_durable() {
  if (meta_.sequence != kFirstSequence) return {};
  QUIRE_CHECK(disk_.sync_directory(path_));
  return disk_.sync_directory(parent_of(path_));
}

// The data file is made under another name and renamed when it is whole, so a crash leaves either a
// database or something that the next attempt makes anew.
Status Database::create_files() {
  QUIRE_TRY(const bool there, disk_.exists(path_));
  if (there) {
    QUIRE_TRY(const bool directory, disk_.is_directory(path_));
    if (!directory)
      return fail(ErrorCode::kNotDatabase, "%s is a file, not a database directory", path_.c_str());
    QUIRE_TRY(const auto names, disk_.list(path_));
    for (const std::string& name : names) {
      if (name != "data.new" && name != "wal" && name != "lock")
        return fail(ErrorCode::kNotDatabase,
                    "%s is a directory with other files in it ('%s'); name one that does not exist",
                    path_.c_str(), name.c_str());
    }
  } else {
    QUIRE_CHECK(disk_.make_directory(path_));
    QUIRE_CHECK(disk_.sync_directory(parent_of(path_)));
  }
  const std::string temporary = path_ + "/data.new";
  QUIRE_TRY(const auto file, disk_.open(temporary, io::OpenMode::kOpenOrCreate));
  QUIRE_TRY(const bool mine, file->try_lock(lock_range::kInit, 1, io::LockMode::kExclusive));
  if (!mine)
    return fail(ErrorCode::kBusy, "another process is making the database %s", path_.c_str());
  QUIRE_TRY(const bool made_meanwhile, disk_.exists(data_path()));
  if (made_meanwhile) return {};

  Meta meta;
  meta.page_size = options_.page_size == 0 ? kDefaultPageSize : options_.page_size;
  QUIRE_TRY(meta.database, random_id());
  meta.sequence = kFirstSequence;
  meta.created_us = wall_clock_us();
  meta.root.txn = 1;
  meta.root.page_count = kFirstPage;
  meta.clean = true;
  meta.archive = options_.writer.archive;
  QUIRE_CHECK(file->resize(0));
  QUIRE_CHECK(file->allocate(0, std::uint64_t{kFirstPage} * meta.page_size));
  QUIRE_CHECK(write_meta(*file, meta));
  QUIRE_CHECK(file->sync());
  QUIRE_TRY(const bool log_there, disk_.exists(log_directory()));
  if (!log_there) QUIRE_CHECK(disk_.make_directory(log_directory()));
  QUIRE_CHECK(disk_.rename(temporary, data_path()));
  return disk_.sync_directory(path_);
}

Result<LockIdentity> Database::lock_identity() {
  LockIdentity identity;
  identity.database = id_;
  identity.page_size = page_size_;
  QUIRE_TRY(identity.boot, disk_.boot_id());
  identity.data = identity_;
  return identity;
}

// Sleeps a little; false when the time is over.
bool Database::retry_until_timeout(std::uint64_t& waited_ms, std::uint64_t least_ms) const {
  const std::uint64_t limit = std::max<std::uint64_t>(options_.busy_timeout_ms, least_ms);
  if (options_.busy_timeout_ms != UINT32_MAX && waited_ms >= limit) return false;
  std::this_thread::sleep_for(std::chrono::milliseconds(kRightRetryMs));
  waited_ms += kRightRetryMs;
  return true;
}

Status Database::take_init_lock(io::LockMode mode) {
  std::uint64_t waited = 0;
  for (;;) {
    QUIRE_TRY(const bool locked, locks_->try_lock(lock_range::kInit, 1, mode));
    if (locked) return {};
    if (!retry_until_timeout(waited, kJoinMs))
      return fail(ErrorCode::kTimeout, "another process has been opening %s for %llu ms",
                  path_.c_str(), static_cast<unsigned long long>(waited));
  }
}

std::uint32_t holder_pid(io::Disk& disk, const std::string& lock_path) {
  auto file = disk.open(lock_path, io::OpenMode::kRead);
  if (!file) return 0;
  std::uint32_t pid = 0;
  const auto read = (*file)->read(offsetof(LockHeader, writer_pid),
                                  {reinterpret_cast<std::byte*>(&pid), sizeof pid});
  return read ? pid : 0;
}

Status Database::take_writer_lock() {
  std::uint64_t waited = 0;
  for (;;) {
    QUIRE_TRY(const bool locked,
              locks_->try_lock(lock_range::kWriter, 1, io::LockMode::kExclusive));
    if (locked) {
      writer_lock_held_.store(true);
      return {};
    }
    if (!retry_until_timeout(waited, 0)) break;
  }
  const std::uint32_t pid = holder_pid(disk_, lock_path());
  const auto code = waited == 0 ? ErrorCode::kBusy : ErrorCode::kTimeout;
  if (pid == 0)
    return fail(code, "%s is open for writing, or kept from it, by another process", path_.c_str());
  return fail(code, "%s is open for writing by process %u", path_.c_str(), pid);
}

Status Database::open_data(io::OpenMode mode) {
  QUIRE_TRY(data_, disk_.open(data_path(), mode));
  QUIRE_TRY(locks_, disk_.open(data_path(), mode));
  QUIRE_TRY(identity_, data_->identity());
  QUIRE_TRY(const io::FileIdentity locked, locks_->identity());
  if (locked != identity_)
    return fail(ErrorCode::kIo, "%s was replaced while it was being opened", data_path().c_str());
  return {};
}

Status Database::open_writer() {
  if (auto opened = open_data(io::OpenMode::kReadWrite); !opened) {
    const ErrorCode code = opened.error().code();
    if (code == ErrorCode::kPermission || code == ErrorCode::kReadOnly)
      return std::unexpected(opened.error().with_context("open for writing (try read-only)"));
    return opened;
  }
  QUIRE_CHECK(take_writer_lock());
  QUIRE_CHECK(take_init_lock(io::LockMode::kExclusive));
  QUIRE_CHECK(take_metas());
  if (options_.page_size != 0 && options_.page_size != meta_.page_size)
    return fail(ErrorCode::kPageSize, "%s has pages of %u bytes, not %u", path_.c_str(),
                meta_.page_size, options_.page_size);
  options_.writer.archive = options_.writer.archive || meta_.archive;
  QUIRE_TRY(meta_.clean, closed_in_order());
  QUIRE_TRY(const LockIdentity identity, lock_identity());
  QUIRE_TRY(attachment_, Attachment::join(disk_, *locks_, lock_path(), identity, true, true));
  QUIRE_TRY([[maybe_unused]] const std::size_t buried, attachment_->bury_dead(true));
  attachment_->head().writer_pid.store(static_cast<std::uint32_t>(::getpid()));
  space_ = std::make_unique<PageSpace>(*data_, page_size_);
  writer_ = std::make_unique<Writer>(Writer::Files{*data_, *attachment_, *space_}, page_size_,
                                     options_.writer);
  writer_->share_addresses(&addresses_);
  writer_->set_bulk_commit(
      [this](WriteTxn& txn, Root& root) { return checkpoint_bulk(txn, root); });
  maintenance_ =
      std::make_unique<Maintenance>(*this, options_.index_kinds, options_.writer.background);
  writer_->set_deferral(
      {.before_commit = [this](WriteTxn& txn) { return maintenance_->before_commit(txn); },
       .after_commit = [this](auto collections) { maintenance_->note(collections); }});
  auto recovered = recover();
  // A state that the log does not fit to may be the older one.
  if (!recovered && lost_meta_)
    return std::unexpected(recovered.error().with_context("the newest meta page may be lost (" +
                                                          lost_meta_->message() + ")"));
  QUIRE_CHECK(recovered);
  QUIRE_CHECK(locks_->unlock(lock_range::kInit, 1));
  writer_->set_notify([this] { notify(); });
  if (options_.writer.background) start_background();
  if (writing_.load()) maintenance_->look_everywhere();
  return {};
}

// A reader opens `data` for writing where it may: for locks only, and to recover.
Status Database::take_metas() {
  QUIRE_TRY(Metas metas, read_metas(*data_));
  meta_ = metas.newest;
  lost_meta_ = std::move(metas.damaged);
  page_size_ = meta_.page_size;
  id_ = meta_.database;
  return {};
}

Status Database::open_reader() {
  QUIRE_TRY(const bool may_write_data, disk_.may_write(data_path()));
  QUIRE_CHECK(open_data(may_write_data ? io::OpenMode::kReadWrite : io::OpenMode::kRead));
  const io::LockMode mode = may_write_data ? io::LockMode::kExclusive : io::LockMode::kShared;
  for (int attempt = 0;; ++attempt) {
    QUIRE_CHECK(take_init_lock(mode));
    QUIRE_CHECK(take_metas());
    QUIRE_TRY(const bool writer_alive, locks_->locked_elsewhere(lock_range::kWriter, 1));
    if (!writer_alive) {
      QUIRE_TRY(meta_.clean, closed_in_order());
    }
    // Readers that keep writers out hold that byte too, but only of a database closed in order.
    if (writer_alive || meta_.clean) {
      QUIRE_CHECK(join_as_reader(writer_alive));
      QUIRE_CHECK(locks_->unlock(lock_range::kInit, 1));
      // Without a place in `lock` it keeps writers out: who holds their byte is no writer.
      if (!writer_alive || attachment_ == nullptr) return {};
      sync_point::reach("join: attached");
      QUIRE_TRY(const bool published, wait_for_publication());
      if (published) return {};
      attachment_.reset();  // what its writer acknowledged comes back by recovery
      space_.reset();
      continue;
    }
    QUIRE_CHECK(locks_->unlock(lock_range::kInit, 1));
    if (attempt == 3)
      return fail(ErrorCode::kNeedsRecovery, "%s can't be recovered: its writers keep dying",
                  path_.c_str());
    QUIRE_CHECK(recover_for_reader());
  }
}

Status Database::recover_for_reader() {
  DatabaseOptions options = options_;
  options.read_only = false;
  options.create = false;
  options.writer.background = false;
  auto writer = open(disk_, path_, options);
  if (!writer) {
    const ErrorCode code = writer.error().code();
    if (code == ErrorCode::kBusy || code == ErrorCode::kTimeout)
      return {};  // somebody else does it
    if (code == ErrorCode::kPermission || code == ErrorCode::kReadOnly)
      return fail(ErrorCode::kNeedsRecovery,
                  "%s was not closed in order, and this process may not recover it: open it once "
                  "with write access",
                  path_.c_str());
    return std::unexpected(std::move(writer).error());
  }
  return (*writer)->close();
}

Status Database::join_as_reader(bool writer_alive) {
  QUIRE_TRY(const LockIdentity identity, lock_identity());
  space_ = std::make_unique<PageSpace>(*data_, page_size_);
  QUIRE_TRY(const bool lock_there, disk_.exists(lock_path()));
  QUIRE_TRY(const bool may_write, disk_.may_write(lock_there ? lock_path() : path_));
  if (!may_write) {
    QUIRE_TRY(const bool alone, locks_->try_lock(lock_range::kWriter, 1, io::LockMode::kShared));
    if (!alone)
      return fail(ErrorCode::kBusy,
                  "%s is open for writing by process %u, and this process may not write %s, where "
                  "readers are entered",
                  path_.c_str(), holder_pid(disk_, lock_path()), lock_path().c_str());
    // Whoever was taken for a writer before may have died meanwhile, or have been somebody who
    // keeps writers out of a crashed database.
    QUIRE_CHECK(take_metas());
    QUIRE_TRY(const bool in_order, closed_in_order());
    if (!in_order) {
      QUIRE_CHECK(locks_->unlock(lock_range::kWriter, 1));
      return fail(ErrorCode::kNeedsRecovery,
                  "%s was not closed in order, and this process may not recover it: open it once "
                  "with write access",
                  path_.c_str());
    }
    root_ = meta_.root;
    return {};
  }
  // Made anew only under the exclusive lock, that is by who may write `data`.
  QUIRE_TRY(attachment_, Attachment::join(disk_, *locks_, lock_path(), identity, false,
                                          locks_->writable() && !writer_alive));
  if (attachment_->head().published.sequence() == 0)
    attachment_->head().published.publish(meta_.root);
  return {};
}

// What is committed now must be seen: the writer may not have published while it was alone. False:
// it has gone and left some of it to recovery.
Result<bool> Database::wait_for_publication() {
  LockHeader& head = attachment_->head();
  const TxnNumber wanted = head.committed_txn.load();
  const TxnNumber promised = head.acknowledged_txn.load();
  std::uint32_t waited = 0;
  const std::uint32_t patience_ms = std::max(options_.busy_timeout_ms, kPromisedMs);
  while (waited < patience_ms) {
    const std::uint32_t before = head.commit_wake.load();
    const TxnNumber published = head.published.read().image.txn;
    if (published >= wanted) return true;
    // It is stopped, or very busy. Of the rest nobody was told that all processes see it.
    if (waited >= kPublicationMs && published >= promised) return true;
    QUIRE_TRY(const bool writer_alive, locks_->locked_elsewhere(lock_range::kWriter, 1));
    if (!writer_alive) return head.published.read().image.txn >= wanted;
    head.want_publish.store(1);
    attachment_->wake_writer();
    head.commit_waiters.fetch_add(1);
    futex_wait(head.commit_wake, before, 10);
    head.commit_waiters.fetch_sub(1);
    if (patience_ms != UINT32_MAX) waited += 10;
  }
  return fail(ErrorCode::kTimeout,
              "%s: its writer, process %u, has not shown its newest commits within %u ms: it is "
              "stopped, or very busy",
              path_.c_str(), head.writer_pid.load(), patience_ms);
}

}  // namespace quire
