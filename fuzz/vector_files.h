// Small files of vectors, to begin fuzzing with, and a source of bytes that knows its size.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/byte_source.h"

namespace quire::fuzz {

class SizedMemory : public tools::MemorySource {
 public:
  explicit SizedMemory(std::string_view bytes) : tools::MemorySource(bytes), size_(bytes.size()) {}

  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::uint64_t size_;
};

template <class... Numbers>
std::string numbers(Numbers... all) {
  std::string bytes;
  const auto append = [&bytes](auto number) {
    char plain[sizeof number];
    std::memcpy(plain, &number, sizeof number);
    bytes.append(plain, sizeof number);
  };
  (append(all), ...);
  return bytes;
}

inline std::string npy(const std::string& literal, const std::string& data) {
  return std::string("\x93NUMPY\x01\x00", 8) + numbers(static_cast<std::uint16_t>(literal.size())) +
         literal + data;
}

// Two elements of an index of hnswlib's, of one number each, M 1; one is marked as deleted.
inline std::string hnswlib_index() {
  using U64 = std::uint64_t;
  const std::string header = numbers(U64{0}, U64{4}, U64{2}, U64{24}, U64{16}, U64{12}, 1, 0u,
                                     U64{1}, U64{2}, U64{1}, 1.5, U64{10});
  const std::string first = numbers(1u, 1u, 0u, 2.5f, U64{7});
  const std::string second = numbers(0x10001u, 0u, 0u, 3.5f, U64{8});
  return header + first + second + numbers(8u, 0u, 0u, 0u);
}

// What each kind of file is, in the order of kFormats.
inline std::vector<std::string> files_of_vectors() {
  return {
      numbers(2, 1.0f, -2.5f, 2, 3.0f, 4.0f),
      numbers(4, 0x01FF7F80u, 4, 0x04030201u),
      numbers(2u, 2u, 1.0f, -2.5f, 3.0f, 4.0f),
      numbers(2u, 4u, 0x01FF7F80u, 0x04030201u),
      numbers(2u, 4u, 0x01FF7F80u, 0x04030201u),
      npy("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }\n", "\x01\x3c\x02\x3d__-_"),
      hnswlib_index(),
  };
}

}  // namespace quire::fuzz
