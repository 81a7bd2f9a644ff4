// Keys, values and the order in which they are asked for. All of it follows from a seed: two stores
// in one round see the same operations.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quire::bench {

inline constexpr std::size_t kKeySize = 16;
inline constexpr std::size_t kValueSize = 100;

// SplitMix64 (Steele, Lea, Flood, 2014), as a mixing function of one number.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(mix(seed)) {}

  std::uint64_t next() noexcept { return mix(state_++); }
  // Uniform in [0, bound), by multiplication; the bias of 2^-64 * bound does not matter here.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return static_cast<std::uint64_t>((Wide{next()} * bound) >> 64);
  }
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  __extension__ using Wide = unsigned __int128;

  std::uint64_t state_;
};

enum class KeyForm {
  kDecimal,  // sixteen digits, as db_bench of LevelDB has them: a long common prefix
  kSpread,   // the number spread over the first eight bytes, then eight bytes of hash
};

// Writes the key of a number. Keys are ordered as their numbers are, in both forms.
class KeyMaker {
 public:
  KeyMaker(KeyForm form, std::uint64_t count) noexcept;
  // Good until the next call.
  std::string_view key(std::uint64_t number) noexcept;

 private:
  KeyForm form_;
  std::uint64_t stride_;
  std::array<char, kKeySize> buffer_{};
};

// Values are windows into one block of random bytes: different, incompressible, free to make.
class ValueSource {
 public:
  ValueSource();
  std::string_view value(std::uint64_t number) const noexcept;

 private:
  std::string block_;
};

// Zipfian numbers in [0, count), scattered over the range so that the popular ones are not
// neighbours, as YCSB does it (Cooper et al., 2010; Gray et al., 1994).
class Zipfian {
 public:
  explicit Zipfian(std::uint64_t count, double theta = 0.99);
  std::uint64_t next(Random& random) const noexcept;

 private:
  std::uint64_t count_;
  double theta_;
  double zeta_;
  double alpha_;
  double eta_;
};

// 0 to count-1, shuffled.
std::vector<std::uint32_t> permutation(std::uint32_t count, std::uint64_t seed);

}  // namespace quire::bench
