// A query vector from a file, in the forms that people have them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

// By content: .npy by its magic (one row); .fvecs, .bvecs, .fbin, .u8bin, .i8bin by the name (the
// first row); a JSON array by its bracket; else raw little-endian 32-bit floats. `bytes` is the
// file's content, `name` for messages and the ending. Throws Failure when it is none of these or
// has not `dimension` numbers, all finite.
std::vector<float> parse_vector_file(std::string_view bytes, const std::string& name,
                                     std::size_t dimension);

}  // namespace quire::tools
