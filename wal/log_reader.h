// Reads the log from a position and says how it ended.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/base/result.h"
#include "engine/io/disk.h"
#include "wal/log.h"

namespace quire::wal {

// One thread at a time. Holds one segment in memory (read with pread, never mapped).
class LogReader {
 public:
  // Opens the log at `from`. Errors: kLogDamaged when the segment at `from` is missing, is another
  // database's, or does not continue `from` (wrong LSN or chain). With `from.segment` 0 the log
  // begins with the segment that continues from.lsn and from.chain, if there is one; segments
  // that end before are passed over. To read all that is in a directory (an archive), start at
  // first_position().
  static Result<std::unique_ptr<LogReader>> open(io::Disk& disk, const LogOptions& options,
                                                 const Position& from);
  virtual ~LogReader() = default;

  // The next record, or nothing at the end of the log. Only records of whole commits are returned:
  // when the first record of a commit comes, all of it was found. LSNs ascend; they skip those of a
  // commit that was given up halfway (LogWriter::abandon). A bad record ends the log quietly unless
  // a later good one, in this segment or a later one, says that the bad one had been synced: then
  // kLogDamaged, with segment, offset and both LSNs.
  virtual Result<std::optional<Record>> next() = 0;
  // After the last record returned: at the end of the log, where a LogWriter starts.
  virtual Position position() const = 0;
  // Highest number of any segment file in the directory, good or bad: a new one goes above it.
  virtual std::uint64_t highest_segment() const = 0;
};

// One segment for `quire inspect` and `check`: header fields and every record with its place.
struct SegmentInfo {
  std::uint64_t number = 0;
  std::uint64_t size_bytes = 0;
  Lsn first_lsn = 0;
  Lsn last_lsn = 0;  // 0: no record
  std::uint64_t records = 0;
  std::uint64_t used_bytes = 0;
  DatabaseId database{};
};
Result<SegmentInfo> inspect_segment(io::Disk& disk, const std::string& path,
                                    const DatabaseId& database);
// What lies behind the place where a reader had to stop, for who must say what is lost. Records are
// good by themselves; that they belong to one history, nobody can tell any more.
struct Remainder {
  std::uint64_t records = 0;
  Lsn highest = 0;                 // of these; 0: none
  Lsn synced = 0;                  // highest LSN that one of them knows to have been synced
  std::uint64_t bad_segments = 0;  // whose header can't be used
};
Result<Remainder> survey_log(io::Disk& disk, const LogOptions& options, const Position& from);
// The database whose log the directory has, by the first good header; nothing where there is none.
Result<std::optional<DatabaseId>> database_of_log(io::Disk& disk, const std::string& directory);
// The place before the oldest record in the directory; segment 0 when there is none.
Result<Position> first_position(io::Disk& disk, const LogOptions& options);
// Numbers of the segments in the directory, ascending.
Result<std::vector<std::uint64_t>> list_segments(io::Disk& disk, const std::string& directory);
std::string segment_path(const std::string& directory, std::uint64_t number);

}  // namespace quire::wal
