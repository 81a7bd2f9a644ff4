#include "wal/format.h"

#include <cinttypes>
#include <cstring>

#include "engine/base/checksum.h"

namespace quire::wal {
namespace {

template <class T>
Bytes bytes_of(const T& value) noexcept {
  return as_bytes(&value, sizeof value);
}

std::uint64_t header_checksum(const SegmentHeader& header) noexcept {
  return checksum64(bytes_of(header).first(offsetof(SegmentHeader, checksum)));
}

std::uint64_t start_checksum(const SegmentStart& start, std::uint64_t key) noexcept {
  return checksum64(bytes_of(start).subspan(sizeof start.checksum), key);
}

}  // namespace

std::uint64_t segment_key(const SegmentHeader& header) noexcept {
  const std::array<std::uint64_t, 4> parts = {header.database[0], header.database[1], header.number,
                                              header.seed};
  return checksum64(bytes_of(parts));
}

std::uint16_t record_tag(std::uint64_t key) noexcept {
  const auto tag = static_cast<std::uint16_t>(key >> 48);
  return tag == 0 ? 1 : tag;
}

SegmentHeader make_header(const DatabaseId& database, std::uint64_t number, std::uint64_t seed,
                          std::uint64_t size_bytes) noexcept {
  SegmentHeader header{};
  header.magic = kMagic;
  header.byte_order = kByteOrderMark;
  header.version = kFormatVersion;
  header.database = database;
  header.number = number;
  header.seed = seed;
  header.size_bytes = size_bytes;
  header.checksum = header_checksum(header);
  return header;
}

Result<SegmentHeader> parse_header(Bytes file, const DatabaseId& database,
                                   const std::string& path) {
  SegmentHeader header;
  if (file.size() < sizeof header) {
    return fail(ErrorCode::kTruncated, "%s: a log segment's header is %zu bytes, the file has %zu",
                path.c_str(), sizeof header, file.size());
  }
  std::memcpy(&header, file.data(), sizeof header);
  if (header.magic != kMagic) {
    return fail(ErrorCode::kNotDatabase, "%s: not a log segment (wrong magic)", path.c_str());
  }
  if (header.byte_order == __builtin_bswap32(kByteOrderMark)) {
    return fail(ErrorCode::kByteOrder, "%s: written on a machine of the other byte order",
                path.c_str());
  }
  if (header.checksum != header_checksum(header) || header.byte_order != kByteOrderMark) {
    // A later version may have its checksum elsewhere, so it is asked before damage is claimed.
    if (header.byte_order == kByteOrderMark && header.version != kFormatVersion) {
      return fail(ErrorCode::kVersion,
                  "%s: log format version %" PRIu32 ", this library reads %" PRIu32, path.c_str(),
                  header.version, kFormatVersion);
    }
    return fail(ErrorCode::kCorrupt, "%s: the log segment's header has a wrong checksum",
                path.c_str());
  }
  if (header.version != kFormatVersion) {
    return fail(ErrorCode::kVersion,
                "%s: log format version %" PRIu32 ", this library reads %" PRIu32, path.c_str(),
                header.version, kFormatVersion);
  }
  if (header.database != database) {
    return fail(ErrorCode::kWrongId, "%s: a log segment of another database", path.c_str());
  }
  if (header.size_bytes < kRecordsAt || header.size_bytes % 8 != 0) {
    return fail(ErrorCode::kCorrupt, "%s: the header says %" PRIu64 " bytes, too few for a segment",
                path.c_str(), header.size_bytes);
  }
  return header;
}

SegmentStart make_start(std::uint64_t key, Lsn first_lsn, std::uint64_t previous) noexcept {
  SegmentStart start{.checksum = 0, .first_lsn = first_lsn, .previous = previous};
  start.checksum = start_checksum(start, key);
  return start;
}

bool start_is_good(const SegmentStart& start, std::uint64_t key) noexcept {
  return start.first_lsn != 0 && start.checksum == start_checksum(start, key);
}

std::uint64_t seal_record(MutableBytes record, std::uint64_t key) noexcept {
  store_le(record.data() + offsetof(RecordHeader, tag), record_tag(key));
  const std::uint64_t sum = checksum64(record.subspan(sizeof(RecordHeader::checksum)), key);
  store_le(record.data() + offsetof(RecordHeader, checksum), sum);
  return sum;
}

bool read_record(Bytes segment, std::uint64_t offset, std::uint64_t key, RecordView& out) noexcept {
  if (offset % 8 != 0 || offset < kRecordsAt || offset > segment.size()) return false;
  const Bytes rest = segment.subspan(offset);
  if (rest.size() < sizeof(RecordHeader)) return false;
  RecordHeader& header = out.header;
  std::memcpy(&header, rest.data(), sizeof header);
  if (header.tag != record_tag(key) || header.payload_bytes > kMaxPayload) return false;
  const std::uint64_t size = record_bytes(header.payload_bytes);
  if (size > rest.size()) return false;
  const Bytes covered = rest.first(size).subspan(sizeof header.checksum);
  if (header.checksum != checksum64(covered, key)) return false;
  out.payload = rest.subspan(sizeof header, header.payload_bytes);
  out.end = offset + size;
  return true;
}

}  // namespace quire::wal
