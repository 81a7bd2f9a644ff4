// Who may have a database open, and what becomes of `lock`.
#include "worker_process.h"

namespace quire::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

class Locks : public Processes {};

TEST_F(Locks, ASecondWriterIsToldWhoHoldsIt) {
  Worker first;
  make(first);
  Worker second;
  const std::string said = second.ask("open " + path + " w");
  EXPECT_EQ(said.substr(0, 5), "busy ") << said;
  EXPECT_NE(said.find(std::to_string(first.pid())), std::string::npos) << said;
  const std::string timed = second.ask("open " + path + " w busy_timeout_ms=200");
  EXPECT_EQ(timed.substr(0, 8), "timeout ") << timed;
  EXPECT_NE(timed.find(std::to_string(first.pid())), std::string::npos) << timed;
  commit_put(first, "k", "v");
  EXPECT_ASK(first, "close", "ok");
  EXPECT_ASK(second, "open " + path + " w", "ok");
  EXPECT_EQ(read_get(second, "k"), "ok v");
}

TEST_F(Locks, ASecondWriterWaitsForTheFirst) {
  Worker first;
  make(first);
  Worker second;
  second.tell("open " + path + " w busy_timeout_ms=4294967295");
  EXPECT_EQ(second.listen(300), "<silent>");
  commit_put(first, "k", "v");
  EXPECT_ASK(first, "close", "ok");
  EXPECT_EQ(second.listen(), "ok");
  EXPECT_EQ(read_get(second, "k"), "ok v");
  // The same where the holder dies.
  Worker third;
  third.tell("open " + path + " w busy_timeout_ms=60000");
  EXPECT_EQ(third.listen(300), "<silent>");
  commit_put(second, "k", "w");
  second.kill_now();
  EXPECT_EQ(third.listen(), "ok");
  EXPECT_EQ(read_get(third, "k"), "ok w");
}

// A thread that waits for the writer's place holds up no other open, close or fork of its process.
TEST_F(Locks, WaitingForTheWritersPlaceHoldsUpNobodyElse) {
  Worker first;
  make(first);
  commit_put(first, "k", "v");
  Worker second;
  EXPECT_ASK(second, "wait-for " + path, "ok");
  ASSERT_ASK(second, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(second, "k"), "ok v");
  EXPECT_ASK(second, "close", "ok");
  EXPECT_ASK(first, "close", "ok");
  EXPECT_EQ(second.listen(), "opened ok");
}

TEST_F(Locks, ReadersOfManyProcessesComeAndGo) {
  Worker writer;
  make(writer);
  commit_put(writer, "k", "0");
  std::vector<std::unique_ptr<Worker>> readers;
  for (int i = 0; i < 12; ++i) {
    readers.push_back(std::make_unique<Worker>());
    readers.back()->tell("open " + path + " r");
  }
  for (auto& reader : readers) ASSERT_EQ(reader->listen(), "ok");
  for (int round = 1; round < 5; ++round) {
    commit_put(writer, "k", std::to_string(round), 1);
    for (auto& reader : readers) EXPECT_EQ(read_get(*reader, "k"), "ok " + std::to_string(round));
    readers.erase(readers.begin());  // dies
    EXPECT_ASK(*readers.front(), "close", "ok");
    readers.erase(readers.begin());
  }
  EXPECT_ASK(writer, "check", "ok");
}

// --- durability and visibility ---

TEST_F(Locks, AnAlwaysCommitIsSeenElsewhereWhenAcknowledged) {
  Worker writer;
  make(writer, "publish_ms=60000");
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  for (int i = 0; i < 30; ++i) {
    commit_put(writer, "k", std::to_string(i), 1);
    EXPECT_EQ(read_get(reader, "k"), "ok " + std::to_string(i));
  }
}

TEST_F(Locks, OtherCommitsAreSeenElsewhereSoon) {
  Worker writer;
  make(writer);
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  for (const int durability : {2, 3, 4}) {
    const std::string value = "by-" + std::to_string(durability);
    commit_put(writer, "k", value, durability);
    EXPECT_EQ(read_get(writer, "k"), "ok " + value);
    const auto until = Clock::now() + std::chrono::seconds(10);
    while (Clock::now() < until && read_get(reader, "k") != "ok " + value)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(read_get(reader, "k"), "ok " + value);
  }
}

TEST_F(Locks, AnAttachingReaderSeesWhatWasNotPublished) {
  Worker writer;
  make(writer, "publish_ms=60000 durability=3");
  commit_put(writer, "k", "v");
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(reader, "k"), "ok v");
  // Closing publishes too.
  commit_put(writer, "k", "w");
  EXPECT_ASK(writer, "close", "ok");
  EXPECT_EQ(read_get(reader, "k"), "ok w");
}

TEST_F(Locks, WaitCommitWorksAcrossProcesses) {
  Worker writer;
  make(writer);
  commit_put(writer, "k", "0");
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  const std::uint64_t now = number_in(reader.ask("latest"));
  EXPECT_ASK_CODE(reader, "wait " + std::to_string(now) + " 50", "timeout");
  reader.tell("wait " + std::to_string(now) + " 4294967295");
  EXPECT_EQ(reader.listen(200), "<silent>");
  commit_put(writer, "k", "1");
  EXPECT_GT(number_in(reader.listen()), now);
  // A waiter outlives the writer and is woken by the next one.
  const std::uint64_t later = number_in(reader.ask("latest"));
  reader.tell("wait " + std::to_string(later) + " 4294967295");
  EXPECT_EQ(reader.listen(200), "<silent>");
  writer.kill_now();
  Worker next;
  ASSERT_ASK(next, "open " + path + " w", "ok");
  commit_put(next, "k", "2");
  EXPECT_GT(number_in(reader.listen()), later);
}

// --- the reader table ---

TEST_F(Locks, StatTellsOfTheOldestReader) {
  Worker writer;
  make(writer);
  ASSERT_ASK(writer, "begin w w", "ok");
  ASSERT_ASK(writer, "fill w 2000 200 a", "ok");
  ASSERT_ASK(writer, "commit w", "ok");
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  ASSERT_ASK(reader, "begin old r", "ok");
  const std::uint64_t number = number_in(reader.ask("number old"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  ASSERT_ASK(writer, "begin w w", "ok");
  ASSERT_ASK(writer, "fill w 2000 200 b", "ok");
  ASSERT_ASK(writer, "commit w", "ok");
  ASSERT_ASK(reader, "begin new r", "ok");
  auto found = stat(writer);
  EXPECT_EQ(found["readers"], 2u);
  EXPECT_EQ(found["oldest_reader_txn"], number);
  EXPECT_EQ(found["oldest_reader_pid"], static_cast<std::uint64_t>(reader.pid()));
  EXPECT_GE(found["oldest_reader_age_ms"], 40u);
  EXPECT_LT(found["oldest_reader_age_ms"], 600'000u);
  EXPECT_GT(found["oldest_reader_pinned_bytes"], 300'000u);
  found = stat(reader);  // the writer tells
  EXPECT_GT(found["oldest_reader_pinned_bytes"], 300'000u);
  EXPECT_GT(found["pages_pinned"], 70u);
  EXPECT_GE(found["commits"], 2u);
  EXPECT_GT(found["log_bytes"], 400'000u);
  EXPECT_EQ(found["readers"], 2u);
  EXPECT_EQ(found["writer_pid"], static_cast<std::uint64_t>(writer.pid()));
  EXPECT_ASK(reader, "all old 2000 200 a", "ok");
  EXPECT_ASK(reader, "all new 2000 200 b", "ok");
  writer.kill_now();
  EXPECT_EQ(stat(reader)["writer_pid"], 0u);
}

TEST_F(Locks, ADeadReadersPagesAreUsedAgain) {
  Worker writer;
  make(writer, "checkpoint_ms=3600000");
  const auto rewrite = [&](char letter) {
    EXPECT_ASK(writer, "begin w w", "ok");
    EXPECT_ASK(writer, std::string("fill w 4000 200 ") + letter, "ok");
    EXPECT_ASK(writer, "commit w", "ok");
    EXPECT_ASK(writer, "checkpoint", "ok");
  };
  rewrite('a');
  {
    Worker reader;
    ASSERT_ASK(reader, "open " + path + " r", "ok");
    ASSERT_ASK(reader, "begin held r", "ok");
    rewrite('b');
    rewrite('c');
    EXPECT_GT(stat(writer)["oldest_reader_pinned_bytes"], 500'000u);
    EXPECT_ASK(reader, "all held 4000 200 a", "ok");
  }  // killed with its snapshot open
  const auto until = Clock::now() + std::chrono::seconds(30);
  while (Clock::now() < until && stat(writer)["readers"] != 0)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto found = stat(writer);
  EXPECT_EQ(found["readers"], 0u);
  EXPECT_EQ(found["oldest_reader_pid"], 0u);
  const std::uint64_t pages = found["pages_total"];
  for (const char letter : {'d', 'e', 'f', 'g'}) rewrite(letter);
  EXPECT_LE(stat(writer)["pages_total"], pages + pages / 8);
}

TEST_F(Locks, TheReaderTableGrows) {
  Worker writer;
  make(writer);
  commit_put(writer, "k", "v");
  Worker readers[2];
  for (Worker& reader : readers) ASSERT_ASK(reader, "open " + path + " r", "ok");
  for (int i = 0; i < 150; ++i)
    for (Worker& reader : readers) ASSERT_ASK(reader, "begin t" + std::to_string(i) + " r", "ok");
  EXPECT_EQ(stat(writer)["readers"], 300u);
  EXPECT_GT(fs::file_size(path + "/lock"), 36'864u + 300u * 64u - 1);
  commit_put(writer, "k", "w");
  for (int i = 0; i < 150; i += 37) {
    EXPECT_ASK(readers[0], "get t" + std::to_string(i) + " k", "ok v");
    EXPECT_ASK(readers[0], "abort t" + std::to_string(i), "ok");
  }
  EXPECT_EQ(stat(writer)["readers"], 295u);
  readers[1].kill_now();
  Worker another;
  ASSERT_ASK(another, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(another, "k"), "ok w");
  EXPECT_ASK(readers[0], "get t1 k", "ok v");
  EXPECT_ASK(writer, "close", "ok");
}

// --- fork ---

// The design's trap: a child that lives on must not keep the dead parent's locks.
TEST_F(Locks, AForkThatOutlivesItsParentKeepsNobodyOut) {
  Worker parent;
  make(parent);
  commit_put(parent, "k", "v");
  ASSERT_ASK(parent, "begin r r", "ok");
  ASSERT_ASK(parent, "begin w w", "ok");
  ASSERT_ASK(parent, "put w k lost", "ok");
  const pid_t child = static_cast<pid_t>(number_in(parent.ask("fork")));
  ASSERT_NE(child, parent.pid());
  // From here on the child answers. The parent is still there: its place is taken.
  Worker other;
  EXPECT_ASK_CODE(other, "open " + path + " w", "busy");
  EXPECT_ASK_CODE(parent, "put w k x", "forked");
  EXPECT_ASK_CODE(parent, "get r k", "forked");
  EXPECT_ASK_CODE(parent, "renew r", "forked");
  EXPECT_ASK_CODE(parent, "commit w", "forked");
  EXPECT_ASK_CODE(parent, "latest", "forked");
  EXPECT_ASK_CODE(parent, "begin n r", "forked");
  EXPECT_ASK_CODE(parent, "checkpoint", "forked");
  EXPECT_ASK_CODE(parent, "check", "forked");
  EXPECT_ASK(parent, "abort r", "ok");
  EXPECT_ASK(parent, "close", "ok");
  EXPECT_ASK_CODE(other, "open " + path + " w", "busy");  // that was not the parent's close
  parent.kill_now();                                      // the parent
  EXPECT_ASK(other, "open " + path + " w", "ok");
  EXPECT_EQ(read_get(other, "k"), "ok v");
  EXPECT_ASK(other, "check", "ok");
  // The child may open it as anybody may.
  EXPECT_ASK_CODE(parent, "open " + path + " w", "busy");
  EXPECT_ASK(parent, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(parent, "k"), "ok v");
  kill(child, SIGKILL);
}

TEST_F(Locks, AForkOfAReaderDoesNotEndItsSnapshots) {
  Worker writer;
  make(writer);
  commit_put(writer, "k", "v");
  Worker parent;
  ASSERT_ASK(parent, "open " + path + " r", "ok");
  ASSERT_ASK(parent, "begin r r", "ok");
  const pid_t child = static_cast<pid_t>(number_in(parent.ask("fork")));
  EXPECT_ASK(parent, "abort r", "ok");
  EXPECT_ASK(parent, "close", "ok");
  EXPECT_EQ(stat(writer)["readers"], 1u);  // the parent's
  kill(child, SIGKILL);
  EXPECT_EQ(stat(writer)["readers"], 1u);
}

// --- the lock file ---

TEST_F(Locks, ADeletedLockLetsNobodyNewIn) {
  Worker writer;
  make(writer);
  commit_put(writer, "k", "1");
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  ASSERT_ASK(reader, "begin held r", "ok");
  fs::remove(path + "/lock");
  Worker second;
  EXPECT_ASK_CODE(second, "open " + path + " w", "busy");
  EXPECT_ASK_CODE(second, "open " + path + " r", "lock_lost");
  EXPECT_ASK_CODE(second, "open " + path + " r", "lock_lost");  // nor after a try
  // Those who had it open go on.
  commit_put(writer, "k", "2", 1);
  EXPECT_ASK(reader, "get held k", "ok 1");
  EXPECT_EQ(read_get(reader, "k"), "ok 2");
  // Without the writer, the reader alone still keeps a second one out.
  EXPECT_ASK(writer, "close", "ok");
  EXPECT_ASK_CODE(second, "open " + path + " w", "lock_lost");
  EXPECT_ASK_CODE(second, "open " + path + " r", "lock_lost");
  EXPECT_ASK(reader, "get held k", "ok 1");
  EXPECT_ASK(reader, "abort held", "ok");
  EXPECT_ASK(reader, "close", "ok");
  EXPECT_ASK(second, "open " + path + " w", "ok");
  EXPECT_EQ(read_get(second, "k"), "ok 2");
  EXPECT_ASK(second, "close", "ok");
}

TEST_F(Locks, ALockThatFitsNobodyIsMadeAnew) {
  std::string kept;
  {
    Worker writer;
    make(writer);
    commit_put(writer, "k", "v");
    EXPECT_ASK(writer, "close", "ok");
    std::ifstream file(path + "/lock", std::ios::binary);
    kept.assign(std::istreambuf_iterator<char>(file), {});
  }
  const auto replace = [&](const std::string& bytes) {
    std::ofstream(path + "/lock", std::ios::binary | std::ios::trunc) << bytes;
  };
  std::string other_boot = kept;
  other_boot[32] = static_cast<char>(other_boot[32] ^ 0x55);
  std::string other_database = kept;
  other_database[16] = static_cast<char>(other_database[16] ^ 0x55);
  std::string garbage(100'000, '\xA7');
  std::string capacity = kept;  // more slots than the file has room for
  capacity.replace(104, 4, "\xFF\xFF\0\0", 4);
  int round = 0;
  for (const std::string& bytes : {std::string(), std::string(10, 'x'), kept.substr(0, 5000),
                                   garbage, other_boot, other_database, capacity}) {
    for (const char* mode : {" w", " r"}) {
      replace(bytes);
      Worker worker;
      ASSERT_ASK(worker, "open " + path + mode, "ok") << round;
      EXPECT_EQ(read_get(worker, "k"), "ok v") << round;
      EXPECT_ASK(worker, "close", "ok");
    }
    ++round;
  }
  fs::remove(path + "/lock");
  Worker worker;
  ASSERT_ASK(worker, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(worker, "k"), "ok v");
}

// A crashed database whose `lock` is of another boot, as after a power loss.
TEST_F(Locks, ACrashedDatabaseOfAnotherBootIsRecovered) {
  {
    Worker writer;
    make(writer);
    commit_put(writer, "k", "v");
  }
  std::fstream file(path + "/lock", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(32);
  file.write("another boot id!", 16);
  file.close();
  Worker reader;
  ASSERT_ASK(reader, "open " + path + " r", "ok");
  EXPECT_EQ(read_get(reader, "k"), "ok v");
}

}  // namespace
}  // namespace quire::test
