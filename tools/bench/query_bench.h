// Queries, indexes and inserts beside SQLite, with the same indexes, in one run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace quire::bench {

struct QuerySettings {
  std::uint64_t records = 1'000'000;
  double seconds = 1;              // of each question, in each store and round
  unsigned rounds = 3;             // of which the median is taken
  std::uint64_t inserts = 50'000;  // of each row of inserts
  unsigned threads = 4;            // of durable inserts
  std::filesystem::path directory;
  std::vector<std::string> rows;  // only these; none: all
  bool markdown = false;
};

// Prints a table; progress goes to standard error. Both stores have to answer each question alike:
// else std::runtime_error.
void run_query_bench(const QuerySettings& settings);
void list_query_rows();

}  // namespace quire::bench
