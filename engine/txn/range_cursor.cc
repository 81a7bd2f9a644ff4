#include "engine/txn/range_cursor.h"

namespace quire {

void CursorRange::restrict_to_prefix(Bytes prefix) {
  if (prefix.empty()) return;
  if (!low || compare_bytes(*low, prefix) < 0) low = to_vector(prefix);
  // The first key behind all that begin with the prefix: its last byte that is not 0xFF, plus one.
  ByteVector end = to_vector(prefix);
  while (!end.empty() && end.back() == std::byte{0xFF}) end.pop_back();
  if (end.empty()) return;
  end.back() = static_cast<std::byte>(static_cast<unsigned>(end.back()) + 1);
  if (!high || compare_bytes(end, *high) < 0) high = std::move(end);
}

bool RangeCursor::below_low() const {
  return range_.low && compare_bytes(cursor_.key(), *range_.low) < 0;
}
bool RangeCursor::at_high() const {
  return range_.high && compare_bytes(cursor_.key(), *range_.high) >= 0;
}

// After a change of the tree: the same place in the tree as it is now.
Status RangeCursor::refresh() {
  // A snapshot stays what it is: nothing to ask.
  if (fresh_ && (!keeps_key_ || view_->tree_version(keyspace_) == version_)) [[likely]]
    return {};
  // After a rollback the id may be a collection's.
  QUIRE_TRY(const TreeRoot root, view_->keyspace_root(keyspace_));
  keeps_key_ = view_->tree_version(keyspace_) != 0;
  const bool was_fresh = fresh_;
  version_ = view_->tree_version(keyspace_);
  fresh_ = true;
  cursor_.reset(&view_->reader(), root);
  if (!was_fresh || place_ != Place::kOn) return {};
  QUIRE_CHECK(cursor_.seek(at_));
  stand_ = cursor_.valid() && equal_bytes(cursor_.key(), at_) ? Stand::kEntry : Stand::kGone;
  return {};
}

Result<bool> RangeCursor::settle(bool forward) {
  stand_ = Stand::kEntry;
  const bool inside = cursor_.valid() && (forward ? !at_high() : !below_low());
  if (!inside) {
    place_ = forward ? Place::kAfter : Place::kBefore;
    return false;
  }
  place_ = Place::kOn;
  if (keeps_key_) {
    const Bytes key = cursor_.key();
    at_.assign(key.begin(), key.end());
  }
  return true;
}

// After an error the cursor is nowhere.
Status RangeCursor::moved(Status status) {
  if (!status) [[unlikely]]
    restart();
  return status;
}

Result<bool> RangeCursor::first() {
  QUIRE_CHECK(moved(refresh()));
  QUIRE_CHECK(moved(range_.low ? cursor_.seek(*range_.low) : cursor_.first()));
  return settle(true);
}

Result<bool> RangeCursor::last() {
  QUIRE_CHECK(moved(refresh()));
  QUIRE_CHECK(moved(range_.high ? cursor_.seek_before(*range_.high) : cursor_.last()));
  return settle(false);
}

Result<bool> RangeCursor::next() {
  QUIRE_CHECK(moved(refresh()));
  if (place_ == Place::kBefore || place_ == Place::kNowhere) return first();
  if (place_ == Place::kAfter) return false;
  // Where the entry is gone, the cursor is on the one behind it already.
  if (stand_ == Stand::kEntry) QUIRE_CHECK(moved(cursor_.next()));
  return settle(true);
}

Result<bool> RangeCursor::previous() {
  QUIRE_CHECK(moved(refresh()));
  if (place_ == Place::kAfter || place_ == Place::kNowhere) return last();
  if (place_ == Place::kBefore) return false;
  if (stand_ == Stand::kGone) {
    QUIRE_CHECK(moved(cursor_.seek_before(at_)));
  } else {
    QUIRE_CHECK(moved(cursor_.previous()));
  }
  return settle(false);
}

Result<bool> RangeCursor::seek(Bytes wanted) {
  QUIRE_CHECK(moved(refresh()));
  const bool low_first = range_.low && compare_bytes(wanted, *range_.low) < 0;
  QUIRE_CHECK(moved(cursor_.seek(low_first ? Bytes(*range_.low) : wanted)));
  return settle(true);
}

Result<bool> RangeCursor::seek_rank(std::uint64_t rank) {
  QUIRE_CHECK(moved(refresh()));
  QUIRE_TRY(const TreeRoot root, view_->tree_root(keyspace_));
  std::uint64_t before = 0;
  if (range_.low) {
    QUIRE_TRY(before, tree_rank(view_->reader(), root, *range_.low));
  }
  const std::uint64_t position = rank > UINT64_MAX - before ? UINT64_MAX : before + rank;
  QUIRE_CHECK(moved(cursor_.seek_rank(position)));
  return settle(true);
}

Result<bool> RangeCursor::current() {
  QUIRE_CHECK(moved(refresh()));
  return place_ == Place::kOn && stand_ == Stand::kEntry && cursor_.valid();
}

}  // namespace quire
