// Locks on ranges of bytes: on both disks, then between processes.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

// Far past any file, as the places of readers are.
constexpr std::uint64_t kFar = std::uint64_t{1} << 62;

class LockOnBoth : public BothDisks {
 protected:
  std::unique_ptr<File> open() { return must(disk().open(at("f"), OpenMode::kOpenOrCreate)); }
};

TEST_P(LockOnBoth, AnExclusiveLockKeepsOthersOut) {
  auto first = open();
  auto second = open();
  EXPECT_TRUE(must(first->try_lock(kFar, 10, LockMode::kExclusive)));
  EXPECT_FALSE(must(second->try_lock(kFar + 9, 1, LockMode::kExclusive)));
  EXPECT_FALSE(must(second->try_lock(kFar, 1, LockMode::kShared)));
  EXPECT_TRUE(must(second->try_lock(kFar + 10, 1, LockMode::kExclusive)));
  EXPECT_TRUE(must(second->locked_elsewhere(0, kFar + 1)));
  EXPECT_FALSE(must(second->locked_elsewhere(0, kFar)));
  EXPECT_FALSE(must(second->locked_elsewhere(kFar + 10, 1)));
}

TEST_P(LockOnBoth, SharedLocksGoTogetherAndKeepWritersOut) {
  auto first = open();
  auto second = must(disk().open(at("f"), OpenMode::kRead));
  EXPECT_TRUE(must(first->try_lock(5, 1, LockMode::kShared)));
  EXPECT_TRUE(must(second->try_lock(5, 1, LockMode::kShared)));
  EXPECT_FALSE(must(first->try_lock(5, 1, LockMode::kExclusive)));
  EXPECT_TRUE(must(first->locked_elsewhere(5, 1)));
  must(second->unlock(5, 1));
  EXPECT_TRUE(must(first->try_lock(5, 1, LockMode::kExclusive)));
}

TEST_P(LockOnBoth, ALockDoesNotConflictWithItsOwnFile) {
  auto file = open();
  EXPECT_TRUE(must(file->try_lock(0, 10, LockMode::kExclusive)));
  EXPECT_FALSE(must(file->locked_elsewhere(0, 10)));
  EXPECT_TRUE(must(file->try_lock(5, 10, LockMode::kShared)));
  auto other = open();
  // [0, 5) stayed exclusive, [5, 15) became shared.
  EXPECT_FALSE(must(other->try_lock(4, 1, LockMode::kShared)));
  EXPECT_TRUE(must(other->try_lock(5, 10, LockMode::kShared)));
}

TEST_P(LockOnBoth, UnlockMayFreeTheMiddle) {
  auto file = open();
  auto other = open();
  EXPECT_TRUE(must(file->try_lock(0, 30, LockMode::kExclusive)));
  must(file->unlock(10, 10));
  EXPECT_TRUE(must(other->try_lock(10, 10, LockMode::kExclusive)));
  EXPECT_FALSE(must(other->try_lock(9, 1, LockMode::kExclusive)));
  EXPECT_FALSE(must(other->try_lock(20, 1, LockMode::kExclusive)));
}

TEST_P(LockOnBoth, ClosingDropsItsOwnLocksOnly) {
  auto first = open();
  auto second = open();
  EXPECT_TRUE(must(first->try_lock(0, 1, LockMode::kExclusive)));
  EXPECT_TRUE(must(second->try_lock(1, 1, LockMode::kExclusive)));
  open();  // closed at once; POSIX record locks would all be gone now
  auto third = open();
  EXPECT_TRUE(must(third->locked_elsewhere(0, 1)));
  first.reset();
  EXPECT_FALSE(must(third->locked_elsewhere(0, 1)));
  EXPECT_TRUE(must(third->locked_elsewhere(1, 1)));
}

TEST_P(LockOnBoth, LocksOfOtherFilesDoNotMatter) {
  auto file = open();
  auto other = create("g");
  EXPECT_TRUE(must(file->try_lock(0, 1, LockMode::kExclusive)));
  EXPECT_TRUE(must(other->try_lock(0, 1, LockMode::kExclusive)));
}

TEST_P(LockOnBoth, EmptyAndEndlessRangesAreRefused) {
  auto file = open();
  EXPECT_EQ(code_of(file->try_lock(0, 0, LockMode::kShared)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->try_lock(UINT64_MAX, 2, LockMode::kShared)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->unlock(kFar, UINT64_MAX)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->locked_elsewhere(0, 0)), ErrorCode::kInvalid);
  EXPECT_TRUE(must(file->try_lock(INT64_MAX - 1, 1, LockMode::kExclusive)));
}

QUIRE_TEST_BOTH_DISKS(LockOnBoth);

// Runs in a child; its exit status says whether `check` held.
template <class Check>
bool holds_in_child(Check check) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check() ? 0 : 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(LockBetweenProcesses, AnotherProcessSeesIt) {
  TemporaryDirectory directory;
  const std::string path = directory / "f";
  auto file = must(real_disk().open(path, OpenMode::kCreate));
  EXPECT_TRUE(must(file->try_lock(kFar, 1, LockMode::kExclusive)));
  const auto refused = [&] {
    auto own = must(real_disk().open(path, OpenMode::kReadWrite));
    return !must(own->try_lock(kFar, 1, LockMode::kExclusive)) &&
           must(own->locked_elsewhere(kFar, 1));
  };
  EXPECT_TRUE(holds_in_child(refused));
  must(file->unlock(kFar, 1));
  EXPECT_FALSE(holds_in_child(refused));
}

TEST(LockBetweenProcesses, DiesWithItsProcess) {
  TemporaryDirectory directory;
  const std::string path = directory / "f";
  auto file = must(real_disk().open(path, OpenMode::kCreate));
  EXPECT_TRUE(holds_in_child([&] {
    auto own = must(real_disk().open(path, OpenMode::kReadWrite));
    if (!must(own->try_lock(0, 1, LockMode::kExclusive))) return false;
    own.release();  // as if killed: nothing is closed by hand
    return true;
  }));
  EXPECT_TRUE(must(file->try_lock(0, 1, LockMode::kExclusive)));
}

TEST(LockBetweenProcesses, AChildThatClosesLeavesTheParentsLock) {
  TemporaryDirectory directory;
  const std::string path = directory / "f";
  auto file = must(real_disk().open(path, OpenMode::kCreate));
  EXPECT_TRUE(must(file->try_lock(0, 1, LockMode::kExclusive)));
  EXPECT_TRUE(holds_in_child([&] {
    file->close_in_child();
    return true;
  }));
  auto other = must(real_disk().open(path, OpenMode::kReadWrite));
  EXPECT_TRUE(must(other->locked_elsewhere(0, 1)));
}

TEST(LockBetweenProcesses, TheParentMayDropItWhileTheChildHasClosed) {
  TemporaryDirectory directory;
  const std::string path = directory / "f";
  auto file = must(real_disk().open(path, OpenMode::kCreate));
  EXPECT_TRUE(must(file->try_lock(0, 1, LockMode::kExclusive)));
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready) + ::pipe(done), 0);
  const pid_t child = ::fork();
  char byte = 0;
  if (child == 0) {
    file->close_in_child();
    ::close(done[1]);
    const bool told = ::write(ready[1], "x", 1) == 1;
    const bool asked = ::read(done[0], &byte, 1) == 0;
    ::_exit(told && asked ? 0 : 1);
  }
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  file.reset();
  auto other = must(real_disk().open(path, OpenMode::kReadWrite));
  EXPECT_FALSE(must(other->locked_elsewhere(0, 1)));
  for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace quire::io
