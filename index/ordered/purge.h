// Erasing the records of a collection whose time is over (engine/record/expiry.h).
//
// They are found, soonest over first, by a sorted index whose first part is the field that says
// when, if there is one that has all of them; in the order of the key, where that begins with the
// field; else by reading all records.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "engine/db/database.h"
#include "engine/record/collection.h"
#include "index/ordered/sorted_index.h"

namespace quire {

// Records that one transaction of purge_in_pieces erases, if nothing else is said: so few that a
// writer that waits for its turn waits for milliseconds.
inline constexpr std::uint32_t kPurgeBatch = 256;
// Entries or records that are read in one go, which is how long a snapshot is held: tens of
// milliseconds of records.
inline constexpr std::uint64_t kPurgeReads = 65'536;

// The index that finds them; nullptr where the records themselves are read. One with a filter has
// all of them only where that is that the field is not null.
const SortedIndex* purge_index(const Collection& collection) noexcept;

// How far a search for them has come: it goes on there, in this state of the database or a later
// one. Begins anew where another index serves meanwhile.
struct PurgePlace {
  StructureId tree = 0;
  std::optional<EncodedKey> behind;  // the entry or record that was read last
  bool ended = false;
};

// Keys of records whose time was over at `now_us`, `most` at most, among the next kPurgeReads
// entries. kInvalid where no field says when. O(keys) by an index, else O(records read).
Result<std::vector<EncodedKey>> find_over(View& view, const Collection& collection,
                                          std::int64_t now_us, std::uint64_t most,
                                          PurgePlace& place);

// Erases `most` of them at most, in the caller's transaction: how many. An error leaves those
// before it erased. kInvalid; kCorrupt where an index is of another mind than the records.
Result<std::uint64_t> purge_records(WriteTxn& txn, const Collection& collection,
                                    std::int64_t now_us, std::uint64_t most);

struct PurgeTerms {
  std::int64_t now_us = 0;
  std::uint64_t most = UINT64_MAX;  // in all
  std::uint32_t batch = kPurgeBatch;
  Durability durability = Durability::kAlways;
  // Asked before each piece, with how many were erased; false stops: kCancelled. May be empty.
  std::function<bool(std::uint64_t purged)> go_on;
};

// The same in transactions of its own, which take their turn among others' and are short, however
// many records there are. Each is found by a snapshot and looked at again before it is erased; one
// whose time others have changed meanwhile stays. `purged` grows with each commit. A collection
// that is dropped, or whose field ceases to say so, is done.
Status purge_in_pieces(Database& database, StructureId collection, CollectionCache* cache,
                       const PurgeTerms& terms, std::uint64_t& purged);
// The same for every collection that has such a field, in order of names. One that fails does not
// keep the others: the first error is told at the end. kCancelled is told at once.
Status purge_all_in_pieces(Database& database, CollectionCache* cache, const PurgeTerms& terms,
                           std::uint64_t& purged);

}  // namespace quire
