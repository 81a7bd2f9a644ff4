// Reading a sorted index in its order.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <vector>

#include "index/ordered/key_range.h"
#include "index/ordered/sorted_index.h"

namespace quire {

enum class ScanDirection : std::uint8_t { kForward, kBackward };

// The entries of a range, each once. A record whose elements of an array are parts of the key has
// several, and a range over different elements may show it several times: who wants records drops
// those whose number was there already.
//
// Sees changes that its transaction makes on the way. View and index outlive it. One thread. What
// it lends is good until it moves, and in a write transaction until that changes something.
class SortedScan {
 public:
  static Result<SortedScan> open(View& view, const SortedIndex& index, KeyRange range,
                                 ScanDirection direction = ScanDirection::kForward);

  // Entries of the whole range, exactly. O(log n).
  Result<std::uint64_t> count();
  // Leaves out the next n entries, or as many as there are: how many. O(log n).
  Result<std::uint64_t> skip(std::uint64_t n);
  // Goes on behind the entry with this key, in the direction of the scan, whether there is one or
  // not: the key of an entry is where a later scan, in another state, goes on.
  void seek_after(Bytes key);
  // The next entry. False at the end.
  Result<bool> next();

  // --- of the entry, after next() has said true ---
  Bytes key() const { return cursor_.key(); }
  RecordNumber number() const noexcept { return entry_.number; }
  // Key of the record in the primary tree.
  Bytes primary_key() const noexcept { return entry_.primary_key; }
  // The covered fields, in the order of the option. kCorrupt.
  Result<std::span<const Value>> covered();
  // The parts of the key: texts as they are folded, numbers of JSON as i64 where they are one.
  // kCorrupt.
  Result<std::span<const Value>> parts();

 private:
  enum class State : std::uint8_t {
    kBegin,   // at the end of the range where the scan begins
    kBehind,  // last_, or the cursor, was the last to be shown
    kAt,      // last_, or the cursor, is the next to be shown
    kEnd,
  };
  SortedScan(View& view, const SortedIndex& index, KeyRange range, bool forward)
      : view_(&view), index_(&index), range_(std::move(range)), forward_(forward) {}
  Status settle();
  Status place();
  Status place_forward();
  Status place_backward();
  Status step();
  bool in_range() const;
  Result<std::uint64_t> rank_of(const std::optional<EncodedKey>& key);
  Result<std::uint64_t> low_rank();
  Result<std::uint64_t> high_rank();
  std::unexpected<Error> damaged(const Error& error) const;

  View* view_;
  const SortedIndex* index_;
  KeyRange range_;
  bool forward_;
  State state_ = State::kBegin;
  bool placed_ = false;  // the cursor is where state_ says
  std::uint64_t version_ = 0;
  TreeCursor cursor_;
  EncodedKey last_;
  EntryView entry_;
  std::vector<Value> covered_;
  std::vector<Value> parts_;
  std::deque<std::string> memory_;  // of the parts
};

}  // namespace quire
