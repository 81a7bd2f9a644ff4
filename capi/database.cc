#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <thread>
#include <utility>

#include "capi/handles.h"
#include "index/kernels/distance.h"

using namespace quire;
using namespace quire::capi;

namespace {

// The databases that this process has open, so that a second open of a path shares the first: two
// sets of locks in one process would be one too many to reason about.
struct Registry {
  std::mutex mutex;
  std::vector<std::shared_ptr<SharedDatabase>> databases;
  std::vector<quire_db*> handles;
};
Registry& registry() {
  static auto* instance = new Registry();
  return *instance;
}

void before_fork() {
  registry().mutex.lock();
  db_pool().lock();
  txn_pool().lock();
  cursor_pool().lock();
  query_pool().lock();
}
void unlock_after_fork() {
  cursor_pool().unlock();
  query_pool().unlock();
  txn_pool().unlock();
  db_pool().unlock();
  registry().mutex.unlock();
}
void after_fork_in_parent() { unlock_after_fork(); }
// The locks belong to the open file descriptions, which the child shares: it closes its
// descriptors, so that the parent's death frees them. What is open is the parent's: the child
// forgets it, never ends it, and may open the same databases anew.
void after_fork_in_child() {
  Registry& all = registry();
  for (quire_db* db : all.handles) db->forked.store(true);
  for (const auto& shared : all.databases) shared->database->abandon_in_child();
  new std::vector(std::move(all.databases));
  all.databases.clear();
  unlock_after_fork();
}

void watch_forks() {
  static const int once = ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  (void)once;
}

// Between two looks at whether the writer's place is free.
constexpr std::chrono::milliseconds kBusyRetry(2);

// How many threads build, where the caller says nothing.
std::uint32_t usual_build_threads(bool background) noexcept {
  constexpr std::uint32_t kMost = 64;
  if (!background) return 1;
  return std::clamp<std::uint32_t>(std::thread::hardware_concurrency(), 1, kMost);
}

int take_build_threads(const quire_open_options& known, WriterOptions& writer) {
  constexpr std::uint32_t kMost = 256;
  if (known.build_threads > kMost)
    return report(
        QUIRE_ERR_INVALID,
        "quire_open_options.build_threads: must be 1 to 256, or 0 for as many as there are "
        "processors");
  if (known.build_threads > 1 && !writer.background)
    return report(QUIRE_ERR_INVALID,
                  "quire_open_options.build_threads over 1 with QUIRE_OPEN_NO_BACKGROUND: there is "
                  "no thread but the caller's");
  writer.build_threads =
      known.build_threads != 0 ? known.build_threads : usual_build_threads(writer.background);
  return QUIRE_OK;
}

int to_options(const quire_open_options* given, DatabaseOptions& options, std::uint32_t& purge_ms) {
  quire_open_options known;
  if (const int code = read_options(given, known, "quire_open_options"); code != QUIRE_OK)
    return code;
  constexpr std::uint32_t kFlags = QUIRE_OPEN_READ_ONLY | QUIRE_OPEN_CREATE | QUIRE_OPEN_EXCLUSIVE |
                                   QUIRE_OPEN_ARCHIVE | QUIRE_OPEN_NO_BACKGROUND;
  if (given == nullptr) known.flags = QUIRE_OPEN_CREATE;
  if ((known.flags & ~kFlags) != 0)
    return report(QUIRE_ERR_INVALID, "quire_open_options.flags has unknown bits");
  if (known.durability > QUIRE_DURABILITY_NONE)
    return report(QUIRE_ERR_INVALID, "quire_open_options.durability is not a QUIRE_DURABILITY_*");
  options.read_only = (known.flags & QUIRE_OPEN_READ_ONLY) != 0;
  options.create = (known.flags & QUIRE_OPEN_CREATE) != 0;
  options.exclusive = (known.flags & QUIRE_OPEN_EXCLUSIVE) != 0;
  if (options.read_only && options.create)
    return report(QUIRE_ERR_INVALID,
                  "QUIRE_OPEN_CREATE with QUIRE_OPEN_READ_ONLY: reads make nothing");
  if (known.purge_ms != 0 && options.read_only)
    return report(QUIRE_ERR_INVALID,
                  "quire_open_options.purge_ms with QUIRE_OPEN_READ_ONLY: reads delete nothing");
  if (known.purge_ms != 0 && (known.flags & QUIRE_OPEN_NO_BACKGROUND) != 0)
    return report(QUIRE_ERR_INVALID,
                  "quire_open_options.purge_ms with QUIRE_OPEN_NO_BACKGROUND: there is no thread "
                  "to purge");
  purge_ms = known.purge_ms;
  options.page_size = known.page_size;
  options.index_kinds = index_kinds();
  options.busy_timeout_ms = known.busy_timeout_ms;
  WriterOptions& writer = options.writer;
  writer.archive = (known.flags & QUIRE_OPEN_ARCHIVE) != 0;
  writer.background = (known.flags & QUIRE_OPEN_NO_BACKGROUND) == 0;
  const auto take = [](auto& to, auto from) {
    if (from != 0) to = from;
  };
  if (known.durability != 0) writer.durability = static_cast<Durability>(known.durability);
  take(writer.publish_ms, known.publish_ms);
  take(writer.batch_ms, known.batch_ms);
  take(writer.batch_bytes, known.batch_bytes);
  take(writer.checkpoint_bytes, known.checkpoint_bytes);
  take(writer.checkpoint_ms, known.checkpoint_ms);
  take(writer.log_budget_bytes, known.log_budget_bytes);
  take(writer.private_bytes, known.private_bytes);
  take(writer.quota_bytes, known.quota_bytes);
  if (known.reserved != 0) return report(QUIRE_ERR_INVALID, "quire_open_options.reserved is not 0");
  return take_build_threads(known, writer);
}

// A database of this process with the same data file that can serve `options`.
std::shared_ptr<SharedDatabase> find_open(const std::string& path, const DatabaseOptions& options) {
  const auto file = io::real_disk().open(path + "/data", io::OpenMode::kRead);
  if (!file) return nullptr;
  const auto identity = (*file)->identity();
  if (!identity) return nullptr;
  for (const auto& shared : registry().databases) {
    if (shared->database->identity() != *identity) continue;
    if (!shared->database->read_only() || options.read_only) return shared;
  }
  return nullptr;
}

// A handle on the database, shared or opened. Never waits for another process's writer: other opens
// and closes, and fork(), wait for this.
Result<quire_db*> open_once(const std::string& path, const DatabaseOptions& options,
                            std::uint32_t purge_ms) {
  Registry& all = registry();
  const std::scoped_lock lock(all.mutex);
  std::shared_ptr<SharedDatabase> shared = find_open(path, options);
  if (shared != nullptr && options.exclusive)
    return fail(ErrorCode::kExists, "%s is a database already", path.c_str());
  if (shared != nullptr && options.page_size != 0 &&
      options.page_size != shared->database->page_size())
    return fail(ErrorCode::kPageSize, "%s has pages of another size", path.c_str());
  if (shared == nullptr) {
    QUIRE_TRY(auto database, Database::open(io::real_disk(), path, options));
    shared = std::make_shared<SharedDatabase>();
    shared->database = std::move(database);
    if (purge_ms != 0)
      shared->purger = std::make_unique<Purger>(*shared->database, shared->definitions, purge_ms);
  }
  // A database gets into the list with its first handle, which takes it out again.
  const bool first = shared->handles == 0;
  if (first) make_room_for_one(all.databases);
  auto owner = db_pool().acquire();
  make_room_for_one(all.handles);
  // From here on nothing fails.
  ++shared->handles;
  if (first) all.databases.push_back(shared);
  quire_db* db = owner.release();
  db->shared = std::move(shared);
  db->read_only = options.read_only;
  db->reads.store(0);
  db->write.store(nullptr);
  db->forked.store(false);
  db->state.store(HandleState::kOpen, std::memory_order_release);
  all.handles.push_back(db);
  return db;
}

}  // namespace

extern "C" {

const char* quire_version(void) { return QUIRE_VERSION_TEXT; }

const char* quire_build_info(void) {
  static const auto info = [] {
    std::array<char, 256> text{};
    std::snprintf(text.data(), text.size(),
                  "{\"version\":\"" QUIRE_VERSION_TEXT
                  "\",\"format\":%u,\"kernels\":\"%s\",\"io_uring\":%s,\"compiler\":\"" __VERSION__
                  "\"}",
                  static_cast<unsigned>(kFormatVersion), distance_kernels().name,
                  QUIRE_WITH_URING ? "true" : "false");
    return text;
  }();
  return info.data();
}

int quire_open(const char* path, const quire_open_options* given, quire_db** out) {
  if (out == nullptr) return report(QUIRE_ERR_INVALID, "quire_open: db is NULL");
  *out = nullptr;
  if (path == nullptr || *path == '\0')
    return report(QUIRE_ERR_INVALID, "quire_open: the path is NULL or empty");
  return guarded([&]() -> int {
    DatabaseOptions options;
    std::uint32_t purge_ms = 0;
    if (const int code = to_options(given, options, purge_ms); code != QUIRE_OK) return code;
    watch_forks();
    const std::uint32_t patience_ms = std::exchange(options.busy_timeout_ms, 0u);
    const auto began = std::chrono::steady_clock::now();
    for (;;) {
      const auto opened = open_once(path, options, purge_ms);
      if (opened) {
        *out = *opened;
        return QUIRE_OK;
      }
      const Error& error = opened.error();
      if (error.code() != ErrorCode::kBusy || patience_ms == 0) return report(error);
      if (patience_ms != UINT32_MAX &&
          std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(patience_ms))
        return report(Error(ErrorCode::kTimeout, error.message()));
      std::this_thread::sleep_for(kBusyRetry);
    }
  });
}

int quire_close(quire_db* db) {
  if (db == nullptr) return QUIRE_OK;
  if (db->state.load(std::memory_order_acquire) != HandleState::kOpen)
    return report(QUIRE_ERR_CLOSED, "the database handle was closed before");
  const bool forked = db->forked.load();
  if (!forked && db->reads.load() != 0)
    return report(QUIRE_ERR_BUSY, "read transactions are open: end them before quire_close");
  return guarded([&]() -> int {
    Registry& all = registry();
    const std::scoped_lock lock(all.mutex);
    if (forked) {
      // What it shares with the parent stays as it is; the memory is given up.
      new std::shared_ptr<SharedDatabase>(std::move(db->shared));
    } else {
      if (quire_txn* open = db->write.load()) end_txn(open);
    }
    std::erase(all.handles, db);
    db->state.store(HandleState::kClosed, std::memory_order_release);
    int code = QUIRE_OK;
    if (!forked && --db->shared->handles == 0) {
      std::erase(all.databases, db->shared);
      db->shared->purger.reset();
      const auto status = catch_out_of_memory([&] { return db->shared->database->close(); });
      if (!status) code = report(status.error());
    }
    db->shared.reset();
    db_pool().release(db);
    return code;
  });
}

int quire_latest(quire_db* db, uint64_t* txn_number, uint64_t* lsn) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  const Root root = db->shared->database->newest();
  if (txn_number != nullptr) *txn_number = root.txn;
  if (lsn != nullptr) *lsn = root.lsn;
  return QUIRE_OK;
}

int quire_wait_commit(quire_db* db, uint64_t txn_number, uint32_t timeout_ms, uint64_t* newest) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  return guarded([&]() -> int {
    const auto found = db->shared->database->wait_commit(txn_number, timeout_ms);
    if (!found) return report(found.error());
    if (newest != nullptr) *newest = *found;
    return QUIRE_OK;
  });
}

int quire_sync(quire_db* db) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  return guarded([&]() -> int {
    const auto status = db->shared->database->sync();
    return status ? QUIRE_OK : report(status.error());
  });
}

int quire_wait_durable(quire_db* db, uint64_t lsn) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  return guarded([&]() -> int {
    const auto status = db->shared->database->wait_durable(lsn);
    return status ? QUIRE_OK : report(status.error());
  });
}

int quire_checkpoint(quire_db* db) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  if (db->read_only)
    return report(QUIRE_ERR_READ_ONLY, "quire_checkpoint: the handle is read-only");
  return guarded([&]() -> int {
    const auto status = db->shared->database->checkpoint();
    return status ? QUIRE_OK : report(status.error());
  });
}

size_t quire_max_key_size(quire_db* db) {
  if (check_db(db) != QUIRE_OK) return 0;
  return max_key_size(db->shared->database->page_size());
}

int quire_check(quire_db* db, int (*callback)(void* context, const char* text), void* context) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  return guarded([&]() -> int {
    const auto status = db->shared->database->check([&](const std::string& text) {
      return callback == nullptr || callback(context, text.c_str()) == 0;
    });
    return status ? QUIRE_OK : report(status.error());
  });
}

}  // extern "C"

namespace {

Status count_names(Database& database, quire_stat& stat) {
  QUIRE_TRY(const auto snapshot, database.begin_read());
  TreeCursor cursor(&snapshot->reader(), snapshot->catalog_root());
  QUIRE_CHECK(cursor.seek(name_key("")));
  while (cursor.valid() && static_cast<char>(cursor.key()[0]) == 'n') {
    QUIRE_TRY(const Bytes value, cursor.value());
    const std::string_view name = as_text(cursor.key().subspan(1));
    QUIRE_TRY(const NameEntry entry, NameEntry::decode(value, name));
    if (!is_internal_name(name))
      ++(entry.kind == NameKind::kKeyspace ? stat.keyspaces : stat.collections);
    QUIRE_CHECK(cursor.next());
  }
  return {};
}

Status fill_stat(Database& database, quire_stat& stat) {
  QUIRE_TRY(const DatabaseStat found, database.stat());
  stat.page_size = found.page_size;
  stat.format_version = kFormatVersion;
  std::memcpy(stat.id, found.id.data(), sizeof stat.id);
  stat.txn_number = found.newest.txn;
  stat.lsn = found.newest.lsn;
  stat.durable_lsn = found.durable_lsn;
  stat.checkpoint_txn = found.checkpoint_txn;
  stat.checkpoint_lsn = found.checkpoint_lsn;
  stat.published_txn = found.published_txn;
  stat.file_bytes = found.file_bytes;
  stat.log_bytes = found.log_bytes;
  stat.log_files = found.log_files;
  stat.pages_total = found.pages_total;
  stat.pages_free = found.pages_free;
  stat.pages_pinned = found.pages_pinned;
  stat.private_bytes = found.private_bytes;
  stat.readers = found.readers;
  if (found.oldest) {
    stat.oldest_reader_txn = found.oldest->txn;
    stat.oldest_reader_age_ms = found.oldest->age_ms;
    stat.oldest_reader_pid = found.oldest->pid;
    stat.oldest_reader_pinned_bytes = found.oldest_pinned_bytes;
  }
  stat.writer_pid = found.writer_pid;
  stat.quota_bytes = found.quota_bytes;
  stat.commits = found.commits;
  stat.syncs = found.syncs;
  stat.checkpoints = found.checkpoints;
  return count_names(database, stat);
}

void tell_of_purges(const Purger& purger, quire_stat& stat) noexcept {
  const Purger::Figures figures = purger.figures();
  stat.purge_rounds = figures.rounds;
  stat.purged = figures.purged;
  stat.purge_error = -static_cast<int>(figures.error);
  stat.purge_ms = purger.interval_ms();
}

}  // namespace

extern "C" int quire_get_stat(quire_db* db, quire_stat* stat) {
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  if (stat == nullptr || stat->size < sizeof(size_t))
    return report(QUIRE_ERR_INVALID, "quire_get_stat: stat is NULL, or its size is not set");
  return guarded([&]() -> int {
    quire_stat all;
    std::memset(&all, 0, sizeof all);
    if (const auto status = fill_stat(*db->shared->database, all); !status)
      return report(status.error());
    if (const auto& purger = db->shared->purger; purger != nullptr) tell_of_purges(*purger, all);
    copy_out(all, stat);
    return QUIRE_OK;
  });
}
