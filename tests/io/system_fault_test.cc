// What the system may answer to a call of the real disk, and seldom does: interrupted, short, full,
// unknown. The functions that the library calls are replaced by ones that give such answers when
// they are told to, and else go on to the system.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cstdarg>
#include <functional>
#include <string_view>

#ifdef QUIRE_HAVE_URING
#include <liburing.h>
#endif

#include "engine/io/descriptor.h"
#include "engine/io/sync_ring.h"
#include "tests/io/io_test_util.h"

namespace {

// The answers to come: of the calls with this name the first `pass` go through, then `times` get
// it.
struct Answer {
  std::string_view call;
  int error = 0;         // errno; 0: the call is done, in part
  std::size_t most = 1;  // bytes of a call that is done in part
  int pass = 0;
  int times = 1;
};
Answer* coming = nullptr;
int given = 0;

// Whether this call gets the answer that is to come.
const Answer* answer_to(std::string_view call) {
  if (coming == nullptr || coming->call != call || coming->times == 0) return nullptr;
  if (coming->pass > 0) {
    --coming->pass;
    return nullptr;
  }
  --coming->times;
  ++given;
  if (coming->error != 0) errno = coming->error;
  return coming;
}

template <class Function>
Function system_function(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t pread64(int descriptor, void* into, size_t size, off64_t offset) {
  static const auto real = system_function<ssize_t (*)(int, void*, size_t, off64_t)>("pread64");
  const Answer* const answer = answer_to("pread");
  if (answer != nullptr && answer->error != 0) return -1;
  return real(descriptor, into, answer != nullptr ? std::min(size, answer->most) : size, offset);
}
ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t offset) {
  static const auto real =
      system_function<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  const Answer* const answer = answer_to("pwrite");
  if (answer != nullptr && answer->error != 0) return -1;
  return real(descriptor, from, answer != nullptr ? std::min(size, answer->most) : size, offset);
}
ssize_t pwritev64(int descriptor, const iovec* pieces, int count, off64_t offset) {
  static const auto real =
      system_function<ssize_t (*)(int, const iovec*, int, off64_t)>("pwritev64");
  const Answer* const answer = answer_to("pwritev");
  if (answer == nullptr) return real(descriptor, pieces, count, offset);
  if (answer->error != 0) return -1;
  iovec first = pieces[0];
  first.iov_len = std::min(first.iov_len, answer->most);
  return real(descriptor, &first, 1, offset);
}
int fdatasync(int descriptor) {
  static const auto real = system_function<int (*)(int)>("fdatasync");
  return answer_to("fdatasync") != nullptr ? -1 : real(descriptor);
}
int fsync(int descriptor) {
  static const auto real = system_function<int (*)(int)>("fsync");
  return answer_to("fsync") != nullptr ? -1 : real(descriptor);
}
int fallocate64(int descriptor, int mode, off64_t offset, off64_t size) {
  static const auto real = system_function<int (*)(int, int, off64_t, off64_t)>("fallocate64");
  return answer_to("fallocate") != nullptr ? -1 : real(descriptor, mode, offset, size);
}
int ftruncate64(int descriptor, off64_t size) noexcept {
  static const auto real = system_function<int (*)(int, off64_t)>("ftruncate64");
  return answer_to("ftruncate") != nullptr ? -1 : real(descriptor, size);
}
off64_t lseek64(int descriptor, off64_t offset, int whence) noexcept {
  static const auto real = system_function<off64_t (*)(int, off64_t, int)>("lseek64");
  if (answer_to(whence == SEEK_DATA ? "seek data" : "seek hole") != nullptr) return -1;
  return real(descriptor, offset, whence);
}
int fstat64(int descriptor, struct stat64* status) noexcept {
  static const auto real = system_function<int (*)(int, struct stat64*)>("fstat64");
  return answer_to("fstat") != nullptr ? -1 : real(descriptor, status);
}
int stat64(const char* path, struct stat64* status) noexcept {
  static const auto real = system_function<int (*)(const char*, struct stat64*)>("stat64");
  return answer_to("stat") != nullptr ? -1 : real(path, status);
}
int statfs64(const char* path, struct statfs64* status) noexcept {
  static const auto real = system_function<int (*)(const char*, struct statfs64*)>("statfs64");
  const Answer* const answer = answer_to("statfs");
  if (answer == nullptr) return real(path, status);
  if (answer->error != 0) return -1;
  const int result = real(path, status);
  status->f_type = 0x6969;  // nfs
  return result;
}
int eaccess(const char* path, int mode) noexcept {
  static const auto real = system_function<int (*)(const char*, int)>("eaccess");
  return answer_to("eaccess") != nullptr ? -1 : real(path, mode);
}
struct dirent64* readdir64(DIR* directory) {
  static const auto real = system_function<struct dirent64* (*)(DIR*)>("readdir64");
  return answer_to("readdir") != nullptr ? nullptr : real(directory);
}
int open64(const char* path, int flags, ...) {
  static const auto real = system_function<int (*)(const char*, int, ...)>("open64");
  va_list arguments;
  va_start(arguments, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(arguments, int) : 0;
  va_end(arguments);
  return answer_to("open") != nullptr ? -1 : real(path, flags, mode);
}
int fcntl64(int descriptor, int command, ...) {
  static const auto real = system_function<int (*)(int, int, ...)>("fcntl64");
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return answer_to("fcntl") != nullptr ? -1 : real(descriptor, command, argument);
}

#ifdef QUIRE_HAVE_URING
int io_uring_queue_init(unsigned entries, io_uring* ring, unsigned flags) {
  static const auto real =
      system_function<int (*)(unsigned, io_uring*, unsigned)>("io_uring_queue_init");
  const Answer* const answer = answer_to("ring init");
  return answer != nullptr ? -answer->error : real(entries, ring, flags);
}
int io_uring_submit(io_uring* ring) {
  static const auto real = system_function<int (*)(io_uring*)>("io_uring_submit");
  const Answer* const answer = answer_to("ring submit");
  return answer != nullptr ? -answer->error : real(ring);
}
#endif

}  // extern "C"

namespace quire::io {
namespace {

class SystemFault : public testing::Test {
 protected:
  SystemFault() : path_(directory_ / "f") {
    file_ = must(real_disk().open(path_, OpenMode::kCreate));
    must(file_->write(0, pattern(10'000)));
  }
  // What the function returns when a call inside gets the answer, at least once.
  template <class Function>
  auto with(Answer answer, Function&& function) {
    given = 0;
    coming = &answer;
    auto result = function();
    coming = nullptr;
    EXPECT_GT(given, 0) << answer.call << " was not called";
    return result;
  }
  template <class Function>
  ErrorCode code_with(std::string_view call, int error, Function&& function) {
    return code_of(with({.call = call, .error = error}, function));
  }
  ByteVector content(std::size_t size) {
    ByteVector bytes(size);
    must(file_->read(0, bytes));
    return bytes;
  }

  TemporaryDirectory directory_;
  std::string path_;
  std::unique_ptr<File> file_;
};

TEST_F(SystemFault, WhatIsInterruptedIsDoneAgain) {
  const auto interrupted = [&](std::string_view call, const std::function<Status()>& function) {
    const Status done = with({.call = call, .error = EINTR, .times = 3}, function);
    EXPECT_TRUE(done.has_value()) << call << ": " << words_of(done);
  };
  ByteVector into(5000);
  const ByteVector bytes = pattern(3000, 2);
  const Bytes pieces[] = {Bytes(bytes).first(1000), Bytes(bytes).subspan(1000)};
  interrupted("pread", [&] { return file_->read(0, into); });
  EXPECT_TRUE(equal_bytes(into, Bytes(content(10'000)).first(5000)));
  interrupted("pwrite", [&] { return file_->write(0, bytes); });
  EXPECT_EQ(content(3000), bytes);
  interrupted("pwritev", [&] { return file_->write_gather(3000, pieces); });
  EXPECT_TRUE(equal_bytes(Bytes(content(6000)).subspan(3000), bytes));
  interrupted("fallocate", [&] { return file_->allocate(0, 20'000); });
  interrupted("ftruncate", [&] { return file_->resize(15'000); });
  interrupted("open", [&]() -> Status {
    QUIRE_CHECK(real_disk().open(path_, OpenMode::kReadWrite));
    return {};
  });
  interrupted("open", [&] { return real_disk().sync_directory(directory_.path()); });
  interrupted("statfs", [&]() -> Status {
    QUIRE_CHECK(real_disk().network_filesystem(path_));
    return {};
  });
  interrupted("fcntl", [&]() -> Status {
    QUIRE_TRY(const bool locked, file_->try_lock(10, 1, LockMode::kExclusive));
    EXPECT_TRUE(locked);
    return {};
  });
  interrupted("fcntl", [&]() -> Status {
    QUIRE_TRY(const bool elsewhere, file_->locked_elsewhere(10, 1));
    EXPECT_FALSE(elsewhere);
    return {};
  });
  interrupted("fcntl", [&] { return file_->unlock(10, 1); });
}

TEST_F(SystemFault, WhatIsDoneInPartIsEnded) {
  const ByteVector bytes = pattern(9000, 3);
  const auto in_part = [&](std::string_view call, const std::function<Status()>& function) {
    const Status done = with({.call = call, .most = 7, .times = 500}, function);
    EXPECT_TRUE(done.has_value()) << words_of(done);
    EXPECT_EQ(content(9000), bytes) << call;
  };
  in_part("pwrite", [&] { return file_->write(0, bytes); });
  must(file_->write(0, pattern(9000, 4)));
  const Bytes all(bytes);
  const Bytes pieces[] = {all.first(10), {}, all.subspan(10, 4000), all.subspan(4010)};
  in_part("pwritev", [&] { return file_->write_gather(0, pieces); });
  ByteVector into(9000);
  must(with({.call = "pread", .most = 13, .times = 400}, [&] { return file_->read(0, into); }));
  EXPECT_EQ(into, bytes);
}

TEST_F(SystemFault, EachErrorIsToldWithItsCode) {
  ByteVector into(100);
  const ByteVector bytes = pattern(100);
  const Bytes pieces[] = {bytes};
  Disk& disk = real_disk();
  const auto read = [&] { return file_->read(0, into); };
  EXPECT_EQ(code_with("pread", EIO, read), ErrorCode::kIo);
  EXPECT_EQ(code_with("pread", EIO, [&] { return file_->read_some(0, into); }), ErrorCode::kIo);
  const auto write = [&] { return file_->write(0, bytes); };
  EXPECT_EQ(code_with("pwrite", EIO, write), ErrorCode::kIo);
  EXPECT_EQ(code_with("pwrite", ENOSPC, write), ErrorCode::kFull);
  EXPECT_EQ(code_with("pwrite", EDQUOT, write), ErrorCode::kFull);
  EXPECT_EQ(code_with("pwrite", EFBIG, write), ErrorCode::kFull);
  EXPECT_EQ(code_with("pwrite", EPERM, write), ErrorCode::kPermission);
  EXPECT_EQ(code_with("pwrite", EROFS, write), ErrorCode::kReadOnly);
  EXPECT_EQ(code_with("pwritev", ENOSPC, [&] { return file_->write_gather(0, pieces); }),
            ErrorCode::kFull);
  // Never tried again: what could not be written may be taken for clean by then.
  const auto sync = [&] { return file_->sync(); };
  EXPECT_EQ(code_with("fdatasync", EIO, sync), ErrorCode::kIo);
  EXPECT_EQ(code_with("fdatasync", EINTR, sync), ErrorCode::kIo);
  EXPECT_EQ(code_with("fallocate", ENOSPC, [&] { return file_->allocate(0, 1000); }),
            ErrorCode::kFull);
  EXPECT_EQ(code_with("ftruncate", EIO, [&] { return file_->resize(5); }), ErrorCode::kIo);
  EXPECT_EQ(code_with("fstat", EIO, [&] { return file_->size(); }), ErrorCode::kIo);
  EXPECT_EQ(code_with("fstat", EIO, [&] { return file_->identity(); }), ErrorCode::kIo);
  const auto open = [&] { return disk.open(path_, OpenMode::kRead); };
  EXPECT_EQ(code_with("open", EMFILE, open), ErrorCode::kTooManyFiles);
  EXPECT_EQ(code_with("open", ENFILE, open), ErrorCode::kTooManyFiles);
  EXPECT_EQ(code_with("open", ENOMEM, open), ErrorCode::kNoMemory);
  EXPECT_EQ(code_with("open", EACCES, open), ErrorCode::kPermission);
  EXPECT_EQ(code_with("open", ENOTDIR, open), ErrorCode::kNotFound);
  EXPECT_EQ(code_with("open", EINVAL, open), ErrorCode::kInvalid);
  EXPECT_EQ(code_with("open", ENOSYS, open), ErrorCode::kNotSupported);
  EXPECT_EQ(code_with("open", EOPNOTSUPP, open), ErrorCode::kNotSupported);
  EXPECT_EQ(code_with("stat", EIO, [&] { return disk.exists(path_); }), ErrorCode::kIo);
  EXPECT_EQ(code_with("stat", EIO, [&] { return disk.is_directory(path_); }), ErrorCode::kIo);
  EXPECT_EQ(code_with("readdir", EIO, [&] { return disk.list(directory_.path()); }),
            ErrorCode::kIo);
  EXPECT_EQ(code_with("statfs", EIO, [&] { return disk.network_filesystem(path_); }),
            ErrorCode::kIo);
  EXPECT_EQ(code_with("eaccess", EIO, [&] { return disk.may_write(path_); }), ErrorCode::kIo);
  const auto lock = [&] { return file_->try_lock(3, 1, LockMode::kShared); };
  EXPECT_EQ(code_with("fcntl", ENOLCK, lock), ErrorCode::kIo);
  EXPECT_EQ(code_with("fcntl", EIO, [&] { return file_->unlock(3, 1); }), ErrorCode::kIo);
  EXPECT_EQ(code_with("fcntl", EIO, [&] { return file_->locked_elsewhere(3, 1); }), ErrorCode::kIo);
  EXPECT_EQ(code_with("fsync", EIO, [&] { return disk.sync_directory(directory_.path()); }),
            ErrorCode::kIo);
  EXPECT_EQ(content(100), bytes);
}

TEST_F(SystemFault, WhatMayBeRefusedIsNoError) {
  Disk& disk = real_disk();
  for (const int error : {EACCES, EPERM, EROFS, ETXTBSY}) {
    const auto may =
        with({.call = "eaccess", .error = error}, [&] { return disk.may_write(path_); });
    EXPECT_FALSE(must(may));
  }
  for (const int error : {EAGAIN, EACCES}) {
    const auto locked = with({.call = "fcntl", .error = error},
                             [&] { return file_->try_lock(3, 1, LockMode::kExclusive); });
    EXPECT_FALSE(must(locked));
  }
  for (const int error : {EINVAL, EBADF}) {
    must(with({.call = "fsync", .error = error},
              [&] { return disk.sync_directory(directory_.path()); }));
  }
  EXPECT_EQ(must(with({.call = "statfs"}, [&] { return disk.network_filesystem(path_); })), "nfs");
}

// Zeros are written where the system can't allocate: what is there stays, holes are filled.
TEST_F(SystemFault, AllocatingByWritingKeepsWhatIsThere) {
  for (const int error : {EOPNOTSUPP, ENOSYS}) {
    must(file_->resize(0));
    must(file_->write(0, pattern(5000, 5)));
    must(file_->resize(300'000));
    must(file_->write(200'000, pattern(5000, 6)));
    must(with({.call = "fallocate", .error = error}, [&] { return file_->allocate(0, 400'000); }));
    EXPECT_EQ(must(file_->size()), 400'000u);
    const ByteVector bytes = content(400'000);
    EXPECT_TRUE(equal_bytes(Bytes(bytes).first(5000), pattern(5000, 5)));
    EXPECT_TRUE(equal_bytes(Bytes(bytes).subspan(200'000, 5000), pattern(5000, 6)));
    EXPECT_EQ(std::ranges::count(bytes, std::byte{0}),
              std::ranges::count(pattern(5000, 5), std::byte{0}) +
                  std::ranges::count(pattern(5000, 6), std::byte{0}) + 390'000);
  }
  // Where that fails as well, it is told.
  must(file_->resize(0));
  must(file_->resize(100'000));
  const int descriptor = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  const auto by_writing = [&] { return allocate_by_writing(descriptor, 0, 200'000, path_); };
  EXPECT_EQ(code_with("fstat", EIO, by_writing), ErrorCode::kIo);
  EXPECT_EQ(code_with("seek data", EIO, by_writing), ErrorCode::kIo);
  EXPECT_EQ(code_with("pwrite", ENOSPC, by_writing), ErrorCode::kFull);
  EXPECT_EQ(code_of(with({.call = "pwrite", .error = ENOSPC, .pass = 3}, by_writing)),
            ErrorCode::kFull);
  // A file system that knows nothing of holes has none.
  must(with({.call = "seek hole", .error = EINVAL}, by_writing));
  EXPECT_EQ(code_of(allocate_by_writing(descriptor, UINT64_MAX - 5, 10, path_)),
            ErrorCode::kInvalid);
  ::close(descriptor);
  EXPECT_EQ(code_of(file_->allocate(UINT64_MAX - 5, 10)), ErrorCode::kInvalid);
  EXPECT_EQ(code_of(file_->allocate(0, 0)), ErrorCode::kOk);
}

// io_uring is asked first where there is work to do meanwhile; its short and failed writes are
// ended by plain ones.
TEST_F(SystemFault, WhatIsWrittenBesideOtherWorkIsWhole) {
  const ByteVector bytes = pattern(50'000, 7);
  int ran = 0;
  const auto write = [&] { return file_->write_and_sync(0, bytes, [&] { ++ran; }); };
  must(write());
  EXPECT_EQ(content(50'000), bytes);
  EXPECT_EQ(ran, 1);
  const auto none = [&] { return file_->write_and_sync(100, bytes, nullptr); };
  EXPECT_EQ(code_with("fdatasync", EIO, none), ErrorCode::kIo);
  EXPECT_EQ(code_with("pwrite", ENOSPC, none), ErrorCode::kFull);
  const auto out_of_range = [&] {
    return file_->write_and_sync(UINT64_MAX - 10, bytes, [&] { ++ran; });
  };
  EXPECT_EQ(code_of(out_of_range()), ErrorCode::kInvalid);
  EXPECT_EQ(ran, 2);  // the work is done whatever becomes of the write
}

TEST_F(SystemFault, WithoutABootIdTheTimeOfTheBootIsOne) {
  Disk& disk = real_disk();
  const auto id = must(disk.boot_id());
  const auto boot_id = [&] { return disk.boot_id(); };
  for (const std::string_view call : {"open", "pread"}) {
    const auto other = must(with({.call = call, .error = EACCES}, boot_id));
    EXPECT_NE(other, id);
    EXPECT_EQ(other[1], 0u);
    EXPECT_EQ(other, must(with({.call = call, .error = EACCES}, boot_id)));
    EXPECT_EQ(code_of(with({.call = call, .error = EACCES, .times = 2}, boot_id)),
              ErrorCode::kPermission);
  }
}

TEST_F(SystemFault, OffsetsPastTheLargestFileAreRefused) {
  ByteVector bytes(10);
  const Bytes pieces[] = {bytes};
  for (const std::uint64_t offset : {std::uint64_t{INT64_MAX} - 5, UINT64_MAX - 5}) {
    EXPECT_EQ(code_of(file_->read(offset, bytes)), ErrorCode::kInvalid);
    EXPECT_EQ(code_of(file_->read_some(offset, bytes)), ErrorCode::kInvalid);
    EXPECT_EQ(code_of(file_->write(offset, bytes)), ErrorCode::kInvalid);
    EXPECT_EQ(code_of(file_->write_gather(offset, pieces)), ErrorCode::kInvalid);
    EXPECT_EQ(code_of(file_->allocate(offset, 10)), ErrorCode::kInvalid);
  }
}

#ifdef QUIRE_HAVE_URING
TEST_F(SystemFault, WhereTheRingRefusesWritesArePlain) {
  if (SyncRing::create() == nullptr) GTEST_SKIP() << "no io_uring here";
  const ByteVector bytes = pattern(50'000, 8);
  const auto write = [&] { return file_->write_and_sync(0, bytes, [] {}); };
  must(write());
  // Interrupted, it is asked again; else this file has none any more.
  must(with({.call = "ring submit", .error = EINTR, .times = 2}, write));
  must(with({.call = "ring submit", .error = EBUSY}, write));
  must(write());
  EXPECT_EQ(content(50'000), bytes);
  // A process that may have none asks once.
  auto other = must(real_disk().open(path_, OpenMode::kReadWrite));
  const auto write_other = [&] { return other->write_and_sync(0, bytes, [] {}); };
  must(with({.call = "ring init", .error = EPERM}, write_other));
  other = must(real_disk().open(path_, OpenMode::kReadWrite));
  must(write_other());
  EXPECT_EQ(content(50'000), bytes);
}
#endif

}  // namespace
}  // namespace quire::io
