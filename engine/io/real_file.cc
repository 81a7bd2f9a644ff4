#include "engine/io/real_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cinttypes>

#include "engine/io/descriptor.h"
#include "engine/io/mapping.h"
#include "engine/io/range_lock.h"

namespace quire::io {
namespace {

// Waits for the ring even when the caller's work throws: the kernel still reads the bytes.
SyncRing::Outcome run_and_wait(SyncRing& ring, const std::function<void()>& meanwhile) {
  try {
    meanwhile();
  } catch (...) {
    ring.wait();
    throw;
  }
  return ring.wait();
}

}  // namespace

RealFile::RealFile(std::string path, bool writable) : path_(std::move(path)), writable_(writable) {}

bool RealFile::open(int flags) noexcept {
  // The umask decides who else may read and write; a database holds no secrets of its own.
  descriptor_ = retry_interrupted([&] { return ::open(path_.c_str(), flags | O_CLOEXEC, 0666); });
  return descriptor_ >= 0;
}

RealFile::~RealFile() {
  // Never repeated on EINTR: Linux has released the descriptor by then.
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RealFile::close_in_child() noexcept {
  // Closing this copy of the descriptor leaves the description, and so its locks, to the parent.
  ring_.reset();
  ring_broken_ = true;
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

Status RealFile::check_writable(const char* verb) const {
  if (writable_) return {};
  return fail(ErrorCode::kReadOnly, "%s %s: it was opened for reading only", verb, path_.c_str());
}

Status RealFile::read(std::uint64_t offset, MutableBytes into) {
  QUIRE_TRY(const std::size_t got, read_up_to(descriptor_, offset, into, path_));
  if (got == into.size()) return {};
  return fail(ErrorCode::kTruncated,
              "read %zu bytes at %" PRIu64 " of %s: the file ends after %zu of them", into.size(),
              offset, path_.c_str(), got);
}

Result<std::size_t> RealFile::read_some(std::uint64_t offset, MutableBytes into) {
  return read_up_to(descriptor_, offset, into, path_);
}

Status RealFile::write(std::uint64_t offset, Bytes bytes) {
  QUIRE_CHECK(check_writable("write"));
  return write_all(descriptor_, offset, bytes, path_);
}

Status RealFile::write_gather(std::uint64_t offset, std::span<const Bytes> pieces) {
  QUIRE_CHECK(check_writable("write"));
  return write_pieces(descriptor_, offset, pieces, path_);
}

Status RealFile::sync() { return sync_data(descriptor_, path_); }

Status RealFile::write_and_sync(std::uint64_t offset, Bytes bytes,
                                const std::function<void()>& meanwhile) {
  // Without work to overlap the ring gains nothing, and it takes no more than 4 GiB at once.
  const bool overlap = meanwhile && writable_ && bytes.size() <= kLargestTransfer &&
                       offset <= INT64_MAX - kLargestTransfer;
  if (overlap) {
    const std::unique_lock lock(ring_mutex_, std::try_to_lock);
    if (lock.owns_lock() && !ring_broken_) {
      if (ring_ == nullptr) ring_ = SyncRing::create();
      ring_broken_ = ring_ == nullptr;
      if (!ring_broken_ && ring_->submit(descriptor_, offset, bytes)) {
        return write_through_ring(*ring_, offset, bytes, meanwhile);
      }
      ring_broken_ = true;
      ring_.reset();
    }
  }
  return write_then_sync(offset, bytes, meanwhile);
}

Status RealFile::write_then_sync(std::uint64_t offset, Bytes bytes,
                                 const std::function<void()>& meanwhile) {
  Status written = write(offset, bytes);
  // Run even when the write failed, as it is where both are under way at once.
  if (meanwhile) meanwhile();
  QUIRE_CHECK(std::move(written));
  return sync();
}

Status RealFile::write_through_ring(SyncRing& ring, std::uint64_t offset, Bytes bytes,
                                    const std::function<void()>& meanwhile) {
  const SyncRing::Outcome outcome = run_and_wait(ring, meanwhile);
  const bool again =
      outcome.written == -EINTR || outcome.written == -EAGAIN || outcome.written == -ECANCELED;
  if (outcome.written < 0 && !again) {
    return fail_errno(static_cast<int>(-outcome.written), "write %zu bytes at %" PRIu64 " to %s",
                      bytes.size(), offset, path_.c_str());
  }
  const std::size_t done = again ? 0 : static_cast<std::size_t>(outcome.written);
  if (done < bytes.size()) {
    // A short write breaks the link: the sync was cancelled, so the plain one below is the first.
    QUIRE_CHECK(write_all(descriptor_, offset + done, bytes.subspan(done), path_));
    return sync();
  }
  if (outcome.synced == 0) return {};
  if (outcome.synced == -ECANCELED) return sync();
  return fail_errno(-outcome.synced, "sync %s", path_.c_str());
}

Result<std::uint64_t> RealFile::size() {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) return fail_errno(errno, "stat %s", path_.c_str());
  return static_cast<std::uint64_t>(status.st_size);
}

Status RealFile::resize(std::uint64_t size) {
  QUIRE_CHECK(check_writable("resize"));
  if (size > INT64_MAX) {
    return fail(ErrorCode::kInvalid, "resize %s to %" PRIu64 " bytes: out of range", path_.c_str(),
                size);
  }
  const int result =
      retry_interrupted([&] { return ::ftruncate(descriptor_, static_cast<off_t>(size)); });
  if (result == 0) return {};
  return fail_errno(errno, "resize %s to %" PRIu64 " bytes", path_.c_str(), size);
}

Status RealFile::allocate(std::uint64_t offset, std::uint64_t size) {
  QUIRE_CHECK(check_writable("allocate in"));
  return allocate_range(descriptor_, offset, size, path_);
}

Result<std::unique_ptr<Mapping>> RealFile::map_read(std::uint64_t reserve) {
  return map_for_reading(descriptor_, reserve, path_);
}

Result<std::unique_ptr<Mapping>> RealFile::map_shared(std::uint64_t reserve) {
  QUIRE_CHECK(check_writable("map for writing"));
  return map_for_sharing(descriptor_, reserve, path_);
}

Result<FileIdentity> RealFile::identity() {
  struct stat status;
  if (::fstat(descriptor_, &status) != 0) return fail_errno(errno, "stat %s", path_.c_str());
  return FileIdentity{status.st_dev, status.st_ino};
}

Result<bool> RealFile::try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) {
  if (mode == LockMode::kExclusive) QUIRE_CHECK(check_writable("lock exclusively"));
  return try_lock_range(descriptor_, offset, size, mode, path_);
}

Status RealFile::unlock(std::uint64_t offset, std::uint64_t size) {
  return unlock_range(descriptor_, offset, size, path_);
}

Result<bool> RealFile::locked_elsewhere(std::uint64_t offset, std::uint64_t size) {
  return range_locked_elsewhere(descriptor_, offset, size, path_);
}

}  // namespace quire::io
