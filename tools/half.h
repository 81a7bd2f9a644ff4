// IEEE 754 binary16 and 32-bit floats: what vectors of 16-bit floats are read and written by.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace quire::tools {

inline float float_of_half(std::uint16_t half) {
  const std::uint32_t exponent = (half >> 10) & 31u;
  const std::uint32_t fraction = half & 1023u;
  const float sign = (half & 0x8000u) != 0 ? -1.0f : 1.0f;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  if (exponent == 31) return sign * (fraction == 0 ? INFINITY : NAN);
  return sign * std::ldexp(static_cast<float>(fraction | 1024u), static_cast<int>(exponent) - 25);
}

// The nearest, ties to even; what is past the greatest is infinite.
inline std::uint16_t half_of_float(float number) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(number) ? 0x8000u : 0u);
  const float size = std::fabs(number);
  if (std::isnan(size)) return static_cast<std::uint16_t>(sign | 0x7E00u);
  if (size >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7C00u);
  // The distance between two neighbours there: 2^-24 among denormals, else 2^(exponent - 10).
  const int exponent = size < 0x1p-14f ? -14 : std::ilogb(size);
  const auto steps = static_cast<std::uint32_t>(std::nearbyint(std::ldexp(size, 10 - exponent)));
  if (exponent == -14 && steps < 1024) return static_cast<std::uint16_t>(sign | steps);
  // 2048 steps carry into the exponent, as the sum has it.
  const std::uint32_t bits = (static_cast<std::uint32_t>(exponent + 14) << 10) + steps;
  return static_cast<std::uint16_t>(sign | bits);
}

}  // namespace quire::tools
