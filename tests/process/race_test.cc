// Orders of events that a review of the design found dangerous, forced by holding a reader where it
// registers. Reader and writer are two attachments to one database, as two processes have them.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "engine/base/sync_point.h"
#include "engine/db/database.h"
#include "tests/must.h"

namespace quire::test {
namespace {

// Holds the first thread that asked to be held when it reaches a place.
class Gate {
 public:
  explicit Gate(std::string place) : place_(std::move(place)) {
    instance = this;
#ifndef NDEBUG
    sync_point::hook.store([](const char* at) { instance->reached(at); });
#endif
  }
  ~Gate() {
#ifndef NDEBUG
    sync_point::hook.store(nullptr);
#endif
  }
  static inline thread_local bool hold_this_thread = false;

  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return held_; });
  }
  void let_go() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  void reached(const char* place) {
    if (!hold_this_thread || place_ != place) return;
    std::unique_lock lock(mutex_);
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  static inline Gate* instance = nullptr;
  std::string place_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  bool open_ = false;
};

class Race : public ::testing::TestWithParam<const char*> {
 protected:
  static constexpr int kKeys = 300;

  void SetUp() override {
    if (!sync_point::kCompiled) GTEST_SKIP() << "built without assertions";
    std::string name = (std::filesystem::temp_directory_path() / "quire-race-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    directory = name;
    DatabaseOptions options;
    // What is not `always` stays unpublished for as long as a test lasts.
    options.writer.publish_ms = 600'000;
    options.writer.checkpoint_ms = 600'000;
    options.writer.durability = Durability::kOs;
    writer = must(Database::open(io::real_disk(), directory + "/t", options));
    auto txn = must(writer->begin_write(true));
    keys = must(txn->create_keyspace("keys"));
    must(writer->writer()->commit(*txn, Durability::kAlways));
    options.read_only = true;
    options.create = false;
    reader = must(Database::open(io::real_disk(), directory + "/t", options));
  }
  void TearDown() override {
    reader.reset();
    writer.reset();
    std::error_code ignored;
    if (!directory.empty()) std::filesystem::remove_all(directory, ignored);
  }

  // Every key gets the number: a state of two ages can be told.
  void commit(int number, Durability durability) {
    auto txn = must(writer->begin_write(true));
    const std::string value = std::to_string(number) + std::string(100, '.');
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key " + std::to_string(i);
      must(txn->put(keys, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
    }
    must(writer->writer()->commit(*txn, durability));
  }
  // The number that all keys have; -1 where they differ or can't be read.
  int number_in(Snapshot& snapshot) const {
    std::string first;
    const auto root = snapshot.keyspace_root(keys);
    if (!root) return -1;
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key " + std::to_string(i);
      const auto value = tree_get(snapshot.reader(), *root, as_bytes(key));
      if (!value || !*value) return -1;
      if (i == 0) first = as_text(**value);
      if (first != as_text(**value)) return -1;
    }
    return std::stoi(first);
  }
  // Begins a snapshot in a thread that is held at the place, does `meanwhile`, lets it go.
  template <class Meanwhile>
  std::unique_ptr<Snapshot> begin_held(Meanwhile meanwhile) {
    Gate gate(GetParam());
    std::unique_ptr<Snapshot> snapshot;
    std::thread thread([&] {
      Gate::hold_this_thread = true;
      snapshot = must(reader->begin_read());
    });
    gate.wait_until_held();
    meanwhile();
    gate.let_go();
    thread.join();
    return snapshot;
  }

  std::string directory;
  std::unique_ptr<Database> writer;
  std::unique_ptr<Database> reader;
  StructureId keys = 0;
};

// The reader starts on the published root while commits that nobody has published free its pages
// again and again.
TEST_P(Race, PagesFreedByUnpublishedCommitsStayForWhoStartsOnThePublishedRoot) {
  commit(1, Durability::kAlways);
  const auto snapshot = begin_held([this] {
    for (int number = 2; number < 12; ++number) commit(number, Durability::kOs);
  });
  EXPECT_EQ(number_in(*snapshot), 1);
  for (int number = 12; number < 20; ++number) commit(number, Durability::kOs);
  EXPECT_EQ(number_in(*snapshot), 1);
  must(writer->writer()->publish());
  for (int number = 20; number < 25; ++number) commit(number, Durability::kAlways);
  must(writer->checkpoint());
  for (int number = 25; number < 30; ++number) commit(number, Durability::kAlways);
  EXPECT_EQ(number_in(*snapshot), 1);
  must(writer->check(nullptr));
}

// The root that the reader looked at is replaced, and its pages are used again, before the reader
// is seen: it must begin again at the new one.
TEST_P(Race, ARootThatIsReplacedWhileAReaderRegistersIsNotUsed) {
  commit(1, Durability::kAlways);
  const auto snapshot = begin_held([this] {
    for (int number = 2; number < 12; ++number) {
      commit(number, Durability::kAlways);
      must(writer->checkpoint());
    }
  });
  EXPECT_EQ(number_in(*snapshot), 11);
  for (int number = 12; number < 20; ++number) commit(number, Durability::kAlways);
  must(writer->checkpoint());
  for (int number = 20; number < 25; ++number) commit(number, Durability::kAlways);
  EXPECT_EQ(number_in(*snapshot), 11);
}

// The same over a whole life of the writer: it closes, and the next one begins to write.
TEST_P(Race, ARootOfAWriterThatHasGoneIsNotUsed) {
  commit(1, Durability::kAlways);
  const auto snapshot = begin_held([this] {
    const DatabaseOptions options = writer->options();
    commit(2, Durability::kAlways);
    must(writer->close());
    writer = must(Database::open(io::real_disk(), directory + "/t", options));
    for (int number = 3; number < 12; ++number) {
      commit(number, Durability::kAlways);
      must(writer->checkpoint());
    }
  });
  EXPECT_EQ(number_in(*snapshot), 11);
}

INSTANTIATE_TEST_SUITE_P(Places, Race,
                         ::testing::Values("register: root read", "register: slot set"),
                         [](const auto& one) {
                           return std::string(one.param).ends_with("read") ? "RootRead" : "SlotSet";
                         });

// A writer that was alone had published nothing of what it acknowledged, failed, and was about to
// give up its place when a reader joined. The reader took the last published state for the newest,
// and never saw the rest.
class Joining : public Race {};

TEST_F(Joining, AReaderThatMeetsAWriterThatGivesUpSeesWhatItAcknowledged) {
  reader.reset();
  commit(1, Durability::kAlways);
  commit(2, Durability::kAlways);
#ifndef NDEBUG
  static std::atomic<bool> held{false};
  static std::atomic<bool> joined{false};
  sync_point::hook.store([](const char* at) {
    const std::string_view place = at;
    if (place == "step down: stopped") {
      held.store(true);
      held.notify_all();
      joined.wait(false);
    } else if (place == "join: attached") {
      joined.store(true);
      joined.notify_all();
    }
  });
#endif
  writer->writer()->poison(Error(ErrorCode::kIo, "a failure that a test makes"));
#ifndef NDEBUG
  held.wait(false);
#endif
  DatabaseOptions options = writer->options();
  options.read_only = true;
  options.create = false;
  reader = must(Database::open(io::real_disk(), directory + "/t", options));
#ifndef NDEBUG
  sync_point::hook.store(nullptr);
#endif
  const auto snapshot = must(reader->begin_read());
  EXPECT_EQ(number_in(*snapshot), 2);
}

// The pages were written, and somebody else's failure came before the root: a durable commit was
// acknowledged that no other process could see. (Found by the interleavings.)
TEST_F(Joining, ACommitWhosePublicationAFailureOvertakesIsNotAcknowledged) {
  commit(1, Durability::kAlways);
#ifndef NDEBUG
  static std::atomic<Database*> failing{nullptr};
  failing.store(writer.get());
  sync_point::hook.store([](const char* at) {
    if (std::string_view(at) != "publish: pages written") return;
    if (Database* const database = failing.exchange(nullptr))
      database->writer()->poison(Error(ErrorCode::kIo, "a failure that a test makes"));
  });
  const auto txn = must(writer->begin_write(true));
  must(txn->put(keys, as_bytes("another"), as_bytes("value"), TreeWriter::PutMode::kUpsert));
  const auto committed = writer->writer()->commit(*txn, Durability::kAlways);
  sync_point::hook.store(nullptr);
  EXPECT_EQ(failing.load(), nullptr);
  EXPECT_EQ(committed ? ErrorCode::kOk : committed.error().code(), ErrorCode::kPoisoned);
#endif
  EXPECT_EQ(number_in(*must(reader->begin_read())), 1);
}

}  // namespace
}  // namespace quire::test
