// Sets of records as Roaring bitmaps (Lemire et al., "Roaring bitmaps: implementation of an
// optimized software library", 2018) of their numbers.
#pragma once

#include <memory>

#include <roaring/roaring64map.hh>

#include "index/query/access_path.h"
#include "index/query/budget.h"

namespace roaring {}

namespace quire::query {

// Older releases of CRoaring have their classes in no namespace.
using namespace ::roaring;  // NOLINT
using Bitmap = Roaring64Map;

// How a set is made: the records of a path, or those of any of several sets.
struct SetPlan {
  AccessPath path;  // where there are no members
  std::vector<SetPlan> members;
  std::vector<std::uint32_t> answered;  // conditions that all of its records fulfil
  std::vector<std::uint32_t> used;      // conditions that all records it lacks do not fulfil
  std::uint64_t entries = 0;            // to be read for it
  std::uint64_t records = 0;            // it has, at most
};

// A record of a small set: with its primary key, which so need not be looked up by its number.
struct SetMember {
  RecordNumber number = 0;
  Bytes key;  // in the snapshot's memory
};
// Sets of as many entries are kept so: 24 bytes each.
inline constexpr std::uint64_t kSmallSet = 2048;

// O(entries of all).
Result<Bitmap> make_set(View& view, const Collection& collection, const SetPlan& plan,
                        Budget& budget);
// Whether a set is small, and all of its members come from indexes, whose entries have the keys.
bool is_small(const SetPlan& plan) noexcept;
// The same of a snapshot and a set that is small, in order of the numbers: O(entries * log
// entries).
Status make_small_set(View& view, const Collection& collection, const SetPlan& plan, Budget& budget,
                      std::vector<SetMember>& members);

}  // namespace quire::query
