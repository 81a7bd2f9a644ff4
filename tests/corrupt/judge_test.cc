// Whether the judge of the corruption campaign sees what is wrong: it is given engines that are
// broken on purpose, and one that is not.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "tests/corrupt/children.h"
#include "tests/corrupt/judge_world.h"
#include "wal/log_reader.h"

namespace quire::test {
namespace {

struct Tally {
  std::size_t unchanged = 0, detected = 0, harmless = 0, wrong = 0;
  std::string words;  // of what was wrong last
};

Tally judge_all(const Scene& scene, const std::vector<Mutation>& mutations, const Engine& engine) {
  Tally tally;
  for (const Mutation& mutation : mutations) {
    const Verdict verdict = judge_open(scene, mutation, kSeed, engine);
    tally.unchanged += verdict.outcome == Outcome::kUnchanged ? 1 : 0;
    tally.detected += verdict.outcome == Outcome::kDetected ? 1 : 0;
    tally.harmless += verdict.outcome == Outcome::kHarmless ? 1 : 0;
    if (verdict.outcome != Outcome::kWrong) continue;
    ++tally.wrong;
    tally.words = verdict.words;
  }
  return tally;
}

// An engine that does not look whether a page is what was written: it has another state.
Engine answering(const State& state) {
  return [&state](io::SimulatedDisk&, const DatabaseOptions&) {
    Answers answers;
    answers.found = state;
    return answers;
  };
}

Engine refusing(ErrorCode code, const char* words) {
  return [code, words](io::SimulatedDisk&, const DatabaseOptions&) {
    Answers answers;
    answers.refused = Error(code, words);
    return answers;
  };
}

TEST(CorruptJudge, FindsNothingWrongWithTheEngine) {
  for (const std::string& name : scene_names()) {
    std::vector<Mutation> some;
    const auto all = mutations_of(scene(name), 997, 10, kSeed);
    for (std::size_t i = 0; i < all.size(); i += 13) some.push_back(all[i]);
    const Tally tally = judge_all(scene(name), some, ask_engine);
    EXPECT_EQ(tally.wrong, 0u) << name << ": " << tally.words;
    EXPECT_GT(tally.detected, 20u) << name;
    EXPECT_GT(tally.harmless, 5u) << name;
  }
}

// --- other answers ---

TEST(CorruptJudge, AnOlderStateForADamagedPageIsWrong) {
  for (const char* name : {"closed", "crashed"}) {
    const Scene& there = scene(name);
    const auto damages = damages_of_catalog(there);
    for (const std::size_t older : {there.last - 1, there.at_checkpoint - 1, std::size_t{0}}) {
      const Tally tally = judge_all(there, damages, answering(there.history[older]));
      EXPECT_EQ(tally.wrong, damages.size()) << name << ", commit " << older;
    }
  }
}

TEST(CorruptJudge, OneOtherValueAndOneKeyTooFewOrTooManyIsWrong) {
  const Scene& there = scene("closed");
  const auto damages = damages_of_catalog(there);
  const State& truth = there.history[there.last];
  int tried = 0;
  for (const auto& [name, keys] : truth) {
    if (keys.empty()) continue;
    const std::string& key = std::next(keys.begin(), static_cast<long>(keys.size() / 2))->first;
    State other = truth, fewer = truth, more = truth;
    other[name][key] += "?";
    fewer[name].erase(key);
    more[name][key + "?"] = "";
    for (const State& state : {other, fewer, more}) {
      const Tally tally = judge_all(there, damages, answering(state));
      EXPECT_EQ(tally.wrong, damages.size()) << name;
    }
    ++tried;
  }
  EXPECT_GT(tried, 4);
}

TEST(CorruptJudge, ACheckThatFindsNothingInWhatCannotBeReadIsWrong) {
  const auto blind = [](io::SimulatedDisk& disk, const DatabaseOptions& options) {
    Answers answers = ask_engine(disk, options);
    answers.checked = {};
    return answers;
  };
  const Scene& there = scene("closed");
  const Tally tally = judge_all(there, damages_of_catalog(there), blind);
  EXPECT_EQ(tally.wrong, damages_of_catalog(there).size());
  EXPECT_NE(tally.words.find("check finds nothing"), std::string::npos) << tally.words;
}

// --- damage that is none, and errors that say nothing ---

TEST(CorruptJudge, DamageWhereNothingIsChangedIsWrong) {
  for (const char* name : {"closed", "crashed"}) {
    const Scene& there = scene(name);
    // A page in the place of itself; and what lies behind all pages that are in use.
    const std::uint64_t file = bytes_of(*there.disk, kDataPath).size();
    std::vector<Mutation> nothing;
    for (std::uint64_t page = 0; page * kBlock < there.used_bytes; ++page) {
      const Mutation stale{kDataPath, Damage::kStale, page};
      const auto copy = there.disk->survivor(kSeed, io::Survival::kEverything);
      if (!apply(there, stale, kSeed, *copy)) nothing.push_back(stale);
    }
    ASSERT_GE(nothing.size(), 1u) << name;
    for (std::uint64_t at = there.used_bytes; at < file; at += 501)
      nothing.push_back({kDataPath, Damage::kFlip, at});
    const auto refusing_all = refusing(ErrorCode::kCorrupt, "/shop.quire/data: page 7: damaged");
    EXPECT_EQ(judge_all(there, nothing, refusing_all).wrong, nothing.size()) << name;
    const auto finding = [](io::SimulatedDisk& disk, const DatabaseOptions& options) {
      Answers answers = ask_engine(disk, options);
      answers.checked = fail(ErrorCode::kCorrupt, "page 7: damaged");
      return answers;
    };
    EXPECT_EQ(judge_all(there, nothing, finding).wrong, nothing.size()) << name;
  }
}

TEST(CorruptJudge, AnErrorThatIsNotOfDamageOrNamesNothingIsWrong) {
  const Scene& there = scene("closed");
  const auto damages = damages_of_catalog(there);
  const auto wrong = [&](ErrorCode code, const char* words) {
    return judge_all(there, damages, refusing(code, words)).wrong;
  };
  EXPECT_EQ(wrong(ErrorCode::kCorrupt, "/shop.quire/data: page 7: damaged"), 0u);
  EXPECT_EQ(wrong(ErrorCode::kCorrupt, "something is damaged"), damages.size());
  for (const ErrorCode code : {ErrorCode::kNotFound, ErrorCode::kIo, ErrorCode::kInvalid,
                               ErrorCode::kNoMemory, ErrorCode::kPoisoned})
    EXPECT_EQ(wrong(code, "/shop.quire/data: page 7: damaged"), damages.size()) << error_name(code);
}

// --- the end of the log ---

// Reads the log as if it ended before the record with this number.
Engine losing_from(const Scene& scene, std::size_t record) {
  return [&scene, record](io::SimulatedDisk& disk, const DatabaseOptions& options) {
    const LoggedRecord& first = scene.log[record];
    std::string bytes = bytes_of(disk, first.path);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(first.begin), bytes.end(), '\0');
    replace_file(disk, first.path, bytes);
    for (const std::string& file : scene.files)
      if (file != kDataPath && file > first.path && *disk.exists(file)) must(disk.remove(file));
    return ask_engine(disk, options);
  };
}

TEST(CorruptJudge, ALostEndOfTheLogIsWrongWhereTheLogIsWhole) {
  const Scene& there = scene("crashed");
  const auto damages = damages_of_catalog(there);
  ASSERT_GT(there.log.size(), 4u);
  // Behind the pages in use, so that the engine itself comes to the state.
  const std::vector<Mutation> harmless = {{kDataPath, Damage::kFlip, there.used_bytes + 1}};
  for (const std::size_t record : {there.log.size() - 1, there.log.size() / 2}) {
    const Tally tally = judge_all(there, harmless, losing_from(there, record));
    EXPECT_EQ(tally.wrong, harmless.size()) << record;
  }
}

TEST(CorruptJudge, ALostEndOfTheLogIsWrongWhereARecordBehindTheDamageSaysItWasSynced) {
  const Scene& there = scene("crashed");
  // The last record is damaged; the others say that something before it was synced.
  const LoggedRecord& last = there.log.back();
  const Mutation mutation{last.path, Damage::kFlip, last.begin + 20};
  const std::size_t least = known_synced(there, {{last.path, last.begin + 20, last.begin + 21}});
  ASSERT_GT(least, there.at_checkpoint);
  std::size_t first = 0;
  while (there.log[first].commit < least) ++first;
  EXPECT_EQ(judge_open(there, mutation, kSeed, ask_engine).outcome, Outcome::kHarmless);
  for (std::size_t commit = there.at_checkpoint; commit <= there.last; ++commit) {
    const Verdict verdict = judge_open(there, mutation, kSeed, answering(there.history[commit]));
    EXPECT_EQ(verdict.outcome == Outcome::kWrong, commit < least)
        << commit << ", synced " << least << ": " << verdict.words;
  }
}

// --- crashes and hangs ---

class Children : public testing::Test {
 protected:
  struct Shared {
    Place place;
    std::uint64_t judged;
  };
  Children() {
    void* const memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    shared_ = new (memory) Shared{};
  }
  ~Children() override { ::munmap(shared_, sizeof(Shared)); }

  // Cases of which one does this.
  std::vector<std::uint64_t> deaths(std::uint64_t bad, const std::function<void()>& does) {
    std::vector<std::uint64_t> dead;
    const auto judge = [&](std::uint64_t i) {
      if (i == bad) does();
      ++shared_->place.moves;
      ++shared_->judged;
    };
    judge_in_children(shared_->place, 20, 1, judge, [&](std::uint64_t i) { dead.push_back(i); });
    return dead;
  }
  Shared* shared_;
};

TEST_F(Children, ACaseThatCrashesIsToldAndTheRestIsJudged) {
  EXPECT_EQ(deaths(7, [] { std::abort(); }), std::vector<std::uint64_t>{7});
  EXPECT_EQ(shared_->judged, 19u);
  shared_->judged = 0;
  EXPECT_EQ(deaths(19, [] { std::_Exit(3); }), std::vector<std::uint64_t>{19});
  EXPECT_EQ(shared_->judged, 19u);
}

TEST_F(Children, ACaseThatHangsIsEndedAndToldAndTheRestIsJudged) {
  EXPECT_EQ(deaths(0,
                   [] {
                     for (;;) ::pause();
                   }),
            std::vector<std::uint64_t>{0});
  EXPECT_EQ(shared_->judged, 19u);
}

TEST_F(Children, CasesThatEndWellAreAllJudged) {
  EXPECT_TRUE(deaths(20, [] { std::abort(); }).empty());
  EXPECT_EQ(shared_->judged, 20u);
}

}  // namespace
}  // namespace quire::test
