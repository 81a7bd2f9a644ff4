// What the log's writer and reader share: positions, options, records. Payloads are opaque here.
//
// The log is a directory of numbered segments. Each commit is one or more records; the last of
// them has Record::last set, and a commit without its last record never happened. A record has an
// LSN (consecutive, from 1), a checksum seeded by database id and a random seed of its segment, a
// chain value over the record before, and the LSN that was known to be synced when it was written.
// docs/format.md has the bytes.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "engine/base/bytes.h"

namespace quire::wal {

using Lsn = std::uint64_t;
using DatabaseId = std::array<std::uint64_t, 2>;

// A place between two records: everything up to `lsn` is before it. Stored in the meta page.
struct Position {
  std::uint64_t segment = 0;  // number of the segment; 0: no log yet
  std::uint64_t offset = 0;   // in the segment's file, where the next record begins
  Lsn lsn = 0;                // of the last record before this place; 0 at the very start
  std::uint64_t chain = 0;    // chain value of that record
  bool operator==(const Position&) const = default;
};

struct LogOptions {
  std::string directory;  // DB/wal
  DatabaseId database{};
  // The first segment has the smallest size; each new one doubles, up to the largest. A record
  // that is larger gets a segment of its own size.
  std::uint64_t segment_bytes_min = 64 << 10;
  std::uint64_t segment_bytes_max = 16 << 20;
  bool archive = false;  // keep segments that a checkpoint no longer needs
};

struct Record {
  Lsn lsn = 0;
  bool last = true;       // ends a commit
  std::uint8_t kind = 0;  // the caller's own
  Bytes payload;          // valid until the reader moves
  Position end;           // the place after it
};

// Largest payload of one record; longer commits are split by the caller.
inline constexpr std::uint64_t kMaxPayload = 64 << 20;

}  // namespace quire::wal
