#include "tools/bench/vector/data_set.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <stdexcept>

namespace quire::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kQueries = 1000;
constexpr std::uint32_t kMostDimension = 65'535;

std::vector<char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) throw std::runtime_error(path + " can't be read");
  std::vector<char> bytes(static_cast<std::size_t>(file.tellg()));
  file.seekg(0);
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file) throw std::runtime_error(path + " can't be read");
  return bytes;
}

template <class T>
T number_at(const std::vector<char>& bytes, std::size_t at) {
  T number;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

void check_dimension(const std::string& path, std::uint32_t dimension) {
  if (dimension == 0 || dimension > kMostDimension)
    throw std::runtime_error(path + " says that its vectors have " + std::to_string(dimension) +
                             " dimensions");
}

// u32 count, u32 dimension, then elements.
template <class Element>
Rows read_counted(const std::string& path) {
  const std::vector<char> bytes = read_file(path);
  if (bytes.size() < 8) throw std::runtime_error(path + " has no header");
  const std::size_t count = number_at<std::uint32_t>(bytes, 0);
  Rows rows;
  rows.dimension = number_at<std::uint32_t>(bytes, 4);
  check_dimension(path, rows.dimension);
  if ((bytes.size() - 8) / sizeof(Element) / rows.dimension < count)
    throw std::runtime_error(path + " ends before its " + std::to_string(count) + " vectors do");
  rows.values.resize(count * rows.dimension);
  for (std::size_t i = 0; i < rows.values.size(); ++i)
    rows.values[i] = static_cast<float>(number_at<Element>(bytes, 8 + i * sizeof(Element)));
  return rows;
}

Rows read_fvecs(const std::string& path) {
  const std::vector<char> bytes = read_file(path);
  if (bytes.size() < 4) throw std::runtime_error(path + " has no vector");
  Rows rows;
  rows.dimension = number_at<std::uint32_t>(bytes, 0);
  check_dimension(path, rows.dimension);
  const std::size_t row_bytes = 4 + std::size_t{rows.dimension} * 4;
  if (bytes.size() % row_bytes != 0)
    throw std::runtime_error(path + " does not end with the end of a vector");
  rows.values.resize(bytes.size() / row_bytes * rows.dimension);
  for (std::size_t i = 0; i < rows.count(); ++i) {
    if (number_at<std::uint32_t>(bytes, i * row_bytes) != rows.dimension)
      throw std::runtime_error(path + " has vectors of several dimensions");
    std::memcpy(rows.values.data() + i * rows.dimension, bytes.data() + i * row_bytes + 4,
                row_bytes - 4);
  }
  return rows;
}

Rows read_rows(const std::string& stem) {
  if (fs::exists(stem + ".u8bin")) return read_counted<std::uint8_t>(stem + ".u8bin");
  if (fs::exists(stem + ".fbin")) return read_counted<float>(stem + ".fbin");
  if (fs::exists(stem + ".fvecs")) return read_fvecs(stem + ".fvecs");
  throw std::runtime_error("there is no " + stem + ".u8bin, .fbin or .fvecs");
}

float squared_distance(const float* a, const float* b, std::uint32_t dimension) {
  float sum = 0;
  for (std::uint32_t i = 0; i < dimension; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

void find_truth(DataSet& set) {
  set.truth_k = std::min(kMeasuredK, set.base.count());
  std::vector<std::pair<float, std::uint32_t>> all(set.base.count());
  for (std::size_t q = 0; q < set.queries.count(); ++q) {
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {squared_distance(set.queries.row(q), set.base.row(i), set.base.dimension),
                static_cast<std::uint32_t>(i)};
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(set.truth_k),
                      all.end());
    for (std::size_t i = 0; i < set.truth_k; ++i) {
      set.truth_distance.push_back(all[i].first);
      set.truth.push_back(all[i].second);
    }
  }
}

void read_truth(const std::string& path, DataSet& set) {
  const std::vector<char> bytes = read_file(path);
  if (bytes.size() < 8) throw std::runtime_error(path + " has no header");
  const std::size_t queries = number_at<std::uint32_t>(bytes, 0);
  set.truth_k = number_at<std::uint32_t>(bytes, 4);
  if (queries != set.queries.count() || set.truth_k < kMeasuredK ||
      bytes.size() < 8 + queries * set.truth_k * 8)
    throw std::runtime_error(path + " is not the truth of these queries");
  const std::size_t count = queries * set.truth_k;
  set.truth.resize(count);
  set.truth_distance.resize(count);
  std::memcpy(set.truth.data(), bytes.data() + 8, count * 4);
  std::memcpy(set.truth_distance.data(), bytes.data() + 8 + count * 4, count * 4);
}

}  // namespace

DataSet read_data_set(const std::string& directory, const std::string& name, std::size_t limit) {
  DataSet set{.name = name, .base = {}, .queries = {}, .truth = {}, .truth_distance = {}};
  const std::string stem = directory + "/" + name;
  set.base = read_rows(stem + ".base");
  set.queries = read_rows(stem + ".query");
  if (set.base.dimension != set.queries.dimension)
    throw std::runtime_error(name + ": base and queries have different dimensions");
  const bool cut = limit != 0 && limit < set.base.count();
  if (cut) set.base.values.resize(limit * set.base.dimension);
  if (!cut && fs::exists(stem + ".l2.gt100")) {
    read_truth(stem + ".l2.gt100", set);
  } else {
    find_truth(set);
  }
  return set;
}

std::vector<std::uint8_t> read_labels(const std::string& directory, const std::string& name,
                                      const std::string& of, std::size_t count) {
  const std::string path = directory + "/" + name + "." + of + ".labels.u8";
  if (!fs::exists(path)) return {};
  const std::vector<char> bytes = read_file(path);
  if (bytes.size() < count)
    throw std::runtime_error(path + " has fewer labels than there are vectors");
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

DataSet generate_data_set(const Generated& generated) {
  std::mt19937_64 random(generated.seed);
  std::normal_distribution<float> normal;
  DataSet set{.name = "generated", .base = {}, .queries = {}, .truth = {}, .truth_distance = {}};
  const std::uint32_t dimension = generated.dimension;
  std::vector<float> centres(generated.clusters * dimension);
  for (float& value : centres) value = 2 * normal(random);
  const auto fill = [&](std::size_t count, Rows& rows) {
    rows.dimension = dimension;
    rows.values.resize(count * dimension);
    for (std::size_t i = 0; i < count; ++i) {
      const float* centre = centres.data() + random() % generated.clusters * dimension;
      for (std::uint32_t d = 0; d < dimension; ++d)
        rows.values[i * dimension + d] = centre[d] + normal(random);
    }
  };
  fill(generated.count, set.base);
  fill(kQueries, set.queries);
  find_truth(set);
  return set;
}

std::size_t count_right(const DataSet& set, std::size_t query,
                        const std::vector<std::uint32_t>& found) {
  const std::size_t k = std::min(kMeasuredK, set.truth_k);
  const std::uint32_t* truth = set.truth.data() + query * set.truth_k;
  const float farthest = set.truth_distance[query * set.truth_k + k - 1];
  return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [&](std::uint32_t id) {
    if (std::find(truth, truth + k, id) != truth + k) return true;
    // As far as the last one is as good.
    return squared_distance(set.queries.row(query), set.base.row(id), set.base.dimension) <=
           farthest;
  }));
}

}  // namespace quire::bench
