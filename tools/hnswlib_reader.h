// The vectors of an index that hnswlib saved: its graph is not read.
//
// hnswlib writes the memory of its class as it lies there, on a 64-bit little-endian machine: no
// magic, no version, no name of the space. The layout is that of HierarchicalNSW::saveIndex of
// hnswlib 0.6.2 to 0.8:
//
//   header    offsetLevel0 u64, max_elements u64, count u64, size of an element u64,
//             offset of the label u64, offset of the vector u64, maxlevel i32, entry point u32,
//             maxM u64, maxM0 u64, M u64, mult f64, ef_construction u64: 96 bytes
//   elements  count times: list of links (u16 count, u8 mark: bit 0 says deleted, u8, maxM0 times
//             u32), vector (f32 each: the dimension is its size / 4), label u64
//   levels    count times: u32 size, so many bytes of lists of (1 + maxM) times u32
#pragma once

#include <vector>

#include "tools/vector_reader.h"

namespace quire::tools {

class HnswlibReader : public VectorReader {
 public:
  HnswlibReader(ByteSource* source, bool check_size);

  // kLeftOut: an element that is marked as deleted.
  ReadStatus next(VectorRow* row, std::string* reason) override;

 private:
  static constexpr std::size_t kHeaderBytes = 96;

  struct Header {
    std::uint64_t level0_offset, max_elements, count, element_bytes, label_offset, vector_offset;
    std::int32_t max_level;
    std::uint32_t entry;
    std::uint64_t max_m, max_m0, m;
  };

  // Each throws Failure where a number can't be what hnswlib writes.
  Header read_header();
  void check_layout(const Header& header);
  void check_graph(const Header& header) const;
  // Behind the elements: what is there of the levels above has to fit, or the file is cut.
  ReadStatus read_levels(VectorRow* row, std::string* reason);

  std::vector<char> element_bytes_;
  std::size_t vector_offset_ = 0;
  std::size_t label_offset_ = 0;
  std::uint64_t level_bytes_ = 0;  // of one element on one level
  std::uint64_t max_level_ = 0;
};

}  // namespace quire::tools
