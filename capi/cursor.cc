#include <algorithm>

#include "capi/handles.h"

using namespace quire;
using namespace quire::capi;

namespace {

int check_cursor(quire_cursor* cursor, bool records) noexcept {
  if (cursor == nullptr) return report(QUIRE_ERR_INVALID, "the cursor is NULL");
  if (cursor->state.load(std::memory_order_acquire) != HandleState::kOpen)
    return report(QUIRE_ERR_CLOSED, "the cursor was closed");
  if (cursor->txn == nullptr) return report(QUIRE_ERR_CLOSED, "the cursor's transaction has ended");
  if (!records && cursor->keyspace == 0)
    return report(QUIRE_ERR_TYPE, "a scan of records: only quire_scan_next works on it");
  return QUIRE_OK;
}

// Moves with `move(range)`, which returns Result<bool>, and gives out where the cursor is.
template <class Move>
int move_cursor(quire_cursor* cursor, quire_slice* key, quire_slice* value, Move&& move) noexcept {
  if (const int code = check_cursor(cursor, false); code != QUIRE_OK) return code;
  TxnCall call(cursor->txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    RangeCursor& range = *cursor->range;
    const Result<bool> moved = catch_out_of_memory([&] { return move(range); });
    if (!moved) {
      if (moved.error().code() == ErrorCode::kNoMemory) range.restart();  // nowhere
      return report(moved.error());
    }
    if (!*moved) return report(QUIRE_ERR_NOT_FOUND, "the cursor is at the end");
    if (key != nullptr) {
      const Bytes bytes = range.key();
      *key = {bytes.data(), bytes.size()};
    }
    if (value != nullptr) {
      const auto bytes = range.value();
      if (!bytes) return report(bytes.error());
      *value = {bytes->data(), bytes->size()};
    }
    return QUIRE_OK;
  });
}

std::optional<ByteVector> copy_bound(const quire_slice& slice) {
  if (slice.data == nullptr) return std::nullopt;
  return to_vector(bytes_of(slice.data, slice.size));
}

}  // namespace

extern "C" {

int quire_cursor_open(quire_txn* txn, quire_keyspace keyspace, const quire_range* range,
                      quire_cursor** out) {
  if (out == nullptr) return report(QUIRE_ERR_INVALID, "quire_cursor_open: cursor is NULL");
  *out = nullptr;
  TxnCall call(txn);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded([&]() -> int {
    quire_range known;
    if (const int code = read_options(range, known, "quire_range"); code != QUIRE_OK) return code;
    const auto root = txn->view().keyspace_root(keyspace);
    if (!root) return report(root.error());
    CursorRange limits{copy_bound(known.low), copy_bound(known.high)};
    limits.restrict_to_prefix(bytes_of(known.prefix.data, known.prefix.size));
    auto made = std::make_unique<RangeCursor>(txn->view(), keyspace, std::move(limits));
    auto owner = cursor_pool().acquire();
    make_room_for_one(txn->cursors);
    quire_cursor* cursor = owner.release();
    txn->cursors.push_back(cursor);
    cursor->range = std::move(made);
    cursor->txn = txn;
    cursor->keyspace = keyspace;
    cursor->state.store(HandleState::kOpen, std::memory_order_release);
    *out = cursor;
    return QUIRE_OK;
  });
}

void quire_cursor_close(quire_cursor* cursor) {
  if (cursor == nullptr || cursor->state.load(std::memory_order_acquire) != HandleState::kOpen)
    return;
  if (cursor->txn != nullptr) std::erase(cursor->txn->cursors, cursor);
  cursor->state.store(HandleState::kClosed, std::memory_order_release);
  cursor->range.reset();
  cursor->txn = nullptr;
  cursor->scan.reset();
  cursor->keyspace = 0;
  cursor_pool().release(cursor);
}

int quire_cursor_next(quire_cursor* cursor, quire_slice* key, quire_slice* value) {
  return move_cursor(cursor, key, value, [](RangeCursor& range) { return range.next(); });
}
int quire_cursor_previous(quire_cursor* cursor, quire_slice* key, quire_slice* value) {
  return move_cursor(cursor, key, value, [](RangeCursor& range) { return range.previous(); });
}
int quire_cursor_first(quire_cursor* cursor, quire_slice* key, quire_slice* value) {
  return move_cursor(cursor, key, value, [](RangeCursor& range) { return range.first(); });
}
int quire_cursor_last(quire_cursor* cursor, quire_slice* key, quire_slice* value) {
  return move_cursor(cursor, key, value, [](RangeCursor& range) { return range.last(); });
}
int quire_cursor_seek(quire_cursor* cursor, const void* wanted, size_t wanted_size,
                      quire_slice* key, quire_slice* value) {
  if (wanted == nullptr && wanted_size != 0)
    return report(QUIRE_ERR_INVALID, "quire_cursor_seek: wanted is NULL");
  return move_cursor(cursor, key, value,
                     [&](RangeCursor& range) { return range.seek(bytes_of(wanted, wanted_size)); });
}
int quire_cursor_seek_rank(quire_cursor* cursor, uint64_t rank, quire_slice* key,
                           quire_slice* value) {
  return move_cursor(cursor, key, value,
                     [rank](RangeCursor& range) { return range.seek_rank(rank); });
}
int quire_cursor_current(quire_cursor* cursor, quire_slice* key, quire_slice* value) {
  return move_cursor(cursor, key, value, [](RangeCursor& range) { return range.current(); });
}

int quire_cursor_delete(quire_cursor* cursor) {
  if (const int code = check_cursor(cursor, false); code != QUIRE_OK) return code;
  TxnCall call(cursor->txn, true);
  if (call.code() != QUIRE_OK) return call.code();
  return guarded_change(cursor->txn, [&]() -> int {
    const auto on_entry = cursor->range->current();
    if (!on_entry) return report(on_entry.error());
    if (!*on_entry) return report(QUIRE_ERR_NOT_FOUND, "the cursor is not on an entry");
    const ByteVector key = to_vector(cursor->range->key());
    const auto erased = cursor->txn->write->erase(cursor->keyspace, key);
    return erased ? QUIRE_OK : report(erased.error());
  });
}

}  // extern "C"
