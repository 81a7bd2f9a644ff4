// How far a search has to look to find so much of the truth: measured on an index's own vectors,
// and kept in its head.
#pragma once

#include <array>
#include <cstdint>

#include "engine/base/bytes.h"
#include "engine/base/result.h"

namespace quire::hnsw {

// Of the ten nearest, found by searches for vectors that the index has, whose own nodes the walk
// does not see. Of each ef of a ladder the mean share that was found, less one standard error of
// that mean; it does not fall along the ladder, which ends where nothing was missed.
struct Calibration {
  static constexpr std::array<std::uint32_t, 15> kLadder = {10,  14,  20,  28,  40,  56,  80,  112,
                                                            160, 226, 320, 452, 640, 905, 1280};
  static constexpr std::size_t kNeighbours = 10;
  // 0: never measured.
  std::uint8_t count = 0;
  std::uint64_t linked = 0;                            // vectors ever linked when it was measured
  std::uint64_t nodes = 0;                             // that the graph had
  std::array<std::uint16_t, kLadder.size()> recall{};  // in parts of 65,535

  bool operator==(const Calibration&) const = default;
  // The least ef by which a search for k finds the share `target` (0.5 to 0.9999) of them, between
  // steps of the ladder in proportion; its end where nothing on it does. In proportion to k where
  // that is over ten. Without a measurement what is right for data of about 100 dimensions.
  std::size_t ef_for(double target, std::size_t k) const noexcept;
  // In 47 bytes. kCorrupt where no measurement gives that.
  static constexpr std::size_t kBytes = 1 + 2 * 8 + 2 * kLadder.size();
  void encode(ByteWriter& writer) const;
  static Result<Calibration> decode(ByteReader& reader);
};

// Named targets.
inline constexpr double kTargetFast = 0.90;
inline constexpr double kTargetBalanced = 0.95;
inline constexpr double kTargetHigh = 0.99;
inline constexpr double kTargetLeast = 0.5;
inline constexpr double kTargetMost = 0.9999;

}  // namespace quire::hnsw
