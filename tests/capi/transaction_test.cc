// Transactions, savepoints, threads, durability and waiting.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "capi_world.h"

namespace quire::test {
namespace {

class Transaction : public World {};

TEST_F(Transaction, BeginsOnlyAsAskedAndKnown) {
  quire_txn* txn = nullptr;
  EXPECT_CODE(quire_begin(db, QUIRE_READ, nullptr), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_begin(db, 8, &txn), QUIRE_ERR_INVALID);
  EXPECT_CODE(quire_begin(db, QUIRE_TRY, &txn), QUIRE_ERR_INVALID);
  EXPECT_EQ(txn, nullptr);
  txn = write();
  quire_txn* second = nullptr;
  EXPECT_CODE(quire_begin(db, QUIRE_WRITE | QUIRE_TRY, &second), QUIRE_ERR_BUSY);
  quire_abort(txn);
  EXPECT_OK(quire_begin(db, QUIRE_WRITE | QUIRE_TRY, &second));
  quire_abort(second);
  quire_abort(nullptr);
  EXPECT_CODE(quire_commit(nullptr), QUIRE_ERR_INVALID);
  EXPECT_EQ(quire_txn_number(nullptr), 0u);
}

TEST_F(Transaction, IsAllOrNothing) {
  quire_txn* txn = write();
  ASSERT_OK(put(txn, keys, "a", "1"));
  ASSERT_OK(put(txn, keys, "b", "2"));
  quire_abort(txn);
  txn = read();
  EXPECT_EQ(get(txn, keys, "a"), "<not_found>");
  quire_abort(txn);
  txn = write();
  ASSERT_OK(put(txn, keys, "a", "1"));
  EXPECT_EQ(get(txn, keys, "a"), "1");
  quire_txn* other = read();
  EXPECT_EQ(get(other, keys, "a"), "<not_found>");
  ASSERT_OK(quire_commit(txn));
  EXPECT_EQ(get(other, keys, "a"), "<not_found>");  // its snapshot is of before
  ASSERT_OK(quire_commit(other));                   // ends a read transaction too
  other = read();
  EXPECT_EQ(get(other, keys, "a"), "1");
  quire_abort(other);
}

TEST_F(Transaction, AnEndedOneSaysSo) {
  quire_txn* txn = write();
  quire_cursor* cursor = nullptr;
  ASSERT_OK(quire_cursor_open(txn, keys, nullptr, &cursor));
  ASSERT_OK(quire_commit(txn));
  EXPECT_CODE(put(txn, keys, "a", "1"), QUIRE_ERR_CLOSED);
  EXPECT_EQ(get(txn, keys, "a"), "<closed>");
  EXPECT_CODE(quire_commit(txn), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_renew(txn), QUIRE_ERR_CLOSED);
  std::uint64_t savepoint = 0;
  EXPECT_CODE(quire_savepoint(txn, &savepoint), QUIRE_ERR_CLOSED);
  quire_keyspace id = 0;
  EXPECT_CODE(quire_keyspace_open(txn, "keys", 0, &id), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_cursor_next(cursor, nullptr, nullptr), QUIRE_ERR_CLOSED);
  EXPECT_CODE(quire_cursor_delete(cursor), QUIRE_ERR_CLOSED);
  quire_abort(txn);
  quire_cursor_close(cursor);  // also after the transaction has ended
  quire_cursor_close(cursor);
  quire_cursor_close(nullptr);
  EXPECT_CODE(quire_cursor_next(cursor, nullptr, nullptr), QUIRE_ERR_CLOSED);
}

TEST_F(Transaction, AReaderChangesNothing) {
  quire_txn* txn = read();
  EXPECT_CODE(put(txn, keys, "a", "1"), QUIRE_ERR_READ_ONLY);
  EXPECT_CODE(erase(txn, keys, "a"), QUIRE_ERR_READ_ONLY);
  EXPECT_CODE(quire_delete_range(txn, keys, nullptr, nullptr, nullptr), QUIRE_ERR_READ_ONLY);
  quire_keyspace id = 0;
  EXPECT_CODE(quire_keyspace_open(txn, "new", QUIRE_CREATE, &id), QUIRE_ERR_READ_ONLY);
  EXPECT_CODE(quire_keyspace_drop(txn, keys), QUIRE_ERR_READ_ONLY);
  std::uint64_t savepoint = 0;
  EXPECT_CODE(quire_savepoint(txn, &savepoint), QUIRE_ERR_READ_ONLY);
  EXPECT_CODE(quire_rollback_to(txn, 1), QUIRE_ERR_READ_ONLY);
  EXPECT_CODE(quire_release(txn, 1), QUIRE_ERR_READ_ONLY);
  quire_field field = {"id", QUIRE_TYPE_I64, QUIRE_FIELD_KEY, 0, 0};
  EXPECT_CODE(quire_collection_create(txn, "c", &field, 1, &id), QUIRE_ERR_READ_ONLY);
  quire_cursor* cursor = nullptr;
  ASSERT_OK(quire_cursor_open(txn, keys, nullptr, &cursor));
  EXPECT_CODE(quire_cursor_delete(cursor), QUIRE_ERR_READ_ONLY);
  quire_abort(txn);
  quire_cursor_close(cursor);
}

TEST_F(Transaction, SavepointsNestAndAreOrdered) {
  quire_txn* txn = write();
  ASSERT_OK(put(txn, keys, "k", "0"));
  std::uint64_t outer = 0;
  std::uint64_t inner = 0;
  EXPECT_CODE(quire_savepoint(txn, nullptr), QUIRE_ERR_INVALID);
  ASSERT_OK(quire_savepoint(txn, &outer));
  ASSERT_OK(put(txn, keys, "k", "1"));
  ASSERT_OK(quire_savepoint(txn, &inner));
  EXPECT_NE(outer, inner);
  ASSERT_OK(put(txn, keys, "k", "2"));
  ASSERT_OK(put(txn, keys, "new", "2"));
  ASSERT_OK(quire_rollback_to(txn, inner));
  EXPECT_EQ(get(txn, keys, "k"), "1");
  EXPECT_EQ(get(txn, keys, "new"), "<not_found>");
  ASSERT_OK(put(txn, keys, "k", "3"));
  ASSERT_OK(quire_rollback_to(txn, inner));  // the savepoint stays
  EXPECT_EQ(get(txn, keys, "k"), "1");
  ASSERT_OK(quire_rollback_to(txn, outer));
  EXPECT_EQ(get(txn, keys, "k"), "0");
  EXPECT_CODE(quire_rollback_to(txn, inner), QUIRE_ERR_CONFLICT);
  EXPECT_CODE(quire_release(txn, inner), QUIRE_ERR_CONFLICT);
  EXPECT_CODE(quire_rollback_to(txn, 12345), QUIRE_ERR_CONFLICT);
  ASSERT_OK(put(txn, keys, "k", "4"));
  ASSERT_OK(quire_savepoint(txn, &inner));
  ASSERT_OK(put(txn, keys, "k", "5"));
  ASSERT_OK(quire_release(txn, outer));  // with the one inside
  EXPECT_CODE(quire_rollback_to(txn, inner), QUIRE_ERR_CONFLICT);
  EXPECT_CODE(quire_rollback_to(txn, outer), QUIRE_ERR_CONFLICT);
  ASSERT_OK(quire_commit(txn));
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "5");
  quire_abort(txn);
}

TEST_F(Transaction, ASavepointBringsKeyspacesBack) {
  commit_put("k", "v");
  quire_txn* txn = write();
  std::uint64_t savepoint = 0;
  ASSERT_OK(quire_savepoint(txn, &savepoint));
  quire_keyspace made = 0;
  ASSERT_OK(quire_keyspace_open(txn, "made", QUIRE_CREATE, &made));
  ASSERT_OK(quire_keyspace_drop(txn, keys));
  EXPECT_EQ(get(txn, keys, "k"), "<not_found>");
  ASSERT_OK(quire_rollback_to(txn, savepoint));
  EXPECT_EQ(get(txn, keys, "k"), "v");
  EXPECT_CODE(quire_keyspace_open(txn, "made", 0, &made), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_commit(txn));
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "v");
  quire_abort(txn);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
}

// One thread is held inside a call by its callback.
TEST_F(Transaction, TwoThreadsInOneTransactionAreSeen) {
  quire_txn* txn = read();
  struct Gate {
    std::mutex mutex;
    std::condition_variable changed;
    bool inside = false;
    bool leave = false;
  } gate;
  const auto visit = [](void* context, const char*, quire_keyspace, std::uint64_t) {
    auto& held = *static_cast<Gate*>(context);
    std::unique_lock lock(held.mutex);
    held.inside = true;
    held.changed.notify_all();
    held.changed.wait(lock, [&held] { return held.leave; });
    return 0;
  };
  std::thread holder([&] { EXPECT_OK(quire_keyspace_list(txn, visit, &gate)); });
  {
    std::unique_lock lock(gate.mutex);
    gate.changed.wait(lock, [&gate] { return gate.inside; });
  }
  EXPECT_EQ(get(txn, keys, "k"), "<thread>");
  EXPECT_CODE(quire_renew(txn), QUIRE_ERR_THREAD);
  EXPECT_CODE(quire_commit(txn), QUIRE_ERR_THREAD);
  quire_cursor* cursor = nullptr;
  EXPECT_CODE(quire_cursor_open(txn, keys, nullptr, &cursor), QUIRE_ERR_THREAD);
  quire_abort(txn);  // does nothing
  {
    const std::scoped_lock lock(gate.mutex);
    gate.leave = true;
    gate.changed.notify_all();
  }
  holder.join();
  EXPECT_EQ(get(txn, keys, "k"), "<not_found>");
  quire_abort(txn);
}

TEST_F(Transaction, MayMoveFromThreadToThread) {
  quire_txn* txn = write();
  std::thread([&] { EXPECT_OK(put(txn, keys, "k", "v")); }).join();
  std::thread([&] { EXPECT_OK(quire_commit(txn)); }).join();
  txn = read();
  EXPECT_EQ(get(txn, keys, "k"), "v");
  quire_abort(txn);
}

TEST_F(Transaction, RenewMovesToTheNewestCommit) {
  commit_put("k", "1");
  quire_txn* txn = read();
  quire_cursor* cursor = nullptr;
  ASSERT_OK(quire_cursor_open(txn, keys, nullptr, &cursor));
  quire_slice key;
  quire_slice value;
  ASSERT_OK(quire_cursor_next(cursor, &key, &value));
  EXPECT_EQ(text(value), "1");
  const std::uint64_t before = quire_txn_number(txn);
  commit_put("k", "2");
  commit_put("a", "3");
  EXPECT_CODE(quire_cursor_next(cursor, &key, &value), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_renew(txn));
  EXPECT_GT(quire_txn_number(txn), before);
  EXPECT_EQ(get(txn, keys, "k"), "2");
  // Unpositioned: before the first, and of the new state.
  EXPECT_CODE(quire_cursor_current(cursor, &key, &value), QUIRE_ERR_NOT_FOUND);
  ASSERT_OK(quire_cursor_next(cursor, &key, &value));
  EXPECT_EQ(text(key), "a");
  ASSERT_OK(quire_cursor_next(cursor, &key, &value));
  EXPECT_EQ(text(value), "2");
  quire_abort(txn);
  quire_cursor_close(cursor);
  txn = write();
  EXPECT_CODE(quire_renew(txn), QUIRE_ERR_INVALID);
  quire_abort(txn);
}

// Memory that a read transaction lent does not change under it, whatever is committed.
TEST_F(Transaction, BorrowedMemoryStaysUntilTheEnd) {
  for (int i = 0; i < 200; ++i)
    commit_put("k" + std::to_string(i), "value " + std::to_string(i) + std::string(100, '.'));
  commit_put("large", std::string(300'000, 'x'));
  quire_txn* held = read();
  std::vector<quire_slice> slices(200);
  for (int i = 0; i < 200; ++i) {
    const std::string key = "k" + std::to_string(i);
    ASSERT_OK(quire_get(held, keys, key.data(), key.size(), &slices[static_cast<std::size_t>(i)]));
  }
  quire_slice large;
  ASSERT_OK(quire_get(held, keys, "large", 5, &large));
  for (int round = 0; round < 5; ++round) {
    quire_txn* txn = write();
    for (int i = 0; i < 200; ++i)
      ASSERT_OK(put(txn, keys, "k" + std::to_string(i),
                    std::string(110, static_cast<char>('A' + round))));
    ASSERT_OK(put(txn, keys, "large", std::string(300'000, static_cast<char>('A' + round))));
    ASSERT_OK(quire_commit(txn));
    if (round % 2 == 1) {
      ASSERT_OK(quire_checkpoint(db));
    }
  }
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(text(slices[static_cast<std::size_t>(i)]),
              "value " + std::to_string(i) + std::string(100, '.'));
  EXPECT_EQ(text(large), std::string(300'000, 'x'));
  quire_abort(held);
}

// So does that of a write transaction until its next change.
TEST_F(Transaction, BorrowedMemoryOfAWriterStaysUntilItsNextChange) {
  for (int i = 0; i < 500; ++i) commit_put("k" + std::to_string(i), std::string(50, 'a'));
  quire_txn* txn = write();
  ASSERT_OK(put(txn, keys, "k1", std::string(50, 'b')));
  quire_slice own;
  quire_slice old;
  ASSERT_OK(quire_get(txn, keys, "k1", 2, &own));
  ASSERT_OK(quire_get(txn, keys, "k2", 2, &old));
  ASSERT_OK(quire_checkpoint(db));  // another's work must not move it
  EXPECT_EQ(text(own), std::string(50, 'b'));
  EXPECT_EQ(text(old), std::string(50, 'a'));
  quire_abort(txn);
}

TEST_F(Transaction, EachDurabilityCommits) {
  std::uint64_t last = 0;
  for (const std::uint32_t durability :
       {QUIRE_DURABILITY_DEFAULT, QUIRE_DURABILITY_ALWAYS, QUIRE_DURABILITY_BATCH,
        QUIRE_DURABILITY_OS, QUIRE_DURABILITY_NONE}) {
    quire_txn* txn = write();
    ASSERT_OK(put(txn, keys, "k", std::to_string(durability)));
    std::uint64_t lsn = 0;
    ASSERT_OK(quire_commit_ex(txn, durability, &lsn));
    EXPECT_GT(lsn, last);
    last = lsn;
    txn = read();
    EXPECT_EQ(get(txn, keys, "k"), std::to_string(durability));
    std::uint64_t of_read = 0;
    ASSERT_OK(quire_commit_ex(txn, durability, &of_read));
    EXPECT_EQ(of_read, lsn);
  }
  quire_txn* txn = write();
  EXPECT_CODE(quire_commit_ex(txn, 9, nullptr), QUIRE_ERR_INVALID);
  ASSERT_OK(quire_commit(txn));  // it was not ended by that
  ASSERT_OK(quire_wait_durable(db, last));
  quire_stat stat{};
  stat.size = sizeof stat;
  ASSERT_OK(quire_get_stat(db, &stat));
  EXPECT_GE(stat.durable_lsn, last);
  EXPECT_CODE(quire_wait_durable(db, last + 100), QUIRE_ERR_INVALID);
  ASSERT_OK(quire_sync(db));
}

TEST_F(Transaction, ACommitWithoutChangesIsNotACommit) {
  std::uint64_t before = 0;
  ASSERT_OK(quire_latest(db, &before, nullptr));
  quire_txn* txn = write();
  ASSERT_OK(quire_commit(txn));
  std::uint64_t after = 0;
  std::uint64_t lsn = 0;
  ASSERT_OK(quire_latest(db, &after, &lsn));
  EXPECT_EQ(before, after);
  EXPECT_OK(quire_latest(db, nullptr, nullptr));
}

TEST_F(Transaction, WaitCommitWaitsForTheNextCommit) {
  std::uint64_t now = 0;
  ASSERT_OK(quire_latest(db, &now, nullptr));
  std::uint64_t newest = 0;
  EXPECT_OK(quire_wait_commit(db, now - 1, 0, &newest));
  EXPECT_EQ(newest, now);
  EXPECT_CODE(quire_wait_commit(db, now, 0, &newest), QUIRE_ERR_TIMEOUT);
  EXPECT_CODE(quire_wait_commit(db, now, 30, &newest), QUIRE_ERR_TIMEOUT);
  std::thread later([this] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    commit_put("k", "v");
  });
  EXPECT_OK(quire_wait_commit(db, now, UINT32_MAX, &newest));
  EXPECT_GT(newest, now);
  later.join();
}

// The same while a second database handle, with an attachment of its own, is there.
TEST_F(Transaction, WaitCommitWakesBesideOtherAttachments) {
  ASSERT_OK(quire_close(db));
  const quire_open_options read_only = open_options(QUIRE_OPEN_READ_ONLY);
  quire_db* reader = nullptr;
  ASSERT_OK(quire_open(path().c_str(), &read_only, &reader));
  open();
  for (quire_db* waiter : {db, reader}) {
    std::uint64_t now = 0;
    std::uint64_t newest = 0;
    ASSERT_OK(quire_latest(db, &now, nullptr));
    std::thread later([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      commit_put("k", "v");
    });
    EXPECT_OK(quire_wait_commit(waiter, now, 20'000, &newest));
    later.join();
  }
  EXPECT_OK(quire_close(reader));
}

TEST_F(Transaction, WritersTakeTurnsInTheOrderTheyCame) {
  quire_txn* first = write();
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (int i = 0; i < 5; ++i) {
    threads.emplace_back([&, i] {
      quire_txn* txn = write();
      {
        const std::scoped_lock lock(mutex);
        order.push_back(i);
      }
      ASSERT_OK(put(txn, keys, "k" + std::to_string(i), "v"));
      EXPECT_OK(quire_commit(txn));
    });
    // Each is in the queue, with much to spare, before the next.
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_TRUE(order.empty());
  ASSERT_OK(quire_commit(first));
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

// A transaction over the log's budget, and over the memory's, commits by checkpoint.
TEST_F(Transaction, ATransactionLargerThanItsBudgetsCommits) {
  quire_open_options options = open_options();
  options.log_budget_bytes = 256 << 10;
  options.private_bytes = 1 << 20;
  reopen(options);
  quire_txn* held = read();
  quire_txn* txn = write();
  for (int i = 0; i < 20'000; ++i)
    ASSERT_OK(put(txn, keys, "key " + std::to_string(i * 7919 % 20'000), std::string(300, 'x')));
  ASSERT_OK(quire_commit(txn));
  std::uint64_t count = 0;
  ASSERT_OK(quire_count(held, keys, nullptr, nullptr, &count));
  EXPECT_EQ(count, 0u);
  ASSERT_OK(quire_renew(held));
  ASSERT_OK(quire_count(held, keys, nullptr, nullptr, &count));
  EXPECT_EQ(count, 20'000u);
  quire_abort(held);
  EXPECT_OK(quire_check(db, nullptr, nullptr));
  commit_put("after", "v");
  reopen();
  txn = read();
  EXPECT_EQ(get(txn, keys, "after"), "v");
  EXPECT_EQ(get(txn, keys, "key 19999"), std::string(300, 'x'));
  quire_abort(txn);
}

// Check runs beside writers: it neither waits for them to rest nor takes their work for damage.
TEST_F(Transaction, CheckRunsBesideWriters) {
  quire_open_options options = open_options();
  options.log_budget_bytes = 64 << 10;  // now and then a commit by checkpoint
  options.private_bytes = 1 << 20;
  reopen(options);
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int thread = 0; thread < 3; ++thread) {
    writers.emplace_back([&, thread] {
      for (int i = 0; !stop.load(); ++i) {
        quire_txn* txn = write();
        for (int j = 0; j < (i % 20 == 10 ? 1000 : 5); ++j)
          ASSERT_OK(
              put(txn, keys, std::to_string((i * 31 + j * 977) % 3000), std::string(200, 'x')));
        ASSERT_OK(quire_commit_ex(txn, thread == 0 ? QUIRE_DURABILITY_OS : QUIRE_DURABILITY_ALWAYS,
                                  nullptr));
      }
    });
  }
  const auto note = [](void*, const char* words) {
    ADD_FAILURE() << words;
    return 0;
  };
  for (int i = 0; i < 10; ++i) EXPECT_OK(quire_check(db, note, nullptr));
  stop.store(true);
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace quire::test
