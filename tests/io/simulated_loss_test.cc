// What a power loss may do to what was not synced: each outcome that the model promises occurs, and
// no other.
#include <set>

#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

class Loss : public ::testing::Test {
 protected:
  Loss() {
    file = must(disk.open("/f", OpenMode::kCreate));
    must(file->write(0, filled(8192, 'o')));
    must(file->sync());
    must(disk.sync_directory("/"));
  }
  std::string outcome(std::uint64_t seed) {
    return text_of(*disk.survivor(seed, Survival::kRandom), "/f");
  }
  SimulatedDisk disk;
  std::unique_ptr<File> file;
};

TEST_F(Loss, SectorsAreOldOrNewAndNeverMixed) {
  must(file->write(100, filled(7000, 'n')));
  int all_old = 0;
  int all_new = 0;
  int mixed = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string text = outcome(seed);
    ASSERT_EQ(text.size(), 8192U);
    int fresh = 0;
    for (std::size_t sector = 0; sector < 16; ++sector) {
      std::string expected_new(512, 'o');
      for (std::size_t i = 0; i < 512; ++i) {
        const std::size_t at = sector * 512 + i;
        if (at >= 100 && at < 7100) expected_new[i] = 'n';
      }
      const std::string found = text.substr(sector * 512, 512);
      ASSERT_TRUE(found == expected_new || found == std::string(512, 'o'));
      fresh += found != std::string(512, 'o');
    }
    all_old += fresh == 0;
    all_new += fresh == 14;
    mixed += fresh > 0 && fresh < 14;
  }
  EXPECT_GT(all_old, 0);
  EXPECT_GT(all_new, 0);
  EXPECT_GT(mixed, 100);
}

TEST_F(Loss, LengthsLieBetweenTheOldAndTheNew) {
  must(file->write(8192, filled(4096, 'n')));
  std::set<std::size_t> lengths;
  bool zeros = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::string text = outcome(seed);
    lengths.insert(text.size());
    ASSERT_EQ(text.substr(0, 8192), std::string(8192, 'o'));
    for (const char c : text.substr(8192)) ASSERT_TRUE(c == 'n' || c == '\0');
    zeros = zeros || (text.size() == 12288 && text[8192] == '\0');
  }
  EXPECT_EQ(*lengths.begin(), 8192U);
  EXPECT_EQ(*lengths.rbegin(), 12288U);
  EXPECT_GT(lengths.size(), 20U);
  EXPECT_TRUE(zeros) << "the length without the contents";
}

TEST_F(Loss, ACutMayBeUndoneInPart) {
  must(file->resize(1000));
  std::set<std::size_t> lengths;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const std::string text = outcome(seed);
    lengths.insert(text.size());
    EXPECT_EQ(text.substr(0, 1000), std::string(1000, 'o'));
  }
  EXPECT_EQ(*lengths.begin(), 1000U);
  EXPECT_EQ(*lengths.rbegin(), 8192U);
}

TEST_F(Loss, NamesSurviveEachOnTheirOwn) {
  for (const char* path : {"/a", "/b", "/c"}) must(disk.open(path, OpenMode::kCreate));
  must(disk.remove("/f"));
  std::set<std::vector<std::string>> outcomes;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    outcomes.insert(must(disk.survivor(seed, Survival::kRandom)->list("/")));
  }
  EXPECT_EQ(outcomes.size(), 16U);
}

TEST_F(Loss, ARenameNeedsItsSource) {
  auto fresh = must(disk.open("/tmp", OpenMode::kCreate));
  must(fresh->write(0, as_bytes("new")));
  must(disk.rename("/tmp", "/g"));
  std::set<std::vector<std::string>> outcomes;
  bool empty = false;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const auto found = disk.survivor(seed, Survival::kRandom);
    outcomes.insert(must(found->list("/")));
    empty = empty || (must(found->exists("/g")) && text_of(*found, "/g").empty());
  }
  const std::set<std::vector<std::string>> expected{{"f"}, {"f", "tmp"}, {"f", "g"}};
  EXPECT_EQ(outcomes, expected);
  EXPECT_TRUE(empty) << "a name without its contents";
}

TEST_F(Loss, ARemovalTakesOnlyWhatItTook) {
  must(disk.rename("/f", "/g"));
  must(disk.open("/f", OpenMode::kCreate));
  must(disk.remove("/f"));
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const auto found = disk.survivor(seed, Survival::kRandom);
    const bool renamed = must(found->exists("/g"));
    EXPECT_EQ(text_of(*found, renamed ? "/g" : "/f"), std::string(8192, 'o')) << seed;
  }
}

TEST_F(Loss, TheSeedDecides) {
  must(file->write(0, filled(8192, 'n')));
  must(file->write(9000, filled(5000, 'n')));
  must(disk.open("/a", OpenMode::kCreate));
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_EQ(outcome(seed), outcome(seed));
    outcomes.insert(outcome(seed));
  }
  EXPECT_GT(outcomes.size(), 10U);
}

TEST_F(Loss, AFailedSyncIsNeverMadeGoodByALaterOne) {
  must(file->write(0, filled(512, 'l')));
  disk.fail_at(disk.operations() + 1, FaultKind::kSyncFailure);
  EXPECT_EQ(code_of(file->sync()), ErrorCode::kIo);
  EXPECT_EQ(contents(*file)[0], std::byte{'l'}) << "the cache still shows it";
  must(file->write(512, filled(512, 'n')));
  must(file->sync());
  const std::string text = text_of(*disk.survivor(1, Survival::kNothing), "/f");
  EXPECT_EQ(text.substr(0, 512), std::string(512, 'o'));
  EXPECT_EQ(text.substr(512, 512), std::string(512, 'n'));
  // Written again it is dirty again.
  must(file->write(0, filled(512, 'm')));
  must(file->sync());
  EXPECT_EQ(text_of(*disk.survivor(1, Survival::kNothing), "/f")[0], 'm');
}

}  // namespace
}  // namespace quire::io
