#include <atomic>
#include <thread>

#include "tests/wal/log_test_support.h"
#include "tests/wal/memory_disk.h"
#include "wal/sync_queue.h"

namespace quire::wal {
namespace {

LogOptions roomy_options() {
  LogOptions options = small_options();
  options.segment_bytes_max = 1 << 20;
  return options;
}

// Runs `threads` that each append under one lock (the writer's turn) and then wait.
template <class Wait>
void run_commits(LogWriter& log, int threads, int commits, const Wait& wait) {
  std::mutex turn;
  std::vector<std::thread> running;
  for (int t = 0; t < threads; ++t) {
    running.emplace_back([&, t] {
      for (int i = 0; i < commits; ++i) {
        Lsn lsn = 0;
        {
          const std::lock_guard lock(turn);
          lsn = log.appended() + 1;
          ASSERT_EQ(append(log, payload_of(lsn, 100)), lsn);
        }
        wait(t, lsn);
      }
    });
  }
  for (std::thread& thread : running) thread.join();
}

// However the threads are scheduled: what was appended while a sync ran is one group, whose sync
// begins after that one. It once counted the syncs of threads that ran freely, and failed where the
// machine was so busy that none came while another synced.
TEST(GroupCommit, ThoseWhoAppendDuringASyncShareTheNext) {
  MemoryDisk disk;
  LogOptions options = roomy_options();
  options.segment_bytes_min = options.segment_bytes_max;  // a change of segment syncs too
  const auto log = start(disk, options);
  constexpr int kThreads = 15;
  for (int round = 0; round < 50; ++round) {
    const int before = disk.syncs;
    disk.hold_syncs = true;
    append(*log, "first");
    const Lsn first = log->appended();
    std::thread leader([&] { EXPECT_TRUE(log->sync(first)); });
    while (disk.syncs == before) std::this_thread::yield();
    std::vector<std::thread> others;
    for (int t = 1; t <= kThreads; ++t) {
      append(*log, "other");
      others.emplace_back([&, t] { EXPECT_TRUE(log->sync(first + static_cast<Lsn>(t))); });
    }
    EXPECT_LT(log->synced(), first);
    disk.hold_syncs = false;
    leader.join();
    for (std::thread& thread : others) thread.join();
    EXPECT_EQ(disk.syncs - before, 2) << "round " << round;
    EXPECT_EQ(log->synced(), first + kThreads);
  }
}

TEST(GroupCommit, ManyThreadsAtOnceLoseNothing) {
  MemoryDisk disk;
  disk.sync_micros = 150;
  const LogOptions options = roomy_options();
  const auto log = start(disk, options);
  constexpr int kThreads = 16;
  constexpr int kCommits = 300;
  run_commits(*log, kThreads, kCommits, [&](int, Lsn lsn) {
    ASSERT_TRUE(log->sync(lsn));
    ASSERT_GE(log->synced(), lsn);
  });
  EXPECT_EQ(log->synced(), Lsn{kThreads * kCommits});
  const ReadLog read = read_log(disk, options);
  ASSERT_EQ(read.records.size(), std::size_t{kThreads * kCommits}) << read.message;
  for (const ReadRecord& record : read.records) {
    ASSERT_EQ(record.text, payload_of(record.lsn, 100));
  }
}

TEST(GroupCommit, MarksAscendAndHooksSeeThemFirst) {
  MemoryDisk disk;
  disk.sync_micros = 50;
  const LogOptions options = small_options();  // many changes of segment
  std::atomic<int> inside{0};
  std::atomic<Lsn> seen_written{0};
  std::atomic<Lsn> seen_synced{0};
  std::atomic<Lsn> last_target{0};
  LogWriter::Hooks hooks;
  hooks.progress = [&](Lsn written, Lsn synced) {
    EXPECT_EQ(inside.fetch_add(1), 0) << "one thread at a time";
    EXPECT_LE(synced, written);
    EXPECT_GE(written, seen_written.load());
    EXPECT_GE(synced, seen_synced.load());
    seen_written = written;
    seen_synced = synced;
    inside.fetch_sub(1);
  };
  hooks.meanwhile = [&](Lsn target) { last_target = target; };
  const auto log = start(disk, options, {}, 0, hooks);
  std::atomic<bool> done{false};
  std::thread background([&] {
    while (!done) {
      ASSERT_TRUE(log->prepare_spare());
      ASSERT_TRUE(log->release_before(log->position()));
      std::this_thread::yield();
    }
  });
  run_commits(*log, 8, 400, [&](int t, Lsn lsn) {
    if (t % 2 == 0) {
      ASSERT_TRUE(log->sync(lsn));
      ASSERT_GE(seen_synced.load(), lsn);
    } else {
      ASSERT_TRUE(log->write(lsn));
      ASSERT_GE(seen_written.load(), lsn);
    }
    const Lsn synced = log->synced();
    const Lsn written = log->written();
    const Lsn appended = log->appended();
    ASSERT_LE(synced, written);
    ASSERT_LE(written, appended);
  });
  done = true;
  background.join();
  EXPECT_GT(last_target.load(), 0u);
  EXPECT_LE(last_target.load(), log->written());
}

TEST(GroupCommit, MeanwhileRunsOnlyWhereItHasSomethingToDo) {
  MemoryDisk disk;
  bool busy = false;
  int runs = 0;
  LogWriter::Hooks hooks;
  hooks.meanwhile = [&](Lsn) { ++runs; };
  hooks.has_meanwhile = [&] { return busy; };
  const auto log = start(disk, roomy_options(), {}, 0, hooks);
  append(*log, "one");
  must(log->sync(1));
  EXPECT_EQ(runs, 0);
  busy = true;
  append(*log, "two");
  must(log->sync(2));
  EXPECT_EQ(runs, 1);
}

TEST(GroupCommit, WriteDoesNotWaitForASync) {
  MemoryDisk disk;
  const auto log = start(disk, roomy_options());
  append(*log, "synced");
  disk.hold_syncs = true;
  std::thread syncing([&] { EXPECT_TRUE(log->sync(1)); });
  while (log->written() < 1) std::this_thread::yield();
  append(*log, "written only");
  must(log->write(2));  // would never return
  EXPECT_EQ(log->synced(), 0u);
  disk.hold_syncs = false;
  syncing.join();
  EXPECT_EQ(log->synced(), 1u) << "a sync promises only what was written before it began";
}

TEST(GroupCommit, FailedSyncPoisonsForEverybody) {
  MemoryDisk disk;
  disk.sync_micros = 200;
  const auto log = start(disk, roomy_options());
  disk.syncs_until_failure = 20;
  std::mutex m;
  std::vector<Error> errors;
  std::mutex turn;
  std::vector<std::thread> threads;
  std::atomic<Lsn> acknowledged{0};
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      while (true) {
        Result<Lsn> lsn = Lsn{0};
        {
          const std::lock_guard lock(turn);
          const Bytes pieces[] = {as_bytes("x")};
          lsn = log->append(pieces, 1, true);
        }
        Status status = lsn ? log->sync(*lsn) : Status(std::unexpected(lsn.error()));
        const std::lock_guard lock(m);
        if (!status) {
          errors.push_back(status.error());
          return;
        }
        acknowledged = std::max(acknowledged.load(), *lsn);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_EQ(errors.size(), 16u);
  for (const Error& error : errors) {
    EXPECT_EQ(error.code(), ErrorCode::kPoisoned);
    EXPECT_EQ(error.message(), errors[0].message());
    EXPECT_NE(error.message().find("the sync of /db/wal/"), std::string::npos);
  }
  EXPECT_GE(log->synced(), acknowledged.load());
  const Lsn synced = log->synced();
  EXPECT_EQ(log->sync(log->appended()).error().message(), errors[0].message());
  EXPECT_EQ(log->synced(), synced) << "never tried again";
  EXPECT_EQ(log->health().error().message(), errors[0].message());
  EXPECT_EQ(log->prepare_spare().error().code(), ErrorCode::kPoisoned);
  EXPECT_EQ(log->release_before(log->position()).error().code(), ErrorCode::kPoisoned);
  EXPECT_EQ(log->finish_empty().error().code(), ErrorCode::kPoisoned);
  must(log->sync(synced));
}

TEST(GroupCommit, FailedWritePoisons) {
  MemoryDisk disk;
  const auto log = start(disk, roomy_options());
  append(*log, "one");
  must(log->sync(1));
  append(*log, "two");
  disk.writes_until_failure = 0;
  const Status status = log->write(2);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code(), ErrorCode::kPoisoned);
  EXPECT_EQ(log->sync(2).error().message(), status.error().message());
  EXPECT_EQ(log->written(), 1u);
  must(log->write(1));
}

TEST(GroupCommit, LsnThatWasNeverAppendedIsRefused) {
  MemoryDisk disk;
  const auto log = start(disk, roomy_options());
  EXPECT_EQ(log->sync(1).error().code(), ErrorCode::kInvalid);
  EXPECT_EQ(log->write(1).error().code(), ErrorCode::kInvalid);
  must(log->sync(0));
}

// A thread that was woken to lead but finds its record synced (by a change of segment) must wake
// another, or the rest of its group sleeps for ever.
TEST(SyncQueue, WaiterWithNothingLeftToWaitForHandsOn) {
  for (int trial = 0; trial < 200; ++trial) {
    SyncQueue queue;
    ASSERT_EQ(queue.wait_for(1), SyncQueue::Turn::kLead);
    queue.cover_until(1);
    std::atomic<int> finished{0};
    std::vector<std::thread> threads;
    for (Lsn lsn = 2; lsn <= 5; ++lsn) {
      threads.emplace_back([&, lsn] {
        if (queue.wait_for(lsn) == SyncQueue::Turn::kLead) {
          queue.cover_until(5);
          queue.release(5);
          queue.end_turn();
        }
        ++finished;
      });
    }
    if (trial % 2 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    queue.release(4);  // by somebody who does not lead; 5 is left
    queue.end_turn();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(finished, 4);
  }
}

TEST(SyncQueue, FailureWakesAll) {
  SyncQueue queue;
  ASSERT_EQ(queue.wait_for(1), SyncQueue::Turn::kLead);
  queue.cover_until(1);
  std::vector<std::thread> threads;
  for (const Lsn lsn : {1, 1, 2, 3}) {
    threads.emplace_back([&, lsn] { EXPECT_EQ(queue.wait_for(lsn), SyncQueue::Turn::kFailed); });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  queue.fail();
  for (std::thread& thread : threads) thread.join();
  queue.end_turn();
  EXPECT_EQ(queue.wait_for(1), SyncQueue::Turn::kFailed);
}

}  // namespace
}  // namespace quire::wal
