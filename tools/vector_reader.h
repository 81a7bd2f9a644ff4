// Files of vectors, a row at a time: memory is one row and a chunk, however long the file. All
// numbers are little-endian.
//
//   fvecs, bvecs         a row: i32 dimension, so many f32 or u8; all rows of one dimension
//   fbin, u8bin, i8bin   u32 rows, u32 dimension, then the rows
//   npy                  NumPy's, versions 1 to 3: an array of rows, or of one dimension: one row
//   hnswlib              an index that HierarchicalNSW::saveIndex wrote: hnswlib_reader.h
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/byte_source.h"
#include "tools/format.h"
#include "tools/record.h"
#include "tools/vector_elements.h"

namespace quire::tools {

inline constexpr std::size_t kMaxVectorDimension = 65'535;

struct VectorRow {
  std::uint64_t number = 0;  // from 1
  std::int64_t id = 0;       // of hnswlib the label, else counted from 0
  std::vector<float> numbers;
};

class VectorReader {
 public:
  virtual ~VectorReader() = default;

  // kBad: row->number is set, `reason` says what is wrong with it; the next call goes on behind
  // it, unless lost_rest().
  virtual ReadStatus next(VectorRow* row, std::string* reason) = 0;

  // The last kBad took everything behind it with it: nothing tells where a next row would begin.
  bool lost_rest() const { return lost_rest_; }
  Element element() const { return element_; }
  // Known from the header, or from the first row on.
  std::optional<std::size_t> dimension() const { return dimension_; }
  // How many there are, by the header.
  std::optional<std::uint64_t> rows() const { return rows_; }
  std::uint64_t consumed_bytes() const { return bytes_.consumed_bytes(); }
  // Of the file, for messages.
  const std::string& name() const { return name_; }

 protected:
  // Of a file: `check_size` compares its size with what its header says, before a row is read.
  VectorReader(ByteSource* source, bool check_size)
      : bytes_(source),
        name_(source->name()),
        size_(check_size ? source->size() : std::optional<std::uint64_t>()) {}

  // Throws Failure: "NAME: why".
  [[noreturn]] void refuse(const std::string& why) const;
  // `size` bytes of a header; throws Failure where there are fewer.
  void take_header(char* to, std::size_t size);
  // What a header says, checked.
  void set_dimension(std::uint64_t dimension);
  // The numbers of a row of dimension_; false, and why, for bad ones.
  bool decode(const char* from, VectorRow* row, std::string* reason) const {
    row->numbers.resize(*dimension_);
    return decode_elements(element_, from, &row->numbers, reason);
  }
  // The end of all reading: with a bad row that takes the rest with it.
  ReadStatus lose_rest(std::string* reason, const std::string& why);
  // Where all rows have been read: the end, unless bytes are left.
  ReadStatus end(VectorRow* row, std::string* reason);

  BinaryBytes bytes_;
  std::string name_;
  std::optional<std::uint64_t> size_;  // to be checked; nothing where unknown or not wanted
  Element element_ = Element::kF32;
  std::optional<std::size_t> dimension_;
  std::optional<std::uint64_t> rows_;
  std::uint64_t row_ = 0;  // that was read last
  bool ended_ = false;
  bool lost_rest_ = false;
};

// Reads the header, if the form has one; throws Failure, with the file's name, where it is wrong.
std::unique_ptr<VectorReader> make_vector_reader(Format format, ByteSource* source,
                                                 bool check_size);

}  // namespace quire::tools
