#include <algorithm>

#include "capi/handles.h"

using namespace quire;
using namespace quire::capi;

namespace {

// Where a savepoint with this id is in the transaction's stack.
int find_savepoint(const quire_txn& txn, uint64_t id, std::size_t& place) noexcept {
  const auto found = std::ranges::find(txn.savepoints, id);
  if (found == txn.savepoints.end())
    return report(fail(ErrorCode::kConflict,
                       "savepoint %llu has ended or is of another transaction",
                       static_cast<unsigned long long>(id))
                      .error());
  place = static_cast<std::size_t>(found - txn.savepoints.begin());
  return QUIRE_OK;
}

int begin_into(quire_db* db, uint32_t flags, quire_txn* txn) {
  Database& database = *db->shared->database;
  if ((flags & QUIRE_WRITE) != 0) {
    auto write = database.begin_write((flags & QUIRE_TRY) == 0);
    if (!write) return report(write.error());
    txn->write = std::move(*write);
    db->write.store(txn);
  } else {
    auto snapshot = database.begin_read();
    if (!snapshot) return report(snapshot.error());
    txn->snapshot = std::move(*snapshot);
    db->reads.fetch_add(1);
  }
  txn->db = db;
  txn->searches.use(&db->shared->scratches);
  txn->next_savepoint = 1;
  txn->state.store(HandleState::kOpen, std::memory_order_release);
  return QUIRE_OK;
}

}  // namespace

extern "C" {

int quire_begin(quire_db* db, uint32_t flags, quire_txn** out) {
  if (out == nullptr) return report(QUIRE_ERR_INVALID, "quire_begin: txn is NULL");
  *out = nullptr;
  if (const int code = check_db(db); code != QUIRE_OK) return code;
  if ((flags & ~static_cast<std::uint32_t>(QUIRE_WRITE | QUIRE_TRY)) != 0 || flags == QUIRE_TRY)
    return report(QUIRE_ERR_INVALID,
                  "quire_begin: flags are QUIRE_READ, or QUIRE_WRITE with or "
                  "without QUIRE_TRY");
  if (db->read_only && (flags & QUIRE_WRITE) != 0)
    return report(QUIRE_ERR_READ_ONLY, "a write transaction of a read-only handle");
  return guarded([&]() -> int {
    auto txn = txn_pool().acquire();
    const int code = begin_into(db, flags, txn.get());
    if (code == QUIRE_OK) *out = txn.release();
    return code;
  });
}

int quire_commit(quire_txn* txn) { return quire_commit_ex(txn, QUIRE_DURABILITY_DEFAULT, nullptr); }

int quire_commit_ex(quire_txn* txn, uint32_t durability, uint64_t* lsn) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (durability > QUIRE_DURABILITY_NONE)
    return report(QUIRE_ERR_INVALID, "quire_commit_ex: durability is not a QUIRE_DURABILITY_*");
  return guarded([&]() -> int {
    int code = QUIRE_OK;
    if (txn->write != nullptr) {
      Database& database = *txn->db->shared->database;
      const Durability wanted = durability == QUIRE_DURABILITY_DEFAULT
                                    ? database.options().writer.durability
                                    : static_cast<Durability>(durability);
      code = guarded([&]() -> int {
        const auto committed = database.writer()->commit(*txn->write, wanted);
        if (!committed) return report(committed.error());
        if (lsn != nullptr) *lsn = *committed;
        return QUIRE_OK;
      });
    } else if (lsn != nullptr) {
      *lsn = txn->snapshot->root().lsn;
    }
    call.gone();
    end_txn(txn);
    return code;
  });
}

void quire_abort(quire_txn* txn) {
  if (txn == nullptr) return;
  TxnCall call(txn);
  if (call.code() == QUIRE_ERR_FORKED) {
    // The child gives the memory up; slot and turn are the parent's.
    if (txn->snapshot != nullptr) txn->snapshot->abandon();
    (void)txn->write.release();
    return;
  }
  if (call.code() != QUIRE_OK) return;
  call.gone();
  end_txn(txn);
}

int quire_renew(quire_txn* txn) {
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  if (txn->write != nullptr)
    return report(QUIRE_ERR_INVALID, "quire_renew: only read transactions are renewed");
  return guarded([&]() -> int {
    end_scans(txn);
    for (quire_cursor* cursor : txn->cursors) {
      if (cursor->range != nullptr) cursor->range->restart();
    }
    txn->collections.clear();
    txn->searches.clear();
    const auto status = txn->db->shared->database->renew(*txn->snapshot);
    return status ? QUIRE_OK : report(status.error());
  });
}

uint64_t quire_txn_number(const quire_txn* txn) {
  if (txn == nullptr || txn->state.load(std::memory_order_acquire) != HandleState::kOpen) return 0;
  return txn->write != nullptr ? txn->write->base().txn : txn->snapshot->root().txn;
}

int quire_savepoint(quire_txn* txn, uint64_t* savepoint) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  if (savepoint == nullptr) return report(QUIRE_ERR_INVALID, "quire_savepoint: savepoint is NULL");
  return guarded_change(txn, [&]() -> int {
    make_room_for_one(txn->savepoints);
    const auto made = txn->write->savepoint();
    if (!made) return report(made.error());
    txn->savepoints.push_back(txn->next_savepoint++);
    *savepoint = txn->savepoints.back();
    return QUIRE_OK;
  });
}

int quire_rollback_to(quire_txn* txn, uint64_t savepoint) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(txn, [&]() -> int {
    std::size_t place = 0;
    if (const int code = find_savepoint(*txn, savepoint, place); code != QUIRE_OK) return code;
    const auto status = txn->write->rollback_to(place);
    if (!status) return report(status.error());
    txn->savepoints.resize(place + 1);
    // What a collection was may have been rolled back too.
    end_scans(txn);
    txn->collections.clear();
    txn->searches.clear();
    return QUIRE_OK;
  });
}

int quire_release(quire_txn* txn, uint64_t savepoint) {
  TxnCall call(txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(txn, [&]() -> int {
    std::size_t place = 0;
    if (const int code = find_savepoint(*txn, savepoint, place); code != QUIRE_OK) return code;
    const auto status = txn->write->release(place);
    if (!status) return report(status.error());
    txn->savepoints.resize(place);
    return QUIRE_OK;
  });
}

}  // extern "C"
