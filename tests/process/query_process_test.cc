// Processes that query while another one changes records, fields and indexes, and is killed.
// query_state.h has what must hold of every answer.
#include <array>
#include <random>

#include "worker_process.h"

namespace quire::test {
namespace {

class QueryWorker : public Worker {
 public:
  QueryWorker() : Worker({}, {}, QUIRE_QUERY_WORKER) {}
};

class QueryProcess : public Processes {
 protected:
  // What a writer says until it is killed: where it began, and what it was told is committed.
  struct Told {
    bool started = false;
    std::uint64_t began = 0;
    std::uint64_t acknowledged = 0;
    std::string complaint;

    void take(const std::string& line) {
      if (line == "ok") return;
      if (line.rfind("start ", 0) == 0) {
        started = true;
        began = acknowledged = std::stoull(line.substr(6));
      } else if (!line.empty() && line.find_first_not_of("0123456789") == std::string::npos) {
        acknowledged = std::stoull(line);
      } else {
        complaint = line;
      }
    }
  };

  // A writer that is killed in the middle of its work, or while it opens and recovers.
  Told kill_one(std::mt19937& random) const {
    QueryWorker writer;
    writer.tell("open " + path + " w 0");
    writer.tell("write-loop " + std::to_string(random()));
    Told told;
    if (random() % 5 != 0) {
      // Commits are counted, not time: a machine that others use may be slow.
      const std::uint64_t commits = random() % 8;
      while ((!told.started || told.acknowledged < told.began + commits) && told.complaint.empty())
        told.take(writer.listen());
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
    writer.kill_now();
    for (const std::string& line : writer.rest()) told.take(line);
    return told;
  }

  void query_while_writers_die(int kills, int page_size) {
    std::mt19937 random(static_cast<unsigned>(kills));
    {
      QueryWorker first;
      ASSERT_ASK(first, "open " + path + " c " + std::to_string(page_size), "ok");
      ASSERT_ASK(first, "check", "ok 0");
    }
    std::array<QueryWorker, 2> readers;
    for (Worker& reader : readers) {
      ASSERT_ASK(reader, "open " + path + " r 0", "ok");
      reader.tell("look-loop " + std::to_string(random()));
    }
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < kills; ++round) {
      const Told told = kill_one(random);
      ASSERT_EQ(told.complaint, "") << "round " << round;
      if (!told.started) continue;
      // All that was acknowledged is there; at most the commit that was under way is there too.
      ASSERT_GE(told.began, acknowledged) << "round " << round;
      ASSERT_LE(told.began, acknowledged + 1) << "round " << round;
      acknowledged = told.acknowledged;
    }
    for (Worker& reader : readers) finish(reader);
    QueryWorker last;
    ASSERT_ASK(last, "open " + path + " w 0", "ok");
    const std::uint64_t commits = number_in(last.ask("check"));
    EXPECT_GE(commits, acknowledged);
    EXPECT_LE(commits, acknowledged + 1);
    EXPECT_ASK(last, "close", "ok");
    std::printf("%d kills, %llu commits\n", kills, static_cast<unsigned long long>(commits));
  }

  // Ends the loop of a reader, which has to have seen something.
  static void finish(Worker& reader) {
    const std::string said = reader.ask("close");
    ASSERT_EQ(said.substr(0, 3), "ok ") << said;
    std::istringstream words(said.substr(3));
    std::uint64_t looks = 0, changes = 0, indexed = 0, continued = 0;
    words >> looks >> changes >> indexed >> continued;
    EXPECT_GT(looks, 10u);
    EXPECT_GT(changes, 4u);
    EXPECT_GT(indexed, 30u);
    EXPECT_GT(continued, 2u);
    std::printf("%llu looks, %llu changes, %llu by index, %llu continued\n",
                static_cast<unsigned long long>(looks), static_cast<unsigned long long>(changes),
                static_cast<unsigned long long>(indexed),
                static_cast<unsigned long long>(continued));
    EXPECT_EQ(reader.listen(), "ok");
  }
};

// Small pages make trees of several levels out of few records.
TEST_F(QueryProcess, EveryAnswerIsThatOfOneStateWhileWritersAreKilled) {
  query_while_writers_die(long_run() ? 300 : 25, 512);
}

TEST_F(QueryProcess, LikewiseWithUsualPages) {
  query_while_writers_die(long_run() ? 100 : 10, 4096);
}

}  // namespace
}  // namespace quire::test
