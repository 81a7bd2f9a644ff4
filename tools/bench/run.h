// Runs the chosen rows over the chosen stores.
#pragma once

#include <vector>

#include "tools/bench/report.h"
#include "tools/bench/rows.h"

namespace quire::bench {

struct Selection {
  std::vector<const Row*> rows;
  std::vector<const StoreKind*> kinds;
};

// Progress goes to standard error. A store that fails in a row is reported there, and left out of
// that row.
Report run(const Settings& settings, const Selection& selection);

}  // namespace quire::bench
