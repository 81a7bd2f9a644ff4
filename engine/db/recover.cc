// From the files to a state that transactions can build on.
#include "engine/base/sync_point.h"
#include "engine/db/database.h"
#include "engine/record/record_log.h"
#include "wal/log_reader.h"

namespace quire {

wal::LogOptions Database::log_options() const {
  wal::LogOptions options;
  options.directory = log_directory();
  options.database = id_;
  options.segment_bytes_min = options_.log_segment_bytes_min;
  options.segment_bytes_max = options_.log_segment_bytes_max;
  options.archive = options_.writer.archive;
  return options;
}

// A meta page that says so is believed if no commit follows it in the log: else it is the older
// one, and the newer one was lost.
Result<bool> Database::closed_in_order() {
  if (!meta_.clean) return false;
  QUIRE_TRY(const bool log_there, disk_.exists(log_directory()));
  if (!log_there) return true;
  QUIRE_TRY(const auto segments, wal::list_segments(disk_, log_directory()));
  if (segments.empty()) return true;
  QUIRE_TRY(const auto reader, wal::LogReader::open(disk_, log_options(), meta_.position));
  QUIRE_TRY(const auto record, reader->next());
  return !record.has_value();
}

// A database that was closed in order is opened without writing anything; what recovery does at its
// end is then done by the first write transaction (start_writing).
//
// Restartable at any point: until the last step the meta page is the old one, and all that is
// written before it goes to pages that are free in its state. The steps:
//  1. the newest meta page is written again and synced: a process may have died between writing and
//     syncing it, and the pages that only the older one needs are about to be overwritten;
//  2. the log from there is carried out, by the code that ran first;
//  3. a new segment is begun, and a checkpoint says that the log goes on there.
Status Database::recover() {
  QUIRE_TRY(const bool log_there, disk_.exists(log_directory()));
  if (!log_there) {
    if (!meta_.clean)
      return fail(ErrorCode::kLogDamaged, "%s is missing, and the database was not closed in order",
                  log_directory().c_str());
  }
  if (!meta_.clean) {
    QUIRE_CHECK(write_meta(*data_, meta_));
    QUIRE_CHECK(data_->sync());
  }
  QUIRE_TRY(const std::vector<PageRun> free, read_free_map(*data_, meta_));
  QUIRE_TRY(const std::uint64_t file_bytes, data_->size());
  const LockHeader& head = attachment_->head();
  const TxnNumber highest = std::max(
      {head.highest_txn.load(), head.committed_txn.load(), head.published.read().image.txn});
  // Whether free pages may be in use: by snapshots of processes that stayed when the last writer
  // went, and by those that begin, until a newer root is published, at the root of one that died.
  // Nobody can join meanwhile.
  const bool at_checkpoint = meta_.clean && head.published.read().image.txn == meta_.root.txn;
  const bool in_doubt =
      attachment_->others() && (!at_checkpoint || attachment_->any_reader_before(meta_.root.txn));
  writer_->start(meta_.root, meta_.position, free, meta_.free_map_run,
                 static_cast<PageNumber>(file_bytes / page_size_), highest, in_doubt);
  sync_point::reach("recover: begun");

  if (!meta_.clean) {
    wal::Position end = meta_.position;
    std::uint64_t highest_segment = 0;
    writer_->set_publishing(false);
    QUIRE_CHECK(replay(*writer_, end, highest_segment));
    sync_point::reach("recover: log carried out");
    writer_->set_publishing(true);
    QUIRE_CHECK(start_log(end, highest_segment));
    sync_point::reach("recover: log begun");
    QUIRE_CHECK(checkpoint_now(false));
    writing_.store(true);
  }
  // An empty ring, or one whose newest root is a dead writer's.
  if (head.published.read().image.txn != writer_->visible().txn)
    attachment_->head().published.publish(writer_->visible());
  // What a dead writer had committed and not logged is gone: nobody shall wait for it.
  attachment_->head().committed_txn.store(writer_->visible().txn);
  attachment_->wake_commit_waiters();
  writer_->reclaim();
  return {};
}

namespace {

// Carries out one transaction that may come in parts.
class Replayer {
 public:
  // `base`: the transaction of the state that it begins at.
  Replayer(Writer& writer, TxnNumber base, IndexKinds kinds)
      : writer_(writer), base_(base), definitions_(kinds) {}

  Status record(const wal::Record& record) {
    const auto kind = static_cast<LogKind>(record.kind);
    if (kind == LogKind::kBulkMarker) return check_marker(record);
    if (kind == LogKind::kFirstOperations) begin_anew();
    if (txn_ == nullptr) {
      QUIRE_TRY(txn_, writer_.begin(Writer::Wait::kInOrder));
      txn_->set_logging(false);
    }
    rest_.insert(rest_.end(), record.payload.begin(), record.payload.end());
    QUIRE_CHECK(carry_out(record));
    if (!record.last) return {};
    if (!rest_.empty())
      return fail(ErrorCode::kCorrupt, "log: the commit at LSN %llu ends within an operation",
                  static_cast<unsigned long long>(record.lsn));
    writer_.set_replay_position(record.end);
    QUIRE_CHECK(writer_.commit(*txn_, Durability::kNone));
    txn_.reset();
    return {};
  }
  // What has no end never happened.
  void begin_anew() {
    txn_.reset();
    rest_.clear();
  }

 private:
  // What was committed by checkpoint is in the state already, unless the meta page of that
  // checkpoint was lost: then nothing that follows may be carried out.
  Status check_marker(const wal::Record& record) const {
    ByteReader reader(record.payload);
    const auto txn = reader.get<std::uint64_t>();
    if (reader.ok() && txn <= base_) return {};
    return fail(ErrorCode::kLogDamaged,
                "log record %llu says that transaction %llu was committed by checkpoint, but the "
                "newest good meta page is of transaction %llu",
                static_cast<unsigned long long>(record.lsn), static_cast<unsigned long long>(txn),
                static_cast<unsigned long long>(base_));
  }
  Status carry_out(const wal::Record& record) {
    std::size_t done = 0;
    for (;;) {
      QUIRE_TRY(const auto decoded, decode_operation(Bytes(rest_).subspan(done)));
      if (!decoded) break;
      const Operation& operation = decoded->operation;
      auto applied = operation.code >= OpCode::kFirstOfRecords
                         ? apply_record_operation(*txn_, operation, &definitions_)
                         : txn_->apply(operation);
      if (!applied) {
        char place[64];
        std::snprintf(place, sizeof place, "recovery: log record %llu",
                      static_cast<unsigned long long>(record.lsn));
        return std::unexpected(applied.error().with_context(place));
      }
      done += decoded->size;
    }
    rest_.erase(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(done));
    return {};
  }

  Writer& writer_;
  const TxnNumber base_;
  std::unique_ptr<WriteTxn> txn_;
  CollectionCache definitions_;
  ByteVector rest_;
};

}  // namespace

Status Database::replay(Writer& writer, wal::Position& end, std::uint64_t& highest_segment) {
  QUIRE_TRY(const auto segments, wal::list_segments(disk_, log_directory()));
  if (!segments.empty()) highest_segment = segments.back();
  QUIRE_TRY(const auto reader, wal::LogReader::open(disk_, log_options(), meta_.position));
  Replayer replayer(writer, meta_.root.txn, options_.index_kinds);
  for (;;) {
    QUIRE_TRY(const auto record, reader->next());
    if (!record) break;
    QUIRE_CHECK(replayer.record(*record));
  }
  replayer.begin_anew();
  end = reader->position();
  highest_segment = std::max(highest_segment, reader->highest_segment());
  return {};
}

// Before the first change of a database that was closed in order: the meta page that says so is
// made sure of, and then replaced by one that says where the log goes on.
Status Database::start_writing() {
  const std::scoped_lock lock(start_mutex_);
  if (writing_.load()) return {};
  if (writer_->log() == nullptr) {
    QUIRE_CHECK(make_names_durable());
    QUIRE_CHECK(write_meta(*data_, meta_));
    QUIRE_CHECK(data_->sync());
    QUIRE_TRY(const bool log_there, disk_.exists(log_directory()));
    if (!log_there) {
      QUIRE_CHECK(disk_.make_directory(log_directory()));
      QUIRE_CHECK(disk_.sync_directory(path_));
    }
    QUIRE_TRY(const auto segments, wal::list_segments(disk_, log_directory()));
    QUIRE_CHECK(start_log(meta_.position, segments.empty() ? 0 : segments.back()));
  }
  QUIRE_CHECK(checkpoint_now(false));
  writing_.store(true);
  maintenance_->look_everywhere();
  return {};
}

Status Database::start_log(const wal::Position& after, std::uint64_t highest_segment) {
  QUIRE_TRY(auto log, wal::LogWriter::start(disk_, log_options(), after, highest_segment,
                                            writer_->log_hooks()));
  const wal::Position position = log->position();
  writer_->set_log(std::move(log));
  writer_->set_log_position(position);
  return {};
}

// Segments from before this open are of no more use once a checkpoint points to the new one.
Status Database::remove_old_segments() {
  if (options_.writer.archive) return {};
  const std::uint64_t first = meta_.position.segment;
  QUIRE_TRY(const auto segments, wal::list_segments(disk_, log_directory()));
  bool removed = false;
  for (const std::uint64_t number : segments) {
    if (number >= first) break;
    QUIRE_CHECK(disk_.remove(wal::segment_path(log_directory(), number)));
    removed = true;
  }
  if (!removed) return {};
  return disk_.sync_directory(log_directory());
}

}  // namespace quire
