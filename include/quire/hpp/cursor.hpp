// Part of <quire/quire.hpp>: entries of keyspaces and records of collections, in order.
#ifndef QUIRE_HPP_CURSOR_HPP
#define QUIRE_HPP_CURSOR_HPP

#include <quire/hpp/value.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace quire {
inline namespace api1 {

struct Entry {
  std::string_view key;
  std::string_view value;
};

// Bounds of a cursor.
struct Range {
  std::optional<std::string_view> low;     // keys >= low
  std::optional<std::string_view> high;    // keys < high
  std::optional<std::string_view> prefix;  // keys that begin with it
};

class Cursor {
 public:
  Cursor() = default;
  explicit Cursor(quire_cursor* cursor) : cursor_(cursor) {}
  Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
  Cursor& operator=(Cursor&& other) noexcept {
    std::swap(cursor_, other.cursor_);
    return *this;
  }
  ~Cursor() { quire_cursor_close(cursor_); }

  // Each returns nothing at the end.
  std::optional<Entry> next() { return move(quire_cursor_next); }
  std::optional<Entry> previous() { return move(quire_cursor_previous); }
  std::optional<Entry> first() { return move(quire_cursor_first); }
  std::optional<Entry> last() { return move(quire_cursor_last); }
  std::optional<Entry> current() { return move(quire_cursor_current); }

  // The first entry at or after `wanted`.
  std::optional<Entry> seek(std::string_view wanted) {
    quire_slice key{}, value{};
    return entry(quire_cursor_seek(cursor_, wanted.data(), wanted.size(), &key, &value), key,
                 value);
  }
  // The entry with this number, from 0, in the range.
  std::optional<Entry> seek_rank(std::uint64_t rank) {
    quire_slice key{}, value{};
    return entry(quire_cursor_seek_rank(cursor_, rank, &key, &value), key, value);
  }
  // Deletes the entry it is on.
  void erase() { require(quire_cursor_delete(cursor_)); }

  quire_cursor* handle() const noexcept { return cursor_; }

 private:
  using Move = int (*)(quire_cursor*, quire_slice*, quire_slice*);

  static std::optional<Entry> entry(int code, const quire_slice& key, const quire_slice& value) {
    if (!require_or(code, QUIRE_ERR_NOT_FOUND)) return std::nullopt;
    return Entry{as_view(key), as_view(value)};
  }
  std::optional<Entry> move(Move function) {
    quire_slice key{}, value{};
    return entry(function(cursor_, &key, &value), key, value);
  }

  quire_cursor* cursor_ = nullptr;
};

// Records in order of the primary key.
class Scan {
 public:
  Scan(Cursor cursor, std::size_t field_count) : cursor_(std::move(cursor)), values_(field_count) {}

  // The next record's fields; null at the end. The array is overwritten by the next call.
  const std::vector<Value>* next() {
    const int code = quire_scan_next(cursor_.handle(), values_.data(), values_.size());
    return require_or(code, QUIRE_ERR_NOT_FOUND) ? &values_ : nullptr;
  }

 private:
  Cursor cursor_;
  std::vector<Value> values_;
};

}  // namespace api1
}  // namespace quire

#endif  // QUIRE_HPP_CURSOR_HPP
