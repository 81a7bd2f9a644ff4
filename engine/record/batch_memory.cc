#include "engine/record/batch_memory.h"

#include <algorithm>

#include "engine/base/checksum.h"

namespace quire {
namespace {

using PutMode = TreeWriter::PutMode;

constexpr std::uint8_t kFormatWithoutKeys = 1;
constexpr std::uint8_t kBatchFormat = 2;
// Of an outcome's key: letter, collection, hash.
constexpr std::size_t kPrefixSize = 13;
// Of the key of a time: letter, time.
constexpr std::size_t kTimeSize = 9;

// Under 'b': what is remembered, and until when.
struct Entry {
  std::int64_t until_us = 0;
  Bytes key;
  RememberedBatch batch;
};

// Where a key is, or would be.
struct Place {
  ByteVector tree_key;
  std::optional<Entry> entry;
};

ByteVector prefix_of(StructureId collection, std::string_view key) {
  ByteVector prefix(kPrefixSize);
  prefix[0] = static_cast<std::byte>('b');
  store_be<std::uint32_t>(prefix.data() + 1, collection);
  store_be<std::uint64_t>(prefix.data() + 5, checksum64(as_bytes(key)));
  return prefix;
}

// Times are never negative: those before 1970 are 0.
ByteVector time_key(std::int64_t until_us, Bytes tree_key) {
  ByteVector key(kTimeSize);
  key[0] = static_cast<std::byte>('e');
  store_be<std::uint64_t>(key.data() + 1,
                          static_cast<std::uint64_t>(std::max<std::int64_t>(until_us, 0)));
  key.insert(key.end(), tree_key.begin() + 1, tree_key.end());
  return key;
}

std::unexpected<Error> damaged() {
  return fail(ErrorCode::kCorrupt, "what is remembered of a batch makes no sense");
}

std::size_t in_common(std::string_view a, std::string_view b) noexcept {
  const auto [end, other] = std::ranges::mismatch(a, b);
  return static_cast<std::size_t>(end - a.begin());
}

// The first of the keys, as many as there is room for.
void encode_keys(ByteWriter& writer, const RememberedBatch& batch) {
  ByteVector bytes;
  ByteWriter keys(bytes);
  std::uint64_t count = 0;
  std::uint64_t next = 0;
  std::string_view last;
  for (const auto& [place, key] : batch.keys) {
    const std::size_t before = bytes.size();
    const std::size_t shared = in_common(last, key);
    keys.put_varint(place - next);
    keys.put_varint(shared);
    keys.put_sized(bytes_of(key).subspan(shared));
    if (bytes.size() > kMaxRememberedKeys) {
      bytes.resize(before);
      break;
    }
    next = place + 1;
    last = key;
    ++count;
  }
  writer.put_varint(count);
  writer.put_bytes(bytes);
}

// Whether they make sense.
bool decode_keys(ByteReader& reader, RememberedBatch& batch) {
  const std::uint64_t count = reader.get_varint();
  std::uint64_t next = 0;
  EncodedKey key;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    const std::uint64_t gap = reader.get_varint();
    const std::uint64_t shared = reader.get_varint();
    const Bytes rest = reader.get_sized();
    if (gap >= batch.changes - next || shared > key.size()) return false;
    key.resize(shared);
    key.append(as_text(rest));
    next += gap;
    batch.keys.emplace_back(next++, key);
  }
  return reader.ok();
}

ByteVector encode(const Entry& entry) {
  ByteVector bytes;
  ByteWriter writer(bytes);
  writer.put(kBatchFormat);
  writer.put(static_cast<std::uint64_t>(entry.until_us));
  writer.put(entry.batch.contents);
  writer.put_sized(entry.key);
  writer.put_varint(entry.batch.changes);
  writer.put_varint(entry.batch.failed.size());
  std::uint64_t next = 0;
  for (const auto& [place, code] : entry.batch.failed) {
    writer.put_varint(place - next);
    writer.put_varint(static_cast<std::uint64_t>(code));
    next = place + 1;
  }
  encode_keys(writer, entry.batch);
  return bytes;
}

Result<Entry> decode(Bytes bytes) {
  ByteReader reader(bytes);
  Entry entry;
  const auto format = reader.get<std::uint8_t>();
  if (format != kBatchFormat && format != kFormatWithoutKeys) return damaged();
  entry.until_us = static_cast<std::int64_t>(reader.get<std::uint64_t>());
  entry.batch.contents = reader.get<std::uint64_t>();
  entry.key = reader.get_sized();
  entry.batch.changes = reader.get_varint();
  const std::uint64_t failed = reader.get_varint();
  std::uint64_t next = 0;
  for (std::uint64_t i = 0; i < failed && reader.ok(); ++i) {
    const std::uint64_t gap = reader.get_varint();
    const std::uint64_t code = reader.get_varint();
    if (gap >= entry.batch.changes - next || code == 0 ||
        code > static_cast<std::uint64_t>(ErrorCode::kBudget))
      return damaged();
    next += gap;
    entry.batch.failed.emplace_back(next++, static_cast<ErrorCode>(code));
  }
  if (format == kBatchFormat && !decode_keys(reader, entry.batch)) return damaged();
  if (!reader.ok() || reader.left() != 0) return damaged();
  return entry;
}

// The keyspace, or 0 where nothing was ever remembered.
Result<StructureId> find_keyspace(WriteTxn& txn) {
  QUIRE_TRY(const std::optional<NameEntry> name, txn.find_name(kBatchesName));
  return name ? name->id : 0;
}

// Among those whose keys have the same hash, by the keys themselves. The entry borrows.
Result<Place> locate(WriteTxn& txn, StructureId keyspace, StructureId collection,
                     std::string_view key) {
  const ByteVector prefix = prefix_of(collection, key);
  QUIRE_TRY(const TreeRoot root, txn.tree_root(keyspace));
  TreeCursor cursor(&txn.reader(), root);
  QUIRE_CHECK(cursor.seek(prefix));
  unsigned vacant = 0;
  while (cursor.valid() && starts_with(cursor.key(), prefix)) {
    if (cursor.key().size() != kPrefixSize + 1) return damaged();
    QUIRE_TRY(const Bytes value, cursor.value());
    QUIRE_TRY(Entry entry, decode(value));
    if (as_text(entry.key) == key) return Place{to_vector(cursor.key()), std::move(entry)};
    if (static_cast<unsigned>(cursor.key()[kPrefixSize]) == vacant) ++vacant;
    QUIRE_CHECK(cursor.next());
  }
  if (vacant > 0xFF)
    return fail(ErrorCode::kTooLarge, "256 idempotency keys with the same hash are remembered");
  Place place{prefix, std::nullopt};
  place.tree_key.push_back(static_cast<std::byte>(vacant));
  return place;
}

}  // namespace

Result<std::optional<RememberedBatch>> find_batch(WriteTxn& txn, StructureId collection,
                                                  std::string_view key, std::int64_t now_us) {
  QUIRE_TRY(const StructureId keyspace, find_keyspace(txn));
  if (keyspace == 0) return std::nullopt;
  QUIRE_TRY(Place place, locate(txn, keyspace, collection, key));
  if (!place.entry || place.entry->until_us <= now_us) return std::nullopt;
  return std::move(place.entry->batch);
}

Status remember_batch(WriteTxn& txn, StructureId collection, std::string_view key,
                      const RememberedBatch& batch, std::int64_t until_us) {
  const WriteTxn::InternalAccess access(txn);
  QUIRE_TRY(StructureId keyspace, find_keyspace(txn));
  if (keyspace == 0) {
    QUIRE_TRY(keyspace, txn.create_keyspace(kBatchesName));
  }
  QUIRE_TRY(const Place place, locate(txn, keyspace, collection, key));
  if (place.entry)
    QUIRE_CHECK(txn.erase(keyspace, time_key(place.entry->until_us, place.tree_key)));
  const ByteVector value = encode({.until_us = until_us, .key = as_bytes(key), .batch = batch});
  QUIRE_CHECK(txn.put(keyspace, place.tree_key, value, PutMode::kUpsert));
  QUIRE_CHECK(txn.put(keyspace, time_key(until_us, place.tree_key), {}, PutMode::kUpsert));
  return {};
}

Status forget_batches(WriteTxn& txn, std::int64_t now_us, std::size_t most) {
  const WriteTxn::InternalAccess access(txn);
  QUIRE_TRY(const StructureId keyspace, find_keyspace(txn));
  if (keyspace == 0) return {};
  std::vector<ByteVector> times;
  {
    QUIRE_TRY(const TreeRoot root, txn.tree_root(keyspace));
    TreeCursor cursor(&txn.reader(), root);
    const std::byte first{'e'};
    QUIRE_CHECK(cursor.seek(Bytes(&first, 1)));
    while (cursor.valid() && times.size() < most) {
      const Bytes key = cursor.key();
      if (key.size() != kTimeSize + kPrefixSize || key[0] != first) return damaged();
      if (load_be<std::uint64_t>(key.data() + 1) > static_cast<std::uint64_t>(now_us)) break;
      times.push_back(to_vector(key));
      QUIRE_CHECK(cursor.next());
    }
  }
  for (const ByteVector& time : times) {
    ByteVector outcome(time.begin() + kTimeSize, time.end());
    outcome.insert(outcome.begin(), static_cast<std::byte>('b'));
    QUIRE_CHECK(txn.erase(keyspace, outcome));
    QUIRE_CHECK(txn.erase(keyspace, time));
  }
  return {};
}

Status forget_batches_of(WriteTxn& txn, StructureId collection) {
  const WriteTxn::InternalAccess access(txn);
  QUIRE_TRY(const StructureId keyspace, find_keyspace(txn));
  if (keyspace == 0) return {};
  ByteVector low(5, static_cast<std::byte>('b'));
  store_be<std::uint32_t>(low.data() + 1, collection);
  ByteVector high(5, static_cast<std::byte>('b'));
  store_be<std::uint32_t>(high.data() + 1, collection + 1);  // ids are less than 2^32 - 1
  QUIRE_CHECK(txn.erase_range(keyspace, low, high));
  return {};
}

}  // namespace quire
