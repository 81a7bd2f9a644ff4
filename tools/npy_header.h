// The header of a .npy file, as numpy.lib.format writes it (versions 1 to 3).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

struct NpyHeader {
  std::string descr;  // "<f4"
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
};

// Of the literal that follows magic, version and length: a Python dict of these three members, in
// any order. False, and why, when it is another; a type that is no single word of text, as that of
// a structure, is one of these.
bool parse_npy_header(std::string_view literal, NpyHeader* header, std::string* reason);

}  // namespace quire::tools
