#include "index/ordered/range_scan.h"

#include <algorithm>

#include "engine/tree/tree_batch.h"

namespace quire {

void RangeScan::begin(View& view, StructureId tree, const KeyRange& range,
                      ScanDirection direction) {
  view_ = &view;
  tree_ = tree;
  borrowed_ = &range;
  forward_ = direction == ScanDirection::kForward;
  state_ = State::kBegin;
  placed_ = false;
  on_one_ = false;
}

// ---------------------------------------------------------------- places

Status RangeScan::place_forward() {
  if (state_ == State::kBegin)
    return range().low.empty() ? cursor_.first() : cursor_.seek(bytes_of(range().low));
  QUIRE_CHECK(cursor_.seek(bytes_of(last_)));
  const bool shown =
      state_ == State::kBehind && cursor_.valid() && equal_bytes(cursor_.key(), bytes_of(last_));
  return shown ? cursor_.next() : Status();
}

Status RangeScan::place_backward() {
  if (state_ == State::kBegin)
    return range().high ? cursor_.seek_before(bytes_of(*range().high)) : cursor_.last();
  if (state_ == State::kAt) {
    QUIRE_CHECK(cursor_.seek(bytes_of(last_)));
    if (cursor_.valid() && equal_bytes(cursor_.key(), bytes_of(last_))) return {};
  }
  return cursor_.seek_before(bytes_of(last_));
}

// Puts the cursor on the next entry to show, in the state that the tree has now.
Status RangeScan::place() {
  version_ = view_->tree_version(tree_);
  QUIRE_TRY(const TreeRoot root, view_->tree_root(tree_));
  cursor_.reset(&view_->reader(), root);
  QUIRE_CHECK(forward_ ? place_forward() : place_backward());
  state_ = State::kAt;
  placed_ = true;
  return {};
}

Status RangeScan::step() {
  QUIRE_CHECK(forward_ ? cursor_.next() : cursor_.previous());
  state_ = State::kAt;
  return {};
}

// The cursor is on the next entry to show, or off the ends.
Status RangeScan::settle() {
  if (!placed_ || version_ != view_->tree_version(tree_)) return place();
  return state_ == State::kBehind ? step() : Status();
}

bool RangeScan::in_range() const {
  if (!cursor_.valid()) return false;
  if (!forward_) return compare_bytes(cursor_.key(), bytes_of(range().low)) >= 0;
  return !range().high || compare_bytes(cursor_.key(), bytes_of(*range().high)) < 0;
}

void RangeScan::seek_after(Bytes key) {
  const bool outside = forward_ ? compare_bytes(key, bytes_of(range().low)) < 0
                                : range().high && compare_bytes(key, bytes_of(*range().high)) >= 0;
  state_ = outside ? State::kBegin : State::kBehind;
  last_ = as_text(key);
  placed_ = false;
  on_one_ = false;
}

// ---------------------------------------------------------------- counts

Result<std::uint64_t> RangeScan::rank_of(const std::optional<EncodedKey>& key) {
  QUIRE_TRY(const TreeRoot root, view_->tree_root(tree_));
  if (!key) return root.count();
  if (key->empty()) return 0;
  return tree_rank(view_->reader(), root, bytes_of(*key));
}

Result<std::uint64_t> count_range(View& view, StructureId tree, const KeyRange& range) {
  QUIRE_TRY(const TreeRoot root, view.tree_root(tree));
  if (range.low.empty() && !range.high) return root.count();
  std::optional<Bytes> high;
  if (range.high) high = bytes_of(*range.high);
  return tree_count(view.reader(), root, bytes_of(range.low), high);
}

Result<std::uint64_t> RangeScan::count() { return count_range(*view_, tree_, range()); }

Result<std::uint64_t> RangeScan::skip(std::uint64_t n) {
  if (state_ == State::kEnd || n == 0) return 0;
  QUIRE_CHECK(settle());
  if (!in_range()) {
    state_ = State::kEnd;
    return 0;
  }
  QUIRE_TRY(const std::uint64_t at, cursor_.rank());
  QUIRE_TRY(const std::uint64_t end, forward_ ? high_rank() : low_rank());
  const std::uint64_t left = forward_ ? end - at : at + 1 - end;
  const std::uint64_t skipped = std::min(n, left);
  if (skipped == left) {
    state_ = State::kEnd;
    return skipped;
  }
  QUIRE_CHECK(cursor_.seek_rank(forward_ ? at + skipped : at - skipped));
  if (version_ != 0 && cursor_.valid()) last_ = as_text(cursor_.key());
  return skipped;
}

// ---------------------------------------------------------------- entries

Result<bool> RangeScan::take_one() {
  QUIRE_TRY(const TreeRoot root, view_->tree_root(tree_));
  QUIRE_TRY(const auto value, tree_get(view_->reader(), root, bytes_of(range().low)));
  state_ = State::kEnd;
  on_one_ = value.has_value();
  if (value) one_ = *value;
  return on_one_;
}

Result<bool> RangeScan::next() {
  if (state_ == State::kEnd) {
    on_one_ = false;
    return false;
  }
  if (state_ == State::kBegin && range().one) return take_one();
  QUIRE_CHECK(settle());
  if (!in_range()) {
    state_ = State::kEnd;
    return false;
  }
  state_ = State::kBehind;
  // A write transaction's: the tree may change before the next call.
  if (version_ != 0) last_ = as_text(cursor_.key());
  return true;
}

}  // namespace quire
