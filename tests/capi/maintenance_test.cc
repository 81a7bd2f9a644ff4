// What indexes of vectors put off, and the calls that do it, keep it back and tell of it; searches
// beside it, also from another process.
#include <fcntl.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <thread>

#include "vector_index_world.h"

namespace quire::test {
namespace {

using namespace std::chrono_literals;

class MaintenanceApi : public VectorIndexApi {
 protected:
  quire_maintenance_stat stat() {
    quire_maintenance_stat stat{};
    stat.size = sizeof stat;
    EXPECT_OK(quire_maintenance_get_stat(db, &stat));
    return stat;
  }
  // Without codes that have to be trained, and with a bound of 32 vectors.
  void make_wide() {
    make_index("wide", R"({"field": "wide", "quantizer": "none",
                                            "ef_construction": 40, "tail_bytes": 16384})");
  }
  bool emptied(const std::string& index) {
    for (int i = 0; i < 3000; ++i) {
      if (figure(index, "tail") == 0) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }
};

TEST_F(MaintenanceApi, RefusesWhatIsNoDatabaseToWrite) {
  quire_maintenance_stat stat{};
  stat.size = sizeof stat;
  EXPECT_CODE(quire_maintenance_flush(nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_maintenance_pause(nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_maintenance_resume(nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_maintenance_get_stat(nullptr, &stat), QUIRE_ERR_INVALID);
  // Also where the process has it open for writing by another handle.
  const auto options = open_options(QUIRE_OPEN_READ_ONLY);
  quire_db* reader = nullptr;
  ASSERT_OK(quire_open(path().c_str(), &options, &reader));
  EXPECT_ERROR(quire_maintenance_flush(reader), QUIRE_ERR_READ_ONLY, "maintenance_flush");
  EXPECT_ERROR(quire_maintenance_pause(reader), QUIRE_ERR_READ_ONLY, "maintenance_pause");
  EXPECT_ERROR(quire_maintenance_resume(reader), QUIRE_ERR_READ_ONLY, "maintenance_resume");
  EXPECT_ERROR(quire_maintenance_get_stat(reader, &stat), QUIRE_ERR_READ_ONLY, "get_stat");
  ASSERT_OK(quire_close(reader));
  EXPECT_CODE(quire_maintenance_flush(reader), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_maintenance_pause(reader), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_maintenance_resume(reader), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_maintenance_get_stat(reader, &stat), QUIRE_ERR_CLOSED);
}

TEST_F(MaintenanceApi, TellsNoMoreThanThereIsRoomFor) {
  EXPECT_CODE(quire_maintenance_get_stat(db, nullptr), QUIRE_ERR_INVALID);
  quire_maintenance_stat told;
  std::memset(&told, 0x55, sizeof told);
  told.size = 0;
  EXPECT_ERROR(quire_maintenance_get_stat(db, &told), QUIRE_ERR_INVALID, "size");
  ASSERT_OK(quire_maintenance_pause(db));
  told.size = offsetof(quire_maintenance_stat, steps);
  ASSERT_OK(quire_maintenance_get_stat(db, &told));
  EXPECT_EQ(told.size, offsetof(quire_maintenance_stat, steps));
  EXPECT_EQ(told.paused, 1u);
  EXPECT_EQ(told.working, 0u);
  EXPECT_EQ(told.steps, 0x5555555555555555u);
  EXPECT_EQ(told.message[0], 0x55);
}

TEST_F(MaintenanceApi, WhatIsPutOffIsDoneByAFlush) {
  make_wide();
  EXPECT_OK(quire_maintenance_flush(db));  // of nothing
  EXPECT_EQ(stat().steps, 0u);
  fill(0, 50);
  EXPECT_EQ(figure("wide", "tail"), 50u);
  EXPECT_EQ(figure("wide", "nodes"), 0u);
  quire_txn* before = read();
  const std::vector<float> query = numbers(11, 0, kWideDimension);
  const Found found_before = found(before, asking(query));
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(figure("wide", "tail"), 0u);
  EXPECT_EQ(figure("wide", "nodes"), 50u);
  EXPECT_GT(stat().steps, 0u);
  EXPECT_GE(stat().turn_us, stat().turn_us_max);
  EXPECT_EQ(stat().error, QUIRE_OK);
  EXPECT_STREQ(stat().message, "");
  EXPECT_EQ(figure(before, "wide", "tail"), 50u);
  EXPECT_EQ(found(before, asking(query)), found_before);
  EXPECT_EQ(found(read(), asking(query)), found_before);
  // Deleted ones are dead until that is worked off.
  quire_txn* txn = write();
  for (std::int64_t id = 0; id < 20; ++id) ASSERT_OK(erase(txn, id));
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(figure("wide", "dead"), 20u);
  EXPECT_EQ(figure("wide", "repaired"), 0u);
  EXPECT_NE(found(read(), asking(query, 1))[0].first, 11);
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(figure("wide", "repaired"), figure("wide", "dead"));
  EXPECT_EQ(figure("wide", "nodes"), 30u);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// Codes are trained from a number of vectors on; until then all wait, and are found.
TEST_F(MaintenanceApi, CodesAreTrainedWhenThereAreEnough) {
  make_index("near", R"({"field": "place"})");
  fill(0, 1000);
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(figure("near", "tail"), 1000u);
  const std::vector<float> query = place(17);
  EXPECT_EQ(found(read(), asking(query)), exact(read(), asking(query)));
  fill(1000, 1100);
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(figure("near", "tail"), 0u);
  EXPECT_EQ(figure("near", "nodes"), 1100u);
  EXPECT_EQ(figure("near", "parameters"), 1u);
  EXPECT_GE(recall(read(), asking(query)), 0.98);
}

TEST_F(MaintenanceApi, ACommitThatAddsTooMuchDoesAPart) {
  make_wide();
  ASSERT_OK(quire_maintenance_pause(db));
  fill(0, 300);
  EXPECT_LE(figure("wide", "tail"), 64u);
  EXPECT_GE(figure("wide", "nodes"), 236u);
  EXPECT_EQ(stat().steps, 0u);
  fill(300, 305);
  EXPECT_LE(figure("wide", "tail"), 64u);
  EXPECT_EQ(figure("wide", "tail") + figure("wide", "nodes"), 305u);
}

TEST_F(MaintenanceApi, ItsThreadIsPausedAndResumed) {
  make_wide();
  reopen();
  ASSERT_OK(quire_maintenance_pause(db));
  ASSERT_OK(quire_maintenance_pause(db));
  EXPECT_EQ(stat().paused, 1u);
  fill(0, 40);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(figure("wide", "tail"), 40u);
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(figure("wide", "tail"), 0u);
  fill(40, 60);
  ASSERT_OK(quire_maintenance_resume(db));
  ASSERT_OK(quire_maintenance_resume(db));
  EXPECT_EQ(stat().paused, 0u);
  EXPECT_TRUE(emptied("wide"));
  EXPECT_EQ(figure("wide", "nodes"), 60u);
}

// What was left by a database that was closed, by who opens it next; a pause ends with the close.
TEST_F(MaintenanceApi, WhatWasLeftIsGoneOnWith) {
  make_wide();
  fill(0, 40);
  ASSERT_OK(quire_maintenance_pause(db));
  reopen(open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND));
  EXPECT_EQ(stat().paused, 0u);
  EXPECT_EQ(figure("wide", "tail"), 40u);
  EXPECT_EQ(stat().working, 0u);
  std::this_thread::sleep_for(200ms);
  EXPECT_EQ(figure("wide", "tail"), 40u) << "there is no thread";
  reopen();
  commit_put("some", "thing");
  EXPECT_TRUE(emptied("wide"));
  fill(40, 45);  // and what comes one by one
  EXPECT_TRUE(emptied("wide"));
  EXPECT_EQ(figure("wide", "nodes"), 45u);
}

// A database that was closed in order is not looked through before somebody writes: a flush found
// nothing to do.
TEST_F(MaintenanceApi, AFlushIsTheFirstToWriteSinceAClose) {
  make_wide();
  fill(0, 40);
  reopen(open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND));
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(figure("wide", "tail"), 0u);
  reopen(open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND));
  EXPECT_EQ(figure("wide", "nodes"), 40u);
  EXPECT_EQ(figure("wide", "tail"), 0u) << "it was not kept";
}

TEST_F(MaintenanceApi, AFlushWaitsForItsTurnAndNoReaderWaitsForIt) {
  make_wide();
  fill(0, 40);
  quire_txn* reader = read();
  quire_txn* txn = write();
  ASSERT_OK(upsert(txn, 3, 9));
  std::atomic<bool> done{false};
  std::thread flusher([&] {
    EXPECT_OK(quire_maintenance_flush(db));
    done = true;
  });
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(done);
  const std::vector<float> query = numbers(3, 9, kWideDimension);
  EXPECT_EQ(found(txn, asking(query, 1)), (Found{{3, 0}}));
  EXPECT_NE(found(reader, asking(query, 1)), (Found{{3, 0}}));
  ASSERT_OK(quire_commit(txn));
  flusher.join();
  EXPECT_EQ(figure("wide", "nodes"), 40u);
  EXPECT_EQ(found(read(), asking(query, 1)), (Found{{3, 0}}));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

TEST_F(MaintenanceApi, IndexesComeAndGoBesideItsThread) {
  reopen();
  fill(0, 30);
  for (int round = 0; round < 6; ++round) {
    make_wide();
    fill(0, 30, round + 1);
    quire_txn* txn = write();
    if (round % 2 == 0) {
      ASSERT_OK(quire_index_rebuild(txn, things, "wide", nullptr, nullptr));
    }
    if (round % 3 == 0) {
      ASSERT_OK(quire_index_rename(txn, things, "wide", "other"));
    }
    ASSERT_OK(quire_index_drop(txn, things, round % 3 == 0 ? "other" : "wide"));
    ASSERT_OK(quire_commit(txn));
  }
  ASSERT_OK(quire_maintenance_flush(db));
  EXPECT_EQ(stat().error, QUIRE_OK) << stat().message;
  quire_txn* txn = write();
  ASSERT_OK(quire_collection_drop(txn, things));
  ASSERT_OK(quire_commit(txn));
  EXPECT_OK(quire_maintenance_flush(db));
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// New nodes were linked to nobody where all that was found near them was dead: only the sweep of a
// flush made them findable again.
TEST_F(MaintenanceApi, WhatReplacesAllTheVectorsIsFoundBeforeAFlush) {
  constexpr std::int64_t kRecords = 120;
  make_wide();
  fill(0, kRecords);
  for (std::int64_t round = 1; round <= 10; ++round) {
    fill(round % 3, kRecords, round);  // all, or nearly all
    quire_txn* txn = World::read();
    int missed = 0;
    for (std::int64_t id = round % 3; id < kRecords; ++id) {
      const std::vector<float> query = numbers(id, round, kWideDimension);
      const Found hits = found(txn, asking(query, 3));
      EXPECT_EQ(hits.size(), 3u);
      if (hits.empty() || hits[0] != std::pair<std::int64_t, double>(id, 0)) ++missed;
    }
    quire_abort(txn);
    EXPECT_LE(missed, 2) << "of " << kRecords << " in round " << round;
    if (round % 4 == 0) {
      ASSERT_OK(quire_maintenance_flush(db));
    }
  }
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// Another process, which reads for as long as the pipe is open.
class OtherProcess {
 public:
  OtherProcess(const std::string& path, const std::function<std::string(quire_db*)>& look) {
    int stay[2];
    if (::pipe2(stay, O_CLOEXEC) != 0) abort();
    child_ = ::fork();
    if (child_ == 0) {
      ::close(stay[1]);
      ::_exit(run(path, stay[0], look));
    }
    ::close(stay[0]);
    stay_ = stay[1];
  }
  // 0: it looked, and found nothing wrong.
  int end() {
    ::close(stay_);
    int status = 0;
    ::waitpid(child_, &status, 0);
    return status;
  }

 private:
  static int run(const std::string& path, int stay, const auto& look) {
    quire_db* db = nullptr;
    const auto options = open_options(QUIRE_OPEN_READ_ONLY);
    if (quire_open(path.c_str(), &options, &db) != QUIRE_OK) return 2;
    ::fcntl(stay, F_SETFL, O_NONBLOCK);
    int looks = 0;
    char c = 0;
    for (; ::read(stay, &c, 1) != 0; ++looks) {
      const std::string wrong = look(db);
      if (wrong.empty()) continue;
      std::fprintf(stderr, "other process, look %d: %s\n", looks, wrong.c_str());
      return 1;
    }
    return quire_close(db) == QUIRE_OK && looks > 0 ? 0 : 3;
  }

  pid_t child_ = -1;
  int stay_ = -1;
};

// Every record says by its vector in `wide` which version it is of, and all are of one version in
// every state: a search for the vector of a record at that version finds it, at no distance.
TEST_F(MaintenanceApi, AnotherProcessFindsWhatIsInItsSnapshot) {
  constexpr std::int64_t kRecords = 120;
  constexpr std::int64_t kRounds = 25;
  make_wide();
  fill(0, kRecords);
  int looked = 0;
  int missed = 0;
  const auto look = [&](quire_db* other) -> std::string {
    quire_txn* txn = nullptr;
    if (quire_begin(other, QUIRE_READ, &txn) != QUIRE_OK) return quire_last_error();
    std::string wrong;
    std::int64_t version = -1;
    for (std::int64_t id = 0; id < kRecords && wrong.empty(); id += 17) {
      const quire_value key = quire::i64_value(id);
      quire_value values[kFields];
      if (quire_record_get(txn, things, &key, 1, values, kFields) != QUIRE_OK)
        wrong = quire_last_error();
      const std::vector<float> query(
          static_cast<const float*>(values[kWide].as.elements),
          static_cast<const float*>(values[kWide].as.elements) + kWideDimension);
      for (std::int64_t v = 0; version < 0 && v <= kRounds; ++v)
        if (numbers(id, v, kWideDimension) == query) version = v;
      if (numbers(id, version, kWideDimension) != query) wrong = "records of two versions";
      const Found all = exact(txn, asking(query, kRecords));
      const Found hits = found(txn, asking(query, 3));
      if (all.size() != kRecords || all[0] != std::pair<std::int64_t, double>(id, 0))
        wrong = "a search of all records finds others";
      if (hits.size() != 3) wrong = "an index finds too few";
      for (const auto& [found_id, distance] : hits) {
        const auto same =
            std::ranges::find(all, found_id, [](const auto& hit) { return hit.first; });
        if (same == all.end() || std::abs(same->second - distance) > 1e-4)
          wrong = "an index finds what is not in the snapshot";
      }
      ++looked;
      if (hits.empty() || hits[0] != all[0]) ++missed;
      if (missed > 3 + looked / 20) wrong = "an index misses too many";
      std::this_thread::sleep_for(1ms);  // so that states change meanwhile
    }
    quire_abort(txn);
    return wrong;
  };
  // Before there are threads.
  OtherProcess other(path(), look);
  for (std::int64_t round = 1; round <= kRounds; ++round) {
    fill(0, kRecords, round);
    if (round % 2 == 0) {
      ASSERT_OK(quire_maintenance_flush(db));
    }
    if (round % 5 == 0) {
      ASSERT_OK(quire_checkpoint(db));
    }
    std::this_thread::sleep_for(3ms);
  }
  EXPECT_EQ(other.end(), 0);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

}  // namespace
}  // namespace quire::test
