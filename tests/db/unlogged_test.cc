// Commits that the log does not know of, between others; commits that ask to be a checkpoint; who
// lets others take the turn first.
#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

#include "engine/base/sync_point.h"
#include "tests/db/shop.h"

namespace quire {
namespace {

using namespace test;
using io::SimulatedDisk;
using io::Survival;

constexpr std::uint64_t kElements = 300;

// An array that belongs to nothing logged: all its elements say the same number.
class Ledger {
 public:
  explicit Ledger(Shop& shop) : shop_(shop) {}

  Status create() {
    QUIRE_TRY(const auto txn, shop_.database().begin_write(true));
    QUIRE_TRY(id_, txn->create_array(8, 1));
    QUIRE_CHECK(fill(*txn, 0));
    txn->commit_by_checkpoint();
    QUIRE_CHECK(shop_.database().writer()->commit(*txn, Durability::kAlways));
    return {};
  }
  // The same array in another life of the database.
  Ledger in(Shop& shop) const {
    Ledger other(shop);
    other.id_ = id_;
    return other;
  }
  Result<wal::Lsn> set(std::uint64_t number) {
    Writer& writer = *shop_.database().writer();
    QUIRE_TRY(const auto txn, writer.begin(Writer::Wait::kLast));
    txn->set_unlogged();
    QUIRE_CHECK(fill(*txn, number));
    return writer.commit(*txn, Durability::kNone);
  }
  // The number, where all elements agree.
  std::optional<std::uint64_t> number() {
    const auto snapshot = must(shop_.database().begin_read());
    ArrayView view(snapshot->reader(), must(snapshot->array_root(id_)));
    std::optional<std::uint64_t> said;
    for (std::uint64_t i = 0; i < kElements; ++i) {
      const std::uint64_t found = load_le<std::uint64_t>(view.at(i));
      if (said && found != *said) return std::nullopt;
      said = found;
    }
    return said;
  }

 private:
  Status fill(WriteTxn& txn, std::uint64_t number) {
    QUIRE_TRY(ArrayWriter * array, txn.array(id_));
    std::byte bytes[8];
    store_le(bytes, number);
    for (std::uint64_t i = 0; i < kElements; ++i) QUIRE_CHECK(array->set(i, bytes));
    return {};
  }

  Shop& shop_;
  StructureId id_ = 0;
};

std::uint64_t log_bytes(Shop& shop) { return shop.database().writer()->logged_bytes(); }

TEST(Unlogged, CommitIsSeenAndNotLogged) {
  SimulatedDisk disk(1);
  Shop shop(disk);
  must(shop.put(0, 3, "old"));
  Ledger ledger(shop);
  must(ledger.create());
  const Root before = shop.database().newest();
  const std::uint64_t commits = must(shop.database().stat()).commits;
  const wal::Position position = shop.database().writer()->tip_position();
  EXPECT_EQ(must(ledger.set(7)), before.lsn);
  EXPECT_EQ(ledger.number(), 7u);
  const Root after = shop.database().newest();
  EXPECT_EQ(after.lsn, before.lsn);
  EXPECT_GT(after.txn, before.txn);
  EXPECT_EQ(must(shop.database().wait_commit(before.txn, 0)), after.txn);
  EXPECT_EQ(shop.database().writer()->tip_position().lsn, position.lsn);
  EXPECT_EQ(must(shop.database().stat()).commits, commits);
  // A checkpoint is due because of it in time, though the log has nothing.
  EXPECT_GT(log_bytes(shop), 0u);
}

TEST(Unlogged, CommitThatChangesNothingIsNone) {
  SimulatedDisk disk(1);
  Shop shop(disk);
  must(shop.put(0, 3, "old"));
  const Root before = shop.database().newest();
  Writer& writer = *shop.database().writer();
  auto txn = must(writer.begin(Writer::Wait::kLast));
  txn->set_unlogged();
  EXPECT_EQ(must(writer.commit(*txn, Durability::kNone)), before.lsn);
  EXPECT_EQ(shop.database().newest().txn, before.txn);
  must(shop.put(0, 3, "new"));
}

// Holds the thread that called it first, where its commit has given up the turn.
struct HeldCommit {
  static inline std::binary_semaphore reached{0};
  static inline std::binary_semaphore go_on{0};
  static inline std::atomic<bool> held{false};
  static void hold(const char* place) {
    if (std::string_view(place) != "commit: turn given up" || held.exchange(true)) return;
    reached.release();
    go_on.acquire();
  }
};

// It waits for nobody's sync, and is seen no sooner than what came before it.
TEST(Unlogged, CommitBecomesVisibleWithTheOneBeforeIt) {
  if (!sync_point::kCompiled) GTEST_SKIP() << "a build without sync points";
  SimulatedDisk disk(1);
  Shop shop(disk);
  must(shop.put(0, 3, "old"));
  Ledger ledger(shop);
  must(ledger.create());
#ifndef NDEBUG
  sync_point::hook.store(&HeldCommit::hold);
#endif
  std::thread other([&] { must(shop.put(0, 3, "new")); });
  HeldCommit::reached.acquire();
  must(ledger.set(9));
  EXPECT_EQ(ledger.number(), 0u);
  EXPECT_EQ(difference(goods(3, "old"), shop.state()), "");
  HeldCommit::go_on.release();
  other.join();
#ifndef NDEBUG
  sync_point::hook.store(nullptr);
#endif
  EXPECT_EQ(ledger.number(), 9u);
  EXPECT_EQ(difference(goods(3, "new"), shop.state()), "");
}

// Killed and without power at every operation: what is logged comes back whole whatever unlogged
// commits lay between, and they come back whole or not at all.
TEST(Unlogged, CommitsBetweenOthersAreRecoveredFrom) {
  DatabaseOptions options = small_database();
  int lost = 0;
  int kept = 0;
  for (std::uint64_t at = 1;; ++at) {
    SimulatedDisk disk(at);
    Shop shop(disk, options);
    must(shop.put(0, 20, "0"));
    Ledger ledger(shop);
    must(ledger.create());
    disk.set_crash_at(disk.operations() + at);
    std::uint64_t acknowledged = 0;
    std::uint64_t tried = 0;
    Status status;
    for (std::uint64_t i = 1; i <= 6 && status; ++i) {
      tried = i;
      if (auto set = ledger.set(i); !set) status = std::unexpected(set.error());
      if (status) {
        if (auto put = shop.put(0, 20, std::to_string(i)); !put)
          status = std::unexpected(put.error());
      }
      if (!status) break;
      acknowledged = i;
      if (i % 3 == 0) status = shop.database().checkpoint();
    }
    shop.crash();
    if (status) break;
    for (const Survival survival : kSurvivals) {
      const auto found = disk.after_crash(at, survival);
      Shop again(*found, options);
      Ledger ledger_again = ledger.in(again);
      const std::string where = "operation " + std::to_string(at);
      const State state = again.state();
      EXPECT_TRUE(state == goods(20, std::to_string(acknowledged)) ||
                  state == goods(20, std::to_string(tried)))
          << where;
      const auto number = ledger_again.number();
      ASSERT_TRUE(number.has_value()) << where;
      EXPECT_LE(*number, tried) << where;
      (*number == 0 ? lost : kept) += 1;
      EXPECT_EQ(damages(again.database()), "") << where;
      // Life goes on.
      must(ledger_again.set(100));
      must(again.put(0, 20, "more"));
      again.crash();
      const auto last = found->after_crash(at, Survival::kNothing);
      Shop third(*last, options);
      EXPECT_EQ(difference(goods(20, "more"), third.state()), "") << where;
      EXPECT_TRUE(ledger.in(third).number().has_value()) << where;
      EXPECT_EQ(damages(third.database()), "") << where;
    }
  }
  EXPECT_GT(lost, 0);
  EXPECT_GT(kept, 0);
}

TEST(Unlogged, CommitsFillNoDisk) {
  SimulatedDisk disk(1);
  Shop shop(disk);
  must(shop.put(0, 3, "old"));
  Ledger ledger(shop);
  must(ledger.create());
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < 3000; ++i) {
    must(ledger.set(i));
    if (i % 100 == 0) must(shop.put(0, 1, "x"));
    most = std::max(most, must(shop.database().stat()).file_bytes);
  }
  EXPECT_LT(most, std::uint64_t{4} << 20);
  EXPECT_EQ(damages(shop.database()), "");
}

TEST(CommitByCheckpoint, IsWhatATransactionMayAskFor) {
  for (const bool archive : {false, true}) {
    SimulatedDisk disk(1);
    DatabaseOptions options = small_database();
    options.writer.archive = archive;
    Shop shop(disk, options);
    must(shop.put(0, 3, "old"));
    const std::uint64_t checkpoints = must(shop.database().stat()).checkpoints;
    auto txn = must(shop.database().begin_write(true));
    must(Shop::put_in(*txn, 0, 3, "first"));
    txn->commit_by_checkpoint();
    must(Shop::put_in(*txn, 0, 3, "new"));
    must(shop.database().writer()->commit(*txn, Durability::kAlways));
    EXPECT_EQ(must(shop.database().stat()).checkpoints - checkpoints, archive ? 0u : 1u);
    const auto found = disk.survivor(1, Survival::kNothing);
    Shop again(*found, options);
    EXPECT_EQ(difference(goods(3, "new"), again.state()), "");
    EXPECT_EQ(damages(again.database()), "");
  }
}

TEST(CommitByCheckpoint, AskedForInATransactionThatIsAbortedIsForgotten) {
  SimulatedDisk disk(1);
  Shop shop(disk);
  must(shop.put(0, 3, "old"));
  auto txn = must(shop.database().begin_write(true));
  must(Shop::put_in(*txn, 0, 3, "never"));
  txn->commit_by_checkpoint();
  txn.reset();
  const std::uint64_t checkpoints = must(shop.database().stat()).checkpoints;
  must(shop.put(3, 1, "old"));
  EXPECT_EQ(must(shop.database().stat()).checkpoints, checkpoints);
  EXPECT_EQ(difference(goods(4, "old"), shop.state()), "");
}

// Two in order, one that has time, and another in order who comes after it.
TEST(Turn, WhoHasTimeComesBehindWhoWaits) {
  using namespace std::chrono_literals;
  TurnQueue turn;
  std::mutex mutex;
  std::vector<int> order;
  const auto note = [&](int who) {
    const std::scoped_lock lock(mutex);
    order.push_back(who);
  };
  ASSERT_TRUE(turn.try_take());
  std::vector<std::thread> threads;
  const auto start = [&](int who, std::chrono::milliseconds patience) {
    threads.emplace_back([&, who, patience] {
      if (patience == 0ms) {
        turn.take();
      } else {
        turn.take_last(patience);
      }
      note(who);
      turn.give_up();
    });
    while (turn.waiting() != threads.size()) std::this_thread::yield();
  };
  start(1, 0ms);
  start(9, 1h);
  start(2, 0ms);
  start(8, 1h);
  turn.give_up();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 9, 8}));
  EXPECT_FALSE(turn.taken());
}

TEST(Turn, PatienceEnds) {
  using namespace std::chrono_literals;
  TurnQueue turn;
  std::vector<int> order;  // each holds the turn while it writes
  ASSERT_TRUE(turn.try_take());
  std::thread patient([&] {
    turn.take_last(1ms);
    order.push_back(9);
    turn.give_up();
  });
  while (turn.waiting() != 1) std::this_thread::yield();
  std::this_thread::sleep_for(5ms);
  std::thread other([&] {
    turn.take();
    order.push_back(1);
    turn.give_up();
  });
  while (turn.waiting() != 2) std::this_thread::yield();
  turn.give_up();
  patient.join();
  other.join();
  EXPECT_EQ(order, (std::vector<int>{9, 1}));
}

}  // namespace
}  // namespace quire
