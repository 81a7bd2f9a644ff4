#include "index/vector/hnsw/calibration.h"

#include <algorithm>
#include <cmath>

#include "index/vector/hnsw/hnsw_options.h"

namespace quire::hnsw {
namespace {

constexpr double kParts = 65535;

// Where nothing was measured.
double usual_ef(double target) noexcept {
  if (target <= kTargetFast) return 64;
  if (target <= kTargetBalanced) return 128;
  return target <= kTargetHigh ? 400 : 1280;
}

}  // namespace

std::size_t Calibration::ef_for(double target, std::size_t k) const noexcept {
  double ef = usual_ef(target);
  if (count != 0) {
    const double wanted = target * kParts;
    const auto* const end = recall.begin() + count;
    const auto* const reached = std::lower_bound(recall.begin(), end, wanted);
    const auto at = static_cast<std::size_t>(reached - recall.begin());
    if (reached == end) {
      ef = kLadder.back();
    } else if (at == 0) {
      ef = kLadder.front();
    } else {
      const double below = recall[at - 1];
      const double part = (wanted - below) / (recall[at] - below);
      ef = kLadder[at - 1] + part * (kLadder[at] - kLadder[at - 1]);
    }
  }
  if (k > kNeighbours) ef *= static_cast<double>(k) / kNeighbours;
  return static_cast<std::size_t>(std::ceil(std::min<double>(ef, kMostEf)));
}

void Calibration::encode(ByteWriter& writer) const {
  writer.put(count);
  writer.put(linked);
  writer.put(nodes);
  for (const std::uint16_t step : recall) writer.put(step);
}

Result<Calibration> Calibration::decode(ByteReader& reader) {
  Calibration read;
  read.count = reader.get<std::uint8_t>();
  read.linked = reader.get<std::uint64_t>();
  read.nodes = reader.get<std::uint64_t>();
  for (std::uint16_t& step : read.recall) step = reader.get<std::uint16_t>();
  const bool counts = reader.ok() && read.count <= kLadder.size();
  if (counts && std::is_sorted(read.recall.begin(), read.recall.begin() + read.count) &&
      std::all_of(read.recall.begin() + read.count, read.recall.end(),
                  [](std::uint16_t step) { return step == 0; }))
    return read;
  return fail(ErrorCode::kCorrupt, "an HNSW index: its calibration is damaged");
}

}  // namespace quire::hnsw
