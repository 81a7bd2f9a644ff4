#include "engine/io/range_lock.h"

#include <fcntl.h>

#include <cerrno>
#include <cinttypes>

#include "engine/io/descriptor.h"

namespace quire::io {
namespace {

struct flock describe(short type, std::uint64_t offset, std::uint64_t size) {
  struct flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset);
  lock.l_len = static_cast<off_t>(size);
  // l_pid stays 0, as the OFD commands demand.
  return lock;
}

}  // namespace

Status check_lock_range(std::uint64_t offset, std::uint64_t size, const std::string& path) {
  // A length of 0 would mean "to the end of the file" to fcntl.
  constexpr std::uint64_t kEnd = INT64_MAX;
  if (size > 0 && offset <= kEnd && size <= kEnd - offset) return {};
  return fail(ErrorCode::kInvalid, "lock %" PRIu64 " bytes at %" PRIu64 " of %s: out of range",
              size, offset, path.c_str());
}

Result<bool> try_lock_range(int descriptor, std::uint64_t offset, std::uint64_t size, LockMode mode,
                            const std::string& path) {
  QUIRE_CHECK(check_lock_range(offset, size, path));
  struct flock lock = describe(mode == LockMode::kExclusive ? F_WRLCK : F_RDLCK, offset, size);
  if (retry_interrupted([&] { return ::fcntl(descriptor, F_OFD_SETLK, &lock); }) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  return fail_errno(errno, "lock %" PRIu64 " bytes at %" PRIu64 " of %s", size, offset,
                    path.c_str());
}

Status unlock_range(int descriptor, std::uint64_t offset, std::uint64_t size,
                    const std::string& path) {
  QUIRE_CHECK(check_lock_range(offset, size, path));
  struct flock lock = describe(F_UNLCK, offset, size);
  if (retry_interrupted([&] { return ::fcntl(descriptor, F_OFD_SETLK, &lock); }) == 0) return {};
  return fail_errno(errno, "unlock %" PRIu64 " bytes at %" PRIu64 " of %s", size, offset,
                    path.c_str());
}

Result<bool> range_locked_elsewhere(int descriptor, std::uint64_t offset, std::uint64_t size,
                                    const std::string& path) {
  QUIRE_CHECK(check_lock_range(offset, size, path));
  struct flock lock = describe(F_WRLCK, offset, size);
  if (retry_interrupted([&] { return ::fcntl(descriptor, F_OFD_GETLK, &lock); }) != 0) {
    return fail_errno(errno, "look for locks on %" PRIu64 " bytes at %" PRIu64 " of %s", size,
                      offset, path.c_str());
  }
  return lock.l_type != F_UNLCK;
}

}  // namespace quire::io
