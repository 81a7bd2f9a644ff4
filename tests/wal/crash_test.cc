// Power is lost at every operation in turn, the log recovered from every kind of surviving state,
// and lost again while the next life writes.
#include <random>

#include "engine/io/simulated_disk.h"
#include "tests/wal/log_test_support.h"

namespace quire::wal {
namespace {

using io::SimulatedDisk;
using io::Survival;

// What an application knows of its log: the promises it was given.
struct Promises {
  Position from;    // of the last checkpoint
  Lsn synced = 0;   // acknowledged as durable
  Lsn written = 0;  // acknowledged as in the file
  Lsn appended = 0;
};

LogOptions crash_options(bool archive) {
  LogOptions options = small_options();
  options.archive = archive;
  return options;
}

std::unique_ptr<SimulatedDisk> new_disk(std::uint64_t seed) {
  auto disk = std::make_unique<SimulatedDisk>(seed);
  must(disk->make_directory("/db"));
  must(disk->sync_directory("/"));
  return disk;
}

// Texts are told by their LSN, so that a record that is read can be judged alone. A commit of two
// records each fifth LSN.
std::size_t size_of(Lsn lsn) { return 30 + lsn * 379 % 900; }
bool ends_commit(Lsn lsn) { return lsn % 5 != 0; }

Status append_one(LogWriter& log, Promises& promises) {
  const Lsn next = log.appended() + 1;
  const std::string text = payload_of(next, size_of(next));
  const Bytes pieces[] = {as_bytes(text)};
  QUIRE_TRY(promises.appended, log.append(pieces, 1, ends_commit(next)));
  return {};
}

// One life of a log, until its end or the crash. Checkpoints only at the end of a commit.
Status live(io::Disk& disk, const LogOptions& options, Promises& promises, const ReadLog& found,
            int steps, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  QUIRE_TRY(const auto log, LogWriter::start(disk, options, found.end, found.highest, {}));
  // What was found, if only in the page cache, is durable once the next writer has started.
  promises.synced = promises.written = found.end.lsn;
  for (int step = 0; step < steps; ++step) {
    const std::uint64_t choice = random() % 16;
    if (choice < 9) {
      QUIRE_CHECK(append_one(*log, promises));
    } else if (choice < 12) {
      QUIRE_CHECK(log->sync(log->appended()));
      promises.synced = promises.written = log->appended();
    } else if (choice < 14) {
      QUIRE_CHECK(log->write(log->appended()));
      promises.written = log->appended();
    } else if (choice == 14) {
      QUIRE_CHECK(log->prepare_spare());
    } else if (ends_commit(log->appended()) || log->appended() == found.end.lsn) {
      QUIRE_CHECK(log->sync(log->appended()));
      promises.synced = promises.written = log->appended();
      promises.from = log->position();
      QUIRE_CHECK(log->release_before(promises.from));
    }
  }
  return {};
}

// The last whole commit up to `lsn`.
Lsn whole(Lsn lsn) { return ends_commit(lsn) || lsn == 0 ? lsn : lsn - 1; }

void expect_promises_kept(const ReadLog& log, const Promises& promises, Survival survival) {
  ASSERT_EQ(log.error, ErrorCode::kOk) << log.message;
  Lsn lsn = promises.from.lsn;
  for (const ReadRecord& record : log.records) {
    ASSERT_EQ(record.lsn, ++lsn);
    ASSERT_EQ(record.text, payload_of(lsn, size_of(lsn)));
  }
  ASSERT_EQ(whole(lsn), lsn) << "half a commit";
  ASSERT_LE(lsn, promises.appended);
  ASSERT_GE(lsn, whole(promises.synced));
  if (survival == Survival::kEverything) {
    ASSERT_GE(lsn, whole(promises.written));
  }
}

struct Outcome {
  Survival first;  // of the first crash
  Survival later;  // of those after it
  std::uint64_t seed;
};
constexpr Outcome kOutcomes[] = {{Survival::kNothing, Survival::kNothing, 1},
                                 {Survival::kEverything, Survival::kEverything, 1},
                                 {Survival::kEverything, Survival::kNothing, 1},
                                 {Survival::kEverything, Survival::kRandom, 2},
                                 {Survival::kRandom, Survival::kRandom, 1},
                                 {Survival::kRandom, Survival::kRandom, 2},
                                 {Survival::kRandom, Survival::kEverything, 3}};

// What is found after a crash is recovered, lives on, crashes again at some operation, and so on.
void live_on(SimulatedDisk& crashed, const LogOptions& options, const Promises& before,
             const Outcome& outcome, std::uint64_t seed, int lives) {
  const auto disk = crashed.after_crash(seed * 31 + outcome.seed, outcome.first);
  const ReadLog found = read_log(*disk, options, before.from);
  expect_promises_kept(found, before, outcome.first);
  if (testing::Test::HasFatalFailure() || lives == 0) return;
  Promises promises = before;
  promises.appended = found.end.lsn;
  promises.synced = std::min(before.synced, found.end.lsn);
  promises.written = std::min(before.written, found.end.lsn);
  disk->set_crash_at(disk->operations() + 1 + seed * 7 % 60);
  (void)live(*disk, options, promises, found, 80, seed);
  live_on(*disk, options, promises, {outcome.later, outcome.later, outcome.seed}, seed + 1,
          lives - 1);
}

void crash_everywhere(bool archive, std::uint64_t seed) {
  const LogOptions options = crash_options(archive);
  std::uint64_t operations = 0;
  {
    const auto disk = new_disk(seed);
    Promises promises;
    must(live(*disk, options, promises, {}, 150, seed));
    operations = disk->operations();
    ASSERT_GT(promises.appended, 50u);
  }
  for (std::uint64_t at = 3; at <= operations; ++at) {
    const auto disk = new_disk(seed);
    disk->set_crash_at(at);
    Promises promises;
    ASSERT_FALSE(live(*disk, options, promises, {}, 150, seed));
    for (const Outcome& outcome : kOutcomes) {
      live_on(*disk, options, promises, outcome, at, 3);
      ASSERT_FALSE(testing::Test::HasFatalFailure())
          << "crash at operation " << at << ", survival " << static_cast<int>(outcome.first)
          << ", seed " << outcome.seed;
    }
  }
}

TEST(LogCrash, EveryOperationKeepsThePromises) {
  for (const std::uint64_t seed : {1, 2, 3}) crash_everywhere(false, seed);
}

TEST(LogCrash, EveryOperationKeepsThePromisesOfAnArchive) { crash_everywhere(true, 4); }

TEST(LogCrash, FailingOperationIsAnErrorNotALoss) {
  const LogOptions options = crash_options(false);
  for (const auto kind : {io::FaultKind::kIo, io::FaultKind::kFull, io::FaultKind::kShortWrite,
                          io::FaultKind::kSyncFailure}) {
    for (std::uint64_t at = 3; at < 160; ++at) {
      const auto disk = new_disk(5);
      disk->fail_at(at, kind);
      Promises promises;
      (void)live(*disk, options, promises, {}, 150, 5);
      // The process ends; the power goes; in both cases what was promised is there.
      for (const Outcome& outcome : kOutcomes) {
        const auto after = disk->survivor(outcome.seed, outcome.first);
        const ReadLog log = read_log(*after, options, promises.from);
        expect_promises_kept(log, promises, outcome.first);
        ASSERT_FALSE(HasFatalFailure())
            << "operation " << at << ", kind " << static_cast<int>(kind);
      }
    }
  }
}

TEST(LogCrash, FullDeviceIsSurvived) {
  const LogOptions options = crash_options(false);
  for (std::uint64_t blocks = 0; blocks < 24; ++blocks) {
    const auto disk = new_disk(6);
    disk->set_capacity(disk->used_bytes() + blocks * 4096);
    auto log = LogWriter::start(*disk, options, {}, 0, {});
    if (!log) {
      EXPECT_EQ(log.error().code(), ErrorCode::kFull) << log.error().message();
      continue;
    }
    Promises promises;
    Status appended;
    for (int i = 0; i < 400 && appended; ++i) {
      appended = append_one(**log, promises);
      must((*log)->sync((*log)->appended()));
      promises.synced = promises.written = promises.appended;
    }
    if (!appended) {
      EXPECT_EQ(appended.error().code(), ErrorCode::kFull);
    }
    must((*log)->health());
    const auto after = disk->survivor(1, Survival::kNothing);
    expect_promises_kept(read_log(*after, options), promises, Survival::kNothing);
  }
}

}  // namespace
}  // namespace quire::wal
