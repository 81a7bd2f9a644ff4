// What `quire inspect` and `check` ask of one segment.
#include <algorithm>

#include "wal/log_reader.h"
#include "wal/segment_image.h"

namespace quire::wal {

Result<SegmentInfo> inspect_segment(io::Disk& disk, const std::string& path,
                                    const DatabaseId& database) {
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  QUIRE_TRY(const auto image,
            SegmentImage::load(disk, path, database, parse_segment_name(name).value_or(0)));
  SegmentInfo info;
  info.number = image->number();
  info.size_bytes = image->head().header.size_bytes;
  info.database = image->head().header.database;
  info.used_bytes = kRecordsAt;
  if (!image->head().start) return info;
  info.first_lsn = image->head().start->first_lsn;
  std::uint64_t chain = image->head().start->previous;
  RecordView record;
  while (image->record_at(info.used_bytes, record)) {
    if (record.header.lsn != info.first_lsn + info.records || record.header.previous != chain)
      break;
    chain = record.header.checksum;
    info.last_lsn = record.header.lsn;
    info.used_bytes = record.end;
    ++info.records;
  }
  return info;
}

Result<Position> first_position(io::Disk& disk, const LogOptions& options) {
  QUIRE_TRY(const std::vector<std::uint64_t> numbers, list_segments(disk, options.directory));
  for (const std::uint64_t number : numbers) {
    QUIRE_TRY(
        const SegmentHead head,
        read_segment_head(disk, segment_path(options.directory, number), options.database, number));
    if (!head.start) continue;
    return Position{.segment = number,
                    .offset = kRecordsAt,
                    .lsn = head.start->first_lsn - 1,
                    .chain = head.start->previous};
  }
  return Position{};
}

Result<Remainder> survey_log(io::Disk& disk, const LogOptions& options, const Position& from) {
  QUIRE_TRY(const std::vector<std::uint64_t> numbers, list_segments(disk, options.directory));
  Remainder found;
  for (const std::uint64_t number : numbers) {
    if (number < from.segment) continue;
    const auto image =
        SegmentImage::load(disk, segment_path(options.directory, number), options.database, number);
    if (!image) {
      ++found.bad_segments;
      continue;
    }
    RecordView record;
    std::uint64_t at = number == from.segment ? from.offset : kRecordsAt;
    for (; (*image)->find_record(at, record); at = record.end) {
      if (record.header.lsn <= from.lsn) continue;
      ++found.records;
      found.highest = std::max(found.highest, record.header.lsn);
      found.synced = std::max(found.synced, record.header.synced_lsn);
    }
  }
  return found;
}

Result<std::optional<DatabaseId>> database_of_log(io::Disk& disk, const std::string& directory) {
  QUIRE_TRY(const std::vector<std::uint64_t> numbers, list_segments(disk, directory));
  for (const std::uint64_t number : numbers) {
    QUIRE_TRY(const auto file, disk.open(segment_path(directory, number), io::OpenMode::kRead));
    SegmentHeader header{};
    const auto read = file->read(0, {reinterpret_cast<std::byte*>(&header), sizeof header});
    if (!read) continue;
    const Bytes bytes = as_bytes(&header, sizeof header);
    if (parse_header(bytes, header.database, file->path())) return header.database;
  }
  return std::nullopt;
}

}  // namespace quire::wal
