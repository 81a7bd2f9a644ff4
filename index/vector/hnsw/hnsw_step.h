// A step of maintenance on an HNSW index: parameters trained, waiting vectors linked and dead nodes
// repaired around, a sweep that makes
// repaired places free, or a calibration.
#pragma once

#include "engine/record/index.h"
#include "index/vector/hnsw/hnsw_index.h"

namespace quire::hnsw {

// See IndexMaintenance::backlog.
double backlog_of(const HnswForm& form, const HnswState& state) noexcept;

// A sweep looks at all nodes: a commit does one only where far more than should wait for it. So
// does a calibration, which no commit does.
enum class Sweeps : std::uint8_t { kWherePressing, kWhereDue };
// See IndexMaintenance::prepare. `index` outlives the step.
Result<std::unique_ptr<MaintenanceStep>> prepare_step(View& view, const Collection& collection,
                                                      const HnswIndex& index, std::size_t batch,
                                                      Sweeps sweeps);

}  // namespace quire::hnsw
