// The two maps of a File, over any descriptor (the simulated disk maps its memory files by them).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "engine/base/result.h"
#include "engine/io/disk.h"

namespace quire::io {

Result<std::unique_ptr<Mapping>> map_for_reading(int descriptor, std::uint64_t reserve,
                                                 const std::string& path);
// The descriptor must be open for reading and writing.
Result<std::unique_ptr<Mapping>> map_for_sharing(int descriptor, std::uint64_t reserve,
                                                 const std::string& path);

}  // namespace quire::io
