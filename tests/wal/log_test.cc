#include "tests/wal/log_test_support.h"
#include "tests/wal/memory_disk.h"
#include "wal/format.h"
#include "wal/segment_image.h"
#include "wal/segment_store.h"

namespace quire::wal {
namespace {

TEST(Log, FreshDirectoryHasNoRecords) {
  MemoryDisk disk;
  const ReadLog log = read_log(disk, small_options());
  EXPECT_EQ(log.error, ErrorCode::kOk);
  EXPECT_TRUE(log.records.empty());
  EXPECT_EQ(log.highest, 0u);
  EXPECT_EQ(log.end, Position{});
}

TEST(Log, ReturnsWhatWasAppended) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  EXPECT_EQ(append(*writer, "one", true, 7), 1u);
  const Bytes pieces[] = {as_bytes("tw"), {}, as_bytes("o")};
  EXPECT_EQ(must(writer->append(pieces, 8, true)), 2u);
  EXPECT_EQ(append(*writer, ""), 3u);
  EXPECT_EQ(writer->appended(), 3u);
  EXPECT_EQ(writer->written(), 0u);
  must(writer->write(2));
  EXPECT_EQ(writer->written(), 3u) << "the leader writes all that is there";
  EXPECT_EQ(writer->synced(), 0u);
  must(writer->sync(3));
  EXPECT_EQ(writer->synced(), 3u);

  const ReadLog log = read_log(disk, options);
  EXPECT_EQ(log.error, ErrorCode::kOk) << log.message;
  EXPECT_EQ(log.texts(), (std::vector<std::string>{"one", "two", ""}));
  EXPECT_EQ(log.records[0].kind, 7);
  EXPECT_EQ(log.records[1].kind, 8);
  EXPECT_EQ(log.end, writer->position());
  EXPECT_EQ(log.highest, 1u);
}

TEST(Log, ReadsFromEveryPlace) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  std::vector<Position> places = {writer->position()};
  for (Lsn lsn = 1; lsn <= 60; ++lsn) {
    append(*writer, payload_of(lsn, 400));
    places.push_back(writer->position());
  }
  must(writer->sync(60));
  ASSERT_GE(places.back().segment, 3u);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const ReadLog log = read_log(disk, options, places[i]);
    ASSERT_EQ(log.error, ErrorCode::kOk) << log.message;
    ASSERT_EQ(log.records.size(), 60 - i);
    if (i < 60) {
      EXPECT_EQ(log.records[0].lsn, i + 1);
    }
    EXPECT_EQ(log.end, places.back());
  }
}

TEST(Log, RefusesPlacesThatItDoesNotHold) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  append(*writer, "one");
  const Position place = writer->position();
  append(*writer, "two");
  must(writer->sync(2));
  Position wrong = place;
  wrong.chain ^= 1;
  EXPECT_EQ(read_log(disk, options, wrong).error, ErrorCode::kLogDamaged);
  wrong = place;
  wrong.lsn = 0;
  EXPECT_EQ(read_log(disk, options, wrong).error, ErrorCode::kLogDamaged);
  for (const std::uint64_t offset : {0ull, 8ull, 600ull, 4096ull, 1ull << 60}) {
    wrong = place;
    wrong.offset = offset;
    EXPECT_EQ(read_log(disk, options, wrong).error, ErrorCode::kLogDamaged);
  }
  wrong = place;
  wrong.segment = 9;
  EXPECT_EQ(read_log(disk, options, wrong).error, ErrorCode::kLogDamaged);
  wrong = writer->position();
  wrong.chain ^= 1;
  EXPECT_EQ(read_log(disk, options, wrong).error, ErrorCode::kLogDamaged);
  EXPECT_EQ(read_log(disk, options, place).texts(), std::vector<std::string>{"two"});
}

TEST(Log, CommitOfSeveralRecordsEndsWithTheLast) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  // Parts that cross segments.
  for (Lsn lsn = 1; lsn <= 20; ++lsn) append(*writer, payload_of(lsn, 1500), lsn == 20);
  must(writer->sync(20));
  const ReadLog log = read_log(disk, options);
  ASSERT_EQ(log.records.size(), 20u) << log.message;
  for (Lsn lsn = 1; lsn <= 20; ++lsn) {
    EXPECT_EQ(log.records[lsn - 1].text, payload_of(lsn, 1500));
    EXPECT_EQ(log.records[lsn - 1].last, lsn == 20);
  }
  EXPECT_EQ(log.end, writer->position());
}

TEST(Log, CommitWithoutItsLastRecordNeverHappened) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  Position whole;
  {
    const auto writer = start(disk, options);
    append(*writer, "whole");
    whole = writer->position();
    for (int part = 0; part < 10; ++part) append(*writer, payload_of(7, 1000), false);
    must(writer->sync(11));
  }
  ReadLog log = read_log(disk, options);
  EXPECT_EQ(log.error, ErrorCode::kOk) << log.message;
  EXPECT_EQ(log.texts(), std::vector<std::string>{"whole"});
  EXPECT_EQ(log.end, whole);
  // A later writer uses those LSNs again. Twice, and once more with half a commit.
  for (int life = 0; life < 3; ++life) {
    const auto writer = start(disk, options, log.end, log.highest);
    append(*writer, "half", false);
    must(writer->sync(2));
    log = read_log(disk, options);
    EXPECT_EQ(log.end, whole);
  }
  const auto writer = start(disk, options, log.end, log.highest);
  EXPECT_EQ(append(*writer, "next"), 2u);
  must(writer->sync(2));
  for (Lsn lsn = 3; lsn < 20; ++lsn) append(*writer, payload_of(lsn, 500));
  must(writer->sync(19));
  log = read_log(disk, options);
  EXPECT_EQ(log.error, ErrorCode::kOk) << log.message;
  ASSERT_EQ(log.records.size(), 19u);
  EXPECT_EQ(log.records[1].text, "next");
  EXPECT_EQ(log.end, writer->position());
}

TEST(Log, AbandonedCommitIsPassedOver) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  append(*writer, "one");
  append(*writer, "void", false);
  must(writer->write(2));
  append(*writer, "void too", false);
  writer->abandon();
  append(*writer, "two", false);
  append(*writer, "three");
  writer->abandon();
  append(*writer, "four");
  must(writer->sync(6));
  const ReadLog log = read_log(disk, options);
  EXPECT_EQ(log.texts(), (std::vector<std::string>{"one", "two", "three", "four"})) << log.message;
  EXPECT_EQ(log.records[1].lsn, 4u);
  EXPECT_EQ(log.end, writer->position());
}

TEST(Log, LargeRecordGetsASegmentOfItsSize) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  must(writer->prepare_spare());  // too small for what comes
  append(*writer, "small");
  append(*writer, payload_of(2, 100'000));
  append(*writer, payload_of(3, 300'000), false);
  append(*writer, payload_of(4, 20));
  must(writer->sync(4));
  const ReadLog log = read_log(disk, options);
  ASSERT_EQ(log.records.size(), 4u) << log.message;
  EXPECT_EQ(log.records[1].text, payload_of(2, 100'000));
  EXPECT_EQ(log.records[2].text, payload_of(3, 300'000));
  EXPECT_EQ(log.records[3].text, payload_of(4, 20));

  const ByteVector too_large(kMaxPayload + 1);
  const Bytes pieces[] = {too_large};
  const auto refused = writer->append(pieces, 0, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kTooLarge);
}

TEST(Log, LongCommitDoesNotPileUpInMemory) {
  MemoryDisk disk;
  LogOptions options = small_options();
  options.segment_bytes_max = 4 << 20;
  const auto writer = start(disk, options);
  const std::string part(1 << 20, 'p');
  for (Lsn lsn = 1; lsn <= 40; ++lsn) append(*writer, part, lsn == 40);
  EXPECT_GE(writer->written(), 30u);
  must(writer->sync(40));
  EXPECT_EQ(read_log(disk, options).records.size(), 40u);
}

TEST(Log, SegmentsDoubleUpToTheLargest) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  for (Lsn lsn = 1; lsn <= 100; ++lsn) append(*writer, payload_of(lsn, 500));
  must(writer->sync(100));
  const auto numbers = must(list_segments(disk, options.directory));
  ASSERT_GE(numbers.size(), 5u);
  std::uint64_t expected = 4096;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    EXPECT_EQ(numbers[i], i + 1);
    EXPECT_EQ(disk.bytes(segment_path(options.directory, numbers[i])).size(), expected);
    expected = std::min<std::uint64_t>(2 * expected, 16384);
  }
}

TEST(Log, ASpareIsDueWhenHalfOfTheSegmentIsFull) {
  MemoryDisk disk;
  const LogOptions options = small_options();  // a first segment of 4 KiB
  const auto writer = start(disk, options);
  append(*writer, payload_of(1, 500));
  EXPECT_FALSE(writer->spare_due());
  append(*writer, payload_of(2, 2000));
  EXPECT_TRUE(writer->spare_due());
  must(writer->prepare_spare());
  EXPECT_FALSE(writer->spare_due());
  append(*writer, payload_of(3, 2000));  // goes to the next, of 8 KiB
  EXPECT_FALSE(writer->spare_due());
  append(*writer, payload_of(4, 4000));
  EXPECT_TRUE(writer->spare_due());
}

TEST(Log, RecycledSegmentsShowNothingOfTheirOldLife) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  Position checkpoint;
  Lsn lsn = 0;
  for (int round = 0; round < 40; ++round) {
    const std::uint64_t count = 20 + round % 7;
    for (std::uint64_t i = 0; i < count; ++i) append(*writer, payload_of(++lsn, 400 + round));
    must(writer->sync(lsn));
    if (round % 3 == 0) must(writer->prepare_spare());
    const ReadLog log = read_log(disk, options, checkpoint);
    ASSERT_EQ(log.error, ErrorCode::kOk) << log.message;
    ASSERT_EQ(log.end, writer->position());
    EXPECT_EQ(log.records.size(), count);
    checkpoint = writer->position();
    must(writer->release_before(checkpoint));
  }
  // Steady: the segment in use, the next one, the spares.
  EXPECT_LE(disk.copy().size(), 2 + kSparesMax);
  EXPECT_GT(checkpoint.segment, 20u);
}

TEST(Log, SparesOfAnEarlierWriterAreUsed) {
  MemoryDisk disk;
  LogOptions options = small_options();
  options.segment_bytes_min = options.segment_bytes_max;
  Position checkpoint;
  std::uint64_t highest = 0;
  {
    const auto writer = start(disk, options);
    for (Lsn lsn = 1; lsn <= 100; ++lsn) append(*writer, payload_of(lsn, 700));
    must(writer->sync(100));
    checkpoint = writer->position();
    must(writer->release_before(checkpoint));
    highest = checkpoint.segment;
  }
  disk.restore(disk.copy());
  disk.room_bytes = 0;  // nothing new can be made
  const auto writer = start(disk, options, checkpoint, highest);
  for (Lsn lsn = 101; lsn <= 140; ++lsn) append(*writer, payload_of(lsn, 700));
  must(writer->sync(140));
  const ReadLog log = read_log(disk, options, checkpoint);
  EXPECT_EQ(log.records.size(), 40u) << log.message;
}

TEST(Log, ArchiveKeepsEverySegment) {
  MemoryDisk disk;
  LogOptions options = small_options();
  options.archive = true;
  Position end;
  {
    const auto writer = start(disk, options);
    for (Lsn lsn = 1; lsn <= 100; ++lsn) {
      append(*writer, payload_of(lsn, 500));
      if (lsn % 10 == 0) must(writer->release_before(writer->position()));
    }
    must(writer->prepare_spare());
    must(writer->finish_empty());
    end = writer->position();
  }
  const Position begin = must(first_position(disk, options));
  EXPECT_EQ(begin, (Position{.segment = 1, .offset = kRecordsAt, .lsn = 0, .chain = 0}));
  ReadLog log = read_log(disk, options, begin);
  EXPECT_EQ(log.records.size(), 100u) << log.message;
  EXPECT_EQ(log.end, end);
  // The next life, from a meta page that says segment 0, then one that has the place.
  Position empty = end;
  empty.segment = 0;
  log = read_log(disk, options, empty);
  EXPECT_EQ(log.error, ErrorCode::kOk) << log.message;
  EXPECT_TRUE(log.records.empty());
  const auto writer = start(disk, options, log.end, log.highest);
  append(*writer, "next life");
  must(writer->sync(101));
  EXPECT_EQ(read_log(disk, options, empty).texts(), std::vector<std::string>{"next life"});
  EXPECT_EQ(read_log(disk, options, end).texts(), std::vector<std::string>{"next life"});
  EXPECT_EQ(read_log(disk, options, begin).records.size(), 101u);
}

TEST(Log, FinishLeavesNothing) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  for (Lsn lsn = 1; lsn <= 100; ++lsn) append(*writer, payload_of(lsn, 500));
  must(writer->sync(100));
  must(writer->release_before(writer->position()));
  must(writer->prepare_spare());
  const auto before = disk.copy();
  must(writer->finish_empty());
  EXPECT_TRUE(disk.copy().empty());
  EXPECT_EQ(writer->health().error().code(), ErrorCode::kClosed);
  const Bytes none[] = {Bytes()};
  EXPECT_EQ(writer->append(none, 0, true).error().code(), ErrorCode::kClosed);

  // Interrupted anywhere, it leaves some of the files; the meta page says segment 0.
  Position from = writer->position();
  from.segment = 0;
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : before) paths.push_back(path);
  ASSERT_LE(paths.size(), 8u);
  for (unsigned kept = 0; kept < 1u << paths.size(); ++kept) {
    auto some = before;
    for (std::size_t i = 0; i < paths.size(); ++i) {
      if ((kept >> i & 1) == 0) some.erase(paths[i]);
    }
    disk.restore(some);
    const ReadLog log = read_log(disk, options, from);
    ASSERT_EQ(log.error, ErrorCode::kOk) << log.message;
    ASSERT_TRUE(log.records.empty());
    const auto next = start(disk, options, log.end, log.highest);
    append(*next, "next");
    must(next->sync(101));
    ASSERT_EQ(read_log(disk, options, from).texts(), std::vector<std::string>{"next"});
  }
}

TEST(Log, ContinuesOverManyLives) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  ReadLog log;
  Lsn lsn = 0;
  for (int life = 0; life < 20; ++life) {
    log = read_log(disk, options);
    ASSERT_EQ(log.error, ErrorCode::kOk) << log.message;
    ASSERT_EQ(log.records.size(), lsn);
    ASSERT_EQ(log.end.lsn, lsn);
    const auto writer = start(disk, options, log.end, log.highest);
    ASSERT_GT(writer->position().segment, log.highest);
    for (int i = 0; i < life % 5 * 3; ++i) append(*writer, payload_of(++lsn, 600));
    if (life % 2 == 0) must(writer->prepare_spare());
    must(life % 3 == 0 ? writer->write(lsn) : writer->sync(lsn));
  }
}

TEST(Log, CountsBytesSinceAPlace) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  auto writer = start(disk, options);
  const Position begin = writer->position();
  std::uint64_t total = 0;
  Position middle;
  std::uint64_t at_middle = 0;
  for (Lsn lsn = 1; lsn <= 50; ++lsn) {
    append(*writer, std::string(300, 'x'));
    total += record_bytes(300);
    if (lsn == 23) {
      middle = writer->position();
      at_middle = total;
    }
  }
  EXPECT_EQ(writer->bytes_since(begin), total);
  EXPECT_EQ(writer->bytes_since(Position{}), total);
  EXPECT_EQ(writer->bytes_since(middle), total - at_middle);
  EXPECT_EQ(writer->bytes_since(writer->position()), 0u);
  must(writer->sync(50));
  const Position end = writer->position();
  writer = start(disk, options, end, end.segment);
  append(*writer, std::string(300, 'x'));
  EXPECT_EQ(writer->bytes_since(end), record_bytes(300));
}

TEST(Log, FullDiskFailsTheAppendAndNothingElse) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  disk.room_bytes = 0;
  const std::string text = payload_of(1, 600);
  const Bytes pieces[] = {as_bytes(text)};
  append(*writer, text, false);
  Result<Lsn> lsn = Lsn{0};
  while (lsn) lsn = writer->append(pieces, 1, false);
  EXPECT_EQ(lsn.error().code(), ErrorCode::kFull);
  const Lsn appended = writer->appended();
  EXPECT_EQ(writer->append(pieces, 1, true).error().code(), ErrorCode::kFull);
  EXPECT_EQ(writer->prepare_spare().error().code(), ErrorCode::kFull);
  EXPECT_EQ(writer->appended(), appended);
  must(writer->health());
  must(writer->sync(appended));
  EXPECT_EQ(must(disk.list(options.directory)).size(), 1u) << "nothing half made stays";
  disk.room_bytes = INT64_MAX;
  append(*writer, "there is room again");
  must(writer->sync(appended + 1));
  // The commit that failed halfway is void, and no part of the one that came after it.
  const ReadLog log = read_log(disk, options);
  EXPECT_EQ(log.texts(), std::vector<std::string>{"there is room again"}) << log.message;
}

TEST(Log, DirectoryWhoseSyncFailedIsTrustedNoMore) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  append(*writer, "one");
  disk.directory_sync_fails = true;
  EXPECT_EQ(writer->prepare_spare().error().code(), ErrorCode::kIo);
  disk.directory_sync_fails = false;
  EXPECT_EQ(writer->prepare_spare().error().code(), ErrorCode::kIo);
  must(writer->sync(1));
  EXPECT_EQ(must(list_segments(disk, options.directory)).size(), 1u);
}

TEST(Log, InspectTellsWhatASegmentHolds) {
  MemoryDisk disk;
  const LogOptions options = small_options();
  const auto writer = start(disk, options);
  for (Lsn lsn = 1; lsn <= 10; ++lsn) append(*writer, payload_of(lsn, 600));
  must(writer->sync(10));
  must(writer->prepare_spare());
  const Position end = writer->position();
  ASSERT_EQ(end.segment, 2u);
  const SegmentInfo first =
      must(inspect_segment(disk, segment_path(options.directory, 1), options.database));
  EXPECT_EQ(first.number, 1u);
  EXPECT_EQ(first.size_bytes, 4096u);
  EXPECT_EQ(first.first_lsn, 1u);
  const SegmentInfo second =
      must(inspect_segment(disk, segment_path(options.directory, 2), options.database));
  EXPECT_EQ(second.first_lsn, first.last_lsn + 1);
  EXPECT_EQ(second.last_lsn, 10u);
  EXPECT_EQ(second.records, 10 - first.last_lsn);
  EXPECT_EQ(second.used_bytes, end.offset);
  EXPECT_EQ(second.database, options.database);
  const SegmentInfo next =
      must(inspect_segment(disk, segment_path(options.directory, 3), options.database));
  EXPECT_EQ(next.records, 0u);
  EXPECT_EQ(next.last_lsn, 0u);

  const std::string path = segment_path(options.directory, 2);
  const auto error = [&](const DatabaseId& id) {
    return inspect_segment(disk, path, id).error().code();
  };
  EXPECT_EQ(error({1, 2}), ErrorCode::kWrongId);
  const ByteVector good = disk.bytes(path);
  const auto flipped = [&](std::size_t at) {
    disk.bytes(path) = good;
    disk.bytes(path)[at] ^= std::byte{1};
    return error(options.database);
  };
  EXPECT_EQ(flipped(0), ErrorCode::kNotDatabase);
  EXPECT_EQ(flipped(8), ErrorCode::kCorrupt);
  EXPECT_EQ(flipped(12), ErrorCode::kVersion);
  EXPECT_EQ(flipped(16), ErrorCode::kCorrupt);
  EXPECT_EQ(flipped(300), ErrorCode::kCorrupt);
  disk.bytes(path) = good;
  std::reverse(disk.bytes(path).begin() + 8, disk.bytes(path).begin() + 12);
  EXPECT_EQ(error(options.database), ErrorCode::kByteOrder);
  disk.bytes(path).resize(100);
  EXPECT_EQ(error(options.database), ErrorCode::kTruncated);
  disk.bytes(path) = disk.bytes(segment_path(options.directory, 1));
  EXPECT_EQ(error(options.database), ErrorCode::kCorrupt) << "another number than the name";
}

TEST(Log, NamesOfSegments) {
  EXPECT_EQ(segment_path("/x", 1), "/x/0000000000000001");
  EXPECT_EQ(segment_name(0xabcdef0123456789), "abcdef0123456789");
  EXPECT_EQ(parse_segment_name("abcdef0123456789"), 0xabcdef0123456789);
  for (const char* name : {"", "1", "0000000000000000", "000000000000000G", "00000000000000001",
                           "ABCDEF0123456789", "spare-0000000001", "new-000000000001"}) {
    EXPECT_FALSE(parse_segment_name(name)) << name;
  }
  MemoryDisk disk;
  disk.restore({{"/db/wal/000000000000000a", {}},
                {"/db/wal/0000000000000002", {}},
                {"/db/wal/spare-0000000000000001", {}},
                {"/db/wal/notes", {}}});
  EXPECT_EQ(must(list_segments(disk, "/db/wal")), (std::vector<std::uint64_t>{2, 10}));
  EXPECT_TRUE(must(list_segments(disk, "/db/none")).empty());
}

}  // namespace
}  // namespace quire::wal
