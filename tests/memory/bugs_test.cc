// What ending memory at every allocation found (allocation_test.cc), each for itself and by its
// name.
#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "failing_memory.h"
// First: the others call the library.
#include "library_calls.h"

#include "../capi/capi_world.h"

namespace quire::test {
namespace {

class MemoryBugs : public ::testing::Test {
 protected:
  MemoryBugs() {
    options_ = open_options(QUIRE_OPEN_CREATE | QUIRE_OPEN_NO_BACKGROUND);
    options_.log_budget_bytes = 20'000;
    open();
    commit([](quire_txn*, quire_keyspace) { return QUIRE_OK; });
  }
  ~MemoryBugs() override { (void)quire_close(db_); }

  void open() { ASSERT_OK(quire_open(path_.c_str(), &options_, &db_)); }
  void reopen() {
    (void)quire_close(db_);
    db_ = nullptr;
    open();
  }

  using Change = std::function<int(quire_txn*, quire_keyspace)>;
  void commit(const Change& change) {
    quire_txn* txn = nullptr;
    quire_keyspace keys = 0;
    ASSERT_OK(quire_begin(db_, QUIRE_WRITE, &txn));
    ASSERT_OK(quire_keyspace_open(txn, "keys", QUIRE_CREATE, &keys));
    ASSERT_OK(change(txn, keys));
    ASSERT_OK(quire_commit(txn));
  }
  std::uint64_t count() {
    quire_txn* txn = nullptr;
    quire_keyspace keys = 0;
    std::uint64_t found = 0;
    EXPECT_OK(quire_begin(db_, QUIRE_READ, &txn));
    EXPECT_OK(quire_keyspace_open(txn, "keys", 0, &keys));
    EXPECT_OK(quire_count(txn, keys, nullptr, nullptr, &found));
    quire_abort(txn);
    return found;
  }

  // Runs `body` with memory that ends at its n-th demand, for each n there is, in both ways.
  static void at_every_demand(const std::function<void()>& before,
                              const std::function<void()>& body,
                              const std::function<void()>& after) {
    for (const memory::Fault fault : {memory::Fault::kOnce, memory::Fault::kFromOn}) {
      for (std::uint64_t n = 1; n < 1000; ++n) {
        before();
        memory::fail_at(n, fault);
        {
          const memory::Step step;
          body();
        }
        const bool refused = memory::refused() != 0;
        memory::fail_at(0, fault);
        after();
        if (!refused || testing::Test::HasFailure()) break;
      }
      ASSERT_FALSE(testing::Test::HasFailure());
    }
  }

  TempDirectory directory_;
  std::string path_ = directory_ / "db";
  quire_open_options options_;
  quire_db* db_ = nullptr;
};

// A change that memory ended in the middle did not break its transaction, whose commit then put
// half of it into the database.
TEST_F(MemoryBugs, HalfAChangeCouldBeCommitted) {
  quire_txn* txn = nullptr;
  quire_keyspace keys = 0;
  int code = QUIRE_OK;
  std::uint64_t there = 0;
  const std::string value(3000, 'v');
  at_every_demand(
      [&] {
        there = count();
        ASSERT_OK(quire_begin(db_, QUIRE_WRITE, &txn));
        ASSERT_OK(quire_keyspace_open(txn, "keys", 0, &keys));
      },
      [&] {
        for (std::uint64_t i = 0; i < 4 && (i == 0 || code == QUIRE_OK); ++i) {
          const std::uint64_t key = there + i;
          code = quire_put(txn, keys, &key, sizeof key, value.data(), value.size(), 0);
        }
      },
      [&] {
        EXPECT_CODE(quire_commit(txn), code);
        EXPECT_EQ(count(), code == QUIRE_OK ? there + 4 : there);
      });
}

// A commit by checkpoint that memory ended stayed in the list of those that are not visible yet,
// and all that came after waited behind it.
TEST_F(MemoryBugs, ACommitByCheckpointCouldHoldUpAllThatFollow) {
  quire_txn* txn = nullptr;
  int code = QUIRE_OK;
  const std::string value(30'000, 'v');
  at_every_demand(
      [&] {
        quire_keyspace keys = 0;
        ASSERT_OK(quire_begin(db_, QUIRE_WRITE, &txn));
        ASSERT_OK(quire_keyspace_open(txn, "keys", 0, &keys));
        ASSERT_OK(put(txn, keys, "bulk", value));
      },
      [&] { code = quire_commit(txn); },
      [&] {
        const bool poisoned = code == QUIRE_ERR_POISONED;
        EXPECT_TRUE(code == QUIRE_OK || code == QUIRE_ERR_NO_MEMORY || poisoned) << code;
        if (quire_begin(db_, QUIRE_WRITE, &txn) == QUIRE_OK) {
          quire_abort(txn);
        } else {
          reopen();
        }
        const std::uint64_t before = count();
        commit([&](quire_txn* next, quire_keyspace keys) {
          return put(next, keys, "after " + std::to_string(before), "v");
        });
        EXPECT_GT(count(), before);
      });
}

// The handle was counted before there was one: the database stayed open, with its locks, for ever.
TEST_F(MemoryBugs, AnOpenThatFailedStayedOpen) {
  at_every_demand(
      [&] {
        ASSERT_OK(quire_close(db_));
        db_ = nullptr;
      },
      [&] { (void)quire_open(path_.c_str(), &options_, &db_); },
      [&] {
        if (db_ == nullptr) {
          const int file = ::open((path_ + "/data").c_str(), O_RDWR | O_CLOEXEC);
          struct flock range = {};
          range.l_type = F_WRLCK;
          range.l_start = off_t{1} << 62;
          range.l_len = 4096;
          EXPECT_EQ(::fcntl(file, F_OFD_GETLK, &range), 0);
          EXPECT_EQ(range.l_type, F_UNLCK);
          ::close(file);
          open();
        }
      });
}

// A page that could not be read for want of memory counted as damaged.
TEST_F(MemoryBugs, CheckTookMissingMemoryForDamage) {
  commit([](quire_txn* txn, quire_keyspace keys) {
    int code = QUIRE_OK;
    for (int i = 0; i < 200 && code == QUIRE_OK; ++i)
      code = put(txn, keys, "key " + std::to_string(i), std::string(80, 'v'));
    return code;
  });
  int code = QUIRE_OK;
  at_every_demand([] {}, [&] { code = quire_check(db_, nullptr, nullptr); },
                  [&] {
                    if (code != QUIRE_OK) {
                      EXPECT_CODE(code, QUIRE_ERR_NO_MEMORY);
                    }
                  });
}

// A cursor's handle, and a savepoint's id, were lost between two lists.
TEST_F(MemoryBugs, ASavepointCouldBeOfTheEngineAlone) {
  quire_txn* txn = nullptr;
  std::uint64_t outer = 0;
  int code = QUIRE_OK;
  at_every_demand([&] { ASSERT_OK(quire_begin(db_, QUIRE_WRITE, &txn)); },
                  [&] {
                    code = quire_savepoint(txn, &outer);
                    for (int i = 0; i < 9 && code == QUIRE_OK; ++i) {
                      std::uint64_t inner = 0;
                      code = quire_savepoint(txn, &inner);
                    }
                  },
                  [&] {
                    if (code == QUIRE_OK) {
                      EXPECT_OK(quire_rollback_to(txn, outer));
                    } else {
                      EXPECT_CODE(code, QUIRE_ERR_NO_MEMORY);
                      EXPECT_CODE(quire_commit(txn), QUIRE_ERR_NO_MEMORY);
                      return;
                    }
                    quire_abort(txn);
                  });
}

}  // namespace
}  // namespace quire::test
