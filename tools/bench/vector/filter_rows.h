// Searches that are narrowed to some records: recall and speed by share of the records that match,
// and by where these lie, beside a scan of the matches and the search of all.
#pragma once

#include <string>
#include <vector>

#include "tools/bench/vector/engine.h"

namespace quire::bench {

// Which records match, as a query of them.
struct FilterRow {
  std::string where;    // what the filter is by: "uncorrelated", "near", "far", "same label" ...
  double share = 0;     // of the records that match
  double recall = 0;    // at kMeasuredK, of the exact answers among the matches
  double qps = 0;       // by the index
  double scan_qps = 0;  // every match is measured, exactly
  double codes = 0;     // that were measured, and vectors, for each search
  double vectors = 0;
  double walked = 0;  // share of the searches that walked through the graph
};
struct FilterResults {
  std::size_t ef = 0;
  double recall = 0;  // of searches of all
  double qps = 0;
  double fresh_qps = 0;  // the same, each in a snapshot that was just taken
  std::vector<FilterRow> rows;
};

struct FilterSettings {
  std::vector<double> shares = {0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9};
  std::size_t ef = 0;    // 0: the least that has a recall of 0.95 of all
  double seconds = 0.5;  // of each measured point
  std::size_t queries = 200;
};

// `labels`: of base and of queries, one a row; empty where there are none. The database is made in
// the settings' directory.
FilterResults measure_filters(const DataSet& set, const std::vector<std::uint8_t>& base_labels,
                              const std::vector<std::uint8_t>& query_labels,
                              const IndexSettings& index, const FilterSettings& settings);

}  // namespace quire::bench
