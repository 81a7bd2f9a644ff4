#include "index/ordered/sorted_index.h"

#include "engine/record/collection.h"
#include "engine/record/key_codec.h"

namespace quire {
namespace {

using PutMode = TreeWriter::PutMode;

void make_entries(const SortedForm& form, const RowView* row, Bytes key, RecordEntries& entries) {
  if (row == nullptr) return entries.clear();
  entries.make(form, *row, key);
}

}  // namespace

std::unexpected<Error> SortedIndex::failure(const Collection& collection, ErrorCode code,
                                            const std::string& words) const {
  return collection.failure(code, "index '" + name_ + "': " + words);
}

// The longest part is the one to blame.
std::unexpected<Error> SortedIndex::too_long(const Collection& collection, Bytes key, Bytes record,
                                             std::size_t limit) const {
  std::size_t longest = 0;
  std::size_t field = 0;
  const std::size_t size = key.size();
  for (const BoundPart& part : form_.parts) {
    QUIRE_TRY(const PartExtent extent, measure_part(part.form, key));
    key = key.subspan(extent.size);
    if (extent.size <= longest) continue;
    longest = extent.size;
    field = part.field;
  }
  return failure(collection, ErrorCode::kKeySize,
                 "field '" + collection.schema().field(field).name + "': the record " +
                     describe_key(collection.schema(), record) + " would have a key of " +
                     std::to_string(size) + " bytes, the limit is " + std::to_string(limit));
}

Status SortedIndex::check_key_size(const Collection& collection, const RecordEntries& entries,
                                   Bytes record, std::uint32_t page_size) const {
  const std::size_t limit = max_key_size(page_size);
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (entries.key(i).size() > limit) return too_long(collection, entries.key(i), record, limit);
  return {};
}

// The keys that the record had already are its own.
Status SortedIndex::check_unique(WriteTxn& txn, const Collection& collection,
                                 const RecordEntries& before, const RecordEntries& after) const {
  QUIRE_TRY(const TreeRoot root, txn.tree_root(tree_));
  for (std::size_t i = 0; i < after.size(); ++i) {
    const Bytes key = after.key(i);
    if (before.find(key) != before.size()) continue;
    QUIRE_TRY(const std::optional<Bytes> value, tree_get(txn.reader(), root, key));
    if (!value) continue;
    QUIRE_TRY(const EntryView holder, EntryView::parse(form_, key, *value));
    return failure(collection, ErrorCode::kUnique,
                   "the key " + describe_entry_key(form_, key) + " is that of the record " +
                       describe_key(collection.schema(), holder.primary_key) + " already");
  }
  return {};
}

Status SortedIndex::admit(WriteTxn& txn, const Collection& collection,
                          const RecordChange& change) const {
  if (change.after == nullptr) return {};
  const std::uint32_t page_size = txn.reader().page_size();
  const bool fits = form_.key_bound != 0 && form_.key_bound <= max_key_size(page_size);
  if (fits && !form_.unique) return {};
  RecordEntries after;
  after.make(form_, *change.after, change.key);
  if (!fits) QUIRE_CHECK(check_key_size(collection, after, change.key, page_size));
  if (!after.exclusive() || after.empty()) return {};
  RecordEntries before;
  make_entries(form_, change.before, change.key, before);
  return check_unique(txn, collection, before, after);
}

Status SortedIndex::apply(WriteTxn& txn, const Collection& collection,
                          const RecordChange& change) const {
  RecordEntries before;
  RecordEntries after;
  make_entries(form_, change.before, change.key, before);
  make_entries(form_, change.after, change.key, after);
  QUIRE_TRY(TreeWriter * tree, txn.tree(tree_));
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (after.find(before.key(i)) != after.size()) continue;
    QUIRE_TRY(const bool erased, tree->erase(before.key(i)));
    if (!erased)
      return failure(collection, ErrorCode::kCorrupt,
                     "there is no entry " + describe_entry_key(form_, before.key(i)) +
                         " of the record " + describe_key(collection.schema(), change.key));
  }
  const bool same_value = equal_bytes(before.value(), after.value());
  for (std::size_t i = 0; i < after.size(); ++i) {
    const bool is_there = before.find(after.key(i)) != before.size();
    if (is_there && same_value) continue;
    QUIRE_CHECK(
        tree->put(after.key(i), after.value(), is_there ? PutMode::kUpdate : PutMode::kInsert));
  }
  return {};
}

Result<IndexStat> SortedIndex::stat(View& view) const {
  QUIRE_TRY(const TreeRoot root, view.tree_root(tree_));
  return IndexStat{.entries = root.count(), .figures = {{"height", root.height}}};
}

}  // namespace quire
