// What a crash of the simulated disk keeps for certain: what was synced, and what a process leaves.
#include <thread>

#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

constexpr const char* kFile = "/d/f";

// A durable directory /d with a durable file of 4096 bytes 'o' in it.
class SimulatedDiskTest : public ::testing::Test {
 protected:
  SimulatedDiskTest() {
    must(disk.make_directory("/d"));
    must(disk.sync_directory("/"));
    file = must(disk.open(kFile, OpenMode::kCreate));
    must(file->write(0, filled(4096, 'o')));
    must(file->sync());
    must(disk.sync_directory("/d"));
  }
  SimulatedDisk disk;
  std::unique_ptr<File> file;
};

using Durability = SimulatedDiskTest;

TEST_F(Durability, WhatWasSyncedIsKeptInEveryOutcome) {
  const std::string expected = text_of(disk, kFile);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    for (const Survival survival : {Survival::kNothing, Survival::kRandom, Survival::kEverything}) {
      EXPECT_EQ(text_of(*disk.survivor(seed, survival), kFile), expected);
    }
  }
}

TEST_F(Durability, WhatWasNotSyncedIsLostAtTheWorst) {
  must(file->write(0, filled(1024, 'n')));
  must(file->write(4096, filled(1024, 'n')));
  EXPECT_EQ(must(file->size()), 5120U);
  const auto found = disk.after_crash(1, Survival::kNothing);
  EXPECT_EQ(text_of(*found, kFile), std::string(4096, 'o'));
}

TEST_F(Durability, AShrunkFileComesBackWholeAtTheWorst) {
  must(file->resize(100));
  must(file->resize(8192));
  EXPECT_EQ(text_of(*disk.after_crash(1, Survival::kNothing), kFile), std::string(4096, 'o'));
}

TEST_F(Durability, ASyncCoversLengthsToo) {
  must(file->resize(100));
  must(file->sync());
  EXPECT_EQ(text_of(*disk.after_crash(1, Survival::kNothing), kFile), std::string(100, 'o'));
}

TEST_F(Durability, ASyncOfOneFileIsNoneOfAnother) {
  auto other = must(disk.open("/d/g", OpenMode::kCreate));
  must(other->write(0, as_bytes("x")));
  must(disk.sync_directory("/d"));
  must(file->sync());
  EXPECT_EQ(text_of(*disk.after_crash(1, Survival::kNothing), "/d/g"), "");
}

TEST_F(Durability, ANewFileNeedsItsDirectorySynced) {
  auto other = must(disk.open("/d/g", OpenMode::kCreate));
  must(other->write(0, as_bytes("x")));
  must(other->sync());
  const auto before = disk.survivor(1, Survival::kNothing);
  EXPECT_FALSE(must(before->exists("/d/g")));
  must(disk.sync_directory("/"));  // the wrong one
  EXPECT_FALSE(must(disk.survivor(1, Survival::kNothing)->exists("/d/g")));
  must(disk.sync_directory("/d"));
  EXPECT_EQ(text_of(*disk.after_crash(1, Survival::kNothing), "/d/g"), "x");
}

TEST_F(Durability, ARenameNeedsItsDirectorySynced) {
  must(disk.rename(kFile, "/d/g"));
  const auto before = disk.survivor(1, Survival::kNothing);
  EXPECT_EQ(must(before->list("/d")), std::vector<std::string>{"f"});
  must(disk.sync_directory("/d"));
  EXPECT_EQ(must(disk.after_crash(1, Survival::kNothing)->list("/d")),
            std::vector<std::string>{"g"});
}

TEST_F(Durability, ARenameOverAFileLeavesOneOfTheTwo) {
  auto fresh = must(disk.open("/d/tmp", OpenMode::kCreate));
  must(fresh->write(0, as_bytes("new")));
  must(fresh->sync());
  must(disk.sync_directory("/d"));
  must(disk.rename("/d/tmp", kFile));
  int replaced = 0;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto found = disk.survivor(seed, Survival::kRandom);
    const bool renamed = !must(found->exists("/d/tmp"));
    EXPECT_EQ(text_of(*found, kFile), renamed ? "new" : std::string(4096, 'o'));
    replaced += renamed;
  }
  EXPECT_GT(replaced, 0);
  EXPECT_LT(replaced, 50);
}

TEST_F(Durability, ARemovalNeedsItsDirectorySynced) {
  must(disk.remove(kFile));
  EXPECT_TRUE(must(disk.survivor(1, Survival::kNothing)->exists(kFile)));
  must(disk.sync_directory("/d"));
  EXPECT_FALSE(must(disk.survivor(1, Survival::kNothing)->exists(kFile)));
}

TEST_F(Durability, ARenameBetweenDirectoriesIsOneChange) {
  must(disk.make_directory("/e"));
  must(disk.sync_directory("/"));
  must(disk.rename(kFile, "/e/f"));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto found = disk.survivor(seed, Survival::kRandom);
    EXPECT_NE(must(found->exists(kFile)), must(found->exists("/e/f")));
  }
  must(disk.sync_directory("/e"));
  const auto found = disk.survivor(1, Survival::kNothing);
  EXPECT_FALSE(must(found->exists(kFile)));
  EXPECT_TRUE(must(found->exists("/e/f")));
}

TEST_F(Durability, ARenameTakesAlongWhatCameBeforeItInBothDirectories) {
  must(disk.make_directory("/e"));
  must(disk.sync_directory("/"));
  must(disk.open("/d/g", OpenMode::kCreate));
  must(disk.rename("/d/g", "/e/g"));
  must(disk.sync_directory("/e"));
  must(disk.sync_directory("/d"));
  const auto found = disk.after_crash(1, Survival::kNothing);
  EXPECT_EQ(must(found->list("/d")), std::vector<std::string>{"f"});
  EXPECT_EQ(must(found->list("/e")), std::vector<std::string>{"g"});
}

TEST_F(Durability, TheIdentityOfAFileOutlivesTheCrash) {
  const FileIdentity before = must(file->identity());
  const auto found = disk.after_crash(1, Survival::kNothing);
  auto again = must(found->open(kFile, OpenMode::kRead));
  EXPECT_EQ(must(again->identity()), before);
  auto fresh = must(found->open("/d/g", OpenMode::kCreate));
  EXPECT_NE(must(fresh->identity()), must(again->identity()));
}

TEST_F(Durability, PowerLossChangesTheBootIdAndAKillDoesNot) {
  const auto id = must(disk.boot_id());
  EXPECT_EQ(must(disk.survivor(7, Survival::kEverything)->boot_id()), id);
  const auto next = disk.after_crash(1, Survival::kNothing);
  const auto next_id = must(next->boot_id());
  EXPECT_NE(next_id, id);
  EXPECT_NE(must(next->after_crash(1, Survival::kNothing)->boot_id()), next_id);
}

using Kill = SimulatedDiskTest;

TEST_F(Kill, TheCacheSurvivesTheProcess) {
  must(file->write(100, as_bytes("new")));
  must(file->resize(2000));
  must(disk.rename(kFile, "/d/g"));
  const auto found = disk.after_crash(1, Survival::kEverything);
  std::string expected(2000, 'o');
  expected.replace(100, 3, "new");
  EXPECT_EQ(text_of(*found, "/d/g"), expected);
  EXPECT_FALSE(must(found->exists(kFile)));
}

TEST_F(Kill, WhatWasNotSyncedIsStillNot) {
  must(file->write(100, as_bytes("new")));
  must(disk.rename(kFile, "/d/g"));
  const auto killed = disk.after_crash(1, Survival::kEverything);
  const auto found = killed->after_crash(1, Survival::kNothing);
  EXPECT_EQ(text_of(*found, kFile), std::string(4096, 'o'));
  const auto synced = disk.survivor(1, Survival::kEverything);
  must(must(synced->open("/d/g", OpenMode::kRead))->sync());
  must(synced->sync_directory("/d"));
  EXPECT_EQ(text_of(*synced->after_crash(1, Survival::kNothing), "/d/g").substr(100, 3), "new");
}

TEST_F(Kill, LocksAreDropped) {
  EXPECT_TRUE(must(file->try_lock(0, 1, LockMode::kExclusive)));
  for (const Survival survival : {Survival::kEverything, Survival::kNothing}) {
    const auto found = disk.survivor(1, survival);
    auto again = must(found->open(kFile, OpenMode::kReadWrite));
    EXPECT_FALSE(must(again->locked_elsewhere(0, 1)));
  }
}

using SharedMap = SimulatedDiskTest;

TEST_F(SharedMap, ItsWritesAreLostInAPowerLossAndKeptInAKill) {
  auto mapping = must(file->map_shared(1 << 20));
  must(file->resize(8192));
  mapping->data()[0] = std::byte{'n'};
  mapping->data()[8000] = std::byte{'n'};
  const std::string killed = text_of(*disk.survivor(1, Survival::kEverything), kFile);
  EXPECT_EQ(killed[0], 'n');
  EXPECT_EQ(killed[8000], 'n');
  EXPECT_EQ(text_of(*disk.survivor(1, Survival::kNothing), kFile), std::string(4096, 'o'));
}

TEST_F(SharedMap, ASyncMakesThemDurableOnce) {
  auto mapping = must(file->map_shared(1 << 20));
  mapping->data()[0] = std::byte{'n'};
  must(file->sync());
  mapping->data()[1] = std::byte{'n'};
  EXPECT_EQ(text_of(*disk.survivor(1, Survival::kNothing), kFile).substr(0, 3), "noo");
}

TEST_F(SharedMap, ItsSectorsMaySurviveEachOnItsOwn) {
  auto mapping = must(file->map_shared(1 << 20));
  for (int i = 0; i < 8; ++i) mapping->data()[i * 512] = std::byte{'n'};
  bool mixed = false;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const std::string text = text_of(*disk.survivor(seed, Survival::kRandom), kFile);
    mixed = mixed || (text[0] == 'n' && text[512] == 'o');
  }
  EXPECT_TRUE(mixed);
}

TEST(SimulatedDiskThreads, ManyMayUseItAtOnce) {
  SimulatedDisk disk;
  auto shared = must(disk.open("/shared", OpenMode::kCreate));
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string path = std::string("/").append(std::to_string(t));
      auto own = must(disk.open(path, OpenMode::kCreate));
      for (unsigned i = 0; i < 50; ++i) {
        must(own->write(i * 100, pattern(100, i)));
        must(shared->write_and_sync((t * 50 + i) * 100, pattern(100, i),
                                    [&] { must(own->sync()); }));
        must(disk.sync_directory("/"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(must(shared->size()), 20'000U);
  const auto found = disk.after_crash(1, Survival::kNothing);
  EXPECT_EQ(text_of(*found, "/shared").size(), 20'000U);
  EXPECT_EQ(must(found->list("/")).size(), 5U);
}

TEST(SimulatedDiskNames, RefusesWhatARealOneRefuses) {
  SimulatedDisk disk;
  must(disk.make_directory("/d"));
  must(disk.make_directory("/d/e"));
  must(disk.make_directory("/x"));
  must(disk.open("/f", OpenMode::kCreate));
  EXPECT_EQ(code_of(disk.open("/d", OpenMode::kRead)), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.open("/d", OpenMode::kCreate)), ErrorCode::kExists);
  EXPECT_EQ(code_of(disk.rename("/", "/y")), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(disk.rename("/f", "/")), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(disk.rename("/d", "/d/e/g")), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(disk.rename("/f", "/none/g")), ErrorCode::kNotFound);
  EXPECT_EQ(code_of(disk.rename("/f", "/d")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.rename("/d", "/f")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.rename("/x", "/d")), ErrorCode::kIo);  // not empty
  must(disk.rename("/f", "/f"));
  must(disk.rename("/x", "/d/e"));
  EXPECT_EQ(code_of(disk.remove("/")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.remove("/d")), ErrorCode::kIo);
  EXPECT_FALSE(must(disk.is_directory("/f")));
  EXPECT_FALSE(must(disk.is_directory("/none/g")));
  EXPECT_FALSE(must(disk.exists("/../none")));
  EXPECT_TRUE(must(disk.exists("/../f")));
  const auto file = must(disk.open("/f", OpenMode::kReadWrite));
  must(file->allocate(100, 0));
  EXPECT_EQ(must(file->size()), 0U);
  disk.set_read_only(true);
  EXPECT_EQ(code_of(disk.make_directory("/z")), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(disk.rename("/f", "/g")), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(disk.remove("/f")), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(disk.open("/f", OpenMode::kReadWrite)), ErrorCode::kReadOnly);
  disk.crash();
  EXPECT_EQ(code_of(disk.open("/f", OpenMode::kRead)), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.make_directory("/z")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.rename("/f", "/g")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.remove("/f")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.exists("/f")), ErrorCode::kIo);
  EXPECT_EQ(code_of(disk.is_directory("/f")), ErrorCode::kIo);
}

}  // namespace
}  // namespace quire::io
