// Logs that a crash cut, that a medium damaged, that somebody mixed up. Whatever the bytes: never a
// record that was not written, never silence about one that had been synced.
#include <random>

#include "tests/wal/log_test_support.h"
#include "tests/wal/memory_disk.h"
#include "wal/format.h"

namespace quire::wal {
namespace {

using Files = std::map<std::string, ByteVector>;

// Checks that what is read is a prefix of what was written.
void expect_prefix(const ReadLog& log, Lsn first = 1) {
  for (std::size_t i = 0; i < log.records.size(); ++i) {
    const std::string& text = log.records[i].text;
    ASSERT_EQ(log.records[i].lsn, first + i);
    ASSERT_EQ(text, payload_of(first + i, text.size()));
  }
}

// 1 to 12: synced one by one. 13 to 16: synced together, nothing after says so.
struct SmallLog {
  MemoryDisk disk;
  LogOptions options = small_options();
  std::vector<Position> places;  // [lsn]: behind the record
  Files files;
  static constexpr Lsn kProven = 12;  // the last that a later record says was synced
  static constexpr Lsn kLast = 16;

  SmallLog() {
    const auto writer = start(disk, options);
    places.push_back(writer->position());
    for (Lsn lsn = 1; lsn <= kLast; ++lsn) {
      append(*writer, payload_of(lsn, 20 + 40 * (lsn % 4)));
      places.push_back(writer->position());
      if (lsn <= kProven) must(writer->sync(lsn));
    }
    must(writer->sync(kLast));
    files = disk.copy();
  }
  std::string path() const { return segment_path(options.directory, 1); }
};

TEST(Damage, EveryFlippedByteIsFoundOrHarmless) {
  SmallLog log;
  ASSERT_EQ(log.files.size(), 1u);
  const std::uint64_t used = log.places.back().offset;
  for (std::uint64_t at = 0; at < used + 200; ++at) {
    log.disk.restore(log.files);
    log.disk.bytes(log.path())[at] ^= std::byte{0x10};
    const ReadLog read = read_log(log.disk, log.options);
    expect_prefix(read);
    if (at < kRecordsAt) {
      EXPECT_EQ(read.error, ErrorCode::kLogDamaged) << at;
      EXPECT_TRUE(read.records.empty());
      continue;
    }
    Lsn hit = 1;
    while (hit <= SmallLog::kLast && log.places[hit].offset <= at) ++hit;
    EXPECT_EQ(read.records.size(), hit - 1) << at;
    EXPECT_EQ(read.error, hit <= SmallLog::kProven ? ErrorCode::kLogDamaged : ErrorCode::kOk)
        << at << " " << read.message;
  }
}

TEST(Damage, FromAPlaceOnlyWhatFollowsMatters) {
  SmallLog log;
  for (const std::uint64_t at : {kRecordsAt + 50, log.places[3].offset + 9}) {
    log.disk.restore(log.files);
    log.disk.bytes(log.path())[at] ^= std::byte{1};
    const ReadLog read = read_log(log.disk, log.options, log.places[8]);
    EXPECT_EQ(read.error, ErrorCode::kOk) << read.message;
    EXPECT_EQ(read.records.size(), 8u);
    EXPECT_EQ(read_log(log.disk, log.options, log.places[16]).error, ErrorCode::kOk);
  }
}

TEST(Damage, EveryZeroedTailIsACutOrDamage) {
  SmallLog log;
  for (std::uint64_t from = kStartAt; from <= log.places.back().offset; ++from) {
    log.disk.restore(log.files);
    ByteVector& bytes = log.disk.bytes(log.path());
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(), std::byte{0});
    const ReadLog read = read_log(log.disk, log.options);
    expect_prefix(read);
    // Nothing good is left behind the cut, so nothing proves damage.
    EXPECT_EQ(read.error, ErrorCode::kOk) << from << read.message;
  }
}

TEST(Damage, FileThatWasCutIsNoCrash) {
  SmallLog log;
  for (std::uint64_t size = 0; size < log.places.back().offset + 64; ++size) {
    log.disk.restore(log.files);
    log.disk.bytes(log.path()).resize(size);
    const ReadLog read = read_log(log.disk, log.options);
    expect_prefix(read);
    EXPECT_EQ(read.error, ErrorCode::kLogDamaged) << size;
  }
}

TEST(Damage, SectorsOfAnUnsyncedGroupMayLandInAnyOrder) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  Lsn lsn = 0;
  while (lsn < 4) append(*writer, payload_of(++lsn, 300));
  must(writer->sync(lsn));
  must(writer->prepare_spare());
  const Files before = disk.copy();
  // Fills the segment's rest and the start of no other: a change of segment syncs.
  const std::uint64_t segment = writer->position().segment;
  while (lsn < 9) append(*writer, payload_of(++lsn, 300));
  ASSERT_EQ(writer->position().segment, segment);
  must(writer->write(lsn));
  const Files after = disk.copy();
  std::mt19937_64 random(7);
  for (int trial = 0; trial < 2000; ++trial) {
    Files mixed = before;
    for (auto& [path, bytes] : mixed) {
      for (std::size_t at = 0; at < bytes.size(); at += 512) {
        if (random() % 2 == 0) continue;
        std::copy_n(after.at(path).begin() + static_cast<std::ptrdiff_t>(at), 512,
                    bytes.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    disk.restore(mixed);
    const ReadLog read = read_log(disk, options);
    ASSERT_EQ(read.error, ErrorCode::kOk) << read.message;
    ASSERT_GE(read.records.size(), 4u);
    expect_prefix(read);
    // What a later life writes must be readable behind whatever stayed.
    const auto next = start(disk, options, read.end, read.highest);
    const Lsn again = append(*next, "again");
    must(next->sync(again));
    for (int i = 0; i < 12; ++i) append(*next, payload_of(again + 1, 300));
    must(next->sync(next->appended()));
    const ReadLog second = read_log(disk, options);
    ASSERT_EQ(second.error, ErrorCode::kOk) << second.message;
    ASSERT_EQ(second.records.size(), again + 12);
    ASSERT_EQ(second.records[again - 1].text, "again");
  }
}

// Several segments, each record synced.
struct LongLog {
  MemoryDisk disk;
  LogOptions options = small_options();
  std::vector<Position> places;
  Files files;

  LongLog() {
    const auto writer = start(disk, options);
    places.push_back(writer->position());
    for (Lsn lsn = 1; lsn <= 80; ++lsn) {
      append(*writer, payload_of(lsn, 500));
      places.push_back(writer->position());
      must(writer->sync(lsn));
    }
    must(writer->prepare_spare());
    files = disk.copy();
  }
  std::string path(std::uint64_t number) const { return segment_path(options.directory, number); }
};

TEST(Damage, MissingSegmentIsDamage) {
  LongLog log;
  const std::uint64_t last = log.places.back().segment;
  ASSERT_GE(last, 4u);
  for (std::uint64_t number = 1; number <= last; ++number) {
    Files some = log.files;
    some.erase(log.path(number));
    log.disk.restore(some);
    const ReadLog read = read_log(log.disk, log.options, log.places[0]);
    expect_prefix(read);
    EXPECT_EQ(read.error, ErrorCode::kLogDamaged) << number;
  }
}

TEST(Damage, SwappedSegmentsAreDamage) {
  LongLog log;
  for (std::uint64_t a = 1; a < log.places.back().segment; ++a) {
    Files swapped = log.files;
    std::swap(swapped[log.path(a)], swapped[log.path(a + 1)]);
    log.disk.restore(swapped);
    const ReadLog read = read_log(log.disk, log.options, log.places[0]);
    expect_prefix(read);
    EXPECT_EQ(read.error, ErrorCode::kLogDamaged) << a;
  }
}

TEST(Damage, SegmentOfAnotherDatabaseOrHistoryIsDamage) {
  LongLog log;
  LongLog same_id;  // other seeds; same records
  MemoryDisk other_disk;
  LogOptions other = log.options;
  other.database = {1, 1};
  const auto writer = start(other_disk, other);
  for (Lsn lsn = 1; lsn <= 80; ++lsn) append(*writer, payload_of(lsn, 500));
  must(writer->sync(80));
  const Files foreign = other_disk.copy();
  for (std::uint64_t number = 1; number <= 3; ++number) {
    for (const Files* from : {&foreign, static_cast<const Files*>(&same_id.files)}) {
      Files mixed = log.files;
      mixed[log.path(number)] = from->at(log.path(number));
      log.disk.restore(mixed);
      const ReadLog read = read_log(log.disk, log.options, log.places[0]);
      expect_prefix(read);
      EXPECT_EQ(read.error, ErrorCode::kLogDamaged) << number;
      const ReadLog later = read_log(log.disk, log.options, log.places[1]);
      EXPECT_EQ(later.error, ErrorCode::kLogDamaged) << number;
    }
  }
}

TEST(Damage, FlippedBytesInALongLogNeverGoUnseen) {
  LongLog log;
  std::mt19937_64 random(11);
  for (Lsn lsn = 1; lsn < 80; ++lsn) {
    for (int trial = 0; trial < 4; ++trial) {
      log.disk.restore(log.files);
      // The record lies in the segment that its end is in, behind the one before or at the start.
      const Position& end = log.places[lsn];
      const std::uint64_t size = record_bytes(payload_of(lsn, 500).size());
      const std::uint64_t at = end.offset - 1 - random() % size;
      log.disk.bytes(log.path(end.segment))[at] ^= std::byte{4};
      const ReadLog read = read_log(log.disk, log.options, log.places[0]);
      expect_prefix(read);
      ASSERT_EQ(read.records.size(), lsn - 1);
      ASSERT_EQ(read.error, ErrorCode::kLogDamaged) << lsn;
    }
  }
}

TEST(Damage, RandomBytesAreNeverRecords) {
  LongLog log;
  std::mt19937_64 random(3);
  for (int trial = 0; trial < 1000; ++trial) {
    log.disk.restore(log.files);
    for (std::uint64_t hits = random() % 6 + 1; hits > 0; --hits) {
      ByteVector& bytes = log.disk.bytes(log.path(random() % log.places.back().segment + 1));
      const std::uint64_t begin = random() % bytes.size();
      const std::uint64_t end = std::min<std::uint64_t>(bytes.size(), begin + random() % 900);
      for (std::uint64_t at = begin; at < end; ++at) bytes[at] = std::byte(random());
    }
    expect_prefix(read_log(log.disk, log.options));
    expect_prefix(read_log(log.disk, log.options, log.places[30]), 31);
  }
}

TEST(Damage, DamageBeforeALaterLifeIsFound) {
  SmallLog log;
  const ReadLog read = read_log(log.disk, log.options);
  {
    const auto writer = start(log.disk, log.options, read.end, read.highest);
    append(*writer, payload_of(17, 100));
    must(writer->sync(17));
  }
  EXPECT_EQ(read_log(log.disk, log.options).records.size(), 17u);
  // The last record of the earlier life, about which it said nothing itself.
  log.disk.bytes(log.path())[log.places[16].offset - 20] ^= std::byte{1};
  const ReadLog damaged = read_log(log.disk, log.options);
  EXPECT_EQ(damaged.records.size(), 15u);
  EXPECT_EQ(damaged.error, ErrorCode::kLogDamaged);
}

}  // namespace
}  // namespace quire::wal
