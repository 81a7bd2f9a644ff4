// Filling a new sorted index from all records of its collection.
//
// Entries are collected in memory as long as they may take, sorted, and put in order of their keys:
// appended where they are the first, else among those of the batches before.
#include "engine/record/collection.h"
#include "engine/record/key_codec.h"
#include "index/ordered/entry_batch.h"
#include "index/ordered/sorted_index.h"

namespace quire {
namespace {

using PutMode = TreeWriter::PutMode;

constexpr std::uint64_t kProgressEvery = 4096;  // records, and entries
constexpr std::size_t kSettleEvery = 256;       // entries

class Build {
 public:
  Build(WriteTxn& txn, const Collection& collection, const SortedIndex& index,
        std::uint64_t memory_bytes, const ReportProgress& progress)
      : txn_(txn),
        collection_(collection),
        index_(index),
        memory_bytes_(memory_bytes),
        progress_(progress) {}

  Status run() {
    QUIRE_TRY(total_, collection_.count(txn_));
    for (bool more = true; more;) {
      QUIRE_TRY(more, collect());
      batch_.sort();
      QUIRE_CHECK(check_unique());
      QUIRE_CHECK(put_batch());
    }
    return {};
  }

 private:
  // A record counts half when it was read and half when its entries are in the tree.
  Status report() const {
    if (!progress_ || progress_((read_ + put_) / 2, total_)) return {};
    return index_.failure(collection_, ErrorCode::kCancelled, "its making was stopped");
  }

  // Reads on until the memory is full. Whether there are more records. Nothing is changed
  // meanwhile, and nothing borrowed is kept.
  Result<bool> collect() {
    QUIRE_TRY(const TreeRoot primary, txn_.tree_root(collection_.id()));
    TreeCursor cursor(&txn_.reader(), primary);
    QUIRE_CHECK(next_.empty() ? cursor.first() : cursor.seek(bytes_of(next_)));
    for (; cursor.valid(); ++read_) {
      if (batch_.size() != 0 && batch_.memory_bytes() > memory_bytes_) {
        next_ = as_text(cursor.key());
        return true;
      }
      if (read_ % kProgressEvery == 0) QUIRE_CHECK(report());
      QUIRE_TRY(const Bytes bytes, cursor.value());
      QUIRE_CHECK(add_record(cursor.key(), bytes));
      QUIRE_CHECK(cursor.next());
    }
    return false;
  }

  Status add_record(Bytes key, Bytes bytes) {
    const auto row = RowView::parse(collection_.schema(), bytes);
    if (!row) return collection_.failure(row.error().code(), row.error().message());
    entries_.make(index_.form(), *row, key);
    QUIRE_CHECK(index_.check_key_size(collection_, entries_, key, txn_.reader().page_size()));
    for (std::size_t i = 0; i < entries_.size(); ++i) batch_.add(entries_.key(i), entries_.value());
    return {};
  }

  Status check_unique() const {
    if (!index_.form().unique) return {};
    for (std::size_t i = 1; i < batch_.size(); ++i)
      if (equal_bytes(batch_.key(i - 1), batch_.key(i)))
        return violation(batch_.key(i), batch_.value(i - 1), batch_.value(i));
    return {};
  }

  Status violation(Bytes key, Bytes one, Bytes other) const {
    QUIRE_TRY(const EntryView a, EntryView::parse(index_.form(), key, one));
    QUIRE_TRY(const EntryView b, EntryView::parse(index_.form(), key, other));
    const Schema& schema = collection_.schema();
    return index_.failure(collection_, ErrorCode::kUnique,
                          "the records " + describe_key(schema, a.primary_key) + " and " +
                              describe_key(schema, b.primary_key) + " both have the key " +
                              describe_entry_key(index_.form(), key));
  }

  Status put_batch() {
    const std::uint64_t put_before = put_;
    const bool first = put_before == 0;
    for (std::size_t i = 0; i < batch_.size();) {
      put_ = put_before + (read_ - put_before) * i / batch_.size();
      if (i % kProgressEvery == 0) QUIRE_CHECK(report());
      QUIRE_TRY(TreeWriter * tree, txn_.tree(index_.tree()));
      const std::size_t end = std::min(i + kSettleEvery, batch_.size());
      for (; i < end; ++i) QUIRE_CHECK(put(*tree, i, first ? PutMode::kAppend : PutMode::kInsert));
      QUIRE_CHECK(txn_.settle());
    }
    put_ = read_;
    batch_.clear();
    return report();
  }

  Status put(TreeWriter& tree, std::size_t i, PutMode mode) const {
    auto put = tree.put(batch_.key(i), batch_.value(i), mode);
    if (put) return {};
    if (put.error().code() != ErrorCode::kExists) return std::unexpected(std::move(put).error());
    QUIRE_TRY(const std::optional<Bytes> value, tree.get(batch_.key(i)));
    if (!value) return std::unexpected(std::move(put).error());
    return violation(batch_.key(i), *value, batch_.value(i));
  }

  WriteTxn& txn_;
  const Collection& collection_;
  const SortedIndex& index_;
  std::uint64_t memory_bytes_;
  const ReportProgress& progress_;
  RecordEntries entries_;
  EntryBatch batch_;
  EncodedKey next_;  // of the record to go on with
  std::uint64_t total_ = 0;
  std::uint64_t read_ = 0;  // records
  std::uint64_t put_ = 0;   // of these, those whose entries are in the tree
};

}  // namespace

Status SortedIndex::build(WriteTxn& txn, const Collection& collection, std::uint64_t memory_bytes,
                          const ReportProgress& progress) const {
  return Build(txn, collection, *this, memory_bytes, progress).run();
}

}  // namespace quire
