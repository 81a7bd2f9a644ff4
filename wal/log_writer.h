// Appends commits to the log and makes them durable for many threads at once (group commit).
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "wal/log.h"

namespace quire::wal {

// Thread safety: append is called by one thread at a time (the one that has the writer's turn); all
// else by any thread.
//
// Invariants: synced() <= written() <= appended(). A record is never changed once appended. After
// the first failed write or sync every call that would move a mark forward fails with that first
// error (kPoisoned, carrying its words); nothing is retried.
class LogWriter {
 public:
  struct Hooks {
    // Run by the leader of a group, while the system writes and syncs: `target` is what the sync
    // will cover. Must not call back into the log.
    std::function<void(Lsn target)> meanwhile;
    // Whether `meanwhile` has something to do now; empty: always. A sync without it is a plain one,
    // which returns sooner than one whose end is waited for beside other work.
    std::function<bool()> has_meanwhile;
    // Run by the leader after the marks moved and before anybody who waits is let go; one thread at
    // a time, marks ascending.
    std::function<void(Lsn written, Lsn synced)> progress;
  };

  // Starts a new segment numbered above `highest_segment`, durable before this returns; the first
  // record continues `after` (after.lsn + 1, chain). Makes the directory where it is missing, and
  // syncs the segment of `after`, whose records may have been read from memory only. Nothing is
  // ever appended to a segment that was only read.
  static Result<std::unique_ptr<LogWriter>> start(io::Disk& disk, const LogOptions& options,
                                                  const Position& after,
                                                  std::uint64_t highest_segment, Hooks hooks);
  virtual ~LogWriter() = default;

  // Puts a record behind the others, in memory; returns its LSN. The space it needs in segments is
  // reserved here (the next segment exists before the current one is full), so a full disk fails
  // this call (kFull) and nothing was appended. A failure in the middle of a commit gives the
  // commit up: its records so far are void, the next record begins another.
  virtual Result<Lsn> append(std::span<const Bytes> payload, std::uint8_t kind, bool last) = 0;
  // Gives up a commit whose last record was not appended. Nothing to do: no effect.
  virtual void abandon() = 0;

  // Returns when every record up to `lsn` is in the file (write) or on the device (sync). The first
  // that waits leads: it writes, or writes and syncs, all that has been appended, for all who wait.
  virtual Status write(Lsn lsn) = 0;
  virtual Status sync(Lsn lsn) = 0;

  virtual Lsn appended() const = 0;
  virtual Lsn written() const = 0;
  virtual Lsn synced() const = 0;
  // The place behind everything appended.
  virtual Position position() const = 0;
  // Bytes of records appended since the place `from`. Of what lies before the place where this
  // writer started, only the segment it started behind is counted.
  virtual std::uint64_t bytes_since(const Position& from) const = 0;

  // The checkpoint no longer needs what is before `position`: whole segments before it are recycled
  // for the next ones (their content made void by a new header), removed when there are too many,
  // or left where they are with archiving on.
  virtual Status release_before(const Position& position) = 0;
  // Makes sure that the next segment is ready, off the path of commits (called by the background
  // thread; append makes one itself when there is none).
  virtual Status prepare_spare() = 0;
  // Whether it is time for that: half of the segment is full and there is none.
  virtual bool spare_due() const = 0;

  // After a clean checkpoint of everything: removes all segments (archived ones stay, and are made
  // durable first) and ends. The checkpoint's meta page must carry its position with segment 0 (and
  // LSN and chain), or the next open misses the segment that it names. A crash halfway is harmless.
  virtual Status finish_empty() = 0;
  // Syncs of segments that records waited for, since it started.
  virtual std::uint64_t syncs() const = 0;
  // The error that poisoned it, if any.
  virtual Status health() const = 0;
  // Nothing is written, synced, made or renamed once this has returned; who waits is told
  // kPoisoned.
  virtual void stop() = 0;
};

}  // namespace quire::wal
