#include "engine/record/numbers.h"

#include <algorithm>
#include <bit>

#include <boost/container/small_vector.hpp>

#include "engine/tree/tree_batch.h"

namespace quire {
namespace {

std::unexpected<Error> damaged_entry(RecordNumber number) {
  return fail(ErrorCode::kCorrupt, "the entry of record number %llu makes no sense",
              static_cast<unsigned long long>(number));
}

void set(NumberSet& set, RecordNumber number, bool in) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << (number % 64);
  if (in) {
    set.words[number / 64] |= bit;
  } else {
    set.words[number / 64] &= ~bit;
  }
}

Status remove_freed(View& view, const Collection& collection, NumberSet& numbers) {
  QUIRE_TRY(const TreeRoot freed, view.tree_root(collection.definition().freed));
  TreeCursor cursor(&view.reader(), freed);
  QUIRE_CHECK(cursor.first());
  while (cursor.valid()) {
    QUIRE_TRY(const FreedNumber entry, decode_freed_key(cursor.key()));
    if (entry.number >= numbers.size) return damaged_entry(entry.number);
    set(numbers, entry.number, false);
    QUIRE_CHECK(cursor.next());
  }
  return {};
}

Status add_present(View& view, const TreeRoot& tree, VectorSlot slot, NumberSet& numbers) {
  TreeCursor cursor(&view.reader(), tree);
  QUIRE_CHECK(cursor.first());
  for (RecordNumber number = 0; cursor.valid(); ++number) {
    if (number >= numbers.size || !equal_bytes(cursor.key(), NumberKey(number)))
      return damaged_entry(number);
    QUIRE_TRY(const Bytes value, cursor.value());
    QUIRE_TRY(const NumberEntry entry, decode_number_entry(value, number));
    if (entry.in_use && entry.has_vector(slot)) set(numbers, number, true);
    QUIRE_CHECK(cursor.next());
  }
  return {};
}

}  // namespace

std::uint64_t NumberSet::count() const noexcept {
  std::uint64_t all = 0;
  for (const std::uint64_t word : words) all += static_cast<unsigned>(std::popcount(word));
  if (const unsigned used = size % 64; used != 0)
    all -= static_cast<unsigned>(std::popcount(words.back() >> used));
  return all;
}

Result<FreedNumber> decode_freed_key(Bytes key) {
  if (key.size() != sizeof(FreedKey::bytes))
    return fail(ErrorCode::kCorrupt, "a free record number's key has %zu bytes, not %zu",
                key.size(), sizeof(FreedKey::bytes));
  return FreedNumber{load_be<std::uint64_t>(key.data()), load_be<std::uint64_t>(key.data() + 8)};
}

Result<NumberEntry> decode_number_entry(Bytes bytes, RecordNumber number) {
  NumberEntry entry;
  const std::size_t tag = bytes.empty() ? 0 : static_cast<std::size_t>(bytes[0]);
  if (tag == 0) {
    if (bytes.size() != 9) return damaged_entry(number);
    entry.freed_at = load_le<std::uint64_t>(bytes.data() + 1);
    return entry;
  }
  // A key has at least its tag.
  if (bytes.size() < tag + 1) return damaged_entry(number);
  entry.in_use = true;
  entry.present = bytes.subspan(1, tag - 1);
  entry.key = bytes.subspan(tag);
  return entry;
}

bool NumberEntry::is_of(const RowView& row, Bytes row_key) const noexcept {
  if (!in_use || !equal_bytes(key, row_key)) return false;
  for (const std::uint32_t field : row.schema().vectors())
    if (has_vector(row.schema().field(field).slot) == row.is_null(field)) return false;
  return true;
}

ByteVector encode_used_number(const Schema& schema, const RowView& row, Bytes key) {
  static_assert(1 + kMaxVectorSlots / 8 <= UINT8_MAX);
  VectorSlot slots = 0;
  for (const std::uint32_t field : schema.vectors())
    slots = std::max(slots, schema.field(field).slot + 1);
  const std::size_t tag = 1 + (slots + 7) / 8;
  ByteVector bytes;
  bytes.reserve(tag + key.size());
  bytes.resize(tag);
  bytes[0] = static_cast<std::byte>(bytes.size());
  for (const std::uint32_t field : schema.vectors()) {
    const VectorSlot slot = schema.field(field).slot;
    if (!row.is_null(field)) bytes[1 + slot / 8] |= static_cast<std::byte>(1U << (slot % 8));
  }
  ByteWriter(bytes).put_bytes(key);
  return bytes;
}

std::array<std::byte, 9> encode_free_number(TxnNumber freed_at) noexcept {
  std::array<std::byte, 9> bytes{};
  store_le(bytes.data() + 1, freed_at);
  return bytes;
}

Result<NumberEntry> read_number(View& view, const Collection& collection, RecordNumber number) {
  QUIRE_TRY(const TreeRoot tree, view.tree_root(collection.definition().numbers));
  QUIRE_TRY(const std::optional<Bytes> bytes, tree_get(view.reader(), tree, NumberKey(number)));
  if (!bytes) return damaged_entry(number);
  return decode_number_entry(*bytes, number);
}

Status read_numbers(View& view, const Collection& collection, std::span<const RecordNumber> numbers,
                    std::span<NumberEntry> entries) {
  QUIRE_TRY(const TreeRoot tree, view.tree_root(collection.definition().numbers));
  boost::container::small_vector<NumberKey, 32> keys;
  boost::container::small_vector<Bytes, 32> key_bytes;
  for (const RecordNumber number : numbers) keys.emplace_back(number);
  for (const NumberKey& key : keys) key_bytes.push_back(key);
  boost::container::small_vector<std::optional<Bytes>, 32> found(numbers.size());
  QUIRE_CHECK(tree_get_many(view.reader(), tree, {key_bytes.data(), key_bytes.size()},
                            {found.data(), found.size()}));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!found[i]) return damaged_entry(numbers[i]);
    QUIRE_TRY(entries[i], decode_number_entry(*found[i], numbers[i]));
  }
  return {};
}

Result<RecordNumber> choose_number(WriteTxn& txn, const Collection& collection) {
  QUIRE_TRY(const TreeRoot freed, txn.tree_root(collection.definition().freed));
  if (freed.count() != 0) {
    TreeCursor cursor(&txn.reader(), freed);
    QUIRE_CHECK(cursor.first());
    if (cursor.valid()) {
      QUIRE_TRY(const FreedNumber oldest, decode_freed_key(cursor.key()));
      if (oldest.freed_at <= txn.checkpoint_txn()) return oldest.number;
    }
  }
  QUIRE_TRY(const TreeRoot numbers, txn.tree_root(collection.definition().numbers));
  if (numbers.count() >= kMaxCount)
    return collection.failure(ErrorCode::kTooLarge, "all 2^48 record numbers are used up");
  return numbers.count();
}

Result<NumberSet> no_numbers(View& view, const Collection& collection) {
  QUIRE_TRY(const TreeRoot tree, view.tree_root(collection.definition().numbers));
  NumberSet numbers;
  numbers.size = tree.count();
  // An entry takes more than a byte: what is larger comes from damage, not from records.
  if (numbers.size > std::uint64_t{view.reader().page_count()} * view.reader().page_size())
    return collection.failure(ErrorCode::kCorrupt, "has more record numbers than room for them");
  numbers.words.assign((numbers.size + 63) / 64, 0);
  return numbers;
}

Result<NumberSet> numbers_with_vector(View& view, const Collection& collection,
                                      std::size_t vector) {
  QUIRE_TRY(NumberSet numbers, no_numbers(view, collection));
  const Field& field = collection.schema().field(collection.schema().vectors()[vector]);
  if (field.nullable) {
    QUIRE_TRY(const TreeRoot tree, view.tree_root(collection.definition().numbers));
    QUIRE_CHECK(add_present(view, tree, field.slot, numbers));
  } else {
    std::ranges::fill(numbers.words, ~std::uint64_t{0});
    QUIRE_CHECK(remove_freed(view, collection, numbers));
  }
  return numbers;
}

}  // namespace quire
