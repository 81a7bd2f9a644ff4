// The numbers of a collection's records: dense, from 0, each given to one record at a time.
//
// The tree `numbers` has an entry for every number that was ever given, so the next new one is its
// count. The entry of a number in use:
//
//   u8     1 + n
//   bytes  n bytes (one bit a slot of vectors, lowest first): set where the record has that vector;
//          those of slots that have no field any more, or got one later, mean nothing
//   bytes  the record's key
//
// and of a free one: u8 0, u64 the transaction that freed it; it is in the tree `freed` as well.
//
// A number is given again only when the transaction that freed it is in a durable checkpoint:
// structures that catch up in the background (vector indexes) then know it as free, and no recovery
// can bring its former record back under it.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "engine/record/collection.h"
#include "engine/record/row_codec.h"

namespace quire {

struct NumberKey {
  explicit NumberKey(RecordNumber number) noexcept { store_be(bytes.data(), number); }
  std::array<std::byte, 8> bytes;
  operator Bytes() const noexcept { return bytes; }  // NOLINT: a key is its bytes
};

// Key of `freed`.
struct FreedKey {
  FreedKey(TxnNumber freed_at, RecordNumber number) noexcept {
    store_be(bytes.data(), freed_at);
    store_be(bytes.data() + 8, number);
  }
  std::array<std::byte, 16> bytes;
  operator Bytes() const noexcept { return bytes; }  // NOLINT: a key is its bytes
};
struct FreedNumber {
  TxnNumber freed_at = 0;
  RecordNumber number = 0;
};
Result<FreedNumber> decode_freed_key(Bytes key);

// Entry of `numbers`; borrows.
struct NumberEntry {
  bool in_use = false;
  TxnNumber freed_at = 0;
  Bytes present;
  Bytes key;
  bool has_vector(VectorSlot slot) const noexcept {
    return slot / 8 < present.size() &&
           (static_cast<unsigned>(present[slot / 8]) >> (slot % 8) & 1) != 0;
  }
  // Whether this is the entry of the row and its key.
  bool is_of(const RowView& row, Bytes row_key) const noexcept;
};
Result<NumberEntry> decode_number_entry(Bytes bytes, RecordNumber number);
ByteVector encode_used_number(const Schema& schema, const RowView& row, Bytes key);
std::array<std::byte, 9> encode_free_number(TxnNumber freed_at) noexcept;

// The entry of a number that must exist: kCorrupt when it does not.
Result<NumberEntry> read_number(View& view, const Collection& collection, RecordNumber number);
// Of several numbers, which wait for memory together. entries[i] is that of numbers[i].
Status read_numbers(View& view, const Collection& collection, std::span<const RecordNumber> numbers,
                    std::span<NumberEntry> entries);
// The number for a new record; changes nothing.
Result<RecordNumber> choose_number(WriteTxn& txn, const Collection& collection);

// Some of the numbers, as a bit set over [0, size); bits past that mean nothing.
struct NumberSet {
  std::vector<std::uint64_t> words;
  std::uint64_t size = 0;
  bool has(RecordNumber number) const noexcept {
    return (words[number / 64] >> (number % 64) & 1) != 0;
  }
  void add(RecordNumber number) noexcept {
    words[number / 64] |= std::uint64_t{1} << (number % 64);
  }
  // How many. O(size / 64).
  std::uint64_t count() const noexcept;
  // Keeps what the other has too. Both are of one state of a collection.
  void keep(const NumberSet& other) noexcept {
    for (std::size_t i = 0; i < words.size(); ++i) words[i] &= other.words[i];
  }
};
// None, and room for each that was ever given. O(numbers).
Result<NumberSet> no_numbers(View& view, const Collection& collection);
// Those that have a vector. Reads no rows: O(free numbers) for a vector that can't be null, else
// O(numbers).
Result<NumberSet> numbers_with_vector(View& view, const Collection& collection, std::size_t vector);

}  // namespace quire
