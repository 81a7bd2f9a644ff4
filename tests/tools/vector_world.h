// What the tests of files of vectors share: their bytes, and all that a reader makes of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/failure.h"
#include "tools/vector_reader.h"

namespace quire::tools {

template <class... Numbers>
std::string raw(Numbers... numbers) {
  std::string bytes;
  const auto append = [&bytes](auto number) {
    bytes.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  (append(numbers), ...);
  return bytes;
}

// As NumPy writes it, of the version given.
inline std::string npy(const std::string& literal, const std::string& data, char version = 1) {
  const std::string length = version == 1 ? raw(static_cast<std::uint16_t>(literal.size()))
                                          : raw(static_cast<std::uint32_t>(literal.size()));
  return std::string("\x93NUMPY") + version + '\0' + length + literal + data;
}
inline std::string npy_literal(const std::string& descr, const std::string& shape,
                               const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", } \n";
}

// A source that knows its size, as a file does.
class SizedSource : public MemorySource {
 public:
  explicit SizedSource(std::string_view text) : MemorySource(text), size_(text.size()) {}

  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::uint64_t size_;
};

// "1: 0 [1, 2]; 2: bad, why; 3 left out; lost the rest", or the sentence of a refusal.
inline std::string read_vectors(Format format, ByteSource* source, bool check_size) {
  std::string all;
  try {
    const auto reader = make_vector_reader(format, source, check_size);
    VectorRow row;
    std::string reason;
    for (;;) {
      const ReadStatus status = reader->next(&row, &reason);
      if (status == ReadStatus::kEnd) break;
      all += (all.empty() ? "" : "; ") + std::to_string(row.number);
      if (status == ReadStatus::kBad) all += ": bad, " + reason;
      if (status == ReadStatus::kLeftOut) all += " left out";
      if (status != ReadStatus::kRecord) continue;
      all += ": " + std::to_string(row.id) + " [";
      for (const float number : row.numbers) all += std::to_string(number).substr(0, 4) + ' ';
      all.back() = ']';
    }
    if (reader->lost_rest()) all += "; lost the rest";
  } catch (const Failure& failure) {
    return failure.what();
  }
  return all;
}
// Of a stream, cut into pieces of `chunk` bytes.
inline std::string read_vectors(Format format, const std::string& bytes,
                                std::size_t chunk = SIZE_MAX) {
  MemorySource source(bytes, chunk);
  return read_vectors(format, &source, true);
}
// Of a file.
inline std::string read_vector_file(Format format, const std::string& bytes,
                                    bool check_size = true) {
  SizedSource source(bytes);
  return read_vectors(format, &source, check_size);
}

}  // namespace quire::tools
