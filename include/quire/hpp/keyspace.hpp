// Part of <quire/quire.hpp>: keyspaces.
#ifndef QUIRE_HPP_KEYSPACE_HPP
#define QUIRE_HPP_KEYSPACE_HPP

#include <quire/hpp/cursor.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace quire {
inline namespace api1 {

class Keyspace {
 public:
  Keyspace(quire_txn* txn, quire_keyspace id) : txn_(txn), id_(id) {}

  quire_keyspace id() const noexcept { return id_; }

  // Overwrites. flags: 0, QUIRE_APPEND, or QUIRE_MUST_EXIST (a key that is not there is an error).
  void put(std::string_view key, std::string_view value, std::uint32_t flags = 0) {
    require(quire_put(txn_, id_, key.data(), key.size(), value.data(), value.size(), flags));
  }
  // False, and nothing changed, when the key is there.
  bool insert(std::string_view key, std::string_view value) {
    return require_or(quire_put(txn_, id_, key.data(), key.size(), value.data(), value.size(),
                                QUIRE_NO_OVERWRITE),
                      QUIRE_ERR_EXISTS);
  }
  std::optional<std::string_view> get(std::string_view key) const {
    quire_slice value{};
    const int code = quire_get(txn_, id_, key.data(), key.size(), &value);
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return as_view(value);
  }
  // False when it is not there.
  bool erase(std::string_view key) {
    return require_or(quire_delete(txn_, id_, key.data(), key.size()), QUIRE_ERR_NOT_FOUND);
  }
  // Erases [low, high); returns how many there were.
  std::uint64_t erase_range(std::optional<std::string_view> low,
                            std::optional<std::string_view> high) {
    std::uint64_t erased = 0;
    const Bounds bounds(low, high);
    require(quire_delete_range(txn_, id_, bounds.low(), bounds.high(), &erased));
    return erased;
  }
  // Exact number of keys in [low, high).
  std::uint64_t count(std::optional<std::string_view> low = {},
                      std::optional<std::string_view> high = {}) const {
    std::uint64_t count = 0;
    const Bounds bounds(low, high);
    require(quire_count(txn_, id_, bounds.low(), bounds.high(), &count));
    return count;
  }
  // Number of keys less than `key`.
  std::uint64_t rank(std::string_view key) const {
    std::uint64_t rank = 0;
    require(quire_rank(txn_, id_, key.data(), key.size(), &rank));
    return rank;
  }
  // Starts before the first entry.
  Cursor cursor(const Range& range = {}) const {
    quire_range c_range = QUIRE_RANGE_INIT;
    if (range.low) c_range.low = Bounds::slice(*range.low);
    if (range.high) c_range.high = Bounds::slice(*range.high);
    if (range.prefix) c_range.prefix = Bounds::slice(*range.prefix);
    quire_cursor* cursor = nullptr;
    require(quire_cursor_open(txn_, id_, &c_range, &cursor));
    return Cursor(cursor);
  }

 private:
  // Two slices and which of them are set, as the C functions want them.
  class Bounds {
   public:
    Bounds(std::optional<std::string_view> low, std::optional<std::string_view> high)
        : has_low_(low.has_value()), has_high_(high.has_value()) {
      if (low) low_ = slice(*low);
      if (high) high_ = slice(*high);
    }
    const quire_slice* low() const { return has_low_ ? &low_ : nullptr; }
    const quire_slice* high() const { return has_high_ ? &high_ : nullptr; }
    // A set but empty bound must not look unset: its pointer is never null.
    static quire_slice slice(std::string_view view) {
      return {view.data() != nullptr ? view.data() : "", view.size()};
    }

   private:
    quire_slice low_{}, high_{};
    bool has_low_, has_high_;
  };

  quire_txn* txn_;
  quire_keyspace id_;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_KEYSPACE_HPP
