// A write transaction: changes to any number of trees and arrays that happen together or not at
// all.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "engine/page/page_writer.h"
#include "engine/txn/catalog.h"
#include "engine/txn/operation.h"
#include "engine/txn/root.h"

namespace quire {

class Writer;

// One thread at a time. Made by Writer::begin, which gives it the writer's turn; ended by
// Writer::commit or Writer::abort (also by its destructor).
//
// Invariants:
//  1. The pages are as after every operation that returned success, and none that returned an
//  error.
//     An operation that fails for a reason of the system (no space, no memory, damage) may leave
//     several structures out of step: it makes the transaction unusable, and only abort is left.
//     Who catches std::bad_alloc of a change calls break_with for it (capi).
//  2. The operations in the log payload, carried out on the state at begin, give the state now.
class WriteTxn final : public View {
 public:
  ~WriteTxn() override;
  WriteTxn(const WriteTxn&) = delete;
  WriteTxn& operator=(const WriteTxn&) = delete;

  TxnNumber number() const noexcept { return pages_.txn(); }
  const Root& base() const noexcept { return base_; }
  // The newest durable checkpoint: what was dead there can't come back.
  TxnNumber checkpoint_txn() const noexcept;
  PageWriter& pages() noexcept { return pages_; }

  // --- View ---
  PageReader& reader() noexcept override { return pages_.reader(); }
  Result<TreeRoot> tree_root(StructureId id) override;
  Result<ArrayRoot> array_root(StructureId id) override;
  TreeRoot catalog_root() const noexcept override { return catalog_.root(); }
  std::uint64_t tree_version(StructureId id) noexcept override;

  // --- keyspaces: each change is logged ---
  // Makes a keyspace under a name that is free. `id`: 0 takes the next.
  Result<StructureId> create_keyspace(std::string_view name, StructureId id = 0);
  Status drop_keyspace(StructureId id);
  // See TreeWriter; kKeySize and kValueSize for what is out of range.
  Result<bool> put(StructureId id, Bytes key, Bytes value, TreeWriter::PutMode mode);
  Result<bool> erase(StructureId id, Bytes key);
  Result<std::uint64_t> erase_range(StructureId id, std::optional<Bytes> low,
                                    std::optional<Bytes> high);

  // While it lives, the library's own keyspaces can be changed, which for all others are not there.
  class InternalAccess {
   public:
    explicit InternalAccess(WriteTxn& txn) noexcept : txn_(txn) { txn_.internal_access_ = true; }
    ~InternalAccess() { txn_.internal_access_ = false; }
    InternalAccess(const InternalAccess&) = delete;
    InternalAccess& operator=(const InternalAccess&) = delete;

   private:
    WriteTxn& txn_;
  };

  // --- for structures built on trees and arrays (engine/record): nothing is logged but by log()
  // ---
  Result<StructureId> next_id();
  Result<StructureId> create_tree(std::uint16_t flags = 0);
  // `block_pages`: of a block; 0 takes array_block_pages().
  Result<StructureId> create_array(std::uint32_t element_size, PageNumber block_pages = 0);
  Status drop_structure(StructureId id);
  Result<TreeWriter*> tree(StructureId id);
  Result<ArrayWriter*> array(StructureId id);
  Status put_catalog(Bytes key, Bytes value, TreeWriter::PutMode mode);
  Status erase_catalog(Bytes key);
  // Adds an operation to the log payload, after it was carried out.
  Status log(const Operation& operation);
  // What every changing function calls at its end, outside any structure's code: keeps memory
  // within the budget.
  Status settle();
  // Its commit shall be a checkpoint, as it is where the payload outgrows the log's budget: what
  // was worked out is not worked out again by a recovery. An archive has to have everything in its
  // log, so there it changes nothing, and neither does it in a replay.
  void commit_by_checkpoint() noexcept;
  // Its commit is not logged (maintenance): it changes only what no logged operation, carried out
  // on any state, needs to come out right. No operation may be logged before or after.
  void set_unlogged() noexcept;
  // The collection has an index that puts work off: its commit is told, before and after
  // (Writer::Deferral). Said again it changes nothing.
  void defer_work_of(StructureId collection);
  std::span<const StructureId> deferred() const noexcept { return deferred_; }
  // How many threads, this one among them, may work out what is built in it. None but this one
  // may touch it.
  unsigned build_threads() const noexcept;
  // Whether the log is being carried out.
  bool replaying() const noexcept { return !logging_; }
  // Makes the transaction unusable; returns the error.
  std::unexpected<Error> break_with(Error error);
  Status usable() const;
  // Wraps the result of a step that must not half happen: errors of the system break.
  static bool breaks(ErrorCode code) noexcept;

  // --- savepoints, numbered from 0 as they nest ---
  Result<std::size_t> savepoint();
  Status rollback_to(std::size_t savepoint);
  Status release(std::size_t savepoint);
  std::size_t savepoints() const noexcept { return savepoints_.size(); }

  // --- replay of the log ---
  Status apply(const Operation& operation);  // of the kinds above; not those of records
  void set_logging(bool logging) noexcept { logging_ = logging; }

 private:
  Status carry_out(const Operation& operation);
  friend class Writer;
  struct Structure {
    CatalogEntry stored;  // as the catalog has it
    std::optional<TreeWriter> tree;
    std::optional<ArrayWriter> array;
    std::uint64_t versions = 0;  // added to the tree's own when it was reset
    CatalogEntry now() const;
  };
  struct Savepoint {
    std::size_t mark;
    std::size_t payload;  // size of payload_ then, plus what was streamed
    std::uint32_t next_id;
    TreeRoot catalog;
    bool wrote;
    std::vector<std::pair<StructureId, CatalogEntry>> structures;
  };

  WriteTxn(Writer& writer, const Root& base, PageReader reader, PageMap* map, TxnNumber number);
  using OpenStructures = boost::container::flat_map<StructureId, std::unique_ptr<Structure>>;
  Result<Structure*> open(StructureId id);
  std::unique_ptr<Structure> revived(StructureId id, const CatalogEntry& entry);
  Result<Structure*> open_keyspace(StructureId id);
  Result<std::uint16_t> structure_flags(StructureId id) override;
  Status check_key(Bytes key) const;
  // Brings the catalog up to date and returns the root of the new state, which has the log up to
  // `lsn`.
  Result<Root> prepare(wal::Lsn lsn);
  Status stream_payload();
  std::size_t note(const Operation& operation);
  void forget(std::size_t payload_size) noexcept;
  Status noted(OpCode code);

  Writer& writer_;
  Root base_;
  PageWriter pages_;
  TreeWriter catalog_;
  std::uint32_t next_id_;
  OpenStructures open_;
  StructureId last_id_ = 0;  // of the structure used last, to find it at once
  Structure* last_ = nullptr;
  std::uint64_t version_base_ = 0;
  std::uint64_t memory_version_ = 0;  // grows when private pages were written and dropped
  std::uint64_t relieve_at_;          // private bytes from which settle() acts
  ByteVector payload_;
  std::uint64_t streamed_ = 0;  // bytes of payload that are in the log already (archiving)
  bool logging_ = true;
  bool unlogged_ = false;
  bool internal_access_ = false;
  bool bulk_ = false;      // the payload outgrew the budget: commit by checkpoint
  bool outgrown_ = false;  // what was noted last would not fit the budget
  bool wrote_ = false;
  bool ended_ = false;
  std::vector<StructureId> deferred_;  // a few
  std::vector<Savepoint> savepoints_;
  std::optional<Error> broken_;
};

}  // namespace quire
