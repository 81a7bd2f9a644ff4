#include "index/query/record_set.h"

#include "engine/record/row_codec.h"
#include "index/ordered/sorted_scan.h"

namespace quire::query {
namespace {

// Numbers that are put into a bitmap together.
constexpr std::size_t kBatch = 4096;

class Collector {
 public:
  Collector(Bitmap& records, Budget& budget) : records_(records), budget_(budget) {
    batch_.reserve(kBatch);
  }
  Status add(RecordNumber number) {
    QUIRE_CHECK(budget_.entry());
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

Status collect_entries(View& view, const SortedIndex& index, const KeyRange& range,
                       Collector& into) {
  QUIRE_TRY(SortedScan scan, SortedScan::open(view, index, range));
  while (true) {
    QUIRE_TRY(const bool there, scan.next());
    if (!there) return {};
    QUIRE_CHECK(into.add(scan.number()));
  }
}

Status collect_rows(View& view, const Collection& collection, const KeyRange& range,
                    Collector& into) {
  RangeScan scan(view, collection.id(), range);
  while (true) {
    QUIRE_TRY(const bool there, scan.next());
    if (!there) return {};
    QUIRE_TRY(const Bytes bytes, scan.value());
    QUIRE_TRY(const RowView row, RowView::parse(collection.schema(), bytes));
    QUIRE_CHECK(into.add(row.number()));
  }
}

}  // namespace

Status add_records(View& view, const Collection& collection, const AccessPath& path, Budget& budget,
                   Bitmap& records) {
  Collector into(records, budget);
  for (const KeyRange& range : path.ranges) {
    QUIRE_CHECK(path.index != nullptr ? collect_entries(view, *path.index, range, into)
                                      : collect_rows(view, collection, range, into));
  }
  return into.flush();
}

Result<Bitmap> make_set(View& view, const Collection& collection, const SetPlan& plan,
                        Budget& budget) {
  Bitmap records;
  if (plan.members.empty()) QUIRE_CHECK(add_records(view, collection, plan.path, budget, records));
  for (const SetPlan& member : plan.members) {
    QUIRE_TRY(const Bitmap one, make_set(view, collection, member, budget));
    records |= one;
  }
  return records;
}

}  // namespace quire::query
