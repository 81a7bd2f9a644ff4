// Measuring an index's calibration.
#pragma once

#include "engine/record/index.h"
#include "index/vector/hnsw/hnsw_index.h"

namespace quire::hnsw {

// Whether there are enough nodes, and a quarter of them, or of those that there were, is newer than
// the last measurement.
bool calibration_due(const HnswState& state) noexcept;
// Searches for 32 to 128 of the vectors (the more the fewer there are), by the same choice each
// time, and measures all for the truth: O(nodes * dimension * 128), some 10^10 steps at most.
Result<Calibration> calibrate(View& view, const Collection& collection, const HnswIndex& index);
// The same as a step of maintenance.
Result<std::unique_ptr<MaintenanceStep>> prepare_calibration(View& view,
                                                             const Collection& collection,
                                                             const HnswIndex& index);

}  // namespace quire::hnsw
