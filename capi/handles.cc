#include "capi/handles.h"

#include <algorithm>

namespace quire::capi {
namespace {

struct LastError {
  const char* literal = "";
  std::string text;
};
thread_local LastError last_error;

}  // namespace

int report(const Error& error) noexcept try {
  last_error.literal = nullptr;
  last_error.text = error.message();
  return -static_cast<int>(error.code());
} catch (const std::bad_alloc&) {
  last_error.literal = "out of memory (while reporting an error)";
  return -static_cast<int>(error.code());
}

int report(int code, const char* text) noexcept {
  last_error.literal = text;
  return code;
}

// Never destroyed: a handle may be used while other statics end.
HandlePool<quire_db>& db_pool() {
  static auto* pool = new HandlePool<quire_db>();
  return *pool;
}
HandlePool<quire_txn>& txn_pool() {
  static auto* pool = new HandlePool<quire_txn>();
  return *pool;
}
HandlePool<quire_cursor>& cursor_pool() {
  static auto* pool = new HandlePool<quire_cursor>();
  return *pool;
}

HandlePool<quire_query>& query_pool() {
  static auto* pool = new HandlePool<quire_query>();
  return *pool;
}

void end_scans(quire_txn* txn, quire_collection collection) noexcept {
  for (quire_cursor* cursor : txn->cursors) {
    const bool concerned =
        collection == 0 || (cursor->scan && cursor->scan->collection().id() == collection);
    if (concerned) cursor->scan.reset();
  }
  for (quire_query* query : txn->queries) {
    if (collection == 0 || query->collection == collection) query->query.reset();
  }
}

int check_db(const quire_db* db) noexcept {
  if (db == nullptr) return report(QUIRE_ERR_INVALID, "the database handle is NULL");
  if (db->state.load(std::memory_order_acquire) != HandleState::kOpen)
    return report(QUIRE_ERR_CLOSED, "the database handle was closed");
  if (db->forked.load(std::memory_order_relaxed))
    return report(QUIRE_ERR_FORKED,
                  "the database was opened before fork(): the child may only close it");
  return QUIRE_OK;
}

int TxnCall::refusal(const quire_txn* txn, bool needs_write) noexcept {
  if (txn == nullptr) return report(QUIRE_ERR_INVALID, "the transaction handle is NULL");
  if (txn->state.load(std::memory_order_acquire) != HandleState::kOpen)
    return report(QUIRE_ERR_CLOSED, "the transaction has ended");
  if (needs_write && txn->write == nullptr)
    return report(QUIRE_ERR_READ_ONLY, "a change in a read transaction");
  if (txn->db->forked.load(std::memory_order_relaxed))
    return report(QUIRE_ERR_FORKED, "the transaction was begun before fork()");
  return report(QUIRE_ERR_THREAD, "the transaction is in use by another thread");
}

void end_txn(quire_txn* txn) noexcept {
  quire_db* db = txn->db;
  end_scans(txn);
  for (quire_cursor* cursor : txn->cursors) {
    cursor->range.reset();
    cursor->txn = nullptr;
  }
  txn->cursors.clear();
  for (quire_query* query : txn->queries) query->txn = nullptr;
  txn->queries.clear();
  if (!txn->closed_queries.empty()) query_pool().release(txn->closed_queries);
  txn->resting.clear();
  txn->collections.clear();
  txn->searches.clear();
  txn->savepoints.clear();
  txn->batch_errors.clear();
  txn->batch_keys.clear();
  txn->state.store(HandleState::kClosed, std::memory_order_release);
  const bool wrote = txn->write != nullptr;
  txn->write.reset();
  txn->snapshot.reset();
  txn->db = nullptr;
  // Only now may the database be closed.
  if (wrote) {
    // After a commit another thread's may stand there already.
    quire_txn* ours = txn;
    db->write.compare_exchange_strong(ours, nullptr);
  } else {
    db->reads.fetch_sub(1);
  }
  txn->busy.store(false, std::memory_order_release);
  txn_pool().release(txn);
}

}  // namespace quire::capi

using namespace quire;
using namespace quire::capi;

extern "C" {

const char* quire_last_error(void) {
  return last_error.literal != nullptr ? last_error.literal : last_error.text.c_str();
}

const char* quire_error_name(int code) {
  if (code > 0 || code < -static_cast<int>(ErrorCode::kBudget)) return "unknown";
  return error_name(static_cast<ErrorCode>(-code)).data();
}

}  // extern "C"
