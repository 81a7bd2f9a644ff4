// The ring under write_and_sync. Where the system has none, or with QUIRE_IO=plain, the same must
// come out of the plain path.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "engine/io/sync_ring.h"
#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

TEST(Ring, WritesAndSyncs) {
  auto ring = SyncRing::create();
  if (ring == nullptr) GTEST_SKIP() << "no io_uring here";
  TemporaryDirectory directory;
  const int descriptor = ::open((directory / "f").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  const ByteVector bytes = pattern(100'000);
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(ring->submit(descriptor, 100, bytes));
    const SyncRing::Outcome outcome = ring->wait();
    EXPECT_EQ(outcome.written, 100'000);
    EXPECT_EQ(outcome.synced, 0);
  }
  ::close(descriptor);
  auto file = must(real_disk().open(directory / "f", OpenMode::kRead));
  ByteVector into(bytes.size());
  must(file->read(100, into));
  EXPECT_EQ(into, bytes);
}

TEST(Ring, AFailedWriteCancelsItsSync) {
  auto ring = SyncRing::create();
  if (ring == nullptr) GTEST_SKIP() << "no io_uring here";
  const ByteVector bytes = pattern(100);
  ASSERT_TRUE(ring->submit(-1, 0, bytes));
  const SyncRing::Outcome outcome = ring->wait();
  EXPECT_EQ(outcome.written, -EBADF);
  EXPECT_EQ(outcome.synced, -ECANCELED);
}

TEST(Ring, TheEnvironmentForcesThePlainPath) {
  const char* value = std::getenv("QUIRE_IO");
  if (value == nullptr || std::string(value) != "plain") GTEST_SKIP() << "QUIRE_IO is not plain";
  EXPECT_EQ(SyncRing::create(), nullptr);
}

TEST(Ring, ManyThreadsMayWriteOneFile) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  std::atomic<int> runs = 0;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 10; ++i) {
        const ByteVector bytes = pattern(3000, t * 10 + i);
        must(file->write_and_sync((t * 10 + i) * 3000, bytes, [&] { ++runs; }));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(runs, 40);
  for (unsigned i = 0; i < 40; ++i) {
    ByteVector into(3000);
    must(file->read(i * 3000, into));
    EXPECT_EQ(into, pattern(3000, i)) << i;
  }
}

TEST(Ring, ThrowingWorkWaitsForTheWrite) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  const auto work = [] { throw std::runtime_error("work"); };
  EXPECT_THROW(std::ignore = file->write_and_sync(0, pattern(5000), work), std::runtime_error);
  must(file->write_and_sync(0, pattern(5000), [] {}));
  EXPECT_EQ(contents(*file), pattern(5000));
}

TEST(Ring, WorkInTheMeantimeMayUseTheSameFile) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  must(file->write_and_sync(0, pattern(1000, 1),
                            [&] { must(file->write_and_sync(1000, pattern(1000, 2), [] {})); }));
  ByteVector expected = pattern(1000, 1);
  const ByteVector more = pattern(1000, 2);
  expected.insert(expected.end(), more.begin(), more.end());
  EXPECT_EQ(contents(*file), expected);
}

TEST(Ring, TheParentGoesOnAfterAFork) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  must(file->write_and_sync(0, pattern(1000, 1), [] {}));
  const pid_t child = ::fork();
  if (child == 0) {
    file->close_in_child();
    file.reset();
    ::_exit(0);
  }
  must(file->write_and_sync(0, pattern(1000, 2), [] {}));
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  must(file->write_and_sync(1000, pattern(1000, 3), [] {}));
  EXPECT_EQ(must(file->size()), 2000U);
}

}  // namespace
}  // namespace quire::io
