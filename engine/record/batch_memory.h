// What batches gave that have an idempotency key (batch.h), so that one that comes again can be
// answered without being carried out again.
//
// They are in a keyspace of the library's own (kBatchesName), in the log by the ordinary operations
// of one, and so have the fate of the transaction that carried out the batch. Its keys:
//
//   'b', be32 collection, be64 XXH3-64 of the key, u8 which of those with this hash
//        -> u8 format (2), i64 when it is forgotten (microseconds since 1970), u64 hash of the
//           batch's contents, varint size and key, varint number of changes, varint number of
//           those that failed, then each: varint how many did not fail before it, varint code;
//           varint number of changes whose record's key is told, then each: varint how many are not
//           before it, varint bytes that the key has in common with the one before it, varint size
//           and rest of the key. Format 1 lacks the keys
//   'e', be64 when it is forgotten, and the first key without its 'b'
//        -> nothing
//
// A hash stands for the key because a small page has no room for 255 bytes in a tree's key.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/record/key_codec.h"
#include "engine/txn/write_txn.h"

namespace quire {

// What the keys of one batch take at most, as they are stored. Integers that follow one another
// take four bytes each, UUIDs some fourteen.
inline constexpr std::size_t kMaxRememberedKeys = std::size_t{1} << 20;

struct RememberedBatch {
  std::uint64_t contents = 0;  // hash
  std::uint64_t changes = 0;
  std::vector<std::pair<std::uint64_t, ErrorCode>> failed;  // places in it, ascending
  // Keys of the records that its changes wrote, in the order of their places: as many of the first
  // as kMaxRememberedKeys has room for.
  std::vector<std::pair<std::uint64_t, EncodedKey>> keys;
};

// Nothing where none is remembered at this time. kCorrupt.
Result<std::optional<RememberedBatch>> find_batch(WriteTxn& txn, StructureId collection,
                                                  std::string_view key, std::int64_t now_us);
// Remembers it; one with this key that was to be forgotten goes. O(log batches + failed).
Status remember_batch(WriteTxn& txn, StructureId collection, std::string_view key,
                      const RememberedBatch& batch, std::int64_t until_us);
// Erases at most so many that are to be forgotten by now, oldest first.
Status forget_batches(WriteTxn& txn, std::int64_t now_us, std::size_t most);
// Erases those of a collection. What stays of them goes in its time.
Status forget_batches_of(WriteTxn& txn, StructureId collection);

}  // namespace quire
