// Decisions out of the bytes of an input, front to back. When they are used up every number is 0
// and every text empty, so an input ends what it decides.
#pragma once

#include <algorithm>
#include <string_view>

#include "engine/base/bytes.h"

namespace quire::fuzz {

class Input {
 public:
  explicit Input(Bytes bytes) : rest_(bytes) {}

  bool empty() const noexcept { return rest_.empty(); }
  std::size_t left() const noexcept { return rest_.size(); }

  template <std::integral T>
  T take() noexcept {
    std::byte bytes[sizeof(T)] = {};
    const Bytes front = take_bytes(sizeof(T));
    std::copy(front.begin(), front.end(), bytes);
    return load_le<T>(bytes);
  }
  std::uint8_t byte() noexcept { return take<std::uint8_t>(); }
  bool flag() noexcept { return (byte() & 1) != 0; }
  // 0 to limit - 1. As few bytes as the limit needs.
  std::uint64_t below(std::uint64_t limit) noexcept {
    if (limit <= 1) return 0;
    const std::uint64_t number = limit <= 256     ? byte()
                                 : limit <= 65536 ? take<std::uint16_t>()
                                                  : take<std::uint64_t>();
    return number % limit;
  }
  // Up to `most` bytes.
  Bytes take_bytes(std::size_t most) noexcept {
    const Bytes front = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }
  // With a length of its own before it: at most `most` bytes.
  Bytes sized(std::size_t most) noexcept { return take_bytes(below(most + 1)); }
  std::string_view text(std::size_t most) noexcept { return as_text(sized(most)); }
  Bytes rest() noexcept { return take_bytes(rest_.size()); }

 private:
  Bytes rest_;
};

// Changes to bytes, as an input lists them: at most `most` of them, each a place, what is done
// there and up to eight bytes. Most damage is small; a few changes reach far behind a checksum.
class Edits {
 public:
  static constexpr std::size_t kMost = 12;

  // Changes bytes of `target`; `at` is a hint of where, from the input.
  static void apply_one(Input& input, MutableBytes target, std::size_t at) noexcept {
    if (target.empty()) return;
    at %= target.size();
    const std::uint8_t what = input.byte();
    const std::size_t size = std::min<std::size_t>((what & 7U) + 1, target.size() - at);
    const MutableBytes place = target.subspan(at, size);
    switch (what >> 3 & 7U) {
      case 0:
      case 1: {  // other bytes
        const Bytes bytes = input.take_bytes(size);
        std::copy(bytes.begin(), bytes.end(), place.begin());
        break;
      }
      case 2:  // a bit
        place[0] ^= static_cast<std::byte>(1U << (what & 7U));
        break;
      case 3:  // a little more, or less
        place[0] = static_cast<std::byte>(static_cast<unsigned>(place[0]) + (what & 7U) - 4U);
        break;
      case 4:
        std::fill(place.begin(), place.end(), std::byte{0xFF});
        break;
      case 5:
        std::fill(place.begin(), place.end(), std::byte{0});
        break;
      case 6: {  // what lies elsewhere
        const std::size_t from = input.take<std::uint16_t>() % (target.size() - size + 1);
        std::copy_n(to_vector(target.subspan(from, size)).begin(), size, place.begin());
        break;
      }
      default: {  // a longer piece of something else
        const std::size_t from = input.take<std::uint16_t>() % target.size();
        const std::size_t many = std::min<std::size_t>(
            {input.byte() * std::size_t{4}, target.size() - at, target.size() - from});
        const ByteVector piece = to_vector(target.subspan(from, many));
        std::copy(piece.begin(), piece.end(), target.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      }
    }
  }
};

}  // namespace quire::fuzz
