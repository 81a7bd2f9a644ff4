// Views of raw bytes, unaligned little-endian loads and stores, and the one order of keys.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quire {

static_assert(std::endian::native == std::endian::little, "the file format is read in place");
static_assert(sizeof(void*) == 8, "files are mapped whole");

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;
using ByteVector = std::vector<std::byte>;

inline Bytes as_bytes(std::string_view text) noexcept {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline Bytes as_bytes(const void* data, std::size_t size) noexcept {
  return {static_cast<const std::byte*>(data), size};
}
inline std::string_view as_text(Bytes bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline ByteVector to_vector(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// memcmp order, the shorter first where one is a prefix of the other: the order of every tree.
inline int compare_bytes(Bytes a, Bytes b) noexcept {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order;
  return a.size() < b.size() ? -1 : (a.size() > b.size() ? 1 : 0);
}
inline bool equal_bytes(Bytes a, Bytes b) noexcept {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
inline bool starts_with(Bytes text, Bytes prefix) noexcept {
  return text.size() >= prefix.size() && equal_bytes(text.first(prefix.size()), prefix);
}
inline std::size_t common_prefix(Bytes a, Bytes b) noexcept {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t i = 0;
  while (i < limit && a[i] == b[i]) ++i;
  return i;
}

template <std::integral T>
T load_le(const std::byte* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
template <std::integral T>
void store_le(std::byte* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}
template <std::integral T>
T load_be(const std::byte* from) noexcept {
  auto value = load_le<std::make_unsigned_t<T>>(from);
  if constexpr (sizeof value == 8) value = __builtin_bswap64(value);
  if constexpr (sizeof value == 4) value = __builtin_bswap32(value);
  if constexpr (sizeof value == 2) value = __builtin_bswap16(value);
  return static_cast<T>(value);
}
template <std::integral T>
void store_be(std::byte* to, T value) noexcept {
  auto bits = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (sizeof bits == 8) bits = __builtin_bswap64(bits);
  if constexpr (sizeof bits == 4) bits = __builtin_bswap32(bits);
  if constexpr (sizeof bits == 2) bits = __builtin_bswap16(bits);
  store_le(to, bits);
}

template <std::integral T>
constexpr T round_up(T value, T multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

// Appends to a byte vector; the counterpart of ByteReader.
class ByteWriter {
 public:
  explicit ByteWriter(ByteVector& out) : out_(out) {}
  template <std::integral T>
  void put(T value) {
    const std::size_t at = out_.size();
    out_.resize(at + sizeof value);
    store_le(out_.data() + at, value);
  }
  void put_bytes(Bytes bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // LEB128.
  void put_varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<std::byte>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<std::byte>(value));
  }
  void put_sized(Bytes bytes) {
    put_varint(bytes.size());
    put_bytes(bytes);
  }

 private:
  ByteVector& out_;
};

// Reads what ByteWriter wrote from bytes that may be damaged. Every get says whether there was
// enough; after the first failure all fail and ok() is false, so a decoder may check once.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}
  bool ok() const noexcept { return ok_; }
  std::size_t left() const noexcept { return rest_.size(); }

  template <std::integral T>
  T get() noexcept {
    if (!need(sizeof(T))) return T{};
    const T value = load_le<T>(rest_.data());
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }
  std::uint64_t get_varint() noexcept {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (!need(1)) return 0;
      const auto byte = static_cast<std::uint64_t>(rest_[0]);
      rest_ = rest_.subspan(1);
      if (shift == 63 && byte > 1) break;
      value |= (byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    ok_ = false;
    return 0;
  }
  Bytes get_bytes(std::size_t size) noexcept {
    if (!need(size)) return {};
    const Bytes bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }
  Bytes get_sized() noexcept { return get_bytes(get_varint()); }

 private:
  bool need(std::size_t size) noexcept {
    if (size > rest_.size()) ok_ = false;
    return ok_;
  }
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace quire
