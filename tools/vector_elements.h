// Numbers of vectors as files have them, little-endian, to 32-bit floats.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quire::tools {

enum class Element { kF16, kF32, kF64, kI8, kU8, kI16, kU16, kI32, kU32, kI64, kU64 };

std::size_t element_size(Element element);

// Of NumPy: "<f4", "|i1". Nothing, and why, for other types and for big-endian numbers.
std::optional<Element> element_of_npy(std::string_view descr, std::string* reason);

// As many numbers as `floats` has, from as many elements; f64 and whole numbers become the nearest
// float. False, and which number it is, where one is not finite or does not fit.
bool decode_elements(Element element, const char* bytes, std::vector<float>* floats,
                     std::string* reason);

}  // namespace quire::tools
