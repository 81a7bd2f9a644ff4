#include "engine/db/salvage_log.h"

#include <algorithm>

#include "engine/record/collection_change.h"
#include "engine/record/record_change.h"
#include "engine/record/record_log.h"
#include "engine/record/record_writer.h"
#include "engine/record/value_check.h"
#include "wal/segment_image.h"

namespace quire {
namespace {

using Kind = SalvageEvent::Kind;
using Subject = SalvageEvent::Subject;

// What the new database refuses for a reason of the caller is a damaged operation; all else ends
// the salvage.
Status forgiven(Status status) {
  if (status || WriteTxn::breaks(status.error().code())) return status;
  return {};
}

// Whether rows of `old` can be read with `now`, or are written again for it.
bool reads_rows_of(const Schema& now, const Schema& old) {
  return std::ranges::all_of(old.layouts(), [&](const Layout& layout) {
    if (layout.version() < now.layouts().front().version()) return true;
    const Layout* const there = now.find_layout(layout.version());
    return there != nullptr && std::ranges::equal(there->columns(), layout.columns());
  });
}

}  // namespace

Status LogSalvager::run(const SalvageBase& base) {
  has_ = base.lsn.value_or(0);
  auto reader = open_log(base);
  if (!reader) {
    tell_end(reader.error().message(), base.position.value_or(wal::Position{}));
    return {};
  }
  if (*reader == nullptr) return {};
  wal::Position whole = (*reader)->position();  // behind the last commit that was carried out
  for (;;) {
    auto record = (*reader)->next();
    if (!record) {
      give_up();
      tell_end(record.error().message(), (*reader)->position());
      break;
    }
    if (!*record) {
      note_quiet_end((*reader)->position());
      break;
    }
    if ((*record)->lsn <= has_) continue;
    const bool last = (*record)->last;
    auto taken = take(**record, base);
    if (!taken && taken.error().code() != ErrorCode::kCorrupt)
      return std::unexpected(taken.error());
    if (taken) {
      if (last) whole = (*reader)->position();
      continue;
    }
    give_up();
    tell_end(taken.error().message(), whole);
    break;
  }
  give_up();
  tell_skipped();
  return {};
}

// The last segment that begins no later than behind `most`; where there is none such, or nothing is
// asked for, the first that was begun. Segment 0: there is none at all.
Result<wal::Position> LogSalvager::start_at(std::optional<wal::Lsn> most) {
  const wal::LogOptions options = files_.log_options();
  QUIRE_TRY(const auto numbers, wal::list_segments(files_.disk(), options.directory));
  wal::Position start;
  for (const std::uint64_t number : numbers) {
    const auto head = wal::read_segment_head(
        files_.disk(), wal::segment_path(options.directory, number), options.database, number);
    if (!head || !head->start) continue;
    const wal::Lsn before = head->start->first_lsn - 1;
    if (start.segment != 0 && (!most || before > *most)) continue;
    start = {.segment = number,
             .offset = wal::kRecordsAt,
             .lsn = before,
             .chain = head->start->previous};
  }
  return start;
}

// Null: there is nothing to read.
Result<std::unique_ptr<wal::LogReader>> LogSalvager::open_log(const SalvageBase& base) {
  if (!base.position) return open_behind(base);
  const wal::LogOptions options = files_.log_options();
  QUIRE_TRY(const auto segments, wal::list_segments(files_.disk(), options.directory));
  if (base.meta && base.meta->clean && segments.empty()) return nullptr;
  return wal::LogReader::open(files_.disk(), options, *base.position);
}

// The same for a state that was found by its pages, or for none.
Result<std::unique_ptr<wal::LogReader>> LogSalvager::open_behind(const SalvageBase& base) {
  QUIRE_TRY(const wal::Position from, start_at(base.lsn));
  if (from.segment == 0) return nullptr;
  if (base.lsn && from.lsn > *base.lsn)
    return fail(ErrorCode::kLogDamaged,
                "the state has the log up to LSN %llu, and what there is of the log begins with "
                "LSN %llu",
                static_cast<unsigned long long>(*base.lsn),
                static_cast<unsigned long long>(from.lsn) + 1);
  if (!base.lsn)
    events_.push_back({.kind = Kind::kNote,
                       .subject = Subject::kLog,
                       .text = "the log is carried out from LSN " + std::to_string(from.lsn + 1) +
                               " on, the first that there is"});
  return wal::LogReader::open(files_.disk(), files_.log_options(), from);
}

void LogSalvager::give_up() {
  if (txn_ != nullptr) targets_ = std::move(before_);
  txn_.reset();
  rest_.clear();
  savepoints_.clear();
}

void LogSalvager::tell_end(const std::string& why, const wal::Position& end) {
  const wal::Lsn last = std::max(end.lsn, has_);
  std::string text = "the commits behind LSN " + std::to_string(last) + " are lost: " + why;
  wal::Position behind = end;
  behind.lsn = last;
  const auto rest = wal::survey_log(files_.disk(), files_.log_options(), behind);
  if (rest && rest->records != 0)
    text += "; behind that " + std::to_string(rest->records) + " records can be read, up to LSN " +
            std::to_string(rest->highest) +
            (rest->synced > last
                 ? ", and up to LSN " + std::to_string(rest->synced) + " all had been synced"
                 : ", none of which is known to have been synced");
  events_.push_back({.kind = Kind::kLost, .subject = Subject::kLog, .text = std::move(text)});
}

// A log that ends quietly before what the state has already says nothing of what may lie behind.
void LogSalvager::note_quiet_end(const wal::Position& end) {
  if (end.lsn >= has_) return;
  const auto rest = wal::survey_log(files_.disk(), files_.log_options(), end);
  if (rest && rest->highest > has_)
    tell_end("the log can be read up to LSN " + std::to_string(end.lsn) + " only", end);
}

void LogSalvager::tell_skipped() {
  for (const auto& [id, operations] : skipped_)
    events_.push_back({.kind = Kind::kLost,
                       .subject = Subject::kLog,
                       .text = std::to_string(operations) +
                               " operations of the log are lost with structure " +
                               std::to_string(id) + ", which the catalog has lost",
                       .lost_most = operations});
}

// kCorrupt: this commit can't be carried out, and so none behind it.
Status LogSalvager::take(const wal::Record& record, const SalvageBase& base) {
  if (static_cast<LogKind>(record.kind) == LogKind::kBulkMarker) {
    ByteReader number(record.payload);
    const auto txn = number.get<std::uint64_t>();
    if (number.ok() && txn <= base.root.txn) return {};
    return fail(ErrorCode::kCorrupt,
                "record %llu says that transaction %llu was committed by checkpoint, and no state "
                "that has it was found",
                static_cast<unsigned long long>(record.lsn), static_cast<unsigned long long>(txn));
  }
  if (static_cast<LogKind>(record.kind) == LogKind::kFirstOperations) give_up();
  if (txn_ == nullptr) {
    QUIRE_TRY(txn_, into_.begin_write(true));
    before_ = targets_;
  }
  rest_.insert(rest_.end(), record.payload.begin(), record.payload.end());
  std::size_t done = 0;
  for (;;) {
    QUIRE_TRY(const auto decoded, decode_operation(Bytes(rest_).subspan(done)));
    if (!decoded) break;
    if (auto carried = carry_out(decoded->operation); !carried)
      return std::unexpected(
          carried.error().with_context("log record " + std::to_string(record.lsn)));
    done += decoded->size;
  }
  rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(done));
  if (!record.last) return {};
  if (!rest_.empty())
    return fail(ErrorCode::kCorrupt, "the commit at LSN %llu ends within an operation",
                static_cast<unsigned long long>(record.lsn));
  QUIRE_CHECK(into_.writer()->commit(*txn_, Durability::kNone));
  txn_.reset();
  savepoints_.clear();
  ++commits_;
  return {};
}

SalvageTarget* LogSalvager::find(StructureId id, Subject subject) {
  const auto found = targets_.find(id);
  if (found != targets_.end() && found->second.subject == subject) return &found->second;
  // In a state that is younger than the log's beginning, it was dropped since.
  if (catalog_lost_) ++skipped_[id];
  return nullptr;
}

std::string LogSalvager::free_name(std::string name, StructureId id) {
  const auto taken = txn_->find_name(name);
  if (taken && !*taken) return name;
  return name.substr(0, kMaxNameSize - 24) + "-recovered-" + std::to_string(id);
}

Status LogSalvager::carry_out(const Operation& operation) {
  switch (operation.code) {
    case OpCode::kSavepoint:
      QUIRE_CHECK(txn_->savepoint());
      savepoints_.push_back(targets_);
      return {};
    case OpCode::kRollback:
    case OpCode::kRelease: {
      const std::size_t number = operation.id;
      if (number >= savepoints_.size())
        return fail(ErrorCode::kCorrupt, "there is no savepoint %zu", number);
      if (operation.code == OpCode::kRelease) {
        savepoints_.resize(number);
        return txn_->release(number);
      }
      savepoints_.resize(number + 1);
      targets_ = savepoints_.back();
      return txn_->rollback_to(number);
    }
    case OpCode::kCreateKeyspace:
      return create_keyspace(operation);
    default:
      if (operation.code == kCreateCollection) return create_collection(operation);
      return operation.code >= OpCode::kFirstOfRecords ? collection_operation(operation)
                                                       : keyspace_operation(operation);
  }
}

Status LogSalvager::create_keyspace(const Operation& operation) {
  if (targets_.contains(operation.id)) return {};  // the state has it already
  if (is_internal_name(as_text(operation.key))) return {};
  SalvageTarget target{.subject = Subject::kKeyspace,
                       .name = free_name(std::string(as_text(operation.key)), operation.id)};
  auto made = txn_->create_keyspace(target.name);
  if (!made) return forgiven(std::unexpected(made.error()));
  target.id = *made;
  targets_.emplace(operation.id, std::move(target));
  return {};
}

Status LogSalvager::create_collection(const Operation& operation) {
  QUIRE_TRY(const CollectionDefinition definition,
            CollectionDefinition::decode(operation.value, operation.id));
  if (const auto known = targets_.find(operation.id); known != targets_.end()) {
    note_past(known->second, definition.schema);  // the state has it already
    return {};
  }
  SalvageTarget target{.subject = Subject::kCollection,
                       .name = free_name(definition.name, operation.id)};
  auto made = Collection::create(*txn_, target.name, definition.schema);
  if (!made) return forgiven(std::unexpected(made.error()));
  target.id = made->id();
  target.collection = *made;
  target.indexes = definition.indexes;
  targets_.emplace(operation.id, std::move(target));
  return {};
}

// Where the place of the state in the log is not known, the log is carried out from before it. Its
// records then come in schemas that the state knows no more; to go back to these would leave the
// state's rows without theirs. Whether it is so.
bool LogSalvager::note_past(SalvageTarget& target, const Schema& schema) {
  const bool past = target.collection && schema.version() < target.collection->schema().version();
  target.past = past ? std::optional(schema) : std::nullopt;
  return past;
}

// Fields as they are now; indexes are made when all records are there.
Status LogSalvager::change_collection(SalvageTarget& target, Bytes bytes) {
  QUIRE_TRY(const CollectionDefinition definition,
            CollectionDefinition::decode(bytes, target.collection->id()));
  if (note_past(target, definition.schema)) return {};
  // The state may have pages of a transaction that the log does not have.
  if (!reads_rows_of(definition.schema, target.collection->schema()))
    return fail(ErrorCode::kCorrupt, "the fields of collection '%s' are others than its records'",
                target.name.c_str());
  auto changed = adopt_schema(*txn_, *target.collection, definition.schema);
  if (!changed) return forgiven(std::unexpected(changed.error()));
  target.collection = *std::move(changed);
  target.indexes = definition.indexes;
  return {};
}

Status LogSalvager::keyspace_operation(const Operation& operation) {
  SalvageTarget* const target = find(operation.id, Subject::kKeyspace);
  if (operation.code == OpCode::kDropKeyspace) skipped_.erase(operation.id);
  if (target == nullptr) return {};
  const StructureId id = target->id;
  switch (operation.code) {
    case OpCode::kPut: {
      auto put = txn_->put(id, operation.key, operation.value, TreeWriter::PutMode::kUpsert);
      if (!put) return forgiven(std::unexpected(put.error()));
      target->note_put(operation.key, !*put);
      return {};
    }
    case OpCode::kErase: {
      auto erased = txn_->erase(id, operation.key);
      if (!erased) return forgiven(std::unexpected(erased.error()));
      target->note_erase(operation.key, *erased);
      return {};
    }
    case OpCode::kEraseRange: {
      const auto low = operation.has_low ? std::optional(operation.key) : std::nullopt;
      const auto high = operation.has_high ? std::optional(operation.value) : std::nullopt;
      auto erased = txn_->erase_range(id, low, high);
      if (!erased) return forgiven(std::unexpected(erased.error()));
      target->note_erase_range(low, high);
      return {};
    }
    case OpCode::kDropKeyspace:
      QUIRE_CHECK(forgiven(txn_->drop_keyspace(id)));
      targets_.erase(operation.id);
      return {};
    default:
      return fail(ErrorCode::kCorrupt, "operation %u is none",
                  static_cast<unsigned>(operation.code));
  }
}

Status LogSalvager::collection_operation(const Operation& operation) {
  SalvageTarget* const target = find(operation.id, Subject::kCollection);
  if (operation.code == kDropCollection) skipped_.erase(operation.id);
  if (target == nullptr) return {};
  switch (static_cast<unsigned>(operation.code)) {
    case static_cast<unsigned>(kDropCollection):
      QUIRE_CHECK(forgiven(target->collection->drop(*txn_)));
      targets_.erase(operation.id);
      return {};
    case static_cast<unsigned>(kChangeCollection):
      return change_collection(*target, operation.value);
    case static_cast<unsigned>(kPutRecord):
      return put_record(*target, operation.value);
    case static_cast<unsigned>(kEraseRecord):
      return erase_record(*target, operation.value);
    default:
      return fail(ErrorCode::kCorrupt, "operation %u is none",
                  static_cast<unsigned>(operation.code));
  }
}

// The vectors that the operation does not change are those that the record has, if it is there.
Status LogSalvager::put_record(SalvageTarget& target, Bytes payload) {
  const Collection& collection = *target.collection;
  const Schema& schema = collection.schema();
  const Schema& written = target.past ? *target.past : schema;
  QUIRE_TRY(const RecordPut put, decode_put(written, payload));
  EncodedKey key;
  encode_key_of(put.row, key);
  if (key.size() > max_key_size(txn_->reader().page_size()))
    return fail(ErrorCode::kCorrupt, "the key of a record is too long");
  QUIRE_TRY(const auto old, find_row(*txn_, collection, bytes_of(key)));
  std::vector<Value> values(schema.size());
  std::vector<ByteVector> elements(schema.vectors().size());
  std::set<FieldId> without;
  bool lost = false;
  for (std::size_t field = 0; field < schema.size(); ++field) {
    const Field& now = schema.field(field);
    const std::size_t then = written.find_id(now.id);
    if (then == written.size()) {  // added since
      values[field] = now.before.view();
      continue;
    }
    if (!is_vector(now.type)) {
      values[field] = widened(put.row.value(then), now.type);
      continue;
    }
    if (put.row.is_null(then)) continue;
    const std::size_t place = schema.vector_place(field);
    Bytes from;
    for (const VectorChange& change : put.vectors)
      if (change.vector == written.vector_place(then)) from = change.elements;
    if (from.empty() && old && !old->is_null(field)) {
      QUIRE_TRY(ArrayWriter * array, txn_->array(collection.definition().vectors[place]));
      QUIRE_TRY(from, array->get(old->number()));
    }
    if (from.empty()) {
      without.insert(now.id);
      lost = lost || !now.nullable;
      continue;
    }
    elements[place] = to_vector(from);
    values[field] = Value::of_vector(now.type, elements[place].data(), now.dimension);
  }
  const ByteVector name = to_vector(bytes_of(key));
  if (lost) {  // then it was not there: as it was found, it had none of them
    bool known = false;
    for (const LostRange& range : target.lost) known = known || range.covers(name);
    if (!known) target.lose_one(name, {}, "its vector is lost, which the log does not have");
    return {};
  }
  QUIRE_CHECK(forgiven(upsert_record(*txn_, collection, values, nullptr, {.keep_versions = true})));
  target.note_put(name, old.has_value());
  if (without.empty()) {
    target.without.erase(name);
  } else {
    target.without.insert_or_assign(name, std::move(without));
  }
  return {};
}

Status LogSalvager::erase_record(SalvageTarget& target, Bytes key) {
  QUIRE_TRY(const bool erased, change_erase(*txn_, *target.collection, key));
  target.note_erase(key, erased);
  target.without.erase(to_vector(key));
  return {};
}

}  // namespace quire
