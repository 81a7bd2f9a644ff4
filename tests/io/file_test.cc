// Reading, writing and sizes, on both disks; then what only the machine can show.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/io/descriptor.h"
#include "tests/io/io_test_util.h"

namespace quire::io {
namespace {

class FileOnBoth : public BothDisks {};

TEST_P(FileOnBoth, ReadsBackWhatWasWritten) {
  auto file = create("f");
  const ByteVector bytes = pattern(100'000);
  must(file->write(0, bytes));
  must(file->sync());
  EXPECT_EQ(contents(*file), bytes);
  EXPECT_EQ(must(file->size()), bytes.size());
  EXPECT_EQ(file->path(), at("f"));
  EXPECT_TRUE(file->writable());
}

TEST_P(FileOnBoth, WriteInTheMiddleLeavesTheRest) {
  auto file = create("f");
  ByteVector bytes = pattern(5000);
  must(file->write(0, bytes));
  const ByteVector patch = pattern(700, 2);
  must(file->write(1000, patch));
  std::ranges::copy(patch, bytes.begin() + 1000);
  EXPECT_EQ(contents(*file), bytes);
}

TEST_P(FileOnBoth, WritePastTheEndLeavesAHoleOfZeros) {
  auto file = create("f");
  must(file->write(10'000, as_bytes("end")));
  const ByteVector bytes = contents(*file);
  EXPECT_EQ(bytes.size(), 10'003U);
  EXPECT_EQ(ByteVector(bytes.begin(), bytes.begin() + 10'000), ByteVector(10'000));
}

TEST_P(FileOnBoth, ReadPastTheEndIsTruncatedAndSaysWhere) {
  auto file = create("f");
  must(file->write(0, pattern(100)));
  ByteVector into(64);
  const Status status = file->read(50, into);
  EXPECT_EQ(code_of(status), ErrorCode::kTruncated);
  EXPECT_NE(words_of(status).find("read 64 bytes at 50 of " + at("f")), std::string::npos);
  EXPECT_EQ(code_of(file->read(1000, into)), ErrorCode::kTruncated);
}

TEST_P(FileOnBoth, ReadSomeStopsAtTheEnd) {
  auto file = create("f");
  must(file->write(0, pattern(100)));
  ByteVector into(64);
  EXPECT_EQ(must(file->read_some(0, into)), 64U);
  EXPECT_EQ(must(file->read_some(90, into)), 10U);
  EXPECT_EQ(must(file->read_some(100, into)), 0U);
  EXPECT_EQ(must(file->read_some(1 << 20, into)), 0U);
}

TEST_P(FileOnBoth, WriteGatherWritesThePiecesInOrder) {
  auto file = create("f");
  // More pieces than one call takes, with empty ones at both ends and between.
  std::vector<ByteVector> pieces;
  ByteVector whole;
  for (unsigned i = 0; i < 1500; ++i) {
    pieces.push_back(pattern(i % 7 == 0 ? 0 : i % 301, i));
    whole.insert(whole.end(), pieces.back().begin(), pieces.back().end());
  }
  pieces.emplace_back();
  const std::vector<Bytes> views(pieces.begin(), pieces.end());
  must(file->write_gather(0, views));
  EXPECT_EQ(contents(*file), whole);
  must(file->write_gather(0, {}));
}

TEST_P(FileOnBoth, ResizeCutsAndExtendsWithZeros) {
  auto file = create("f");
  must(file->write(0, filled(10'000, 'x')));
  must(file->resize(100));
  EXPECT_EQ(must(file->size()), 100U);
  must(file->resize(9000));
  ByteVector expected = filled(100, 'x');
  expected.resize(9000);
  EXPECT_EQ(contents(*file), expected);
}

TEST_P(FileOnBoth, AllocateExtendsAndKeepsWhatIsThere) {
  auto file = create("f");
  const ByteVector bytes = pattern(5000);
  must(file->write(0, bytes));
  must(file->allocate(4096, 100'000));
  EXPECT_EQ(must(file->size()), 104'096U);
  ByteVector head(5000);
  must(file->read(0, head));
  EXPECT_EQ(head, bytes);
  must(file->allocate(0, 10));
  EXPECT_EQ(must(file->size()), 104'096U);
}

TEST_P(FileOnBoth, WriteAndSyncRunsTheWorkOnce) {
  auto file = create("f");
  const ByteVector bytes = pattern(50'000);
  int runs = 0;
  must(file->write_and_sync(100, bytes, [&] { ++runs; }));
  EXPECT_EQ(runs, 1);
  must(file->write_and_sync(0, Bytes(bytes).first(100), {}));
  must(file->write_and_sync(0, {}, [&] { ++runs; }));
  EXPECT_EQ(runs, 2);
  ByteVector into(bytes.size());
  must(file->read(100, into));
  EXPECT_EQ(into, bytes);
}

TEST_P(FileOnBoth, AReadOnlyFileRefusesEveryChange) {
  create("f");
  auto file = must(disk().open(at("f"), OpenMode::kRead));
  EXPECT_FALSE(file->writable());
  EXPECT_EQ(code_of(file->write(0, as_bytes("x"))), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(file->write_gather(0, {})), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(file->write_and_sync(0, as_bytes("x"), [] {})), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(file->resize(1)), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(file->allocate(0, 1)), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(file->map_shared(4096)), ErrorCode::kReadOnly);
  EXPECT_EQ(code_of(file->try_lock(0, 1, LockMode::kExclusive)), ErrorCode::kReadOnly);
}

TEST_P(FileOnBoth, OffsetsPastTheLargestAreRefused) {
  auto file = create("f");
  EXPECT_EQ(code_of(file->write(UINT64_MAX - 1, as_bytes("xyz"))), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->resize(UINT64_MAX)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file->allocate(UINT64_MAX, 2)), ErrorCode::kInvalid);
}

TEST_P(FileOnBoth, IdentityTellsFilesApart) {
  auto first = create("a");
  auto again = must(disk().open(at("a"), OpenMode::kRead));
  auto other = create("b");
  EXPECT_EQ(must(first->identity()), must(again->identity()));
  EXPECT_NE(must(first->identity()), must(other->identity()));
  must(disk().rename(at("a"), at("c")));
  EXPECT_EQ(must(must(disk().open(at("c"), OpenMode::kRead))->identity()), must(first->identity()));
}

TEST_P(FileOnBoth, AClosedChildHandleFails) {
  auto file = create("f");
  file->close_in_child();
  EXPECT_FALSE(file->write(0, as_bytes("x")).has_value());
  EXPECT_FALSE(file->size().has_value());
}

QUIRE_TEST_BOTH_DISKS(FileOnBoth);

TEST(File, IsClosedOnExec) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  const auto inode = must(file->identity()).inode;
  bool found = false;
  for (int descriptor = 3; descriptor < 256; ++descriptor) {
    struct stat status;
    if (::fstat(descriptor, &status) != 0 || status.st_ino != inode) continue;
    found = true;
    EXPECT_NE(::fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_TRUE(found);
}

TEST(File, AFullDeviceIsAnErrorThatNamesTheWrite) {
  auto file = must(real_disk().open("/dev/full", OpenMode::kReadWrite));
  const Status status = file->write(4096, pattern(8192));
  EXPECT_EQ(code_of(status), ErrorCode::kFull);
  EXPECT_NE(words_of(status).find("write 8192 bytes at 4096 to /dev/full"), std::string::npos)
      << words_of(status);
  const ByteVector piece = pattern(10);
  const std::vector<Bytes> pieces{piece, piece};
  EXPECT_EQ(code_of(file->write_gather(0, pieces)), ErrorCode::kFull);
  int runs = 0;
  EXPECT_EQ(code_of(file->write_and_sync(0, piece, [&] { ++runs; })), ErrorCode::kFull);
  EXPECT_EQ(runs, 1);
}

// The largest size of a file, lowered: writes come back short, then fail.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) : before_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    rlimit lower = limit_;
    lower.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    ::signal(SIGXFSZ, before_);
  }

 private:
  sighandler_t before_;
  rlimit limit_{};
};

TEST(File, AShortWriteIsContinuedAndItsFailureReported) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  const FileLimit limit(10'000);
  EXPECT_EQ(code_of(file->write(0, pattern(20'000))), ErrorCode::kFull);
  EXPECT_EQ(must(file->size()), 10'000U);
  EXPECT_EQ(code_of(file->allocate(0, 20'000)), ErrorCode::kFull);
  EXPECT_EQ(code_of(file->resize(20'000)), ErrorCode::kFull);
  must(file->write(0, pattern(10'000)));
}

TEST(File, AShortWriteThroughTheRingFailsToo) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  const FileLimit limit(10'000);
  int runs = 0;
  EXPECT_EQ(code_of(file->write_and_sync(0, pattern(20'000), [&] { ++runs; })), ErrorCode::kFull);
  EXPECT_EQ(code_of(file->write_and_sync(10'000, pattern(10), [&] { ++runs; })), ErrorCode::kFull);
  EXPECT_EQ(runs, 2);
  must(file->write_and_sync(0, pattern(10'000), [&] { ++runs; }));
  EXPECT_EQ(contents(*file), pattern(10'000));
}

TEST(File, AllocatedSpaceIsBacked) {
  TemporaryDirectory directory;
  auto file = must(real_disk().open(directory / "f", OpenMode::kCreate));
  must(file->allocate(0, 1 << 20));
  struct stat status;
  ASSERT_EQ(::stat((directory / "f").c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 1 << 20);
}

TEST(File, AllocationByWritingFillsHolesAndKeepsData) {
  TemporaryDirectory directory;
  const std::string path = directory / "f";
  auto file = must(real_disk().open(path, OpenMode::kCreate));
  const ByteVector bytes = pattern(4096);
  must(file->resize(1 << 20));
  must(file->write(128 * 1024, bytes));
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(descriptor, 0);
  must(allocate_by_writing(descriptor, 4096, 2 << 20, path));
  ::close(descriptor);
  EXPECT_EQ(must(file->size()), (2U << 20) + 4096);
  struct stat status;
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_GE(status.st_blocks * 512, 2 << 20);
  ByteVector into(4096);
  must(file->read(128 * 1024, into));
  EXPECT_EQ(into, bytes);
  must(file->read(64 * 1024, into));
  EXPECT_EQ(into, ByteVector(4096));
}

TEST(File, SyncOfWhatCannotBeSyncedFails) {
  // A pipe-like device: fdatasync says EINVAL.
  auto file = must(real_disk().open("/dev/full", OpenMode::kReadWrite));
  EXPECT_EQ(code_of(file->sync()), ErrorCode::kInvalid);
}

}  // namespace
}  // namespace quire::io
