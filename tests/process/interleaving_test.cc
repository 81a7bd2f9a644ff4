// The steps of the models in tests/model, forced upon the real code: threads that commit, sync,
// publish, make checkpoints, read and take over are held at the places (sync points) that the
// models name, each in turn and by chance, while the others go on. Made for the thread sanitizer.
//
// Writer and readers are attachments of their own to one database, as processes have them.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "engine/base/sync_point.h"
#include "engine/db/database.h"
#include "tests/must.h"

namespace quire::test {
namespace {

using Random = std::mt19937_64;

// Decides who is held where. A thread that is held goes on after others have passed a number of
// places, or when nothing has happened for a while: they may wait for what it has locked.
class Scheduler {
 public:
  explicit Scheduler(std::uint64_t seed, std::string always = "")
      : seed_(seed), always_(std::move(always)) {
    instance = this;
#ifndef NDEBUG
    sync_point::hook.store([](const char* place) { instance->reached(place); });
#endif
  }
  ~Scheduler() {
#ifndef NDEBUG
    sync_point::hook.store(nullptr);
#endif
  }
  std::set<std::string> places() {
    const std::scoped_lock lock(mutex_);
    return places_;
  }
  std::uint64_t held() const { return held_.load(); }

 private:
  static constexpr auto kQuiet = std::chrono::milliseconds(2);

  void reached(const char* place) {
    std::unique_lock lock(mutex_);
    places_.insert(place);
    ++passed_;
    changed_.notify_all();
    const std::uint64_t patience = patience_at(place);
    if (patience == 0) return;
    held_.fetch_add(1);
    const std::uint64_t until = passed_ + patience;
    std::uint64_t seen = passed_;
    while (passed_ < until) {
      changed_.wait_for(lock, kQuiet);
      if (passed_ == seen) return;
      seen = passed_;
    }
  }
  // How many places others may pass first.
  std::uint64_t patience_at(const char* place) {
    thread_local std::uint64_t of = 0;
    thread_local Random random;
    if (of != seed_) {  // another scheduler
      of = seed_;
      random.seed(seed_ * 64 + threads_++);
    }
    if (!always_.empty()) return always_ == place ? 1 + random() % 40 : 0;
    return random() % 3 == 0 ? 1 + random() % 20 : 0;
  }

  static inline Scheduler* instance = nullptr;
  const std::uint64_t seed_;
  const std::string always_;  // the place where everybody is held; empty: by chance
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<std::string> places_;
  std::uint64_t passed_ = 0;
  std::uint64_t threads_ = 0;
  std::atomic<std::uint64_t> held_{0};
};

// One database whose commits set every key to the next number.
class World {
 public:
  static constexpr int kKeys = 40;

  World() {
    std::string name = (std::filesystem::temp_directory_path() / "quire-order-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) abort();
    directory_ = name;
    writer = must(open_writer());
    auto txn = must(writer->begin_write(true));
    keys_ = must(txn->create_keyspace("keys"));
    must(put(*txn, 1));
    must(writer->writer()->commit(*txn, Durability::kAlways));
    newest = durable = 1;
  }
  ~World() {
    writer.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  Result<std::unique_ptr<Database>> open_writer() const {
    DatabaseOptions options;
    options.page_size = 512;
    options.log_segment_bytes_min = 4096;
    options.log_segment_bytes_max = 16384;
    options.busy_timeout_ms = 20'000;
    options.writer.publish_ms = 1;
    options.writer.batch_ms = 1;
    options.writer.checkpoint_bytes = 64 << 10;
    return Database::open(io::real_disk(), directory_ + "/t", options);
  }
  std::unique_ptr<Database> open_reader() const {
    DatabaseOptions options;
    options.read_only = true;
    options.create = false;
    options.writer.publish_ms = 1;
    options.busy_timeout_ms = 20'000;
    return must(Database::open(io::real_disk(), directory_ + "/t", options));
  }

  Status put(WriteTxn& txn, std::uint64_t number) const {
    const std::string value = std::to_string(number) + std::string(number % 30, '.');
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key " + std::to_string(i);
      QUIRE_CHECK(txn.put(keys_, as_bytes(key), as_bytes(value), TreeWriter::PutMode::kUpsert));
    }
    return {};
  }
  // The number that every key has.
  std::uint64_t number_in(View& view) const {
    const TreeRoot root = must(view.keyspace_root(keys_));
    std::string first;
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = "key " + std::to_string(i);
      const auto value = must(tree_get(view.reader(), root, as_bytes(key)));
      EXPECT_TRUE(value) << key;
      if (!value) return 0;
      if (i == 0) first = as_text(*value);
      EXPECT_EQ(first, as_text(*value)) << "two states in one, at " << key;
    }
    return std::stoull(first);
  }
  // The next number, in a transaction of its own.
  Status advance(Database& database, Durability durability) {
    QUIRE_TRY(const auto txn, database.begin_write(true));
    const std::uint64_t number = number_in(*txn) + 1;
    QUIRE_CHECK(put(*txn, number));
    QUIRE_CHECK(database.writer()->commit(*txn, durability));
    raise(newest, number);
    if (durability == Durability::kAlways) raise(durable, number);
    return {};
  }
  // A snapshot shows one state, no older than `least`, and the same one later.
  std::uint64_t look(const char* who, Database& database, std::uint64_t least) const {
    SCOPED_TRACE(who);
    const auto snapshot = must(database.begin_read());
    const std::uint64_t number = number_in(*snapshot);
    EXPECT_GE(number, least) << "a snapshot that is older than what was promised before it";
    std::this_thread::yield();
    EXPECT_EQ(number_in(*snapshot), number) << "a snapshot that changes";
    return number;
  }
  void expect_sound(Database& database) const {
    const auto status = database.check([](const std::string& damage) {
      ADD_FAILURE() << damage;
      return true;
    });
    EXPECT_TRUE(status) << (status ? "" : status.error().message());
  }

  std::unique_ptr<Database> writer;
  std::atomic<std::uint64_t> newest;   // acknowledged, and so seen by this process
  std::atomic<std::uint64_t> durable;  // acknowledged as durable, and so seen by every process

 private:
  static void raise(std::atomic<std::uint64_t>& mark, std::uint64_t number) {
    for (std::uint64_t old = mark.load(); old < number && !mark.compare_exchange_weak(old, number);)
      continue;
  }
  std::string directory_;
  StructureId keys_ = 0;
};

constexpr Durability kModes[] = {Durability::kAlways, Durability::kAlways, Durability::kBatch,
                                 Durability::kOs, Durability::kNone};

// Writers, a reader of each kind, and who makes the rest happen, until the writers are done.
void run_all(World& world, std::uint64_t seed, int rounds) {
  std::atomic<int> writing{2};
  std::vector<std::thread> threads;
  const auto start = [&](std::function<void()> body) { threads.emplace_back(std::move(body)); };
  const auto until_written = [&writing](const std::function<void()>& body) {
    do {
      body();
      std::this_thread::yield();
    } while (writing.load() != 0);
  };
  const auto reader = world.open_reader();  // before anything is written: others are attached
  for (int w = 0; w < 2; ++w) {
    start([&, w] {
      Random random(seed * 2 + w);
      for (int i = 0; i < rounds; ++i) must(world.advance(*world.writer, kModes[random() % 5]));
      writing.fetch_sub(1);
    });
  }
  start([&] {
    until_written([&] { world.look("the writer's process", *world.writer, world.newest.load()); });
  });
  start([&] { until_written([&] { world.look("a reader", *reader, world.durable.load()); }); });
  start([&] {  // one that comes and goes
    until_written([&] { world.look("a new reader", *world.open_reader(), world.durable.load()); });
  });
  start([&] {
    for (int i = 0; i < rounds || writing.load() != 0; ++i) {
      if (i % 4 == 0) must(world.writer->sync());
      if (i % 4 == 1) must(world.writer->writer()->publish());
      if (i % 4 == 2) must(world.writer->checkpoint());
      if (i % 4 == 3) world.expect_sound(*world.writer);
    }
  });
  for (std::thread& thread : threads) thread.join();
  world.expect_sound(*world.writer);
}

// What is there after the process has died, or has ended in order.
void reopen(World& world, bool in_order) {
  const std::uint64_t newest = world.newest.load();
  if (in_order) {
    must(world.writer->close());
  } else {
    must(world.writer->writer()->sync(UINT64_MAX));
    world.writer->crash();
  }
  world.writer = must(world.open_writer());
  EXPECT_EQ(world.look("reopened", *world.writer, newest), newest);
  world.expect_sound(*world.writer);
}

class Interleaving : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!sync_point::kCompiled) GTEST_SKIP() << "built without assertions";
  }
  static int rounds() { return std::getenv("QUIRE_TEST_LONG") != nullptr ? 60 : 12; }
  static std::uint64_t seeds() { return std::getenv("QUIRE_TEST_LONG") != nullptr ? 200 : 6; }
};

constexpr const char* kPlaces[] = {"register: root read",
                                   "register: slot set",
                                   "commit: appended",
                                   "commit: turn given up",
                                   "commit: visible",
                                   "log: written",
                                   "log: synced",
                                   "log: segment made",
                                   "write ahead: root chosen",
                                   "publish: root chosen",
                                   "publish: pages written",
                                   "publish: root flipped",
                                   "checkpoint: planned",
                                   "checkpoint: pages written",
                                   "checkpoint: pages synced",
                                   "checkpoint: meta written",
                                   "checkpoint: meta synced",
                                   "checkpoint: made"};

TEST_F(Interleaving, WhoeverIsHeldAtAnyOnePlaceEverythingElseGoesOn) {
  std::uint64_t seed = 1000;
  for (const char* place : kPlaces) {
    SCOPED_TRACE(place);
    World world;
    Scheduler scheduler(++seed, place);
    run_all(world, seed, rounds());
    EXPECT_GT(scheduler.held(), 0u) << "nobody came by this place";
    reopen(world, seed % 2 == 0);
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(Interleaving, ThreadsAreHeldAnywhereByChance) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world;
    Scheduler scheduler(seed);
    run_all(world, seed, rounds());
    reopen(world, seed % 2 == 0);
    ASSERT_FALSE(HasFailure());
  }
}

// The writer fails in the middle of everything and steps down; another takes over while the readers
// of both go on.
void take_over(World& world, std::uint64_t seed, int rounds) {
  std::atomic<bool> taken_over{false};
  std::unique_ptr<Database> second;
  std::vector<std::thread> threads;
  const auto until_taken_over = [&taken_over](const std::function<void()>& body) {
    do {
      body();
      std::this_thread::yield();
    } while (!taken_over.load());
  };
  threads.emplace_back([&] {
    Random random(seed);
    while (world.advance(*world.writer, kModes[random() % 5])) continue;
  });
  threads.emplace_back([&] {
    Random random(seed + 1);
    while (random() % 2 == 0 ? world.writer->checkpoint() : world.writer->writer()->publish())
      continue;
  });
  // A snapshot of the failed one falls back to what all had seen, and follows who takes over.
  threads.emplace_back(
      [&] { until_taken_over([&] { world.look("the failed one", *world.writer, 1); }); });
  const auto reader = world.open_reader();
  threads.emplace_back(
      [&] { until_taken_over([&] { world.look("a reader", *reader, world.durable.load()); }); });
  while (world.newest.load() < 3 + seed % 5) std::this_thread::yield();
  world.writer->writer()->poison(Error(ErrorCode::kIo, "a failure that a test makes"));
  threads[0].join();
  threads[1].join();
  second = must(world.open_writer());
  EXPECT_GE(world.look("who takes over", *second, world.durable.load()), world.durable.load());
  for (int i = 0; i < rounds; ++i) must(world.advance(*second, kModes[i % 5]));
  world.look("the failed one", *world.writer, world.durable.load());
  taken_over.store(true);
  threads[2].join();
  threads[3].join();
  world.expect_sound(*second);
  must(second->writer()->sync(UINT64_MAX));
  second->crash();
  world.writer->crash();
  world.writer = must(world.open_writer());
  EXPECT_EQ(world.look("at the end", *world.writer, world.durable.load()), world.newest.load());
  world.expect_sound(*world.writer);
}

constexpr const char* kPlacesOfTakeOver[] = {
    "join: attached",           "register: root read",      "register: slot set",
    "commit: appended",         "commit: turn given up",    "publish: pages written",
    "checkpoint: meta written", "step down: turn taken",    "step down: stopped",
    "recover: begun",           "recover: log carried out", "recover: log begun"};

TEST_F(Interleaving, WhoeverIsHeldAtAnyOnePlaceOfATakeOver) {
  std::uint64_t seed = 2000;
  for (const char* place : kPlacesOfTakeOver) {
    SCOPED_TRACE(place);
    World world;
    Scheduler scheduler(++seed, place);
    take_over(world, seed, rounds());
    EXPECT_GT(scheduler.held(), 0u) << "nobody came by this place";
    ASSERT_FALSE(HasFailure());
  }
}

TEST_F(Interleaving, TakeOverWithThreadsHeldAnywhereByChance) {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world;
    Scheduler scheduler(seed + 3000);
    take_over(world, seed, rounds());
    ASSERT_FALSE(HasFailure());
  }
}

// Every place in the code is one that the tests above hold threads at.
TEST_F(Interleaving, NoPlaceIsLeftOut) {
  std::set<std::string> known(std::begin(kPlaces), std::end(kPlaces));
  known.insert(std::begin(kPlacesOfTakeOver), std::end(kPlacesOfTakeOver));
  World world;
  Scheduler scheduler(1);
  take_over(world, 1, 5);
  for (const std::string& place : scheduler.places()) EXPECT_TRUE(known.contains(place)) << place;
}

}  // namespace
}  // namespace quire::test
