// What becomes of an index of vectors that changes, and of those who search it meanwhile: rates of
// inserts and replaces, recall and speed after rounds of them, searches beside a writer, a kill.
// Quire's; a peer that does all of this is not known.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/bench/vector/engine.h"

namespace quire::bench {

struct ChangeRow {
  std::string what;
  double value = 0;
  std::string unit;
  std::string beside;   // what it is compared with; empty: nothing
  double compared = 0;  // value of that
};

// What can be measured, in this order.
inline const std::vector<std::string> kChangeParts = {"rates",  "inserted", "replaced", "rounds",
                                                      "labels", "beside",   "kill"};

struct ChangeSettings {
  std::vector<std::string> parts = kChangeParts;
  double seconds = 2;          // of each measured rate
  unsigned rounds = 20;        // in which a twentieth of the records is replaced
  std::size_t ef = 40;         // at which recall is told
  std::size_t queries = 1000;  // of the set
  std::size_t killed = 100'000;
};

// Half of the vectors of the set are records, the other half is what these are replaced by and what
// is inserted. `labels`: of the base, one a row; empty where there are none. Databases are made in
// the directory of `index`. Throws std::runtime_error.
std::vector<ChangeRow> measure_changes(const DataSet& set, const std::vector<std::uint8_t>& labels,
                                       const IndexSettings& index, const ChangeSettings& settings);

}  // namespace quire::bench
