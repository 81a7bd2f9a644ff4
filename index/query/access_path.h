// Ways to the records that conditions leave: ranges of one tree.
#pragma once

#include "engine/record/collection.h"
#include "index/ordered/range_scan.h"
#include "index/ordered/sorted_kind.h"
#include "index/query/condition.h"

namespace quire::query {

// More ranges than these are put together to one around them all.
inline constexpr std::size_t kMaxRanges = 4096;

// A range of the primary tree, or of a sorted index, or several.
struct AccessPath {
  const SortedIndex* index = nullptr;  // nullptr: the primary tree
  StructureId tree = 0;
  std::vector<KeyRange> ranges;  // ascending, disjoint; none: there is no record
  std::size_t parts = 0;         // how many parts of the key conditions were found for
  // How many of the first parts have one value only, so that the entries are in the order of the
  // others.
  std::size_t fixed = 0;
  bool single = false;                  // a range has one entry at most: it is a whole unique key
  bool duplicates = false;              // a record may have several entries in the ranges
  std::vector<std::uint32_t> used;      // conditions that made it narrower
  std::vector<std::uint32_t> answered;  // and those of them that all its entries fulfil
  std::uint64_t total = 0;              // entries of the tree
  std::uint64_t entries = 0;            // of the ranges, exactly ...
  bool exact_count = true;              // ... unless that would take too long, or is clear enough

  bool narrows() const noexcept { return !used.empty(); }
  // As a new one, but for the memory of its lists and keys.
  void restart() noexcept;
  bool answers(std::uint32_t condition) const noexcept;
};

// The parts of the key of an index, or of the primary key.
using KeyParts = boost::container::small_vector<KeyPart, 4>;
KeyParts key_parts(const Collection& collection, const SortedIndex* index);

// The keys that begin with `prefix` and go on in an interval of the next part, in the memory of
// `range`.
void set_range(const EncodedKey& prefix, const Interval& interval, KeyRange& range);

// The ranges of an index (nullptr: of the primary tree) for all conditions that its key can answer,
// without their counts, in the memory of `path`. False where the index lacks records.
// O(conditions * parts + ranges).
bool find_ranges(const Collection& collection, const BoundFilter& filter,
                 std::span<const Condition> conditions, const SortedIndex* index, AccessPath& path);
// Counts them: O(ranges * log n).
Status count_entries(View& view, AccessPath& path);

// The path of an index (nullptr: of the primary tree) for all conditions that its key can answer;
// nothing where the index lacks records. O(conditions * parts + ranges * log n).
Result<std::optional<AccessPath>> find_path(View& view, const Collection& collection,
                                            const BoundFilter& filter,
                                            std::span<const Condition> conditions,
                                            const SortedIndex* index);

}  // namespace quire::query
