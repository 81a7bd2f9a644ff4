// Faults and crashes at a chosen operation, and full devices.
#include <set>

#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

// One of every kind of operation that changes something, in order; stops at the first that fails.
Status run_all_kinds(Disk& disk) {
  QUIRE_CHECK(disk.make_directory("/d"));                            // 1
  QUIRE_TRY(const auto file, disk.open("/d/f", OpenMode::kCreate));  // 2
  QUIRE_CHECK(file->write(0, filled(2000, 'a')));                    // 3
  const ByteVector piece = filled(1000, 'b');
  const std::vector<Bytes> pieces{piece, piece};
  QUIRE_CHECK(file->write_gather(2000, pieces));    // 4
  QUIRE_CHECK(file->allocate(0, 8192));             // 5
  QUIRE_CHECK(file->resize(6000));                  // 6
  QUIRE_CHECK(file->sync());                        // 7
  QUIRE_CHECK(file->write_and_sync(0, piece, {}));  // 8, 9
  QUIRE_CHECK(disk.rename("/d/f", "/d/g"));         // 10
  QUIRE_CHECK(disk.sync_directory("/d"));           // 11
  QUIRE_CHECK(disk.remove("/d/g"));                 // 12
  return {};
}
constexpr std::uint64_t kKinds = 12;

TEST(SimulatedFault, EveryChangeIsCounted) {
  SimulatedDisk disk;
  must(run_all_kinds(disk));
  EXPECT_EQ(disk.operations(), kKinds);
  // Looking changes nothing, nor does what is refused for its arguments.
  must(disk.list("/d"));
  EXPECT_FALSE(disk.remove("/no").has_value());
  EXPECT_FALSE(disk.open("/no/f", OpenMode::kCreate).has_value());
  EXPECT_EQ(disk.operations(), kKinds);
}

TEST(SimulatedFault, ACrashFailsItsOperationAndAllAfter) {
  for (std::uint64_t at = 1; at <= kKinds; ++at) {
    SimulatedDisk disk;
    disk.set_crash_at(at);
    const Status status = run_all_kinds(disk);
    EXPECT_EQ(code_of(status), ErrorCode::kIo) << at;
    EXPECT_EQ(words_of(status), "simulated crash");
    EXPECT_EQ(disk.operations(), at);
    EXPECT_TRUE(disk.crashed());
    EXPECT_EQ(code_of(disk.exists("/")), ErrorCode::kIo);
  }
}

TEST(SimulatedFault, AfterACrashEveryHandleFails) {
  SimulatedDisk disk;
  auto file = must(disk.open("/f", OpenMode::kCreate));
  must(file->write(0, as_bytes("x")));
  auto mapping = must(file->map_read(4096));
  const auto found = disk.after_crash(1, Survival::kEverything);
  ByteVector into(1);
  EXPECT_EQ(code_of(file->read(0, into)), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->write(0, into)), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->sync()), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->size()), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->map_read(4096)), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->try_lock(0, 1, LockMode::kShared)), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->unlock(0, 1)), ErrorCode::kIo);
  EXPECT_EQ(code_of(file->identity()), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.open("/f", OpenMode::kRead)), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.list("/")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.boot_id()), ErrorCode::kIo);
  EXPECT_EQ(mapping->data()[0], std::byte{'x'}) << "a map is memory";
  EXPECT_EQ(text_of(*found, "/f"), "x");
}

TEST(SimulatedFault, AWriteThatTheCrashHitsLandsInPart) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SimulatedDisk disk(seed);
    auto file = must(disk.open("/f", OpenMode::kCreate));
    must(file->write(0, filled(2048, 'o')));
    disk.set_crash_at(disk.operations() + 1);
    EXPECT_FALSE(file->write(0, filled(2048, 'n')).has_value());
    const std::string text = text_of(*disk.after_crash(1, Survival::kEverything), "/f");
    ASSERT_EQ(text.size(), 2048U);
    for (std::size_t i = 0; i < 2048; ++i) ASSERT_EQ(text[i], text[i / 512 * 512]);
    outcomes.insert(text);
  }
  EXPECT_TRUE(outcomes.contains(std::string(2048, 'o')));
  EXPECT_TRUE(outcomes.contains(std::string(2048, 'n')));
  EXPECT_GT(outcomes.size(), 6U);
}

TEST(SimulatedFault, AFaultHitsOneOperationOnce) {
  SimulatedDisk disk;
  auto file = must(disk.open("/f", OpenMode::kCreate));
  must(file->write(0, as_bytes("old")));
  disk.fail_at(disk.operations() + 2, FaultKind::kIo);
  must(file->write(0, as_bytes("1")));
  const Status status = file->write(0, as_bytes("2"));
  EXPECT_EQ(code_of(status), ErrorCode::kIo);
  EXPECT_NE(words_of(status).find("/f"), std::string::npos);
  EXPECT_EQ(text_of(disk, "/f"), "1ld");
  must(file->write(0, as_bytes("3")));
  EXPECT_EQ(text_of(disk, "/f"), "3ld");
}

TEST(SimulatedFault, EveryKindOfOperationCanFail) {
  for (const FaultKind kind :
       {FaultKind::kIo, FaultKind::kFull, FaultKind::kShortWrite, FaultKind::kSyncFailure}) {
    const bool full = kind == FaultKind::kFull || kind == FaultKind::kShortWrite;
    for (std::uint64_t at = 1; at <= kKinds; ++at) {
      SimulatedDisk disk;
      disk.fail_at(at, kind);
      EXPECT_EQ(code_of(run_all_kinds(disk)), full ? ErrorCode::kFull : ErrorCode::kIo) << at;
      EXPECT_FALSE(disk.crashed());
    }
  }
}

TEST(SimulatedFault, AShortWriteLandsInPart) {
  SimulatedDisk disk;
  auto file = must(disk.open("/f", OpenMode::kCreate));
  disk.fail_at(2, FaultKind::kShortWrite);
  EXPECT_EQ(code_of(file->write(0, filled(1 << 20, 'n'))), ErrorCode::kFull);
  EXPECT_GT(must(file->size()), 0U);
  EXPECT_LT(must(file->size()), 1U << 20);
}

TEST(SimulatedFault, ASyncFailureIsNotTheLastWord) {
  SimulatedDisk disk;
  auto file = must(disk.open("/f", OpenMode::kCreate));
  must(disk.sync_directory("/"));
  must(file->write(0, as_bytes("x")));
  disk.fail_at(disk.operations() + 1, FaultKind::kIo);
  EXPECT_EQ(code_of(file->sync()), ErrorCode::kIo);
  // kIo happened before anything: the data is still dirty and the next sync writes it.
  must(file->sync());
  EXPECT_EQ(text_of(*disk.survivor(1, Survival::kNothing), "/f"), "x");
}

TEST(SimulatedSpace, AFullDeviceFailsTheWriteAndKeepsWhatFits) {
  SimulatedDisk disk;
  disk.set_capacity(16 * 1024);
  auto file = must(disk.open("/f", OpenMode::kCreate));
  must(file->write(0, filled(10'000, 'a')));
  EXPECT_EQ(disk.used_bytes(), 12'288U);
  const Status status = file->write(10'000, filled(10'000, 'b'));
  EXPECT_EQ(code_of(status), ErrorCode::kFull);
  EXPECT_EQ(must(file->size()), 16'384U);
  must(file->write(0, filled(16'384, 'c')));
  EXPECT_EQ(code_of(file->write(16'384, as_bytes("d"))), ErrorCode::kFull);
}

TEST(SimulatedSpace, AllocatedSpaceIsThereToBeWritten) {
  SimulatedDisk disk;
  disk.set_capacity(64 * 1024);
  auto file = must(disk.open("/f", OpenMode::kCreate));
  auto other = must(disk.open("/g", OpenMode::kCreate));
  must(file->allocate(0, 32 * 1024));
  EXPECT_EQ(must(file->size()), 32U * 1024);
  EXPECT_EQ(code_of(other->write(0, filled(64 * 1024, 'x'))), ErrorCode::kFull);
  must(file->write(0, filled(32 * 1024, 'y')));
  EXPECT_EQ(code_of(file->allocate(0, 64 * 1024)), ErrorCode::kFull);
}

TEST(SimulatedSpace, AHoleCostsNothingUntilItIsWritten) {
  SimulatedDisk disk;
  disk.set_capacity(8192);
  auto file = must(disk.open("/f", OpenMode::kCreate));
  must(file->resize(1 << 30));
  EXPECT_EQ(disk.used_bytes(), 0U);
  must(file->write(500'000, filled(100, 'x')));
  EXPECT_EQ(disk.used_bytes(), 4096U);
  EXPECT_EQ(
      must(must(disk.survivor(1, Survival::kEverything)->open("/f", OpenMode::kRead))->size()),
      1U << 30);
}

TEST(SimulatedSpace, RemovingAndCuttingGiveSpaceBack) {
  SimulatedDisk disk;
  disk.set_capacity(8192);
  must(must(disk.open("/f", OpenMode::kCreate))->write(0, filled(8192, 'x')));
  auto file = must(disk.open("/g", OpenMode::kCreate));
  EXPECT_EQ(code_of(file->write(0, as_bytes("y"))), ErrorCode::kFull);
  must(must(disk.open("/f", OpenMode::kReadWrite))->resize(4096));
  must(file->write(0, as_bytes("y")));
  must(disk.remove("/f"));
  EXPECT_EQ(disk.used_bytes(), 4096U);
}

TEST(SimulatedOverlap, TheWorkRunsWhereItIsTold) {
  for (const Overlap overlap : {Overlap::kBeforeWrite, Overlap::kBetween, Overlap::kAfterSync}) {
    SimulatedDisk disk;
    disk.set_overlap(overlap);
    auto file = must(disk.open("/f", OpenMode::kCreate));
    std::uint64_t operations = 0;
    must(file->write_and_sync(0, as_bytes("x"), [&] { operations = disk.operations(); }));
    EXPECT_EQ(operations, 1 + static_cast<std::uint64_t>(overlap));
  }
}

TEST(SimulatedOverlap, TheWorkRunsOnceEvenWhenTheWriteFails) {
  for (const Overlap overlap : {Overlap::kBeforeWrite, Overlap::kBetween, Overlap::kAfterSync}) {
    SimulatedDisk disk;
    disk.set_overlap(overlap);
    auto file = must(disk.open("/f", OpenMode::kCreate));
    disk.fail_at(2, FaultKind::kIo);
    int runs = 0;
    EXPECT_EQ(code_of(file->write_and_sync(0, as_bytes("x"), [&] { ++runs; })), ErrorCode::kIo);
    EXPECT_EQ(runs, 1);
  }
}

TEST(SimulatedMachine, MayBeReadOnlyOrANetwork) {
  SimulatedDisk disk;
  must(disk.open("/f", OpenMode::kCreate));
  disk.set_read_only(true);
  EXPECT_FALSE(must(disk.may_write("/f")));
  EXPECT_EQ(code_of(disk.open("/f", OpenMode::kReadWrite)), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(disk.open("/g", OpenMode::kCreate)), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(disk.remove("/f")), ErrorCode::kReadOnly);
  must(disk.open("/f", OpenMode::kRead));
  disk.set_network_filesystem("nfs");
  EXPECT_EQ(must(disk.network_filesystem("/f")), "nfs");
}

}  // namespace
}  // namespace quire::io
