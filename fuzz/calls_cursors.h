// Calls of cursors.
#pragma once

#include "fuzz/calls_entries.h"

namespace quire::fuzz {

class CursorCalls : public EntryCalls {
 protected:
  using EntryCalls::EntryCalls;

  void cursor_call() {
    if (cursors_.empty() || input_.byte() < 40) return open_cursor();
    const std::size_t lately = std::min<std::size_t>(cursors_.size(), 5);
    Cursor& cursor = cursors_[cursors_.size() - 1 - input_.byte() % lately];
    // A handle that was closed is given out again after 64 others.
    if (cursor.closed && closings_ > 30) return;
    const std::uint8_t what = input_.byte() % 10;
    if (what == 8) return cursor_delete(cursor);
    if (what == 9 && input_.byte() < 60) {
      if (!cursor.closed) ++closings_;
      quire_cursor_close(cursor.handle);
      cursor.closed = true;
      return;
    }
    move(cursor, what);
  }
  void open_cursor() {
    Txn& txn = some_txn();
    const quire_keyspace id = some_id();
    Cursor cursor;
    quire_range range = QUIRE_RANGE_INIT;
    const std::uint8_t which = input_.byte();
    if ((which & 1) != 0) cursor.low = some_key();
    if ((which & 2) != 0) cursor.high = some_key();
    if ((which & 12) == 12) cursor.prefix = some_key().substr(0, 4);
    if (cursor.low) range.low = slice(*cursor.low);
    if (cursor.high) range.high = slice(*cursor.high);
    if (cursor.prefix) range.prefix = slice(*cursor.prefix);
    const int code =
        quire_cursor_open(txn.handle, id, (which & 16) != 0 ? nullptr : &range, &cursor.handle);
    expect(code, txn.open ? space_code(txn.state, id) : QUIRE_ERR_CLOSED, "cursor_open");
    if (code != QUIRE_OK) return;
    if ((which & 16) != 0) cursor.low = cursor.high = cursor.prefix = std::nullopt;
    cursor.txn = static_cast<std::size_t>(&txn - txns_.data());
    cursor.space = id;
    cursors_.push_back(std::move(cursor));
  }
  // What a call of the cursor returns for what it is a cursor of; OK where that is there.
  int cursor_code(const Cursor& cursor) const {
    if (cursor.closed || !txns_[cursor.txn].open) return QUIRE_ERR_CLOSED;
    return space_code(txns_[cursor.txn].state, cursor.space);
  }
  // The entries in the cursor's range, as it sees them now.
  Map entries_of(const Cursor& cursor) const {
    Map inside;
    for (const auto& [key, value] : txns_[cursor.txn].state.spaces.at(cursor.space).entries)
      if (cursor.has(key)) inside[key] = value;
    return inside;
  }
  void move(Cursor& cursor, std::uint8_t what) {
    const std::string wanted = what == 5 ? some_key() : "";
    const std::uint64_t rank = what == 6 ? input_.byte() % 32 : 0;
    quire_slice key{};
    quire_slice value{};
    int code = 0;
    if (what < 2 || what > 7) code = quire_cursor_next(cursor.handle, &key, &value);
    if (what == 2) code = quire_cursor_previous(cursor.handle, &key, &value);
    if (what == 3) code = quire_cursor_first(cursor.handle, &key, &value);
    if (what == 4) code = quire_cursor_last(cursor.handle, &key, &value);
    if (what == 5)
      code = quire_cursor_seek(cursor.handle, wanted.data(), wanted.size(), &key, &value);
    if (what == 6) code = quire_cursor_seek_rank(cursor.handle, rank, &key, &value);
    if (what == 7) code = quire_cursor_current(cursor.handle, &key, &value);
    const int usable = cursor_code(cursor);
    if (usable != QUIRE_OK) {
      expect(code, usable, "a cursor of what is not there");
      // After an error it is nowhere, if it was asked at all.
      if (usable != QUIRE_ERR_CLOSED) cursor.place = Cursor::kNowhere;
      return;
    }
    const Map inside = entries_of(cursor);
    const Map::const_iterator there = where(cursor, inside, what, wanted, rank);
    expect(code, there == inside.end() ? QUIRE_ERR_NOT_FOUND : QUIRE_OK, "a cursor");
    if (code != QUIRE_OK) return;
    demand(text(key) == there->first && text(value) == there->second,
           "a cursor is on another entry");
  }
  // Moves the model's cursor; where it is then.
  static Map::const_iterator where(Cursor& cursor, const Map& inside, std::uint8_t what,
                                   const std::string& wanted, std::uint64_t rank) {
    Map::const_iterator to = inside.end();
    bool forward = true;
    if (what == 7) {
      if (cursor.place == Cursor::kOn) to = inside.find(cursor.at);
      return to;
    }
    if (what < 2 || what > 7) {
      if (cursor.place == Cursor::kAfter) return to;
      to = cursor.place == Cursor::kOn ? inside.upper_bound(cursor.at) : inside.begin();
    } else if (what == 2) {
      forward = false;
      if (cursor.place == Cursor::kBefore) return to;
      to = cursor.place == Cursor::kOn ? inside.lower_bound(cursor.at) : inside.end();
      to = to == inside.begin() ? inside.end() : std::prev(to);
    } else if (what == 3) {
      to = inside.begin();
    } else if (what == 4) {
      forward = false;
      if (!inside.empty()) to = std::prev(inside.end());
    } else if (what == 5) {
      to = inside.lower_bound(wanted);
    } else if (rank < inside.size()) {
      to = std::next(inside.begin(), static_cast<std::ptrdiff_t>(rank));
    }
    if (to == inside.end()) {
      cursor.place = forward ? Cursor::kAfter : Cursor::kBefore;
    } else {
      cursor.place = Cursor::kOn;
      cursor.at = to->first;
    }
    return to;
  }
  void cursor_delete(Cursor& cursor) {
    const int code = quire_cursor_delete(cursor.handle);
    int expected = cursor_code(cursor);
    const bool closed = expected == QUIRE_ERR_CLOSED;
    if (!closed && !txns_[cursor.txn].write) expected = QUIRE_ERR_READ_ONLY;
    if (expected == QUIRE_OK) {
      Map& entries = txns_[cursor.txn].state.spaces[cursor.space].entries;
      if (cursor.place != Cursor::kOn || entries.erase(cursor.at) == 0)
        expected = QUIRE_ERR_NOT_FOUND;
    } else if (!closed && txns_[cursor.txn].write) {
      cursor.place = Cursor::kNowhere;
    }
    expect_change(txns_[cursor.txn], code, expected, "cursor_delete");
  }
};

}  // namespace quire::fuzz
