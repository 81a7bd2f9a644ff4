#include "tools/bench/workload.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace quire::bench {
namespace {

constexpr std::size_t kValueBlockSize = std::size_t{1} << 20;

void write_decimal(std::uint64_t number, char* out) noexcept {
  for (std::size_t i = kKeySize; i-- > 0; number /= 10)
    out[i] = static_cast<char>('0' + number % 10);
}

void write_big_endian(std::uint64_t number, char* out) noexcept {
  for (int i = 0; i < 8; ++i) out[i] = static_cast<char>(number >> (56 - 8 * i));
}

}  // namespace

KeyMaker::KeyMaker(KeyForm form, std::uint64_t count) noexcept
    : form_(form), stride_(std::numeric_limits<std::uint64_t>::max() / (count + 1)) {}

std::string_view KeyMaker::key(std::uint64_t number) noexcept {
  if (form_ == KeyForm::kDecimal) {
    write_decimal(number, buffer_.data());
  } else {
    write_big_endian(number * stride_, buffer_.data());
    write_big_endian(mix(number), buffer_.data() + 8);
  }
  return {buffer_.data(), buffer_.size()};
}

ValueSource::ValueSource() : block_(kValueBlockSize + kValueSize, '\0') {
  Random random(1);
  for (char& byte : block_) byte = static_cast<char>(random.next());
}

std::string_view ValueSource::value(std::uint64_t number) const noexcept {
  return {block_.data() + mix(number) % kValueBlockSize, kValueSize};
}

Zipfian::Zipfian(std::uint64_t count, double theta) : count_(count), theta_(theta), zeta_(0) {
  for (std::uint64_t i = 1; i <= count; ++i) zeta_ += 1 / std::pow(static_cast<double>(i), theta);
  alpha_ = 1 / (1 - theta);
  const double zeta_of_two = 1 + std::pow(0.5, theta);
  eta_ = (1 - std::pow(2.0 / static_cast<double>(count), 1 - theta)) / (1 - zeta_of_two / zeta_);
}

std::uint64_t Zipfian::next(Random& random) const noexcept {
  const double unit = random.unit();
  const double scaled = unit * zeta_;
  double rank = 0;
  if (scaled >= 1 + std::pow(0.5, theta_)) {
    rank = static_cast<double>(count_) * std::pow(eta_ * unit - eta_ + 1, alpha_);
  } else if (scaled >= 1) {
    rank = 1;
  }
  return mix(static_cast<std::uint64_t>(rank)) % count_;
}

std::vector<std::uint32_t> permutation(std::uint32_t count, std::uint64_t seed) {
  std::vector<std::uint32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0U);
  Random random(seed);
  for (std::uint32_t i = count; i > 1; --i) std::swap(numbers[i - 1], numbers[random.below(i)]);
  return numbers;
}

}  // namespace quire::bench
