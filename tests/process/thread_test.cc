// Threads of one process: writers, readers, publication, checkpoints, checks, all at once, on
// states that tell when they are of two ages. Made for the thread sanitizer; a few seconds without
// it.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "invariant.h"

namespace quire::test {
namespace {

class Threads : public ::testing::Test {
 protected:
  Threads() {
    std::string name = (std::filesystem::temp_directory_path() / "quire-threads-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    directory = name;
  }
  ~Threads() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  quire_db* open(std::uint32_t flags, const quire_open_options* more = nullptr) const {
    quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
    if (more != nullptr) options = *more;
    options.flags = flags;
    quire_db* db = nullptr;
    expect(quire_open((directory + "/t").c_str(), &options, &db));
    return db;
  }
  static void expect(int code) {
    ASSERT_EQ(code, QUIRE_OK) << quire_error_name(code) << ": " << quire_last_error();
  }
  static void check(quire_db* db) {
    const auto note = [](void*, const char* damage) {
      ADD_FAILURE() << damage;
      return 0;
    };
    expect(quire_check(db, note, nullptr));
  }
  // One commit of the next number; how it is to be durable.
  static std::uint64_t advance(quire_db* db, std::uint32_t durability, bool undo) {
    quire_txn* txn = nullptr;
    expect(quire_begin(db, QUIRE_WRITE, &txn));
    Invariant invariant;
    expect(invariant.open(txn, true));
    std::string problem;
    const std::uint64_t number = invariant.read(txn, problem) + 1;
    EXPECT_EQ(problem, "");
    expect(invariant.write(txn, number));
    if (undo) {
      quire_abort(txn);
    } else {
      expect(quire_commit_ex(txn, durability, nullptr));
    }
    return number;
  }
  static std::uint64_t look(quire_txn* txn) {
    Invariant invariant;
    expect(invariant.open(txn, false));
    std::string problem;
    const std::uint64_t number = invariant.read(txn, problem);
    EXPECT_EQ(problem, "");
    return number;
  }

  std::string directory;
};

// Begins, renews and holds snapshots until told to stop.
void read_on(quire_db* db, const std::atomic<bool>& stop, std::uint64_t (*look)(quire_txn*)) {
  std::uint64_t newest = 0;
  quire_txn* held = nullptr;
  std::uint64_t held_number = 0;
  quire_txn* renewed = nullptr;
  ASSERT_EQ(quire_begin(db, QUIRE_READ, &renewed), QUIRE_OK);
  for (int round = 0; !stop.load(); ++round) {
    quire_txn* txn = nullptr;
    ASSERT_EQ(quire_begin(db, QUIRE_READ, &txn), QUIRE_OK) << quire_last_error();
    const std::uint64_t number = look(txn);
    EXPECT_GE(number, newest);
    newest = number;
    if (round % 7 == 0) {
      EXPECT_EQ(held != nullptr ? look(held) : held_number, held_number);
      quire_abort(held);
      held = txn;
      held_number = number;
    } else {
      quire_abort(txn);
    }
    ASSERT_EQ(quire_renew(renewed), QUIRE_OK) << quire_last_error();
    const std::uint64_t again = look(renewed);
    EXPECT_GE(again, newest);
    newest = again;
  }
  quire_abort(held);
  quire_abort(renewed);
}

TEST_F(Threads, EverythingAtOnce) {
  quire_db* db = open(QUIRE_OPEN_CREATE);
  advance(db, QUIRE_DURABILITY_ALWAYS, false);
  expect(quire_close(db));
  // A read-only handle from before the writer: an attachment of its own, as another process has.
  quire_db* outside = open(QUIRE_OPEN_READ_ONLY);
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  options.checkpoint_bytes = 500'000;
  options.private_bytes = 2 << 20;
  db = open(QUIRE_OPEN_CREATE, &options);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> commits{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      std::mt19937 random(i);
      while (!stop.load()) {
        advance(db, QUIRE_DURABILITY_ALWAYS + random() % 4, random() % 8 == 0);
        commits.fetch_add(1);
      }
    });
  }
  for (quire_db* from : {db, db, outside})
    threads.emplace_back([&stop, from] { read_on(from, stop, &look); });
  threads.emplace_back([&] {
    for (int i = 0; !stop.load(); ++i) {
      expect(quire_checkpoint(db));
      quire_stat stat{};
      stat.size = sizeof stat;
      expect(quire_get_stat(i % 2 == 0 ? db : outside, &stat));
      std::uint64_t newest = 0;
      const int code = quire_wait_commit(i % 2 == 0 ? outside : db, stat.txn_number, 20, &newest);
      EXPECT_TRUE(code == QUIRE_OK || code == QUIRE_ERR_TIMEOUT);
      if (i % 4 == 1) expect(quire_sync(db));
      if (i % 8 == 3) check(i % 16 == 3 ? db : outside);
    }
  });
  const char* seconds = getenv("QUIRE_TEST_LONG");
  std::this_thread::sleep_for(std::chrono::seconds(seconds != nullptr ? 30 : 4));
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(commits.load(), 5u);
  check(db);
  expect(quire_close(outside));
  expect(quire_close(db));
  std::printf("%llu commits\n", static_cast<unsigned long long>(commits.load()));
}

TEST_F(Threads, CommittingThreadsShareSyncs) {
  constexpr int kThreads = 16;
  constexpr int kCommits = 40;
  quire_db* db = open(QUIRE_OPEN_CREATE);
  quire_txn* txn = nullptr;
  quire_keyspace keys = 0;
  expect(quire_begin(db, QUIRE_WRITE, &txn));
  expect(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keys));
  expect(quire_commit(txn));
  quire_stat before{};
  before.size = sizeof before;
  expect(quire_get_stat(db, &before));
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([db, keys, i] {
      for (int j = 0; j < kCommits; ++j) {
        quire_txn* write = nullptr;
        const std::string key = std::to_string(i) + "/" + std::to_string(j);
        expect(quire_begin(db, QUIRE_WRITE, &write));
        expect(quire_put(write, keys, key.data(), key.size(), "v", 1, 0));
        expect(quire_commit(write));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  quire_stat after{};
  after.size = sizeof after;
  expect(quire_get_stat(db, &after));
  const std::uint64_t commits = after.commits - before.commits;
  const std::uint64_t syncs = after.syncs - before.syncs;
  EXPECT_EQ(commits, static_cast<std::uint64_t>(kThreads * kCommits));
  EXPECT_GE(after.durable_lsn, after.lsn);
  EXPECT_LT(syncs, commits * 3 / 4);
  std::printf("%llu commits, %llu syncs\n", static_cast<unsigned long long>(commits),
              static_cast<unsigned long long>(syncs));
  expect(quire_close(db));
}

// No writer waits for more turns than there are others.
TEST_F(Threads, NoWriterIsLeftWaiting) {
  constexpr int kThreads = 6;
  quire_open_options options = QUIRE_OPEN_OPTIONS_INIT;
  options.durability = QUIRE_DURABILITY_OS;
  quire_db* db = open(QUIRE_OPEN_CREATE, &options);
  std::mutex mutex;
  std::vector<int> turns;
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      while (!stop.load()) {
        quire_txn* txn = nullptr;
        expect(quire_begin(db, QUIRE_WRITE, &txn));
        {
          const std::scoped_lock lock(mutex);
          turns.push_back(i);
        }
        // Long enough for the others to be in the queue again.
        std::this_thread::sleep_for(std::chrono::microseconds(500));
        quire_abort(txn);
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  std::vector<int> counts(kThreads);
  for (const int turn : turns) ++counts[static_cast<std::size_t>(turn)];
  for (const int count : counts)
    EXPECT_GT(static_cast<std::size_t>(count), turns.size() / kThreads / 2) << turns.size();
  expect(quire_close(db));
}

// Handles come and go in many threads.
TEST_F(Threads, HandlesComeAndGo) {
  quire_db* first = open(QUIRE_OPEN_CREATE);
  advance(first, QUIRE_DURABILITY_OS, false);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i] {
      for (int j = 0; j < 20; ++j) {
        quire_db* db = open(i % 2 == 0 ? QUIRE_OPEN_CREATE : QUIRE_OPEN_READ_ONLY);
        quire_txn* txn = nullptr;
        expect(quire_begin(db, QUIRE_READ, &txn));
        EXPECT_GE(look(txn), 1u);
        quire_abort(txn);
        if (i == 0) advance(db, QUIRE_DURABILITY_OS, false);
        expect(quire_close(db));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  expect(quire_close(first));
}

}  // namespace
}  // namespace quire::test
