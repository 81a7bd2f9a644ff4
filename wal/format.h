// The bytes of a log segment. Little-endian; every place that begins something is a multiple of 8.
//
//   offset 0    SegmentHeader   512 bytes: written once in the segment's life, then never touched
//   offset 512  SegmentStart     24 bytes: written with the first records
//   offset 536  records, each a RecordHeader, its payload and zeros up to a multiple of 8
//   the rest    zeros, or what an earlier life of the file left there
//
// How a sync on the path of a commit comes to be one write and one fdatasync. A segment is made
// ready in advance under its final name: every byte written (so that a sync later changes no
// metadata), the header with the number and a new random seed, file synced, renamed, directory
// synced. What it cannot know yet, its first LSN and the chain value before it, is not in the
// header but in the start block, which the same contiguous write carries as the first records and
// the same sync makes durable. Until then the block does not verify under the new seed: the segment
// is prepared, not started, and a reader passes over it.
//
// What a reader may rely on:
//  1. A file with a segment's name has had a good header on the device before it got the name. A
//  bad
//     one is damage, never a crash.
//  2. Numbers rise by one; only the oldest segments are taken away. A number missing between others
//     is damage.
//  3. A segment is synced before a byte of the next one is written, and the segment that recovery
//     ended in is synced before a new one is started behind it. So a good start block says that
//     everything before its first LSN had been on the device.
//  4. Nothing of an earlier life of the file verifies: all checksums are seeded with the segment's
//     key, made from database id, number and seed.
//  5. A record's checksum covers the checksum of the record before: an unbroken chain back to the
//     first commit, so a whole segment that was swapped or restored from elsewhere does not fit.
//
// The price: the last records before a crash cannot be told from a write that never finished, so
// damage to them (and to nothing after them) is a quiet end of the log.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/base/bytes.h"
#include "engine/base/result.h"
#include "wal/log.h"

namespace quire::wal {

inline constexpr std::array<char, 8> kMagic = {'Q', 'U', 'I', 'R', 'E', 'L', 'O', 'G'};
inline constexpr std::uint32_t kFormatVersion = 1;
inline constexpr std::uint32_t kByteOrderMark = 0x01020304;

// A sector of its own: a torn write of the records behind it cannot reach it.
struct SegmentHeader {
  std::array<char, 8> magic;  // against a file that is not a log
  std::uint32_t byte_order;   // against a machine of the other byte order; read before the version
  std::uint32_t version;      // against a format that this library does not know
  DatabaseId database;        // against a log of another database
  std::uint64_t number;       // equals the name: against a renamed or misdirected file
  std::uint64_t seed;         // random, new in each life: against records of an earlier life
  std::uint64_t size_bytes;   // of the file: against a file that was cut
  std::array<std::byte, 448> reserved;  // zero
  std::uint64_t checksum;               // of all the bytes before: against bit rot
};
static_assert(sizeof(SegmentHeader) == 512);
static_assert(offsetof(SegmentHeader, magic) == 0);
static_assert(offsetof(SegmentHeader, byte_order) == 8);
static_assert(offsetof(SegmentHeader, version) == 12);
static_assert(offsetof(SegmentHeader, database) == 16);
static_assert(offsetof(SegmentHeader, number) == 32);
static_assert(offsetof(SegmentHeader, seed) == 40);
static_assert(offsetof(SegmentHeader, size_bytes) == 48);
static_assert(offsetof(SegmentHeader, reserved) == 56);
static_assert(offsetof(SegmentHeader, checksum) == 504);
static_assert(std::has_unique_object_representations_v<SegmentHeader>);

// May be torn together with the first records: then it counts as not there, and so do they.
struct SegmentStart {
  std::uint64_t checksum;   // of the rest, seeded with the segment's key
  std::uint64_t first_lsn;  // against a missing segment before this one
  std::uint64_t previous;   // chain value before first_lsn: against a segment of another history
};
static_assert(sizeof(SegmentStart) == 24);
static_assert(offsetof(SegmentStart, checksum) == 0);
static_assert(offsetof(SegmentStart, first_lsn) == 8);
static_assert(offsetof(SegmentStart, previous) == 16);
static_assert(std::has_unique_object_representations_v<SegmentStart>);

// The checksum is the record's chain value: it covers `previous`, the checksum of the record
// before. May be torn, in part or whole and in any order with its neighbours, until it is synced.
struct RecordHeader {
  std::uint64_t checksum;    // of the rest, payload and padding, seeded with the segment's key
  std::uint64_t lsn;         // against records out of their place
  std::uint64_t synced_lsn;  // known to be synced when this was appended: against a silent hole
  std::uint64_t previous;    // chain value of the record before: against another history
  std::uint32_t payload_bytes;
  std::uint16_t tag;   // from the key, never 0: zeros and old records are refused at a glance
  std::uint8_t kind;   // the caller's
  std::uint8_t flags;  // kFirst, kLast
};
static_assert(sizeof(RecordHeader) == 40);
static_assert(offsetof(RecordHeader, checksum) == 0);
static_assert(offsetof(RecordHeader, lsn) == 8);
static_assert(offsetof(RecordHeader, synced_lsn) == 16);
static_assert(offsetof(RecordHeader, previous) == 24);
static_assert(offsetof(RecordHeader, payload_bytes) == 32);
static_assert(offsetof(RecordHeader, tag) == 36);
static_assert(offsetof(RecordHeader, kind) == 38);
static_assert(offsetof(RecordHeader, flags) == 39);
static_assert(std::has_unique_object_representations_v<RecordHeader>);

inline constexpr std::uint8_t kFlagFirst =
    1;  // begins a commit: one that was open before it is void
inline constexpr std::uint8_t kFlagLast = 2;  // ends a commit

inline constexpr std::uint64_t kStartAt = sizeof(SegmentHeader);
inline constexpr std::uint64_t kRecordsAt = kStartAt + sizeof(SegmentStart);
static_assert(kRecordsAt % 8 == 0);
static_assert(kMaxPayload <= UINT32_MAX);

// Bytes that a record takes in a segment.
constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) noexcept {
  return round_up<std::uint64_t>(sizeof(RecordHeader) + payload_bytes, 8);
}

// Seed of every checksum in a segment.
std::uint64_t segment_key(const SegmentHeader& header) noexcept;
// The tag of every record in a segment.
std::uint16_t record_tag(std::uint64_t key) noexcept;

SegmentHeader make_header(const DatabaseId& database, std::uint64_t number, std::uint64_t seed,
                          std::uint64_t size_bytes) noexcept;
// The header of a file's first bytes, or what is wrong with it: kTruncated, kNotDatabase,
// kByteOrder, kVersion, kCorrupt or kWrongId, each naming `path`.
Result<SegmentHeader> parse_header(Bytes file, const DatabaseId& database, const std::string& path);

SegmentStart make_start(std::uint64_t key, Lsn first_lsn, std::uint64_t previous) noexcept;
bool start_is_good(const SegmentStart& start, std::uint64_t key) noexcept;

// Fills in tag and checksum of a record that lies whole, padding included, in `record`; returns the
// checksum.
std::uint64_t seal_record(MutableBytes record, std::uint64_t key) noexcept;

struct RecordView {
  RecordHeader header{};
  Bytes payload;
  std::uint64_t end = 0;  // offset of the next record
};
// The record at `offset` of a segment, if a good one is there. `segment` is the file from offset 0.
bool read_record(Bytes segment, std::uint64_t offset, std::uint64_t key, RecordView& out) noexcept;

}  // namespace quire::wal
