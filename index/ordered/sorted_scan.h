// Reading a sorted index in its order.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "index/ordered/range_scan.h"
#include "index/ordered/sorted_index.h"

namespace quire {

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

  SortedScan() = default;  // at the end of nothing, until begin()
  SortedScan(View& view, const SortedIndex& index, KeyRange range, ScanDirection direction)
      : SortedScan(index, RangeScan(view, index.tree(), std::move(range), direction)) {}

  // As a new one, in the memory of this. Borrows the range.
  void begin(View& view, const SortedIndex& index, const KeyRange& range, ScanDirection direction) {
    index_ = &index;
    scan_.begin(view, index.tree(), range, direction);
  }

  // Entries of the whole range, exactly. O(log n).
  Result<std::uint64_t> count() { return scan_.count(); }
  // Leaves out the next n entries, or as many as there are: how many. O(log n).
  Result<std::uint64_t> skip(std::uint64_t n) { return scan_.skip(n); }
  // Goes on behind the entry with this key, in the direction of the scan, whether there is one or
  // not: the key of an entry is where a later scan, in another state, goes on.
  void seek_after(Bytes key) { scan_.seek_after(key); }
  // The next entry. False at the end.
  Result<bool> next();

  // --- of the entry, after next() has said true ---
  Bytes key() const { return scan_.key(); }
  RecordNumber number() const noexcept { return entry_.number; }
  // Key of the record in the primary tree.
  Bytes primary_key() const noexcept { return entry_.primary_key; }
  // The covered fields, in the order of the option. kCorrupt.
  Result<std::span<const Value>> covered();
  // The parts of the key: texts as they are folded, numbers of JSON as i64 where they are one.
  // kCorrupt.
  Result<std::span<const Value>> parts();
  // One of them.
  Result<Value> part(std::size_t place);

 private:
  SortedScan(const SortedIndex& index, RangeScan scan) : index_(&index), scan_(std::move(scan)) {}
  std::unexpected<Error> damaged(const Error& error) const;

  const SortedIndex* index_ = nullptr;
  RangeScan scan_;
  EntryView entry_;
  std::vector<Value> covered_;
  std::vector<Value> parts_;
  std::vector<std::string> memory_;  // of the parts
};

}  // namespace quire
