// What is compared: an index of vectors that is built, and searched one query at a time.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/bench/vector/data_set.h"

namespace quire::bench {

struct IndexSettings {
  std::uint32_t m = 16;
  std::uint32_t ef_construction = 200;
  unsigned threads = 2;   // of a build, where the engine has threads
  std::string directory;  // for files; removed by the caller
};

class SearchEngine {
 public:
  virtual ~SearchEngine() = default;
  // Ids of the rows, nearest first, at most k.
  virtual void search(const float* query, std::size_t k, std::size_t ef,
                      std::vector<std::uint32_t>& ids) = 0;
};

struct Engine {
  std::string name;
  // Makes the index, and leaves it where open() finds it: in files, or in the memory of the
  // process.
  std::function<void(const Rows& base, const IndexSettings& settings)> build;
  std::function<std::unique_ptr<SearchEngine>(const IndexSettings& settings)> open;
  bool in_files = false;  // opened by another process than the one that built it
};

Engine quire_engine();
Engine hnswlib_engine();

// Those that this program was built with, Quire first.
std::vector<Engine> vector_engines();

}  // namespace quire::bench
