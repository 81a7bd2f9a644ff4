// Whether a sorted index has the entries of the records, and no others.
#include "engine/record/collection.h"
#include "engine/record/collection_check.h"
#include "engine/record/key_codec.h"
#include "engine/record/record_change.h"
#include "index/ordered/sorted_index.h"

namespace quire {
namespace {

class Check {
 public:
  Check(View& view, const Collection& collection, const SortedIndex& index,
        const ReportDamage& report)
      : view_(view), collection_(collection), index_(index), report_(report) {}

  Status run() {
    QUIRE_TRY(const TreeRoot primary, view_.tree_root(collection_.id()));
    QUIRE_TRY(tree_, view_.tree_root(index_.tree()));
    QUIRE_CHECK(each(primary, [this](Bytes key, Bytes row) { return check_record(key, row); }));
    // Each names its record, so those found are different ones: so many are all there are.
    if (found_ == tree_.count()) return {};
    return each(tree_, [this](Bytes key, Bytes value) { return check_entry(key, value); });
  }

 private:
  Status each(const TreeRoot& tree, const std::function<Status(Bytes key, Bytes value)>& visit) {
    return check_entries(view_, tree, report_, visit);
  }

  void damage(const std::string& words) const { report_(Error(ErrorCode::kCorrupt, words)); }
  std::string name_of(Bytes entry) const {
    return "the entry " + describe_entry_key(index_.form(), entry);
  }
  std::string record_name(Bytes key) const {
    return "the record " + describe_key(collection_.schema(), key);
  }

  // A row that can't be read is for the check of the collection to tell.
  Status check_record(Bytes key, Bytes bytes) {
    const auto row = RowView::parse(collection_.schema(), bytes);
    if (!row) return {};
    entries_.make(index_.form(), *row, key);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const Bytes entry = entries_.key(i);
      QUIRE_TRY(const std::optional<Bytes> value, tree_get(view_.reader(), tree_, entry));
      if (!value) {
        damage(name_of(entry) + " of " + record_name(key) + " is missing");
        continue;
      }
      if (equal_bytes(*value, entries_.value())) {
        ++found_;
      } else {
        damage(name_of(entry) + " of " + record_name(key) + " does not say what the record does");
      }
    }
    return {};
  }

  Status check_entry(Bytes key, Bytes value) {
    const auto entry = EntryView::parse(index_.form(), key, value);
    if (!entry) {
      damage(name_of(key) + " can't be read");
      return {};
    }
    const auto row = find_row(view_, collection_, entry->primary_key);
    if (!row && row.error().code() != ErrorCode::kCorrupt) return std::unexpected(row.error());
    if (!row || !*row) {
      damage(name_of(key) + " is of " + record_name(entry->primary_key) +
             (row ? ", which is not there" : ", which can't be read"));
      return {};
    }
    entries_.make(index_.form(), **row, entry->primary_key);
    if (entries_.find(key) == entries_.size())
      damage(name_of(key) + " is not one of " + record_name(entry->primary_key));
    return {};
  }

  View& view_;
  const Collection& collection_;
  const SortedIndex& index_;
  const ReportDamage& report_;
  TreeRoot tree_;
  RecordEntries entries_;
  std::uint64_t found_ = 0;
};

}  // namespace

Status SortedIndex::check(View& view, const Collection& collection,
                          const ReportDamage& report) const {
  return Check(view, collection, *this, report).run();
}

}  // namespace quire
