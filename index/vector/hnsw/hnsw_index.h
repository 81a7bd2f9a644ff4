// An HNSW index bound to its collection. docs/vector-indexes.md is the design.
#pragma once

#include <string>

#include "engine/record/index.h"
#include "index/vector/hnsw/hnsw_state.h"

namespace quire::hnsw {

// Immutable. Invariants of its structures, at every state of the database:
//
//  1. Each record with a vector is in one slot of the tail, or the record of one live node; no
//  other
//     record is.
//  2. Each place is live, dead (and once in `dead`) or free (and in the chain from the head), and
//  no
//     list names a free one.
class HnswIndex final : public Index, public IndexMaintenance {
 public:
  HnswIndex(std::string name, const HnswForm& form) : name_(std::move(name)), form_(form) {}

  const std::string& name() const noexcept { return name_; }
  const HnswForm& form() const noexcept { return form_; }

  bool covers(std::size_t field) const noexcept override { return field == form_.field; }
  Status admit(WriteTxn& txn, const Collection& collection,
               const RecordChange& change) const override;
  Status apply(WriteTxn& txn, const Collection& collection,
               const RecordChange& change) const override;
  Status build(WriteTxn& txn, const Collection& collection, std::uint64_t memory_bytes,
               const ReportProgress& progress) const override;
  Status check(View& view, const Collection& collection, const ReportDamage& report) const override;
  Result<IndexStat> stat(View& view) const override;
  const IndexMaintenance* maintenance() const noexcept override { return this; }

  Result<double> backlog(View& view) const override;
  Result<std::unique_ptr<MaintenanceStep>> prepare(View& view, const Collection& collection,
                                                   std::size_t batch) const override;
  Status before_commit(WriteTxn& txn, const Collection& collection) const override;

  // "collection 'c': index 'x': " and the words.
  std::unexpected<Error> failure(const Collection& collection, ErrorCode code,
                                 const std::string& words) const;
  // The same before an error's own words.
  std::unexpected<Error> failure(const Collection& collection, const Error& error) const;

 private:
  class Making;
  // What waits: of the tail, and of the dead those that are not repaired around.
  struct Waiting {
    std::uint64_t tail = 0;
    std::uint64_t dead = 0;
  };
  static Waiting waiting_of(const HnswState& state) noexcept {
    return {state.tail.size, state.dead.size - state.head.repaired};
  }
  // Works within a transaction until no more waits than `left`.
  Status absorb(WriteTxn& txn, const Collection& collection, const Waiting& left,
                const std::function<Status(std::uint64_t tail)>& report) const;

  std::string name_;
  HnswForm form_;
};

}  // namespace quire::hnsw
