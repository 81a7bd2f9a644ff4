#include "wal/log_writer.h"

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/base/sync_point.h"
#include "wal/format.h"
#include "wal/log_reader.h"
#include "wal/segment_store.h"
#include "wal/sync_queue.h"

namespace quire::wal {
namespace {

// Beyond this, append writes to the file itself: a long commit in many records must not pile up.
constexpr std::size_t kPendingBytesMax = 16 << 20;
// Pieces in which what is there is written again.
constexpr std::size_t kRewrittenBytes = 1 << 20;
// A buffer that one large record has blown up is given back after use.
constexpr std::size_t kBufferKeptBytesMax = 4 << 20;

// Part of a batch that goes to one segment, contiguous in both.
struct Cut {
  std::shared_ptr<OpenSegment> segment;
  std::uint64_t file_offset = 0;
  std::size_t begin = 0;  // in Batch::bytes, up to the next cut's begin
  Lsn last_lsn = 0;
};

// Records that were appended together, in their final form. Its vectors keep their capacity: in the
// steady state a commit allocates nothing.
struct Batch {
  ByteVector bytes;
  std::vector<Cut> cuts;

  void clear() {
    cuts.clear();
    bytes.clear();
    if (bytes.capacity() > kBufferKeptBytesMax) ByteVector().swap(bytes);
  }
};

// So that `more` elements can be added without asking for memory.
template <class Vector>
void make_room(Vector& vector, std::size_t more) {
  const std::size_t needed = vector.size() + more;
  if (needed > vector.capacity()) vector.reserve(std::max(needed, 2 * vector.capacity()));
}

// Group commit
// ------------
// Two roles, each held by one thread at a time. The *writer of the file* (write_mutex_) takes all
// that is pending and writes it. The *leader* (leading_) is writer of the file for a moment, then
// syncs without that role: while the system syncs, others append and write, and the sync promises
// only what was written before it began. So a commit that needs no sync never waits for one.
//
// The system reports a failed sync once for each descriptor, so two threads never sync at once
// (sync_mutex_): the second could take the first one's failure for its own success.
//
// Locks, in the order of taking: prepare_mutex_ (segments being made), write_mutex_, sync_mutex_,
// hook_mutex_ (marks and progress), m_ (all else, held for a copy at most).
class GroupLogWriter final : public LogWriter {
 public:
  GroupLogWriter(io::Disk& disk, const LogOptions& options, Hooks hooks)
      : disk_(disk), options_(options), hooks_(std::move(hooks)), store_(disk, options) {}

  Status begin(const Position& after, std::uint64_t highest_segment);

  Result<Lsn> append(std::span<const Bytes> payload, std::uint8_t kind, bool last) override;
  void abandon() override { commit_open_ = false; }
  Status write(Lsn lsn) override;
  Status sync(Lsn lsn) override;
  Lsn appended() const override { return appended_.load(std::memory_order_acquire); }
  Lsn written() const override { return written_.load(std::memory_order_acquire); }
  Lsn synced() const override { return synced_.load(std::memory_order_acquire); }
  Position position() const override;
  std::uint64_t bytes_since(const Position& from) const override;
  Status release_before(const Position& position) override;
  Status prepare_spare() override;
  bool spare_due() const override { return spare_due_.load(std::memory_order_relaxed); }
  Status finish_empty() override;
  std::uint64_t syncs() const override { return syncs_.load(std::memory_order_relaxed); }
  Status health() const override;
  void stop() override;

 private:
  // Bytes of records appended before a segment began.
  struct Span {
    std::uint64_t number;
    std::uint64_t bytes_before;
  };

  Result<Lsn> append_record(std::span<const Bytes> payload, std::uint64_t payload_bytes,
                            std::uint8_t kind, bool last);
  void put_record(std::span<const Bytes> payload, const RecordHeader& header);
  Status prepare_next(std::uint64_t least_bytes);
  Status switch_segment(std::uint64_t least_bytes);

  Lsn take_pending(bool leading);
  Status write_pending(bool leading);
  Status write_cut(const Cut& cut, Bytes bytes);
  Status sync_segment(OpenSegment& segment, Lsn target, bool leading);
  Status lead();
  void move_marks(Lsn written, Lsn synced);
  Status poison(const Error& error);
  template <class Body>
  Status poison_without_memory(Body&& body);
  void set_error(Error error);
  Status check_lsn(Lsn lsn) const;

  io::Disk& disk_;
  const LogOptions options_;
  const Hooks hooks_;

  std::mutex prepare_mutex_;
  SegmentStore store_;                 // by prepare_mutex_
  std::shared_ptr<OpenSegment> next_;  // by prepare_mutex_; number is segment_->number + 1

  std::mutex write_mutex_;
  Batch flight_;                               // by write_mutex_
  std::shared_ptr<OpenSegment> file_segment_;  // written last; changed under write_mutex_ and m_

  std::mutex sync_mutex_;
  std::mutex hook_mutex_;
  std::atomic<Lsn> appended_{0};  // changed under m_
  std::atomic<Lsn> written_{0};   // these four under hook_mutex_
  std::atomic<Lsn> synced_{0};
  std::atomic<std::uint64_t> syncs_{0};
  // What waiters for a write are let go by: the mark after the progress hook has seen it. queue_
  // has the same for syncs.
  std::atomic<Lsn> write_released_{0};

  mutable std::mutex m_;
  Batch pending_;
  std::shared_ptr<OpenSegment> segment_;  // that append fills
  Position position_;                     // behind everything appended
  std::uint64_t bytes_appended_ = 0;
  std::vector<Span> spans_;  // of live segments, ascending
  Position started_after_;
  std::optional<Error> error_;
  std::atomic<bool> failed_{false};  // error_ is set
  SyncQueue queue_;

  bool commit_open_ = false;           // of the appending thread
  std::atomic<bool> has_next_{false};  // next_ is there
  std::atomic<bool> spare_due_{false};
};

LogOptions normalized(LogOptions options) {
  constexpr std::uint64_t kUnit = 4096;
  const auto round = [](std::uint64_t bytes) {
    return round_up(std::max(bytes, kSegmentBytesLeast), kUnit);
  };
  options.segment_bytes_min = round(options.segment_bytes_min);
  options.segment_bytes_max = std::max(round(options.segment_bytes_max), options.segment_bytes_min);
  return options;
}

// What was read back from the log may be in the system's cache alone, taken for clean after a sync
// that failed: then another sync would say yes and do nothing. So it is written once more first.
Status make_durable(io::File& file, std::uint64_t size_bytes) {
  ByteVector piece(std::min<std::uint64_t>(size_bytes, kRewrittenBytes));
  for (std::uint64_t at = 0; at < size_bytes; at += piece.size()) {
    const auto part = MutableBytes(piece).first(std::min(piece.size(), size_bytes - at));
    QUIRE_CHECK(file.read(at, part));
    QUIRE_CHECK(file.write(at, part));
  }
  return file.sync();
}

Status GroupLogWriter::begin(const Position& after, std::uint64_t highest_segment) {
  QUIRE_CHECK(store_.open());
  QUIRE_TRY(const auto numbers, list_segments(disk_, options_.directory));
  if (std::binary_search(numbers.begin(), numbers.end(), after.segment)) {
    const std::string path = segment_path(options_.directory, after.segment);
    QUIRE_TRY(const auto file, disk_.open(path, io::OpenMode::kReadWrite));
    QUIRE_CHECK(make_durable(*file, after.offset));
  }
  const std::uint64_t highest =
      std::max({highest_segment, after.segment, numbers.empty() ? 0 : numbers.back()});
  QUIRE_TRY(segment_, store_.make(highest + 1, options_.segment_bytes_min, &after));
  file_segment_ = segment_;
  position_ = {
      .segment = segment_->number, .offset = kRecordsAt, .lsn = after.lsn, .chain = after.chain};
  spans_.push_back({.number = segment_->number, .bytes_before = 0});
  started_after_ = after;
  for (auto* mark : {&appended_, &written_, &synced_, &write_released_}) mark->store(after.lsn);
  queue_.release(after.lsn);
  return {};
}

// ---- append ----

Result<Lsn> GroupLogWriter::append(std::span<const Bytes> payload, std::uint8_t kind, bool last) {
  std::uint64_t payload_bytes = 0;
  for (const Bytes piece : payload) payload_bytes += piece.size();
  Result<Lsn> lsn =
      catch_out_of_memory([&] { return append_record(payload, payload_bytes, kind, last); });
  commit_open_ = lsn && !last;
  return lsn;
}

Result<Lsn> GroupLogWriter::append_record(std::span<const Bytes> payload,
                                          std::uint64_t payload_bytes, std::uint8_t kind,
                                          bool last) {
  if (payload_bytes > kMaxPayload) {
    return fail(ErrorCode::kTooLarge, "a log record holds %" PRIu64 " bytes at most, not %" PRIu64,
                kMaxPayload, payload_bytes);
  }
  QUIRE_CHECK(health());
  // Only this thread adds to pending_ and moves position_; m_ is for those who read them.
  const std::uint64_t bytes = record_bytes(payload_bytes);
  if (position_.offset + bytes > segment_->size_bytes) QUIRE_CHECK(switch_segment(bytes));
  bool flush = false;
  Lsn lsn = 0;
  {
    const std::lock_guard lock(m_);
    if (error_) return std::unexpected(*error_);
    RecordHeader header{};
    header.lsn = lsn = position_.lsn + 1;
    header.synced_lsn = synced();
    header.previous = position_.chain;
    header.payload_bytes = static_cast<std::uint32_t>(payload_bytes);
    header.kind = kind;
    header.flags =
        static_cast<std::uint8_t>((commit_open_ ? 0 : kFlagFirst) | (last ? kFlagLast : 0));
    put_record(payload, header);
    appended_.store(lsn, std::memory_order_release);
    if (position_.offset > segment_->size_bytes / 2 && !has_next_.load(std::memory_order_relaxed))
      spare_due_.store(true, std::memory_order_relaxed);
    flush = pending_.bytes.size() > kPendingBytesMax;
  }
  // A failure here has poisoned the log; the record itself was appended, and the next call that
  // wants something of the log says so.
  if (flush) (void)write(lsn);
  return lsn;
}

// Puts the record into the pending batch and moves position_. m_ is held.
void GroupLogWriter::put_record(std::span<const Bytes> payload, const RecordHeader& header) {
  // All the memory first: half a record must not stay behind where it ends.
  const std::uint64_t bytes = record_bytes(header.payload_bytes);
  ByteVector& out = pending_.bytes;
  make_room(out, bytes);
  if (pending_.cuts.empty()) {
    pending_.cuts.push_back({.segment = segment_, .file_offset = position_.offset});
  }
  const std::size_t begin = out.size();
  const Bytes front = as_bytes(&header, sizeof header);
  out.insert(out.end(), front.begin(), front.end());
  for (const Bytes piece : payload) out.insert(out.end(), piece.begin(), piece.end());
  out.resize(begin + bytes);
  position_.chain = seal_record(MutableBytes(out).subspan(begin), segment_->key);
  position_.lsn = header.lsn;
  position_.offset += bytes;
  bytes_appended_ += bytes;
  pending_.cuts.back().last_lsn = header.lsn;
}

// Sees to it that next_ has room for one record of `least_bytes`. prepare_mutex_ is held.
Status GroupLogWriter::prepare_next(std::uint64_t least_bytes) {
  const std::uint64_t least = round_up<std::uint64_t>(kRecordsAt + least_bytes, 4096);
  if (next_ && next_->size_bytes >= least) {
    spare_due_.store(false, std::memory_order_relaxed);
    return {};
  }
  const std::uint64_t number = segment_->number + 1;
  const std::uint64_t doubled = std::min(2 * segment_->size_bytes, options_.segment_bytes_max);
  // One that is too small is replaced under its name, which is never missing meanwhile.
  // If that fails, the one that is too small may have lost its name already.
  next_.reset();
  has_next_.store(false, std::memory_order_relaxed);
  QUIRE_TRY(next_, catch_out_of_memory(
                       [&] { return store_.make(number, std::max(doubled, least), nullptr); }));
  sync_point::reach("log: segment made");
  has_next_.store(true, std::memory_order_relaxed);
  spare_due_.store(false, std::memory_order_relaxed);
  return {};
}

Status GroupLogWriter::switch_segment(std::uint64_t least_bytes) {
  const std::lock_guard preparing(prepare_mutex_);
  QUIRE_CHECK(prepare_next(least_bytes));
  const SegmentStart start = make_start(next_->key, position_.lsn + 1, position_.chain);
  const Bytes bytes = as_bytes(&start, sizeof start);
  const std::lock_guard lock(m_);
  make_room(spans_, 1);
  make_room(pending_.cuts, 1);
  make_room(pending_.bytes, bytes.size());
  segment_ = std::move(next_);
  next_.reset();
  has_next_.store(false, std::memory_order_relaxed);
  spans_.push_back({.number = segment_->number, .bytes_before = bytes_appended_});
  pending_.cuts.push_back({.segment = segment_,
                           .file_offset = kStartAt,
                           .begin = pending_.bytes.size(),
                           .last_lsn = position_.lsn});
  pending_.bytes.insert(pending_.bytes.end(), bytes.begin(), bytes.end());
  position_.segment = segment_->number;
  position_.offset = kRecordsAt;
  return {};
}

// ---- write and sync ----

// Swaps the pending batch for the empty one; returns the last LSN in it or before it. write_mutex_
// is held. From here on it is known what the leader's sync will cover.
Lsn GroupLogWriter::take_pending(bool leading) {
  const std::lock_guard lock(m_);
  std::swap(pending_, flight_);
  if (leading) queue_.cover_until(position_.lsn);
  return position_.lsn;
}

// Writes all that is pending. write_mutex_ is held.
Status GroupLogWriter::write_pending(bool leading) {
  QUIRE_CHECK(health());
  const Lsn target = take_pending(leading);
  const Bytes all = flight_.bytes;
  for (std::size_t i = 0; i < flight_.cuts.size(); ++i) {
    const Cut& cut = flight_.cuts[i];
    const std::size_t end = i + 1 < flight_.cuts.size() ? flight_.cuts[i + 1].begin : all.size();
    if (Status status = write_cut(cut, all.subspan(cut.begin, end - cut.begin)); !status) {
      return poison(status.error());
    }
  }
  flight_.clear();
  move_marks(target, 0);
  return {};
}

Status GroupLogWriter::write_cut(const Cut& cut, Bytes bytes) {
  if (cut.segment != file_segment_) {
    // Rule 3 of the format: nothing is written to a segment before the one before it is synced.
    QUIRE_CHECK(sync_segment(*file_segment_, written(), false));
    const std::lock_guard lock(m_);
    file_segment_ = cut.segment;
  }
  QUIRE_CHECK(cut.segment->file->write(cut.file_offset, bytes));
  move_marks(cut.last_lsn, 0);
  return {};
}

// Marks only rise; 0 leaves one as it is.
void GroupLogWriter::move_marks(Lsn written, Lsn synced) {
  const std::lock_guard lock(hook_mutex_);
  const Lsn new_written = std::max(written, written_.load(std::memory_order_relaxed));
  const Lsn new_synced = std::max(synced, synced_.load(std::memory_order_relaxed));
  if (new_written == written_.load(std::memory_order_relaxed) &&
      new_synced == synced_.load(std::memory_order_relaxed)) {
    return;
  }
  written_.store(new_written, std::memory_order_release);
  synced_.store(new_synced, std::memory_order_release);
  if (hooks_.progress) hooks_.progress(new_written, new_synced);
  write_released_.store(new_written, std::memory_order_release);
  queue_.release(new_synced);
}

Status GroupLogWriter::check_lsn(Lsn lsn) const {
  if (lsn <= appended()) return {};
  return fail(ErrorCode::kInvalid, "LSN %" PRIu64 " was never appended, the last is %" PRIu64, lsn,
              appended());
}

Status GroupLogWriter::write(Lsn lsn) {
  if (lsn <= write_released_.load(std::memory_order_acquire)) return {};
  QUIRE_CHECK(check_lsn(lsn));
  const std::lock_guard writing(write_mutex_);
  // Another may have written ours while we waited for the role.
  if (lsn <= write_released_.load(std::memory_order_acquire)) return {};
  return poison_without_memory([this] { return write_pending(false); });
}

Status GroupLogWriter::sync(Lsn lsn) {
  if (queue_.is_released(lsn)) return {};
  QUIRE_CHECK(check_lsn(lsn));
  switch (queue_.wait_for(lsn)) {
    case SyncQueue::Turn::kReleased:
      return {};
    case SyncQueue::Turn::kFailed:
      return health();
    case SyncQueue::Turn::kLead:
      break;
  }
  const Status status = poison_without_memory([this] { return lead(); });
  queue_.end_turn();
  return status;
}

// What is half written when memory ends can't be gone on with.
template <class Body>
Status GroupLogWriter::poison_without_memory(Body&& body) try {
  return body();
} catch (const std::bad_alloc&) {
  return poison(out_of_memory().error());
}

Status GroupLogWriter::lead() {
  std::shared_ptr<OpenSegment> segment;
  Lsn target = 0;
  Status status;
  {
    const std::lock_guard writing(write_mutex_);
    status = write_pending(true);
    target = written();
    segment = file_segment_;
  }
  if (!status) return status;
  sync_point::reach("log: written");
  return sync_segment(*segment, target, true);
}

// Syncs what is written up to `target`.
Status GroupLogWriter::sync_segment(OpenSegment& segment, Lsn target, bool leading) {
  const std::lock_guard syncing(sync_mutex_);
  QUIRE_CHECK(health());
  if (synced() >= target) return {};
  Status status;
  if (leading && hooks_.meanwhile && (!hooks_.has_meanwhile || hooks_.has_meanwhile())) {
    // An empty write: the records are in the file already, so that others may write behind them.
    status =
        segment.file->write_and_sync(kRecordsAt, {}, [this, target] { hooks_.meanwhile(target); });
  } else {
    status = segment.file->sync();
  }
  if (!status) return poison(status.error());
  sync_point::reach("log: synced");
  syncs_.fetch_add(1, std::memory_order_relaxed);
  move_marks(target, target);
  return {};
}

// Keeps the first error and returns it to whoever asks from now on.
Status GroupLogWriter::poison(const Error& error) {
  set_error(fail(ErrorCode::kPoisoned, "the log takes no more commits until it is reopened: %s",
                 error.message().c_str())
                .error());
  return health();
}

void GroupLogWriter::stop() {
  set_error(fail(ErrorCode::kPoisoned, "the log was stopped after an error elsewhere").error());
  // Also a segment that is being made: it would get its name when another writer has used that.
  const std::lock_guard preparing(prepare_mutex_);
  const std::lock_guard writing(write_mutex_);
  const std::lock_guard syncing(sync_mutex_);
}

void GroupLogWriter::set_error(Error error) {
  {
    const std::lock_guard lock(m_);
    if (error_) return;
    error_ = std::move(error);
    failed_.store(true, std::memory_order_release);
  }
  queue_.fail();
}

Status GroupLogWriter::health() const {
  if (!failed_.load(std::memory_order_acquire)) [[likely]]
    return {};
  const std::lock_guard lock(m_);
  if (error_) return std::unexpected(*error_);
  return {};
}

// ---- places and segments ----

Position GroupLogWriter::position() const {
  const std::lock_guard lock(m_);
  return position_;
}

std::uint64_t GroupLogWriter::bytes_since(const Position& from) const {
  const std::lock_guard lock(m_);
  for (const Span& span : spans_) {
    if (span.number != from.segment) continue;
    return bytes_appended_ -
           std::min(bytes_appended_, span.bytes_before + from.offset - kRecordsAt);
  }
  std::uint64_t before = 0;
  if (from.segment != 0 && from.segment == started_after_.segment) {
    before = started_after_.offset - std::min(from.offset, started_after_.offset);
  } else if (from.segment < started_after_.segment) {
    before = started_after_.offset;
  }
  return bytes_appended_ + before;
}

Status GroupLogWriter::release_before(const Position& position) {
  const std::lock_guard preparing(prepare_mutex_);
  QUIRE_CHECK(health());
  std::uint64_t number = 0;
  {
    // What is appended but not written may still go to a segment that the checkpoint is past.
    const std::lock_guard lock(m_);
    number = std::min(position.segment, file_segment_->number);
    std::erase_if(spans_, [&](const Span& span) { return span.number < number; });
  }
  return store_.release_below(number);
}

Status GroupLogWriter::prepare_spare() {
  const std::lock_guard preparing(prepare_mutex_);
  QUIRE_CHECK(health());
  return prepare_next(0);
}

Status GroupLogWriter::finish_empty() {
  if (options_.archive) QUIRE_CHECK(sync(appended()));
  const std::lock_guard preparing(prepare_mutex_);
  const std::lock_guard writing(write_mutex_);
  std::uint64_t last = 0;
  {
    const std::lock_guard lock(m_);
    if (error_) return std::unexpected(*error_);
    last = segment_->number;
  }
  set_error(fail(ErrorCode::kClosed, "the log was ended").error());
  next_.reset();
  has_next_.store(false, std::memory_order_relaxed);
  return store_.remove_all(last);
}

}  // namespace

Result<std::unique_ptr<LogWriter>> LogWriter::start(io::Disk& disk, const LogOptions& options,
                                                    const Position& after,
                                                    std::uint64_t highest_segment, Hooks hooks) {
  auto writer = std::make_unique<GroupLogWriter>(disk, normalized(options), std::move(hooks));
  QUIRE_CHECK(writer->begin(after, highest_segment));
  return writer;
}

}  // namespace quire::wal
