// A sorted index bound to its collection: one tree, from the entries' keys to their values
// (entry.h).
#pragma once

#include <string>

#include "engine/record/index.h"
#include "index/ordered/entry.h"

namespace quire {

// Immutable. Invariant of its tree: it has the entries of each record (RecordEntries), and no
// others.
class SortedIndex final : public Index {
 public:
  SortedIndex(std::string name, StructureId tree, SortedForm form)
      : name_(std::move(name)), tree_(tree), form_(std::move(form)) {}

  const std::string& name() const noexcept { return name_; }
  StructureId tree() const noexcept { return tree_; }
  const SortedForm& form() const noexcept { return form_; }

  bool covers(std::size_t field) const noexcept override { return form_.covers(field); }
  Status admit(WriteTxn& txn, const Collection& collection,
               const RecordChange& change) const override;
  Status apply(WriteTxn& txn, const Collection& collection,
               const RecordChange& change) const override;
  Status build(WriteTxn& txn, const Collection& collection, std::uint64_t memory_bytes,
               const ReportProgress& progress) const override;
  Status check(View& view, const Collection& collection, const ReportDamage& report) const override;
  Result<IndexStat> stat(View& view) const override;

  // "collection 'c': index 'x': " and the words.
  std::unexpected<Error> failure(const Collection& collection, ErrorCode code,
                                 const std::string& words) const;
  // kKeySize where a key of the record's entries is longer than a tree's may be.
  Status check_key_size(const Collection& collection, const RecordEntries& entries, Bytes record,
                        std::uint32_t page_size) const;

 private:
  Status check_unique(WriteTxn& txn, const Collection& collection, const RecordEntries& before,
                      const RecordEntries& after) const;
  std::unexpected<Error> too_long(const Collection& collection, Bytes key, Bytes record,
                                  std::size_t limit) const;

  std::string name_;
  StructureId tree_;
  SortedForm form_;
};

}  // namespace quire
