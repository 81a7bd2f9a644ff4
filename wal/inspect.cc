// What `quire inspect` and `check` ask of one segment.
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

}  // namespace quire::wal
