// What the opaque handles of quire.h point to, and the rules every call keeps.
//
// Handles are never given back to the system, so a call with one that was closed finds that out: it
// says QUIRE_ERR_CLOSED. A closed handle's memory is used again only after many others.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "capi/purger.h"
#include "engine/db/database.h"
#include "engine/record/record_reader.h"
#include "engine/txn/range_cursor.h"
#include "index/query/filter_cache.h"
#include "index/query/query_cache.h"
#include "index/vector/vector_search.h"
#include "quire/quire.h"

namespace quire::capi {

// Notes the error for quire_last_error and returns its code.
int report(const Error& error) noexcept;
// The same for a sentence that needs no memory (hot paths); `text` is a literal.
int report(int code, const char* text) noexcept;

enum class HandleState : std::uint32_t { kClosed = 0, kOpen = 0x51554952 };

// Closed handles of one kind, in the order in which they were closed. T has a member `T*
// next_idle`, so that putting one here needs no memory.
template <class T>
class HandleShelf {
 public:
  void put(T* handle) noexcept {
    handle->next_idle = nullptr;
    (size_ == 0 ? oldest_ : newest_->next_idle) = handle;
    newest_ = handle;
    ++size_;
  }
  // The oldest, where many were closed after it; else nullptr.
  T* take() noexcept {
    if (size_ <= kRest) return nullptr;
    T* handle = oldest_;
    oldest_ = handle->next_idle;
    --size_;
    return handle;
  }
  bool empty() const noexcept { return size_ == 0; }
  // Puts all of another here.
  void put_all(HandleShelf& other) noexcept {
    if (other.size_ == 0) return;
    (size_ == 0 ? oldest_ : newest_->next_idle) = other.oldest_;
    newest_ = other.newest_;
    size_ += std::exchange(other.size_, 0);
  }

 private:
  static constexpr std::size_t kRest = 64;  // closed handles that rest before one is used again
  T* oldest_ = nullptr;
  T* newest_ = nullptr;
  std::size_t size_ = 0;
};

// Memory for handles of one kind, never freed.
template <class T>
class HandlePool {
 public:
  // Gives the handle back unless it is kept.
  struct GiveBack {
    HandlePool* pool;
    void operator()(T* handle) const noexcept { pool->release(handle); }
  };
  using Owner = std::unique_ptr<T, GiveBack>;

  Owner acquire() {
    const std::scoped_lock lock(mutex_);
    if (T* handle = closed_.take()) return Owner(handle, {this});
    all_.push_back(std::make_unique<T>());
    return Owner(all_.back().get(), {this});
  }
  // The same, from those that the caller keeps, where one has rested long enough.
  Owner acquire(HandleShelf<T>& kept) {
    if (T* handle = kept.take()) return Owner(handle, {this});
    return acquire();
  }
  void release(T* handle) noexcept {
    const std::scoped_lock lock(mutex_);
    closed_.put(handle);
  }
  void release(HandleShelf<T>& kept) noexcept {
    const std::scoped_lock lock(mutex_);
    closed_.put_all(kept);
  }

  // Around fork(): the child must find the pool unlocked.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
  HandleShelf<T> closed_;
  std::vector<std::unique_ptr<T>> all_;
};

// The kinds of index that there are (index_kinds.cc).
IndexKinds index_kinds() noexcept;

// The rules of a field as the caller sees them.
struct PublicRules {
  quire_rules rules{};
  std::vector<quire_value> one_of;
};

// A collection that a transaction has used.
struct OpenCollection {
  OpenCollection(View& view, Collection collection) : reader(view, std::move(collection)) {}
  RecordReader reader;  // keeps the definition and the addresses of vectors
  std::vector<std::unique_ptr<PublicRules>> rules;  // one a field; made when they are asked for
};

struct KeyFunction {
  quire_key_function function = nullptr;
  void* context = nullptr;
};

// A database that one or more handles of this process share.
struct SharedDatabase {
  std::unique_ptr<Database> database;
  CollectionCache definitions{index_kinds()};
  query::QueryCache queries;
  FilterCache filters;    // of searches
  ScratchPool scratches;  // likewise
  std::mutex key_mutex;
  std::map<std::string, KeyFunction, std::less<>> key_functions;  // by name of the collection
  std::size_t handles = 0;                                        // under the registry's mutex
  std::unique_ptr<Purger> purger;  // where purge_ms asks for it; ends before the database
};

}  // namespace quire::capi

struct quire_db {
  std::atomic<quire::capi::HandleState> state{quire::capi::HandleState::kClosed};
  std::shared_ptr<quire::capi::SharedDatabase> shared;
  bool read_only = false;
  std::atomic<std::uint32_t> reads{0};     // open read transactions
  std::atomic<quire_txn*> write{nullptr};  // the open write transaction: others wait for theirs
  std::atomic<bool> forked{false};
  quire_db* next_idle = nullptr;
};

struct quire_txn {
  std::atomic<quire::capi::HandleState> state{quire::capi::HandleState::kClosed};
  std::atomic<bool> busy{false};  // a call is running in it
  quire_db* db = nullptr;
  std::unique_ptr<quire::Snapshot> snapshot;
  std::unique_ptr<quire::WriteTxn> write;
  std::vector<std::uint64_t> savepoints;  // ids given out, innermost last
  std::uint64_t next_savepoint = 1;
  std::vector<quire_cursor*> cursors;
  std::vector<quire_query*> queries;
  // Of those that were closed: handles, and what may be asked again.
  quire::capi::HandleShelf<quire_query> closed_queries;
  quire::query::RestingQueries resting;
  // A reader for each collection that was used: it keeps the definition and addresses of vectors.
  std::map<quire_collection, std::unique_ptr<quire::capi::OpenCollection>> collections;
  quire::SearchMemory searches;               // of vectors
  std::vector<quire::OwnedValue> made_key;    // of the last record whose key was asked for
  std::vector<quire::Error> batch_errors;     // of the last batch, whose sentences were handed out
  std::vector<quire::OwnedValue> batch_keys;  // likewise, of the keys that were told
  quire_txn* next_idle = nullptr;

  quire::View& view() noexcept {
    return write != nullptr ? static_cast<quire::View&>(*write) : *snapshot;
  }
};

struct quire_cursor {
  std::atomic<quire::capi::HandleState> state{quire::capi::HandleState::kClosed};
  quire_txn* txn = nullptr;  // null: the transaction has ended
  quire_keyspace keyspace = 0;
  std::unique_ptr<quire::RangeCursor> range;
  std::optional<quire::RecordScan> scan;  // of records
  quire_cursor* next_idle = nullptr;
};

struct quire_query {
  std::atomic<quire::capi::HandleState> state{quire::capi::HandleState::kClosed};
  quire_txn* txn = nullptr;  // null: the transaction has ended
  quire_collection collection = 0;
  quire::query::CachedQuery query;  // null: it has ended
  bool on_row = false;
  bool failed = false;                 // it gives no more rows
  std::vector<quire::OwnedValue> key;  // of the row, where it was asked for
  quire_query* next_idle = nullptr;
};

namespace quire::capi {

HandlePool<quire_db>& db_pool();
HandlePool<quire_txn>& txn_pool();
HandlePool<quire_cursor>& cursor_pool();
HandlePool<quire_query>& query_pool();

// Fills as much of a caller's struct as he knows of; his `size` stays.
template <class Struct>
void copy_out(const Struct& all, Struct* to) noexcept {
  const std::size_t size = to->size;
  std::memcpy(to, &all, std::min(size, sizeof all));
  to->size = size;
}

// Runs `body`, which returns an int, with exceptions turned into codes.
template <class Body>
int guarded(Body&& body) noexcept try {
  return body();
} catch (const std::bad_alloc&) {
  return report(QUIRE_ERR_NO_MEMORY, "out of memory");
} catch (const std::exception& error) {
  return report(QUIRE_ERR_IO, "an internal operation of the standard library failed");
}

// The same for a change in a write transaction: where memory ends in the middle of it, the
// transaction is of no more use.
template <class Body>
int guarded_change(quire_txn* txn, Body&& body) noexcept {
  return guarded([&]() -> int {
    try {
      return body();
    } catch (const std::bad_alloc&) {
      (void)txn->write->break_with(out_of_memory().error());
      throw;
    }
  });
}

// So that `vector` takes one more without asking for memory.
template <class T>
void make_room_for_one(std::vector<T>& vector) {
  if (vector.size() == vector.capacity()) vector.reserve(2 * vector.size() + 4);
}

// A call in a database handle: open, not inherited by fork.
int check_db(const quire_db* db) noexcept;

// A call in a transaction: checks the handle and keeps other threads out while it lives.
class TxnCall {
 public:
  explicit TxnCall(quire_txn* txn, bool needs_write = false) noexcept : txn_(txn) {
    // Not an exchange: that would cost each call more than finding every such mistake is worth. A
    // call that runs while another is under way is found; two that begin in the same nanoseconds
    // may not be.
    if (txn == nullptr || txn->state.load(std::memory_order_acquire) != HandleState::kOpen ||
        txn->busy.load(std::memory_order_acquire) ||
        txn->db->forked.load(std::memory_order_relaxed) || (needs_write && txn->write == nullptr))
        [[unlikely]] {
      code_ = refusal(txn, needs_write);
      return;
    }
    txn->busy.store(true, std::memory_order_relaxed);
  }
  ~TxnCall() {
    if (code_ == QUIRE_OK) txn_->busy.store(false, std::memory_order_release);
  }
  TxnCall(const TxnCall&) = delete;
  TxnCall& operator=(const TxnCall&) = delete;
  int code() const noexcept { return code_; }
  // The call has ended the transaction: its handle is no longer ours.
  void gone() noexcept { code_ = QUIRE_ERR_CLOSED; }

 private:
  // Why the call may not run.
  static int refusal(const quire_txn* txn, bool needs_write) noexcept;

  quire_txn* txn_;
  int code_ = QUIRE_OK;
};

// Ends the transaction's handle and detaches its cursors. The engine's part has ended already or
// ends here.
void end_txn(quire_txn* txn) noexcept;

// Ends the scans and queries of a collection, or of all (0): what they read is another state now.
void end_scans(quire_txn* txn, quire_collection collection = 0) noexcept;

// A size-prefixed struct as this library knows it: bytes past the caller's size are zero; a longer
// one must have zeros in what is not known here.
template <class T>
int read_options(const T* given, T& known, const char* name) noexcept {
  auto* const room = static_cast<std::byte*>(static_cast<void*>(&known));
  const std::size_t taken = given == nullptr ? 0 : std::min(given->size, sizeof known);
  // Not all of it first: that would cost a small call more than all else here.
  std::memset(room + taken, 0, sizeof known - taken);
  known.size = sizeof known;
  if (given == nullptr) return QUIRE_OK;
  if (given->size < sizeof(size_t))
    return report(QUIRE_ERR_INVALID, "an options struct has no size: initialize it with its _INIT");
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof known; i < given->size; ++i) {
    if (bytes[i] != 0)
      return report(
          fail(ErrorCode::kInvalid, "%s: has options that this library does not know", name)
              .error());
  }
  std::memcpy(room, bytes, taken);
  known.size = sizeof known;
  return QUIRE_OK;
}

// A value as results have it; borrows what the value borrows.
quire_value public_value(const Value& value) noexcept;
// A value of the caller, which it borrows: kInvalid, kType.
Result<Value> value_of(const quire_value& given);

// The collection in this transaction; opened at first use.
Result<OpenCollection*> open_collection(quire_txn* txn, quire_collection id);

inline int code_of(const Status& status) noexcept {
  return status ? QUIRE_OK : report(status.error());
}

// Runs a call that reads a collection: read(OpenCollection&) -> int.
template <class Read>
int read_collection(quire_txn* txn, quire_collection id, Read&& read) noexcept {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    const auto opened = open_collection(txn, id);
    if (!opened) return report(opened.error());
    return read(**opened);
  });
}

// Runs a change of records: change(collection) -> int.
template <class Change>
int change_records(quire_txn* txn, quire_collection id, Change&& change) noexcept {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(txn, [&]() -> int {
    const auto opened = open_collection(txn, id);
    if (!opened) return report(opened.error());
    return change((*opened)->reader.collection());
  });
}

// Runs a change of what a collection is: change(collection) -> Result<Collection>. Its scans end.
template <class Change>
int redefine_collection(quire_txn* txn, quire_collection id, Change&& change) noexcept {
  return change_records(txn, id, [&](const Collection& collection) -> int {
    end_scans(txn, id);
    txn->searches.clear();
    // Forgotten, but alive until it is done: `collection` is its.
    const auto forgotten = txn->collections.extract(id);
    const auto made = change(collection);
    return made ? QUIRE_OK : report(made.error());
  });
}

// A caller's progress function as the engine calls it.
ReportProgress progress_of(quire_progress progress, void* context);

inline Bytes bytes_of(const void* data, std::size_t size) noexcept { return as_bytes(data, size); }

}  // namespace quire::capi
