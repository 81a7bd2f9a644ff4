// Reading, writing and reserving on a bare file descriptor: the loops over short results and
// interrupted calls, and the sentences of their errors. Positions are explicit everywhere, so any
// number of threads may share a descriptor.
#pragma once

#include <cerrno>
#include <cstdint>
#include <string>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace quire::io {

// Linux moves at most 0x7ffff000 bytes in one call; asking for 1 GiB keeps the pieces aligned.
inline constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

// Repeats a call that returns -1 with EINTR.
template <class Call>
auto retry_interrupted(Call call) {
  auto result = call();
  while (result == -1 && errno == EINTR) result = call();
  return result;
}

// Reads up to into.size() bytes; fewer only at the end of the file.
Result<std::size_t> read_up_to(int descriptor, std::uint64_t offset, MutableBytes into,
                               const std::string& path);
Status write_all(int descriptor, std::uint64_t offset, Bytes bytes, const std::string& path);
// Writes the pieces one after the other, as many as possible with each call.
Status write_pieces(int descriptor, std::uint64_t offset, std::span<const Bytes> pieces,
                    const std::string& path);
Status sync_data(int descriptor, const std::string& path);

// fallocate, or allocate_by_writing where the file system has none.
Status allocate_range(int descriptor, std::uint64_t offset, std::uint64_t size,
                      const std::string& path);
// Writes zeros into the holes of the range and past the end of the file; data stays as it is.
Status allocate_by_writing(int descriptor, std::uint64_t offset, std::uint64_t size,
                           const std::string& path);

}  // namespace quire::io
