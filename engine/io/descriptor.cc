#include "engine/io/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cinttypes>

namespace quire::io {
namespace {

// Well under IOV_MAX (1024), and small enough for the stack.
constexpr std::size_t kPiecesPerCall = 256;

// off_t is signed: what does not fit is refused here, before a cast makes it negative.
Status check_range(const char* verb, std::uint64_t offset, std::uint64_t size,
                   const std::string& path) {
  constexpr std::uint64_t kEnd = INT64_MAX;
  if (offset <= kEnd && size <= kEnd - offset) return {};
  return fail(ErrorCode::kInvalid, "%s %" PRIu64 " bytes at %" PRIu64 " of %s: out of range", verb,
              size, offset, path.c_str());
}

// The pieces that are not written yet. A call may end in the middle of one.
class PieceQueue {
 public:
  explicit PieceQueue(std::span<const Bytes> pieces) : rest_(pieces) { skip_empty(); }
  bool empty() const { return rest_.empty(); }

  std::size_t fill(std::span<iovec> vectors) const {
    std::size_t count = 0;
    for (std::size_t i = 0; i < rest_.size() && count < vectors.size(); ++i) {
      const Bytes piece = i == 0 ? rest_[0].subspan(done_) : rest_[i];
      if (piece.empty()) continue;
      // writev takes void* but only reads.
      vectors[count++] = {const_cast<std::byte*>(piece.data()), piece.size()};
    }
    return count;
  }

  void advance(std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t step = std::min(bytes, rest_[0].size() - done_);
      done_ += step;
      bytes -= step;
      skip_empty();
    }
  }

 private:
  void skip_empty() {
    while (!rest_.empty() && done_ == rest_[0].size()) {
      rest_ = rest_.subspan(1);
      done_ = 0;
    }
  }

  std::span<const Bytes> rest_;
  std::size_t done_ = 0;
};

Status write_zeros(int descriptor, std::uint64_t begin, std::uint64_t end,
                   const std::string& path) {
  static constexpr std::array<std::byte, 64 * 1024> kZeros{};
  while (begin < end) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(kZeros.size(), end - begin));
    QUIRE_CHECK(write_all(descriptor, begin, Bytes(kZeros).first(step), path));
    begin += step;
  }
  return {};
}

// Zeros into the holes of [begin, end), which lies inside the file.
Status fill_holes(int descriptor, std::uint64_t begin, std::uint64_t end, const std::string& path) {
  while (begin < end) {
    const off_t hole = ::lseek(descriptor, static_cast<off_t>(begin), SEEK_HOLE);
    // A file system that knows nothing of holes has none.
    if (hole < 0 || static_cast<std::uint64_t>(hole) >= end) return {};
    const off_t data = ::lseek(descriptor, hole, SEEK_DATA);
    // ENXIO: the hole reaches to the end of the file.
    if (data < 0 && errno != ENXIO) {
      return fail_errno(errno, "find data at %" PRIu64 " of %s", static_cast<std::uint64_t>(hole),
                        path.c_str());
    }
    const std::uint64_t stop = data < 0 ? end : std::min(static_cast<std::uint64_t>(data), end);
    QUIRE_CHECK(write_zeros(descriptor, static_cast<std::uint64_t>(hole), stop, path));
    begin = stop;
  }
  return {};
}

}  // namespace

Result<std::size_t> read_up_to(int descriptor, std::uint64_t offset, MutableBytes into,
                               const std::string& path) {
  QUIRE_CHECK(check_range("read", offset, into.size(), path));
  std::size_t done = 0;
  while (done < into.size()) {
    const MutableBytes rest = into.subspan(done, std::min(into.size() - done, kLargestTransfer));
    const ssize_t got = retry_interrupted([&] {
      return ::pread(descriptor, rest.data(), rest.size(), static_cast<off_t>(offset + done));
    });
    if (got < 0) {
      return fail_errno(errno, "read %zu bytes at %" PRIu64 " of %s", into.size(), offset,
                        path.c_str());
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Status write_all(int descriptor, std::uint64_t offset, Bytes bytes, const std::string& path) {
  QUIRE_CHECK(check_range("write", offset, bytes.size(), path));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const Bytes rest = bytes.subspan(done, std::min(bytes.size() - done, kLargestTransfer));
    const ssize_t put = retry_interrupted([&] {
      return ::pwrite(descriptor, rest.data(), rest.size(), static_cast<off_t>(offset + done));
    });
    if (put < 0) {
      return fail_errno(errno, "write %zu bytes at %" PRIu64 " to %s", bytes.size(), offset,
                        path.c_str());
    }
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Status write_pieces(int descriptor, std::uint64_t offset, std::span<const Bytes> pieces,
                    const std::string& path) {
  std::uint64_t total = 0;
  for (const Bytes& piece : pieces) total += piece.size();
  QUIRE_CHECK(check_range("write", offset, total, path));
  PieceQueue queue(pieces);
  std::uint64_t position = offset;
  while (!queue.empty()) {
    std::array<iovec, kPiecesPerCall> vectors;
    const std::size_t count = queue.fill(vectors);
    const ssize_t put = retry_interrupted([&] {
      return ::pwritev(descriptor, vectors.data(), static_cast<int>(count),
                       static_cast<off_t>(position));
    });
    if (put < 0) {
      return fail_errno(errno, "write %" PRIu64 " bytes in %zu pieces at %" PRIu64 " to %s", total,
                        pieces.size(), offset, path.c_str());
    }
    queue.advance(static_cast<std::size_t>(put));
    position += static_cast<std::uint64_t>(put);
  }
  return {};
}

Status sync_data(int descriptor, const std::string& path) {
  // Not repeated on EINTR: whatever a failed sync says, the pages may be marked clean already.
  if (::fdatasync(descriptor) == 0) return {};
  return fail_errno(errno, "sync %s", path.c_str());
}

Status allocate_range(int descriptor, std::uint64_t offset, std::uint64_t size,
                      const std::string& path) {
  if (size == 0) return {};
  QUIRE_CHECK(check_range("allocate", offset, size, path));
  const int result = retry_interrupted([&] {
    return ::fallocate(descriptor, 0, static_cast<off_t>(offset), static_cast<off_t>(size));
  });
  if (result == 0) return {};
  if (errno == EOPNOTSUPP || errno == ENOSYS) {
    return allocate_by_writing(descriptor, offset, size, path);
  }
  return fail_errno(errno, "allocate %" PRIu64 " bytes at %" PRIu64 " of %s", size, offset,
                    path.c_str());
}

Status allocate_by_writing(int descriptor, std::uint64_t offset, std::uint64_t size,
                           const std::string& path) {
  QUIRE_CHECK(check_range("allocate", offset, size, path));
  struct stat status;
  if (::fstat(descriptor, &status) != 0) return fail_errno(errno, "stat %s", path.c_str());
  const auto length = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t end = offset + size;
  if (offset < length) {
    QUIRE_CHECK(fill_holes(descriptor, offset, std::min(end, length), path));
  }
  return write_zeros(descriptor, std::max(offset, length), end, path);
}

}  // namespace quire::io
