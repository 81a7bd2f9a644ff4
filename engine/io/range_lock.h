// Open-file-description locks on byte ranges of a descriptor. Unlike POSIX record locks they belong
// to the open file, not to the process: closing another descriptor of the same file leaves them.
#pragma once

#include <cstdint>
#include <string>

#include "engine/base/result.h"
#include "engine/io/disk.h"

namespace quire::io {

// False: somebody else holds a conflicting lock.
Result<bool> try_lock_range(int descriptor, std::uint64_t offset, std::uint64_t size, LockMode mode,
                            const std::string& path);
Status unlock_range(int descriptor, std::uint64_t offset, std::uint64_t size,
                    const std::string& path);
Result<bool> range_locked_elsewhere(int descriptor, std::uint64_t offset, std::uint64_t size,
                                    const std::string& path);

// A range that locks can express: not empty, and ending below 2^63.
Status check_lock_range(std::uint64_t offset, std::uint64_t size, const std::string& path);

}  // namespace quire::io
