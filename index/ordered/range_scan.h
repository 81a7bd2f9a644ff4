// The entries of a tree whose keys lie in a range, in either direction.
#pragma once

#include <optional>

#include "engine/record/key_codec.h"
#include "engine/txn/catalog.h"

namespace quire {

// Keys from `low` on and before `high`, where there is one.
struct KeyRange {
  EncodedKey low;
  std::optional<EncodedKey> high;
  bool one = false;  // no key of it but `low` is in the tree

  bool contains(Bytes key) const noexcept {
    return compare_bytes(key, bytes_of(low)) >= 0 &&
           (!high || compare_bytes(key, bytes_of(*high)) < 0);
  }
};

enum class ScanDirection : std::uint8_t { kForward, kBackward };

// Sees changes that its transaction makes on the way. The view outlives it. One thread. What it
// lends is good until it moves, and in a write transaction until that changes something.
class RangeScan {
 public:
  RangeScan() = default;  // at the end of nothing, until begin()
  RangeScan(View& view, StructureId tree, KeyRange range,
            ScanDirection direction = ScanDirection::kForward)
      : view_(&view),
        tree_(tree),
        own_(std::move(range)),
        forward_(direction == ScanDirection::kForward),
        state_(State::kBegin) {}

  // As a new one, in the memory of this. Borrows the range.
  void begin(View& view, StructureId tree, const KeyRange& range, ScanDirection direction);

  // Entries of the whole range, exactly. O(log n).
  Result<std::uint64_t> count();
  // Leaves out the next n entries, or as many as there are: how many. O(log n).
  Result<std::uint64_t> skip(std::uint64_t n);
  // Goes on behind this key, in the direction of the scan, whether there is an entry with it or
  // not.
  void seek_after(Bytes key);
  // The next entry. False at the end.
  Result<bool> next();

  // After next() has said true.
  Bytes key() const { return on_one_ ? bytes_of(range().low) : cursor_.key(); }
  Result<Bytes> value() const { return on_one_ ? one_ : cursor_.value(); }
  // It is on the only entry of a range that is `one`.
  bool on_one() const noexcept { return on_one_; }
  const KeyRange& range() const noexcept { return borrowed_ != nullptr ? *borrowed_ : own_; }

 private:
  enum class State : std::uint8_t {
    kBegin,   // at the end of the range where the scan begins
    kBehind,  // last_, or the cursor, was the last to be shown
    kAt,      // last_, or the cursor, is the next to be shown
    kEnd,
  };
  Result<bool> take_one();
  Status settle();
  Status place();
  Status place_forward();
  Status place_backward();
  Status step();
  bool in_range() const;
  Result<std::uint64_t> rank_of(const std::optional<EncodedKey>& key);
  Result<std::uint64_t> low_rank() { return rank_of(range().low); }
  Result<std::uint64_t> high_rank() { return rank_of(range().high); }

  View* view_ = nullptr;
  StructureId tree_ = 0;
  KeyRange own_;
  const KeyRange* borrowed_ = nullptr;  // instead of own_
  bool forward_ = true;
  State state_ = State::kEnd;
  bool placed_ = false;  // the cursor is where state_ says
  std::uint64_t version_ = 0;
  TreeCursor cursor_;
  EncodedKey last_;
  bool on_one_ = false;  // on the only entry of a range, which took no cursor
  Bytes one_;            // its value
};

// Entries of a range, exactly. O(log n).
Result<std::uint64_t> count_range(View& view, StructureId tree, const KeyRange& range);

}  // namespace quire
