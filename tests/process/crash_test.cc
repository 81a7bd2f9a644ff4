// Writers that are killed while readers look on.
#include <random>

#include "worker_process.h"

namespace quire::test {
namespace {

// Follows a write loop: the newest number that was acknowledged, and complaints.
struct Follower {
  std::uint64_t acknowledged = 0;
  std::uint64_t started_at = UINT64_MAX;
  std::string complaint;

  void take(const std::string& line) {
    if (line == "ok") return;  // its check
    if (line.rfind("start ", 0) == 0) {
      if (started_at == UINT64_MAX) started_at = std::stoull(line.substr(6));
      return;
    }
    if (!line.empty() && line.find_first_not_of("0123456789") == std::string::npos) {
      acknowledged = std::stoull(line);
      return;
    }
    complaint = line;
  }
};

class Crash : public Processes {
 protected:
  // Runs writers that are killed one after the other, `kills` times. The options make everything
  // happen often: commits by checkpoint, checkpoints, spilled pages.
  void kill_writers(int kills, const std::string& options) {
    std::mt19937 random(static_cast<unsigned>(kills));
    std::uint64_t acknowledged = 0;
    {
      Worker first;
      make(first, options);
      acknowledged = number_in(first.ask("advance 3"));
    }
    Worker readers[2];
    for (Worker& reader : readers) {
      ASSERT_ASK(reader, "open " + path + " r", "ok");
      reader.tell("read-loop");
    }
    std::uint64_t commits = 0;
    for (int round = 0; round < kills; ++round) {
      Worker writer;
      writer.tell("open " + path + " w " + options);
      writer.tell("write-loop " + std::to_string(random()));
      Follower follower;
      follower.acknowledged = acknowledged;
      // Mostly in the middle of its work; sometimes while it opens and recovers.
      const bool early = random() % 5 == 0;
      if (!early) {
        while (follower.started_at == UINT64_MAX && follower.complaint.empty())
          follower.take(writer.listen());
      }
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 40'000));
      writer.kill_now();
      for (const std::string& line : writer.rest()) follower.take(line);
      ASSERT_EQ(follower.complaint, "") << "round " << round;
      if (follower.started_at != UINT64_MAX) {
        // All that was acknowledged is there; at most the commit that was under way is there too.
        ASSERT_GE(follower.started_at, acknowledged) << "round " << round;
        ASSERT_LE(follower.started_at, acknowledged + 1) << "round " << round;
      }
      commits += follower.acknowledged - acknowledged;
      acknowledged =
          std::max(follower.acknowledged,
                   follower.started_at == UINT64_MAX ? acknowledged : follower.started_at);
    }
    for (Worker& reader : readers) {
      const std::string said = reader.ask("latest");  // ends its loop
      ASSERT_EQ(said.substr(0, 3), "ok ") << said;
      std::istringstream words(said.substr(3));
      std::uint64_t looks = 0;
      std::uint64_t changes = 0;
      words >> looks >> changes;
      EXPECT_GT(looks, 10u);
      EXPECT_GT(changes, 5u);
      EXPECT_EQ(reader.listen().substr(0, 3), "ok ");
      EXPECT_ASK(reader, "close", "ok");
    }
    Worker last;
    ASSERT_ASK(last, "open " + path + " w", "ok");
    EXPECT_ASK(last, "check", "ok");
    EXPECT_ASK(last, "begin r r", "ok");
    const std::uint64_t number = number_in(last.ask("invariant r"));
    EXPECT_GE(number, acknowledged);
    EXPECT_LE(number, acknowledged + 1);
    EXPECT_ASK(last, "abort r", "ok");
    EXPECT_ASK(last, "close", "ok");
    RecordProperty("commits", static_cast<int>(commits));
    std::printf("%d kills, %llu commits acknowledged\n", kills,
                static_cast<unsigned long long>(commits));
  }
};

TEST_F(Crash, KilledWritersLoseNothingAndReadersSeeWholeStates) {
  kill_writers(long_run() ? 200 : 40,
               "log_budget_bytes=150000 checkpoint_bytes=2000000 private_bytes=200000");
}

TEST_F(Crash, KilledWritersWithUsualOptions) { kill_writers(long_run() ? 100 : 15, ""); }

// The writer's own process may not have published what it acknowledged.
TEST_F(Crash, WhatWasOnlyInTheLogIsThereAgain) {
  {
    Worker writer;
    make(writer, "durability=3 publish_ms=60000 checkpoint_ms=3600000");
    EXPECT_EQ(number_in(writer.ask("advance 25")), 25u);
  }
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");  // recovers
  ASSERT_ASK(reader, "begin r r", "ok");
  EXPECT_ASK(reader, "invariant r", "ok 25");
  EXPECT_ASK(reader, "check", "ok");
}

// A snapshot held over the death of its writer, a takeover, rounds of overwriting and a clean close
// stays what it was.
TEST_F(Crash, AHeldSnapshotOutlivesWriters) {
  auto writer = std::make_unique<Worker>();
  make(*writer);
  EXPECT_EQ(number_in(writer->ask("advance 5")), 5u);
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  ASSERT_ASK(reader, "begin held r", "ok");
  // Not looked at yet: pages that the reader has not read must be kept just the same.
  for (const bool in_order : {false, true, true, false}) {
    EXPECT_EQ(writer->ask("advance 30").substr(0, 3), "ok ");
    EXPECT_ASK(*writer, "checkpoint", "ok");
    EXPECT_EQ(writer->ask("advance 3").substr(0, 3), "ok ");
    if (in_order) {
      EXPECT_ASK(*writer, "close", "ok");
    }
    writer = std::make_unique<Worker>();  // the one before is killed
    ASSERT_ASK(*writer, "open " + path + " w", "ok");
    EXPECT_ASK(*writer, "check", "ok");
  }
  EXPECT_EQ(writer->ask("advance 100").substr(0, 3), "ok ");
  EXPECT_ASK(*writer, "checkpoint", "ok");
  EXPECT_EQ(writer->ask("advance 100").substr(0, 3), "ok ");
  EXPECT_ASK(reader, "invariant held", "ok 5");
  EXPECT_ASK(reader, "renew held", "ok");
  EXPECT_ASK(reader, "invariant held", "ok 337");
}

// A reader that may not be served anew finds what is there.
TEST_F(Crash, ReadersRecoverACrashedDatabaseWhileOthersRead) {
  auto writer = std::make_unique<Worker>();
  make(*writer);
  EXPECT_EQ(number_in(writer->ask("advance 5")), 5u);
  Worker old_reader;
  ASSERT_ASK(old_reader, "open " + path + " r", "ok");
  ASSERT_ASK(old_reader, "begin held r", "ok");
  EXPECT_EQ(number_in(writer->ask("advance 5 3")), 10u);
  writer->kill_now();
  EXPECT_ASK(old_reader, "invariant held", "ok 5");
  Worker new_reader;
  ASSERT_ASK(new_reader, "open " + path + " r", "ok");
  ASSERT_ASK(new_reader, "begin r r", "ok");
  EXPECT_ASK(new_reader, "invariant r", "ok 10");
  EXPECT_ASK(old_reader, "invariant held", "ok 5");
  EXPECT_ASK(old_reader, "renew held", "ok");
  EXPECT_ASK(old_reader, "invariant held", "ok 10");
  EXPECT_EQ(stat(new_reader)["writer_pid"], 0u);
  Worker second;
  ASSERT_ASK(second, "open " + path + " w", "ok");
  EXPECT_EQ(number_in(second.ask("advance 50")), 60u);
  EXPECT_ASK(new_reader, "invariant r", "ok 10");
  EXPECT_ASK(old_reader, "renew held", "ok");
  EXPECT_ASK(old_reader, "invariant held", "ok 60");
}

// What the dead writer had committed and not published is nothing to wait for.
TEST_F(Crash, ReadersJoinAfterADeathWithUnpublishedCommits) {
  auto writer = std::make_unique<Worker>();
  make(*writer, "publish_ms=60000");
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  EXPECT_EQ(number_in(writer->ask("advance 2")), 2u);
  EXPECT_ASK(*writer, "checkpoint", "ok");  // nothing will be replayed
  commit_put(*writer, "k", "v", 4);         // reaches the log later: lost
  writer = std::make_unique<Worker>();
  ASSERT_ASK(*writer, "open " + path + " w", "ok");
  Worker another;
  ASSERT_ASK(another, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(another, "k"), read_get(*writer, "k"));
  ASSERT_ASK(another, "begin r r", "ok");
  EXPECT_ASK(another, "invariant r", "ok 2");
}

// After a failed write the process may write no more: another takes over, and neither sees anything
// of the other's that is not whole.
TEST_F(Crash, APoisonedWriterMakesRoomForAnother) {
  Worker poisoned;
  make(poisoned);
  EXPECT_EQ(number_in(poisoned.ask("advance 3")), 3u);
  EXPECT_ASK(poisoned, "checkpoint", "ok");
  EXPECT_EQ(number_in(poisoned.ask("advance 2")), 5u);
  ASSERT_ASK(poisoned, "begin held r", "ok");
  EXPECT_ASK(poisoned, "invariant held", "ok 5");
  ASSERT_ASK(poisoned, "begin t w", "ok");
  EXPECT_ASK(poisoned, "put t k v", "ok");
  ASSERT_ASK(poisoned, "file-size 1", "ok");
  EXPECT_NE(poisoned.ask("commit t 1").substr(0, 2), "ok");
  ASSERT_ASK(poisoned, "file-size 0", "ok");
  EXPECT_EQ(poisoned.ask("begin t w").substr(0, 8), "poisoned");

  Worker next;
  ASSERT_ASK(next, "open " + path + " w busy_timeout_ms=20000", "ok");
  for (int round = 0; round < 5; ++round) {
    next.ask("advance 20");
    EXPECT_ASK(next, "checkpoint", "ok");
  }
  EXPECT_ASK(poisoned, "invariant held", "ok 5");
  ASSERT_ASK(poisoned, "begin fresh r", "ok");
  EXPECT_ASK(poisoned, "invariant fresh", "ok 105");
  EXPECT_EQ(poisoned.ask("begin t w").substr(0, 8), "poisoned");
  EXPECT_ASK(poisoned, "abort held", "ok");
  EXPECT_ASK(poisoned, "abort fresh", "ok");
  (void)poisoned.ask("close");  // says what went wrong
  EXPECT_EQ(number_in(next.ask("advance 1")), 106u);
  EXPECT_ASK(next, "check", "ok");
}

TEST_F(Crash, APoisonedWriterWaitsForItsOpenTransaction) {
  Worker poisoned;
  make(poisoned);
  EXPECT_EQ(number_in(poisoned.ask("advance 3")), 3u);
  ASSERT_ASK(poisoned, "begin t w", "ok");
  EXPECT_ASK(poisoned, "put t k v", "ok");
  ASSERT_ASK(poisoned, "file-size 1", "ok");
  EXPECT_NE(poisoned.ask("checkpoint").substr(0, 2), "ok");
  ASSERT_ASK(poisoned, "file-size 0", "ok");
  Worker next;
  EXPECT_EQ(next.ask("open " + path + " w").substr(0, 4), "busy");
  EXPECT_EQ(poisoned.ask("put t k w").substr(0, 8), "poisoned");
  EXPECT_ASK(poisoned, "abort t", "ok");
  ASSERT_ASK(next, "open " + path + " w busy_timeout_ms=20000", "ok");
  EXPECT_EQ(number_in(next.ask("advance 5")), 8u);
  EXPECT_ASK(next, "check", "ok");
}

// A stopped writer holds nobody up; one that goes on finds everything as it was.
TEST_F(Crash, ReadersGoOnBesideAStoppedWriter) {
  Worker writer;
  make(writer);
  EXPECT_EQ(number_in(writer.ask("advance 4")), 4u);
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  writer.tell("write-loop 1");
  while (writer.listen() != "10") {
  }
  writer.signal_with(SIGSTOP);
  for (int i = 0; i < 20; ++i) {
    ASSERT_ASK(reader, "begin r r", "ok");
    EXPECT_GE(number_in(reader.ask("invariant r")), 4u);
    ASSERT_ASK(reader, "abort r", "ok");
  }
  Worker late;
  ASSERT_ASK(late, "open " + path + " r", "ok");
  ASSERT_ASK(late, "begin r r", "ok");
  EXPECT_GE(number_in(late.ask("invariant r")), 4u);
  Worker second;
  EXPECT_ASK_CODE(second, "open " + path + " w", "busy");
  writer.signal_with(SIGCONT);
  for (int i = 0; i < 200; ++i) {
    const std::string line = writer.listen();
    ASSERT_TRUE(line.find_first_not_of("start 0123456789") == std::string::npos) << line;
  }
  EXPECT_ASK(reader, "begin r r", "ok");
  EXPECT_GT(number_in(reader.ask("invariant r")), 10u);
}

// A writer that was alone had published nothing of what it acknowledged: a reader beside it,
// stopped as it was, took an older state for the newest.
TEST_F(Crash, AReaderBesideAStoppedWriterIsNotShownLessThanWasAcknowledged) {
  Worker writer;
  make(writer);
  EXPECT_EQ(number_in(writer.ask("advance 4")), 4u);
  writer.signal_with(SIGSTOP);
  Worker reader;
  EXPECT_EQ(reader.ask("open " + path + " r").substr(0, 7), "timeout");
  writer.signal_with(SIGCONT);
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  ASSERT_ASK(reader, "begin r r", "ok");
  EXPECT_EQ(number_in(reader.ask("invariant r")), 4u);
}

}  // namespace
}  // namespace quire::test
