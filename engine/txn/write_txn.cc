#include "engine/txn/write_txn.h"

#include <algorithm>
#include <cassert>

#include "engine/txn/writer.h"

namespace quire {

WriteTxn::WriteTxn(Writer& writer, const Root& base, PageReader reader, PageMap* map,
                   TxnNumber number)
    : writer_(writer),
      base_(base),
      pages_(reader, map, writer.frames_, writer.pool_, *writer.free_map_, writer.data_, number,
             [&writer](std::uint64_t pages) { return writer.space_.ensure(pages); }),
      catalog_(&pages_, base.catalog_tree()),
      next_id_(base.next_id),
      relieve_at_(writer.options().private_bytes) {}

WriteTxn::~WriteTxn() {
  if (!ended_) writer_.abort(*this);
}

TxnNumber WriteTxn::checkpoint_txn() const noexcept { return writer_.checkpoint_txn(); }

bool WriteTxn::breaks(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kFull:
    case ErrorCode::kQuota:
    case ErrorCode::kIo:
    case ErrorCode::kNoMemory:
    case ErrorCode::kCorrupt:
    case ErrorCode::kTooLarge:
    case ErrorCode::kPoisoned:
    case ErrorCode::kTooManyFiles:
    case ErrorCode::kReadOnly:
    case ErrorCode::kPermission:
      return true;
    default:
      return false;
  }
}

std::unexpected<Error> WriteTxn::break_with(Error error) {
  if (error.code() == ErrorCode::kFull || error.code() == ErrorCode::kQuota) writer_.note_full();
  if (!broken_ && breaks(error.code())) broken_ = error;
  return std::unexpected(std::move(error));
}

Status WriteTxn::usable() const {
  if (ended_) return fail(ErrorCode::kClosed, "the transaction has ended");
  if (broken_) return std::unexpected(broken_->with_context("the transaction failed before"));
  return writer_.health();
}

// --- structures ---

CatalogEntry WriteTxn::Structure::now() const {
  CatalogEntry entry = stored;
  if (tree) entry.set(tree->root());
  if (array) entry.set(array->root());
  return entry;
}

Result<WriteTxn::Structure*> WriteTxn::open(StructureId id) {
  if (id == last_id_ && last_ != nullptr) [[likely]]
    return last_;
  const auto found = open_.find(id);
  if (found != open_.end()) {
    last_id_ = id;
    last_ = found->second.get();
    return last_;
  }
  QUIRE_TRY(const CatalogEntry entry, load_entry(id));
  // Pages that look as if this transaction had made them would be used again at once.
  if (entry.root.birth >= pages_.txn())
    return fail(ErrorCode::kCorrupt,
                "catalog: structure %u is of transaction %llu, this one is %llu", id,
                static_cast<unsigned long long>(entry.root.birth),
                static_cast<unsigned long long>(pages_.txn()));
  auto structure = std::make_unique<Structure>();
  structure->stored = entry;
  structure->versions = ++version_base_ << 32;
  if (entry.kind == StructureKind::kTree) {
    structure->tree.emplace(&pages_, entry.tree(id));
  } else {
    structure->array.emplace(&pages_, entry.array(id));
  }
  last_ = open_.emplace(id, std::move(structure)).first->second.get();
  last_id_ = id;
  return last_;
}

Result<WriteTxn::Structure*> WriteTxn::open_keyspace(StructureId id) {
  QUIRE_TRY(Structure * structure, open(id));
  const std::uint16_t flags = structure->stored.flags;
  if (flags == CatalogEntry::kKeyspace) [[likely]]
    return structure;
  if ((flags & CatalogEntry::kKeyspace) == 0)
    return fail(ErrorCode::kType, "id %u is not a keyspace", id);
  if (!internal_access_ && !replaying()) return no_structure(id);
  return structure;
}

Result<std::uint16_t> WriteTxn::structure_flags(StructureId id) {
  QUIRE_TRY(const Structure* structure, open(id));
  return structure->stored.flags;
}

Result<TreeRoot> WriteTxn::tree_root(StructureId id) {
  QUIRE_TRY(TreeWriter * writer, tree(id));
  return writer->root();
}

Result<ArrayRoot> WriteTxn::array_root(StructureId id) {
  QUIRE_TRY(ArrayWriter * writer, array(id));
  return writer->root();
}

std::uint64_t WriteTxn::tree_version(StructureId id) noexcept {
  const auto structure = catch_out_of_memory([&] { return open(id); });
  if (!structure || !(*structure)->tree) return ++version_base_ << 32;
  return (*structure)->versions + memory_version_ + (*structure)->tree->version();
}

Result<TreeWriter*> WriteTxn::tree(StructureId id) {
  QUIRE_TRY(Structure * structure, open(id));
  if (!structure->tree) return fail(ErrorCode::kType, "structure %u is not a tree", id);
  return &*structure->tree;
}

Result<ArrayWriter*> WriteTxn::array(StructureId id) {
  QUIRE_TRY(Structure * structure, open(id));
  if (!structure->array) return fail(ErrorCode::kType, "structure %u is not an array", id);
  return &*structure->array;
}

Result<StructureId> WriteTxn::next_id() {
  if (next_id_ == UINT32_MAX)
    return fail(ErrorCode::kTooLarge, "all 2^32 ids of keyspaces and collections are used up");
  wrote_ = true;
  return next_id_++;
}

Result<StructureId> WriteTxn::create_tree(std::uint16_t flags) {
  QUIRE_TRY(const StructureId id, next_id());
  CatalogEntry entry;
  entry.flags = flags;
  QUIRE_CHECK(put_catalog(structure_key(id), entry.encode(), TreeWriter::PutMode::kInsert));
  return id;
}

Result<StructureId> WriteTxn::create_array(std::uint32_t element_size, PageNumber block_pages) {
  QUIRE_TRY(const StructureId id, next_id());
  CatalogEntry entry;
  entry.kind = StructureKind::kArray;
  entry.element_size = element_size;
  entry.block_pages =
      block_pages != 0 ? block_pages : array_block_pages(element_size, pages_.page_size());
  QUIRE_CHECK(put_catalog(structure_key(id), entry.encode(), TreeWriter::PutMode::kInsert));
  return id;
}

Status WriteTxn::drop_structure(StructureId id) {
  QUIRE_TRY(Structure * structure, open(id));
  auto cleared = structure->tree ? structure->tree->clear() : structure->array->clear();
  if (!cleared) return break_with(std::move(cleared).error());
  open_.erase(id);
  last_ = nullptr;
  return erase_catalog(structure_key(id));
}

Status WriteTxn::put_catalog(Bytes key, Bytes value, TreeWriter::PutMode mode) {
  wrote_ = true;
  auto put = catalog_.put(key, value, mode);
  if (!put) return break_with(std::move(put).error());
  return {};
}

Status WriteTxn::erase_catalog(Bytes key) {
  wrote_ = true;
  auto erased = catalog_.erase(key);
  if (!erased) return break_with(std::move(erased).error());
  return {};
}

// --- keyspaces ---

Status WriteTxn::check_key(Bytes key) const {
  const std::size_t limit = max_key_size(pages_.page_size());
  if (key.empty() || key.size() > limit) [[unlikely]]
    return fail(ErrorCode::kKeySize, "a key of %zu bytes: must have 1 to %zu", key.size(), limit);
  return {};
}

Result<StructureId> WriteTxn::create_keyspace(std::string_view name, StructureId id) {
  QUIRE_CHECK(usable());
  if (name != kBatchesName) QUIRE_CHECK(check_name(name, "keyspace"));
  QUIRE_TRY(const auto taken, find_name(name));
  if (taken)
    return fail(ErrorCode::kExists, "the name '%.*s' is taken", static_cast<int>(name.size()),
                name.data());
  if (id != 0 && id < next_id_)
    return fail(ErrorCode::kCorrupt, "log: the id %u of a new keyspace was given before", id);
  if (id != 0) next_id_ = id;
  const std::uint16_t internal = is_internal_name(name) ? CatalogEntry::kInternal : 0;
  QUIRE_TRY(id, create_tree(CatalogEntry::kKeyspace | internal));
  const NameEntry entry{NameKind::kKeyspace, id};
  QUIRE_CHECK(put_catalog(name_key(name), entry.encode(), TreeWriter::PutMode::kInsert));
  QUIRE_CHECK(log({.code = OpCode::kCreateKeyspace, .id = id, .key = as_bytes(name)}));
  return id;
}

Status WriteTxn::drop_keyspace(StructureId id) {
  QUIRE_CHECK(usable());
  QUIRE_CHECK(open_keyspace(id));
  // The name is found by its id: names are few, and drops are rare.
  TreeCursor cursor(&reader(), catalog_root());
  QUIRE_CHECK(cursor.seek(name_key("")));
  ByteVector key;
  while (cursor.valid() && static_cast<char>(cursor.key()[0]) == 'n') {
    QUIRE_TRY(const Bytes value, cursor.value());
    QUIRE_TRY(const NameEntry entry, NameEntry::decode(value, as_text(cursor.key().subspan(1))));
    if (entry.kind == NameKind::kKeyspace && entry.id == id) {
      key = to_vector(cursor.key());
      break;
    }
    QUIRE_CHECK(cursor.next());
  }
  if (key.empty()) return fail(ErrorCode::kCorrupt, "catalog: keyspace %u has no name", id);
  QUIRE_CHECK(drop_structure(id));
  QUIRE_CHECK(erase_catalog(key));
  return log({.code = OpCode::kDropKeyspace, .id = id});
}

Result<bool> WriteTxn::put(StructureId id, Bytes key, Bytes value, TreeWriter::PutMode mode) {
  QUIRE_CHECK(usable());
  QUIRE_CHECK(check_key(key));
  if (value.size() > kMaxValueSize)
    return fail(ErrorCode::kValueSize, "a value of %zu bytes: must have at most %llu", value.size(),
                static_cast<unsigned long long>(kMaxValueSize));
  QUIRE_TRY(Structure * structure, open_keyspace(id));
  const std::size_t before = note({.code = OpCode::kPut, .id = id, .key = key, .value = value});
  auto put = structure->tree->put(key, value, mode);
  if (!put) [[unlikely]] {
    forget(before);
    return break_with(std::move(put).error());
  }
  QUIRE_CHECK(noted(OpCode::kPut));
  QUIRE_CHECK(settle());
  return *put;
}

Result<bool> WriteTxn::erase(StructureId id, Bytes key) {
  QUIRE_CHECK(usable());
  QUIRE_CHECK(check_key(key));
  QUIRE_TRY(Structure * structure, open_keyspace(id));
  const std::size_t before = note({.code = OpCode::kErase, .id = id, .key = key});
  auto erased = structure->tree->erase(key);
  if (!erased || !*erased) forget(before);
  if (!erased) return break_with(std::move(erased).error());
  if (!*erased) return false;
  QUIRE_CHECK(noted(OpCode::kErase));
  QUIRE_CHECK(settle());
  return true;
}

Result<std::uint64_t> WriteTxn::erase_range(StructureId id, std::optional<Bytes> low,
                                            std::optional<Bytes> high) {
  QUIRE_CHECK(usable());
  QUIRE_TRY(Structure * structure, open_keyspace(id));
  const std::size_t before = note({.code = OpCode::kEraseRange,
                                   .id = id,
                                   .key = low.value_or(Bytes{}),
                                   .value = high.value_or(Bytes{}),
                                   .has_low = low.has_value(),
                                   .has_high = high.has_value()});
  auto erased = structure->tree->erase_range(low.value_or(Bytes{}), high);
  if (!erased || *erased == 0) forget(before);
  if (!erased) return break_with(std::move(erased).error());
  if (*erased == 0) return 0;
  QUIRE_CHECK(noted(OpCode::kEraseRange));
  QUIRE_CHECK(settle());
  return *erased;
}

// --- log payload and memory ---

namespace {

// Savepoints change nothing: a transaction of nothing else is not a commit.
bool changes(OpCode code) noexcept {
  return code != OpCode::kSavepoint && code != OpCode::kRollback && code != OpCode::kRelease;
}

}  // namespace

// Adds an operation to the payload before it is carried out: its key and value may lie in the very
// pages that it changes. Returns the size of the payload without it, for forget().
std::size_t WriteTxn::note(const Operation& operation) {
  assert(!unlogged_);
  const std::size_t before = payload_.size();
  outgrown_ = false;
  if (!logging_ || bulk_) return before;
  const std::size_t most = before + operation.key.size() + operation.value.size() + 64;
  if (most > writer_.options().log_budget_bytes + 64 && !writer_.options().archive) {
    outgrown_ = true;
    return before;
  }
  // All at once: half an operation must not stay behind where memory ends.
  if (most > payload_.capacity()) payload_.reserve(std::max(most, 2 * payload_.capacity()));
  encode_operation(payload_, operation);
  return before;
}

// The operation was not carried out, or changed nothing.
void WriteTxn::forget(std::size_t payload_size) noexcept {
  payload_.resize(payload_size);
  outgrown_ = false;
}

// The operation that was noted last was carried out.
Status WriteTxn::noted(OpCode code) {
  if (changes(code)) wrote_ = true;
  if (outgrown_) {
    outgrown_ = false;
    bulk_ = true;
    payload_ = {};
    return {};
  }
  // Only an archive has the parts of what outgrows the budget: else its checkpoint has it all.
  if (payload_.size() <= writer_.options().log_budget_bytes || !writer_.options().archive)
      [[likely]]
    return {};
  return stream_payload();
}

Status WriteTxn::log(const Operation& operation) {
  note(operation);
  return noted(operation.code);
}

void WriteTxn::commit_by_checkpoint() noexcept {
  if (!logging_ || writer_.options().archive) return;
  bulk_ = true;
  payload_ = {};
}

unsigned WriteTxn::build_threads() const noexcept { return writer_.options().build_threads; }

void WriteTxn::defer_work_of(StructureId collection) {
  if (std::ranges::find(deferred_, collection) == deferred_.end()) deferred_.push_back(collection);
}

void WriteTxn::set_unlogged() noexcept {
  assert(logging_ && !bulk_ && payload_.empty() && streamed_ == 0);
  unlogged_ = true;
}

// With archiving every change has to be in the log: what has come together goes there now, as a
// part of a commit that has not ended.
Status WriteTxn::stream_payload() {
  auto streamed = writer_.append_parts(payload_, streamed_ == 0, /*last=*/false);
  if (!streamed) return break_with(std::move(streamed).error());
  streamed_ += payload_.size();
  payload_.clear();
  return {};
}

Status WriteTxn::settle() {
  if (writer_.private_bytes() <= relieve_at_) [[likely]]
    return {};
  // What was looked up before may have moved from memory to the map, also where it fails halfway.
  ++memory_version_;
  auto relieved = writer_.relieve(*this);
  if (!relieved) return break_with(std::move(relieved).error());
  // Snapshots may hold on to frames: then not again before there is something new to write.
  const std::uint64_t budget = writer_.options().private_bytes;
  relieve_at_ = std::max(budget, writer_.private_bytes() + budget / 4);
  return {};
}

// --- savepoints ---

Result<std::size_t> WriteTxn::savepoint() {
  QUIRE_CHECK(usable());
  QUIRE_CHECK(log({.code = OpCode::kSavepoint}));
  Savepoint point{.mark = pages_.mark(),
                  .payload = streamed_ + payload_.size(),
                  .next_id = next_id_,
                  .catalog = catalog_.root(),
                  .wrote = wrote_,
                  .structures = {}};
  for (const auto& [id, structure] : open_) point.structures.emplace_back(id, structure->now());
  savepoints_.push_back(std::move(point));
  return savepoints_.size() - 1;
}

// A structure that was dropped since the savepoint, as it was.
std::unique_ptr<WriteTxn::Structure> WriteTxn::revived(StructureId id, const CatalogEntry& entry) {
  auto structure = std::make_unique<Structure>();
  structure->stored = entry;
  if (entry.kind == StructureKind::kTree) {
    structure->tree.emplace(&pages_, entry.tree(id));
  } else {
    structure->array.emplace(&pages_, entry.array(id));
  }
  // Differs from the catalog for certain, so that prepare() writes it if need be.
  structure->stored.root = {};
  structure->stored.height = 0xFF;
  return structure;
}

Status WriteTxn::rollback_to(std::size_t savepoint) {
  QUIRE_CHECK(usable());
  if (savepoint >= savepoints_.size())
    return fail(ErrorCode::kConflict, "savepoint %zu has ended", savepoint);
  // Memory first: what follows must not half happen.
  const Savepoint& point = savepoints_[savepoint];
  OpenStructures kept;
  kept.reserve(point.structures.size());
  for (const auto& [id, entry] : point.structures)
    kept.emplace(id, open_.contains(id) ? nullptr : revived(id, entry));
  savepoints_.resize(savepoint + 1);
  pages_.rollback(point.mark);
  next_id_ = point.next_id;
  catalog_.reset(point.catalog);
  wrote_ = point.wrote;
  for (const auto& [id, entry] : point.structures) {
    std::unique_ptr<Structure>& structure = kept.find(id)->second;
    if (structure == nullptr) {
      structure = std::move(open_.find(id)->second);
      if (structure->tree) {
        structure->tree->reset(entry.tree(id));
      } else {
        structure->array->reset(entry.array(id));
      }
    }
    structure->versions = ++version_base_ << 32;
  }
  open_ = std::move(kept);
  last_ = nullptr;
  if (!logging_ || bulk_) return {};
  if (point.payload >= streamed_) {
    payload_.resize(point.payload - streamed_);
    return {};
  }
  return log({.code = OpCode::kRollback, .id = static_cast<StructureId>(savepoint)});
}

Status WriteTxn::release(std::size_t savepoint) {
  QUIRE_CHECK(usable());
  if (savepoint >= savepoints_.size())
    return fail(ErrorCode::kConflict, "savepoint %zu has ended", savepoint);
  pages_.release(savepoints_[savepoint].mark);
  savepoints_.resize(savepoint);
  return log({.code = OpCode::kRelease, .id = static_cast<StructureId>(savepoint)});
}

// --- commit and replay ---

Result<Root> WriteTxn::prepare(wal::Lsn lsn) {
  for (auto& [id, structure] : open_) {
    const CatalogEntry entry = structure->now();
    if (entry == structure->stored) continue;
    QUIRE_CHECK(put_catalog(structure_key(id), entry.encode(), TreeWriter::PutMode::kUpsert));
  }
  if (catalog_.root().root != base_.catalog) {
    const PlaceEntry place{number(), lsn};
    QUIRE_CHECK(put_catalog(as_bytes(kPlaceKey), place.encode(), TreeWriter::PutMode::kUpsert));
  }
  pages_.prepare_commit();
  Root root;
  root.txn = number();
  root.lsn = lsn;
  root.catalog = catalog_.root().root;
  root.catalog_height = catalog_.root().height;
  root.next_id = next_id_;
  root.page_count = writer_.free_map_->page_count();
  return root;
}

// What a caller is told about his arguments is damage here: nobody asked for that.
Status WriteTxn::apply(const Operation& operation) {
  auto applied = carry_out(operation);
  if (applied || breaks(applied.error().code())) return applied;
  return break_with(Error(ErrorCode::kCorrupt, "log: " + applied.error().message()));
}

Status WriteTxn::carry_out(const Operation& operation) {
  switch (operation.code) {
    case OpCode::kPut:
      QUIRE_CHECK(put(operation.id, operation.key, operation.value, TreeWriter::PutMode::kUpsert));
      return {};
    case OpCode::kErase: {
      QUIRE_TRY(const bool erased, erase(operation.id, operation.key));
      if (erased) return {};
      return fail(ErrorCode::kCorrupt, "log: a key that is not there is erased from keyspace %u",
                  operation.id);
    }
    case OpCode::kEraseRange:
      QUIRE_CHECK(erase_range(operation.id,
                              operation.has_low ? std::optional(operation.key) : std::nullopt,
                              operation.has_high ? std::optional(operation.value) : std::nullopt));
      return {};
    case OpCode::kCreateKeyspace:
      QUIRE_CHECK(create_keyspace(as_text(operation.key), operation.id));
      return {};
    case OpCode::kDropKeyspace:
      return drop_keyspace(operation.id);
    case OpCode::kSavepoint:
      QUIRE_CHECK(savepoint());
      return {};
    case OpCode::kRollback:
      return rollback_to(operation.id);
    case OpCode::kRelease:
      return release(operation.id);
    default:
      return fail(ErrorCode::kCorrupt, "log: operation %u is not one of a keyspace",
                  static_cast<unsigned>(operation.code));
  }
}

}  // namespace quire
