#include "index/ordered/sorted_scan.h"

#include <algorithm>

namespace quire {

Result<SortedScan> SortedScan::open(View& view, const SortedIndex& index, KeyRange range,
                                    ScanDirection direction) {
  QUIRE_CHECK(view.tree_root(index.tree()));
  return SortedScan(view, index, std::move(range), direction == ScanDirection::kForward);
}

std::unexpected<Error> SortedScan::damaged(const Error& error) const {
  return std::unexpected(error.with_context("index '" + index_->name() + "'"));
}

// ---------------------------------------------------------------- places

Status SortedScan::place_forward() {
  if (state_ == State::kBegin)
    return range_.low.empty() ? cursor_.first() : cursor_.seek(bytes_of(range_.low));
  QUIRE_CHECK(cursor_.seek(bytes_of(last_)));
  const bool shown =
      state_ == State::kBehind && cursor_.valid() && equal_bytes(cursor_.key(), bytes_of(last_));
  return shown ? cursor_.next() : Status();
}

Status SortedScan::place_backward() {
  if (state_ == State::kBegin)
    return range_.high ? cursor_.seek_before(bytes_of(*range_.high)) : cursor_.last();
  if (state_ == State::kAt) {
    QUIRE_CHECK(cursor_.seek(bytes_of(last_)));
    if (cursor_.valid() && equal_bytes(cursor_.key(), bytes_of(last_))) return {};
  }
  return cursor_.seek_before(bytes_of(last_));
}

// Puts the cursor on the next entry to show, in the state that the tree has now.
Status SortedScan::place() {
  version_ = view_->tree_version(index_->tree());
  QUIRE_TRY(const TreeRoot root, view_->tree_root(index_->tree()));
  cursor_.reset(&view_->reader(), root);
  QUIRE_CHECK(forward_ ? place_forward() : place_backward());
  state_ = State::kAt;
  placed_ = true;
  return {};
}

Status SortedScan::step() {
  QUIRE_CHECK(forward_ ? cursor_.next() : cursor_.previous());
  state_ = State::kAt;
  return {};
}

// The cursor is on the next entry to show, or off the ends.
Status SortedScan::settle() {
  if (!placed_ || version_ != view_->tree_version(index_->tree())) return place();
  return state_ == State::kBehind ? step() : Status();
}

bool SortedScan::in_range() const {
  if (!cursor_.valid()) return false;
  if (!forward_) return compare_bytes(cursor_.key(), bytes_of(range_.low)) >= 0;
  return !range_.high || compare_bytes(cursor_.key(), bytes_of(*range_.high)) < 0;
}

void SortedScan::seek_after(Bytes key) {
  const bool outside = forward_ ? compare_bytes(key, bytes_of(range_.low)) < 0
                                : range_.high && compare_bytes(key, bytes_of(*range_.high)) >= 0;
  state_ = outside ? State::kBegin : State::kBehind;
  last_ = as_text(key);
  placed_ = false;
}

// ---------------------------------------------------------------- counts

Result<std::uint64_t> SortedScan::rank_of(const std::optional<EncodedKey>& key) {
  QUIRE_TRY(const TreeRoot root, view_->tree_root(index_->tree()));
  if (!key) return root.count();
  if (key->empty()) return 0;
  return tree_rank(view_->reader(), root, bytes_of(*key));
}

Result<std::uint64_t> SortedScan::low_rank() { return rank_of(range_.low); }
Result<std::uint64_t> SortedScan::high_rank() { return rank_of(range_.high); }

Result<std::uint64_t> SortedScan::count() {
  QUIRE_TRY(const std::uint64_t low, low_rank());
  QUIRE_TRY(const std::uint64_t high, high_rank());
  return high > low ? high - low : 0;
}

Result<std::uint64_t> SortedScan::skip(std::uint64_t n) {
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

Result<bool> SortedScan::next() {
  if (state_ == State::kEnd) return false;
  QUIRE_CHECK(settle());
  if (!in_range()) {
    state_ = State::kEnd;
    return false;
  }
  QUIRE_TRY(const Bytes value, cursor_.value());
  auto entry = EntryView::parse(index_->form(), cursor_.key(), value);
  if (!entry) return damaged(entry.error());
  entry_ = *entry;
  state_ = State::kBehind;
  // A write transaction's: the tree may change before the next call.
  if (version_ != 0) last_ = as_text(cursor_.key());
  return true;
}

Result<std::span<const Value>> SortedScan::covered() {
  covered_.resize(index_->form().covering.size());
  if (auto read = read_covered(index_->form(), entry_.covered, covered_); !read)
    return damaged(read.error());
  return covered_;
}

Result<std::span<const Value>> SortedScan::parts() {
  const std::vector<BoundPart>& forms = index_->form().parts;
  parts_.resize(forms.size());
  memory_.resize(forms.size());
  Bytes rest = cursor_.key();
  for (std::size_t i = 0; i < forms.size(); ++i) {
    auto value = take_part(forms[i].form, rest, memory_[i]);
    if (!value) return damaged(value.error());
    parts_[i] = *value;
  }
  return parts_;
}

}  // namespace quire
