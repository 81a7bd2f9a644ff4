// What a kind of index is to the records: one small interface for all of them.
//
// A kind is an object without state in a table that the process gives to the engine when it opens a
// database; the engine knows no kind by name. A definition bound to its collection is an Index,
// which a Collection has one of for each of its indexes.
//
// Rules that every kind keeps:
//
//  1. What an index says at a state of the database depends on the records of that state alone. So
//     nothing of it is logged: recovery changes records, and the indexes follow. How well it is
//     arranged for saying it may be put off, for transactions that are not logged (maintenance).
//  2. All it has lies in trees and arrays that the definition names. Undoing pages undoes it;
//     savepoints and aborts need nothing more.
//  3. A change calls admit() of all indexes, then changes the record, then apply() of each. admit()
//     reads; an error of it leaves everything as it was. An error of apply() ends the transaction.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/record/definition.h"
#include "engine/record/row_codec.h"
#include "engine/txn/write_txn.h"

namespace quire {

class Collection;

// One record before and after. Borrows; nothing of it outlives the call. For admit() and apply()
// the row before is that of the primary tree at the call of admit(), and both stay good.
struct RecordChange {
  RecordNumber number = 0;
  Bytes key;                        // primary key, encoded
  const RowView* before = nullptr;  // nullptr: there was none
  const RowView* after = nullptr;   // nullptr: there will be none
  // Places among the vector fields whose vectors are others than before.
  std::span<const std::uint32_t> vectors;
};

struct IndexStat {
  std::uint64_t entries = 0;
  std::uint64_t pages = 0;
  // What else the kind tells of itself.
  std::vector<std::pair<std::string, std::uint64_t>> figures;
};

// Called now and then by what takes long, with how many records are done of how many. False stops:
// kCancelled.
using ReportProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;
// Called with each damage that a check finds.
using ReportDamage = std::function<void(const Error&)>;

// A piece of work on an index that was worked out at a snapshot, which outlives it.
class MaintenanceStep {
 public:
  virtual ~MaintenanceStep() = default;
  // Carries it out in a transaction that began later and is not logged. kConflict: another step was
  // carried out meanwhile, and this one is of no more use.
  virtual Status apply(WriteTxn& txn, const Collection& collection) = 0;
};

// What an index has put off. Such an index calls WriteTxn::defer_work_of in every change that
// leaves work.
class IndexMaintenance {
 public:
  virtual ~IndexMaintenance() = default;
  // How much waits, as a part of what should wait at most; 0: nothing.
  virtual Result<double> backlog(View& view) const = 0;
  // Works out a piece of it, of about `batch` records; nullptr where nothing waits. The longer part
  // of the work, so it is done without the turn.
  virtual Result<std::unique_ptr<MaintenanceStep>> prepare(View& view, const Collection& collection,
                                                           std::size_t batch) const = 0;
  // At the end of a transaction that left work: does as much as must not wait.
  virtual Status before_commit(WriteTxn& txn, const Collection& collection) const = 0;
};

// Thread-safe: all state is in the transaction or view. Lives as long as the state of the
// collection that it was bound to.
class Index {
 public:
  virtual ~Index() = default;
  // Whether changes of this field concern it.
  virtual bool covers(std::size_t field) const noexcept = 0;
  // kUnique, naming index, key and the record that holds it. kKeySize.
  virtual Status admit(WriteTxn& txn, const Collection& collection,
                       const RecordChange& change) const = 0;
  virtual Status apply(WriteTxn& txn, const Collection& collection,
                       const RecordChange& change) const = 0;
  // Fills the new, empty index from all records. kUnique, kKeySize, kCancelled. May use as much
  // memory as `memory_bytes` beyond the transaction's own.
  virtual Status build(WriteTxn& txn, const Collection& collection, std::uint64_t memory_bytes,
                       const ReportProgress& progress) const = 0;
  // Every entry against its record and every record against its entries. The pages of its
  // structures are somebody else's to check. An error: it could not go on.
  virtual Status check(View& view, const Collection& collection,
                       const ReportDamage& report) const = 0;
  virtual Result<IndexStat> stat(View& view) const = 0;
  // nullptr: it puts nothing off.
  virtual const IndexMaintenance* maintenance() const noexcept { return nullptr; }
};

// An option of a kind, for those who ask what there is.
struct IndexOption {
  std::string_view name;
  std::string_view type;  // "fields", "bool", "integer", "text", "filter"
  std::string_view initial;
  std::string_view meaning;
};

class IndexKind {
 public:
  virtual ~IndexKind() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual std::span<const IndexOption> options() const noexcept = 0;
  // What was asked for, an object in JSON, as the definition keeps it: kInvalid, naming option and
  // rule. Fields are kept by id, so that renaming one changes no index.
  virtual Result<ByteVector> resolve(const Schema& schema, std::string_view asked) const = 0;
  // Back to JSON, with the fields' names of this schema. Of options that bind() accepts.
  virtual std::string describe(const Schema& schema, Bytes options) const = 0;
  // Makes its structures, empty, in an order of its own.
  virtual Result<std::vector<StructureId>> create(WriteTxn& txn, const Schema& schema,
                                                  Bytes options) const = 0;
  // kCorrupt where options or structures make no sense for the schema.
  virtual Result<std::unique_ptr<const Index>> bind(const Schema& schema,
                                                    const IndexDefinition& definition) const = 0;
};

// The kinds that a process knows. They live as long as the process.
using IndexKinds = std::span<const IndexKind* const>;
// nullptr when there is none of this name.
const IndexKind* find_kind(IndexKinds kinds, std::string_view name) noexcept;

}  // namespace quire
