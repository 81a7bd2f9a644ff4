// Vectors to index, queries, and the exact answers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace quire::bench {

// Rows one after the other.
struct Rows {
  std::uint32_t dimension = 0;
  std::vector<float> values;

  std::size_t count() const { return dimension == 0 ? 0 : values.size() / dimension; }
  const float* row(std::size_t i) const { return values.data() + i * dimension; }
};

// Squared l2 distances. Ids are row numbers.
struct DataSet {
  std::string name;
  Rows base;
  Rows queries;
  std::size_t truth_k = 0;
  std::vector<std::uint32_t> truth;  // truth_k ids for each query, nearest first
  std::vector<float> truth_distance;
};

inline constexpr std::size_t kMeasuredK = 10;

// From `directory`, NAME.base.u8bin, NAME.query.u8bin, NAME.l2.gt100; likewise .fbin (u32 count,
// u32 dimension, floats) and .fvecs (i32 dimension and floats a row). Where there is no truth it is
// found by measuring all. At most `limit` base rows (0: all), for which the truth is found anew.
// Throws std::runtime_error.
DataSet read_data_set(const std::string& directory, const std::string& name, std::size_t limit);

// NAME.base.labels.u8 or NAME.query.labels.u8, a byte a row, at most `count`; empty where there is
// no such file. Throws std::runtime_error.
std::vector<std::uint8_t> read_labels(const std::string& directory, const std::string& name,
                                      const std::string& of, std::size_t count);

// So many normal vectors around `clusters` centres, and 1,000 queries.
struct Generated {
  std::size_t count = 100'000;
  std::uint32_t dimension = 64;
  std::size_t clusters = 200;
  std::uint64_t seed = 1;
};
DataSet generate_data_set(const Generated& generated);

// Of `found` (kMeasuredK ids at most), how many are as near as the kMeasuredK-th of the truth.
std::size_t count_right(const DataSet& set, std::size_t query,
                        const std::vector<std::uint32_t>& found);

}  // namespace quire::bench
