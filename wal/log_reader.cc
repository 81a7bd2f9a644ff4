#include "wal/log_reader.h"

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cinttypes>
#include <map>
#include <utility>

#include "wal/segment_image.h"

namespace quire::wal {
namespace {

// A place in the walk, with the segment it lies in. Cheap to copy: looking ahead is a copy.
struct Place {
  std::shared_ptr<const SegmentImage> segment;  // null: before the first segment
  Position at;
};

// The system would not let us read, which says nothing about the bytes.
bool is_of_system(const Error& error) {
  const ErrorCode code = error.code();
  return code == ErrorCode::kIo || code == ErrorCode::kPermission ||
         code == ErrorCode::kTooManyFiles || code == ErrorCode::kNoMemory;
}

std::string synced_proof(const std::string& path, std::uint64_t offset, const RecordView& record) {
  return "record " + std::to_string(record.header.lsn) + " (" + path + ", offset " +
         std::to_string(offset) + ") says that " + std::to_string(record.header.synced_lsn) +
         " had been synced";
}

// Two levels. step() walks record by record along the chain, from segment to segment, and stops at
// the first place where nothing good continues: the hole. next() walks ahead to the end of each
// commit before it gives out the first record of it, decides at a hole whether a later writer went
// on behind the last whole commit, and if not whether the hole is an end or damage.
//
// Invariants: returned_ is the end of the last record given out. place_ is at or behind it, and
// only records that are void lie between. Records up to whole_until_ belong to whole commits.
class SegmentLogReader final : public LogReader {
 public:
  SegmentLogReader(io::Disk& disk, const LogOptions& options) : disk_(disk), options_(options) {}

  Status begin(const Position& from);
  Result<std::optional<Record>> next() override;
  Position position() const override { return returned_; }
  std::uint64_t highest_segment() const override { return numbers_.empty() ? 0 : numbers_.back(); }

 private:
  // The head of a segment, or why it has none.
  Result<SegmentHead>& head(std::uint64_t number);
  Result<std::shared_ptr<const SegmentImage>> load(std::uint64_t number);
  std::string path(std::uint64_t number) const { return segment_path(options_.directory, number); }

  bool continues(const Position& from) const;
  std::uint64_t find_continuation(std::uint64_t above, Lsn lsn, std::uint64_t chain);
  Status enter(Place& place, std::uint64_t number);
  Result<bool> step(Place& place, RecordView& record);
  Result<bool> find_whole_commit(RecordView& record);
  Record give(const RecordView& record);

  Status check_end(const Place& hole);
  Status check_rest_of_segment(const Place& hole);
  std::uint64_t newest_until(Lsn lsn);
  Status check_whole_segment(const Place& hole, std::uint64_t number);
  Status check_later_segment(const Place& hole, std::uint64_t number, std::uint64_t before);
  std::unexpected<Error> damaged(const Place& hole, const std::string& proof) const;

  io::Disk& disk_;
  const LogOptions options_;
  std::vector<std::uint64_t> numbers_;  // of all segments in the directory, ascending
  std::map<std::uint64_t, Result<SegmentHead>> heads_;
  Place place_;
  Position returned_;
  Lsn whole_until_ = 0;
  std::optional<Status> ended_;  // the answer of every call once the end or damage was found
};

Result<SegmentHead>& SegmentLogReader::head(std::uint64_t number) {
  auto found = heads_.find(number);
  if (found == heads_.end()) {
    found =
        heads_.emplace(number, read_segment_head(disk_, path(number), options_.database, number))
            .first;
  }
  return found->second;
}

Result<std::shared_ptr<const SegmentImage>> SegmentLogReader::load(std::uint64_t number) {
  return SegmentImage::load(disk_, path(number), options_.database, number);
}

// Whether place_.segment holds the place `from`: a record that ends there, or one that begins there
// and continues it.
bool SegmentLogReader::continues(const Position& from) const {
  const SegmentImage& segment = *place_.segment;
  if (from.offset == kRecordsAt) {
    const auto& start = segment.head().start;
    return start && start->first_lsn == from.lsn + 1 && start->previous == from.chain;
  }
  RecordView record;
  if (segment.record_at(from.offset, record)) {
    return record.header.lsn == from.lsn + 1 && record.header.previous == from.chain;
  }
  // Nothing good behind it, as usual at the end of the log. What lies before need not be whole, it
  // is not needed any more; only the record that `from` names must be there.
  for (std::uint64_t at = kRecordsAt; segment.find_record(at, record); at = record.end) {
    if (record.end == from.offset) {
      return record.header.lsn == from.lsn && record.header.checksum == from.chain;
    }
    if (record.end > from.offset) return false;
  }
  return false;
}

Status SegmentLogReader::begin(const Position& from) {
  QUIRE_TRY(numbers_, list_segments(disk_, options_.directory));
  returned_ = from;
  place_.at = from;
  if (from.segment == 0) return {};
  if (!std::binary_search(numbers_.begin(), numbers_.end(), from.segment)) {
    return fail(ErrorCode::kLogDamaged,
                "%s is missing: the database continues there at LSN %" PRIu64,
                path(from.segment).c_str(), from.lsn + 1);
  }
  auto segment = load(from.segment);
  if (!segment) {
    if (is_of_system(segment.error())) return std::unexpected(std::move(segment).error());
    return fail(ErrorCode::kLogDamaged, "the log cannot be read: %s",
                segment.error().message().c_str());
  }
  place_.segment = *std::move(segment);
  if (!continues(from)) {
    return fail(ErrorCode::kLogDamaged,
                "%s does not continue the database: no record %" PRIu64 " ends at offset %" PRIu64,
                path(from.segment).c_str(), from.lsn, from.offset);
  }
  return {};
}

// The first segment numbered above `above` that starts behind record `lsn` of that chain; 0: none.
std::uint64_t SegmentLogReader::find_continuation(std::uint64_t above, Lsn lsn,
                                                  std::uint64_t chain) {
  auto next = std::upper_bound(numbers_.begin(), numbers_.end(), above);
  for (; next != numbers_.end(); ++next) {
    const Result<SegmentHead>& candidate = head(*next);
    if (!candidate || !candidate->start) continue;
    if (candidate->start->first_lsn == lsn + 1 && candidate->start->previous == chain) return *next;
  }
  return 0;
}

Status SegmentLogReader::enter(Place& place, std::uint64_t number) {
  QUIRE_TRY(place.segment, load(number));
  place.at.segment = number;
  place.at.offset = kRecordsAt;
  return {};
}

// Moves over the next record of the chain, into later segments where one continues. False: a hole.
Result<bool> SegmentLogReader::step(Place& place, RecordView& record) {
  while (true) {
    if (place.segment && place.segment->record_at(place.at.offset, record) &&
        record.header.lsn == place.at.lsn + 1 && record.header.previous == place.at.chain) {
      place.at.offset = record.end;
      place.at.lsn = record.header.lsn;
      place.at.chain = record.header.checksum;
      return true;
    }
    const std::uint64_t number = find_continuation(place.at.segment, place.at.lsn, place.at.chain);
    if (number == 0) return false;
    QUIRE_CHECK(enter(place, number));
  }
}

// Leaves place_ behind the first record of the next whole commit, which is put into `record`.
// False: there is none, and that is a quiet end.
Result<bool> SegmentLogReader::find_whole_commit(RecordView& record) {
  Place probe = place_;
  Place commit = place_;    // where the commit that is being looked at begins
  std::uint64_t parts = 0;  // of it so far
  // Of the records since the last whole commit.
  boost::container::small_vector<Position, 4> ends = {returned_};
  while (true) {
    Place before = probe;
    QUIRE_TRY(const bool good, step(probe, record));
    if (!good) {
      const Place hole = probe;
      // A writer that came after a crash went on behind the last whole commit, or, where a
      // checkpoint lay behind parts of an aborted one, behind those.
      std::uint64_t number = 0;
      for (; number == 0 && !ends.empty(); ends.pop_back()) {
        probe.at.lsn = ends.back().lsn;
        probe.at.chain = ends.back().chain;
        number = find_continuation(probe.at.segment, probe.at.lsn, probe.at.chain);
      }
      if (number == 0) {
        QUIRE_CHECK(check_end(hole));
        return false;
      }
      ends.push_back(probe.at);
      QUIRE_CHECK(enter(probe, number));
      commit = probe;
      parts = 0;
      continue;
    }
    if (parts == 0 || (record.header.flags & kFlagFirst) != 0) {
      commit = std::move(before);
      parts = 0;
    }
    ++parts;
    ends.push_back(probe.at);
    if ((record.header.flags & kFlagLast) != 0) break;
  }
  whole_until_ = probe.at.lsn;
  if (parts == 1) {
    place_ = std::move(probe);
    return true;
  }
  place_ = std::move(commit);
  return step(place_, record);
}

Record SegmentLogReader::give(const RecordView& record) {
  returned_ = place_.at;
  return Record{.lsn = record.header.lsn,
                .last = (record.header.flags & kFlagLast) != 0,
                .kind = record.header.kind,
                .payload = record.payload,
                .end = place_.at};
}

Result<std::optional<Record>> SegmentLogReader::next() {
  if (ended_) {
    if (!*ended_) return std::unexpected(ended_->error());
    return std::nullopt;
  }
  RecordView record;
  const bool inside = place_.at.lsn < whole_until_;
  Result<bool> found = inside ? step(place_, record) : find_whole_commit(record);
  if (found && *found) return give(record);
  if (!found) {
    ended_ = std::unexpected(found.error());
    return std::unexpected(std::move(found).error());
  }
  ended_ = Status{};
  return std::nullopt;
}

std::unexpected<Error> SegmentLogReader::damaged(const Place& hole,
                                                 const std::string& proof) const {
  const std::string where =
      hole.segment ? path(hole.at.segment) + ", offset " + std::to_string(hole.at.offset)
                   : options_.directory;
  return fail(ErrorCode::kLogDamaged,
              "the log is damaged: record %" PRIu64 " is bad or missing (%s), but %s",
              hole.at.lsn + 1, where.c_str(), proof.c_str());
}

// Nothing continues the record before the hole. Is that where the last write before a crash was
// cut, or has something been lost that had been on the device?
Status SegmentLogReader::check_end(const Place& hole) {
  if (hole.segment) QUIRE_CHECK(check_rest_of_segment(hole));
  std::uint64_t before = hole.at.segment;
  if (before == 0) {
    before = newest_until(hole.at.lsn);
    if (before != 0) QUIRE_CHECK(check_whole_segment(hole, before));
  }
  auto next = std::upper_bound(numbers_.begin(), numbers_.end(), before);
  for (; next != numbers_.end(); ++next) {
    QUIRE_CHECK(check_later_segment(hole, *next, before));
    before = *next;
  }
  return {};
}

Status SegmentLogReader::check_rest_of_segment(const Place& hole) {
  const SegmentImage& segment = *hole.segment;
  if (segment.is_cut()) {
    return damaged(hole, "the file has " + std::to_string(segment.head().file_bytes) + " of " +
                             std::to_string(segment.head().header.size_bytes) + " bytes");
  }
  RecordView record;
  for (std::uint64_t at = hole.at.offset; segment.find_record(at, record); at = record.end) {
    if (record.header.synced_lsn > hole.at.lsn) {
      return damaged(hole, synced_proof(path(segment.number()), at, record));
    }
  }
  return {};
}

// By the rules of wal/format.h, what a crash can leave behind a hole is one prepared segment, with
// or without torn first records. All else is proof.
Status SegmentLogReader::check_later_segment(const Place& hole, std::uint64_t number,
                                             std::uint64_t before) {
  if (before != 0 && number != before + 1) {
    return damaged(hole, path(before + 1) + " is missing before " + path(number));
  }
  const Result<SegmentHead>& later = head(number);
  if (!later) {
    if (is_of_system(later.error())) return std::unexpected(later.error());
    return damaged(hole, later.error().message());
  }
  if (later->start)
    return damaged(hole, path(number) + " begins with record " +
                             std::to_string(later->start->first_lsn) +
                             " of a history that does not follow");
  return check_whole_segment(hole, number);
}

// A log that begins nowhere may have older segments about: archived ones, those that a clean end
// did not come to remove, and in both cases some of a history that ended with its writer. All of
// them are numbered below this one, which holds the record or comes before it.
std::uint64_t SegmentLogReader::newest_until(Lsn lsn) {
  for (auto number = numbers_.rbegin(); number != numbers_.rend(); ++number) {
    const Result<SegmentHead>& found = head(*number);
    if (found && found->start && found->start->first_lsn <= lsn) return *number;
  }
  return 0;
}

Status SegmentLogReader::check_whole_segment(const Place& hole, std::uint64_t number) {
  QUIRE_TRY(const auto segment, load(number));
  return check_rest_of_segment(
      {.segment = segment,
       .at = {
           .segment = number, .offset = kRecordsAt, .lsn = hole.at.lsn, .chain = hole.at.chain}});
}

}  // namespace

Result<std::unique_ptr<LogReader>> LogReader::open(io::Disk& disk, const LogOptions& options,
                                                   const Position& from) {
  auto reader = std::make_unique<SegmentLogReader>(disk, options);
  QUIRE_CHECK(reader->begin(from));
  return reader;
}

}  // namespace quire::wal
