#include "index/query/record_set.h"

#include <algorithm>

#include "engine/record/row_codec.h"
#include "index/ordered/sorted_scan.h"

namespace quire::query {
namespace {

// Numbers that are put into a bitmap together.
constexpr std::size_t kBatch = 4096;

// Puts numbers into a bitmap.
class BitmapCollector {
 public:
  BitmapCollector(Bitmap& records, Budget& budget) : records_(records), budget_(budget) {
    batch_.reserve(kBatch);
  }
  Status add(RecordNumber number, Bytes) {
    batch_.push_back(number);
    return batch_.size() == kBatch ? flush() : Status();
  }
  Status flush() {
    records_.addMany(batch_.size(), batch_.data());
    // At worst: a number of 16 bits each.
    QUIRE_CHECK(budget_.memory(batch_.size() * sizeof(std::uint16_t)));
    batch_.clear();
    return {};
  }

 private:
  Bitmap& records_;
  Budget& budget_;
  std::vector<std::uint64_t> batch_;
};

class MemberCollector {
 public:
  MemberCollector(std::vector<SetMember>& members, Budget& budget)
      : members_(members), budget_(budget) {}
  Status add(RecordNumber number, Bytes key) {
    members_.push_back({number, key});
    return budget_.memory(sizeof(SetMember));
  }

 private:
  std::vector<SetMember>& members_;
  Budget& budget_;
};

template <class Collector>
Status collect_entries(View& view, const SortedIndex& index, const KeyRange& range, Budget& budget,
                       Collector& into) {
  QUIRE_CHECK(view.tree_root(index.tree()));
  SortedScan scan;
  scan.begin(view, index, range, ScanDirection::kForward);
  while (true) {
    QUIRE_TRY(const bool there, scan.next());
    if (!there) return {};
    QUIRE_CHECK(budget.entry());
    QUIRE_CHECK(into.add(scan.number(), scan.primary_key()));
  }
}

template <class Collector>
Status collect_rows(View& view, const Collection& collection, const KeyRange& range, Budget& budget,
                    Collector& into) {
  RangeScan scan;
  scan.begin(view, collection.id(), range, ScanDirection::kForward);
  while (true) {
    QUIRE_TRY(const bool there, scan.next());
    if (!there) return {};
    QUIRE_TRY(const Bytes bytes, scan.value());
    QUIRE_TRY(const RowView row, RowView::parse(collection.schema(), bytes));
    QUIRE_CHECK(budget.entry());
    QUIRE_CHECK(into.add(row.number(), scan.key()));
  }
}

// The records that a path leads to. O(entries).
template <class Collector>
Status collect(View& view, const Collection& collection, const AccessPath& path, Budget& budget,
               Collector& into) {
  for (const KeyRange& range : path.ranges) {
    QUIRE_CHECK(path.index != nullptr ? collect_entries(view, *path.index, range, budget, into)
                                      : collect_rows(view, collection, range, budget, into));
  }
  return {};
}

template <class Collector>
Status collect(View& view, const Collection& collection, const SetPlan& plan, Budget& budget,
               Collector& into) {
  if (plan.members.empty()) return collect(view, collection, plan.path, budget, into);
  for (const SetPlan& member : plan.members)
    QUIRE_CHECK(collect(view, collection, member, budget, into));
  return {};
}

}  // namespace

bool is_small(const SetPlan& plan) noexcept {
  if (plan.entries > kSmallSet) return false;
  if (plan.members.empty()) return plan.path.index != nullptr;
  return std::ranges::all_of(plan.members, is_small);
}

Result<Bitmap> make_set(View& view, const Collection& collection, const SetPlan& plan,
                        Budget& budget) {
  Bitmap records;
  BitmapCollector into(records, budget);
  QUIRE_CHECK(collect(view, collection, plan, budget, into));
  QUIRE_CHECK(into.flush());
  return records;
}

Status make_small_set(View& view, const Collection& collection, const SetPlan& plan, Budget& budget,
                      std::vector<SetMember>& members) {
  members.clear();
  MemberCollector into(members, budget);
  QUIRE_CHECK(collect(view, collection, plan, budget, into));
  std::ranges::sort(members, {}, &SetMember::number);
  const auto twice = std::ranges::unique(members, {}, &SetMember::number);
  members.erase(twice.begin(), twice.end());
  return {};
}

}  // namespace quire::query
