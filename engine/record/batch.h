// Many changes of a collection's records in one call.
//
// Each is one of record_writer.h and its own operation in the log. An atomic batch is undone as a
// whole where one of them fails; else each stands or falls by itself. With a key the outcome is
// remembered in the same transaction (batch_memory.h): the same batch with the same key is then
// answered with it, and changes nothing.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/record/conditions.h"
#include "engine/record/key_codec.h"

namespace quire {

enum class ChangeKind : std::uint8_t { kInsert = 1, kUpsert = 2, kUpdate = 3, kErase = 4 };

// Borrows.
struct Change {
  ChangeKind kind = ChangeKind::kInsert;
  std::span<const Value> key;             // of an update or an erasure
  std::span<const std::uint32_t> fields;  // that an update gives values to
  std::span<const Value> values;          // of an update one for each of these, else one a field
  std::span<const Expected> expected;     // not of an insert
};

inline constexpr std::size_t kMaxBatchKeySize = 255;

struct BatchTerms {
  bool partial = false;
  std::string_view key;          // empty: nothing is remembered
  std::int64_t remember_us = 0;  // from now
  bool tell_keys = false;        // of the records that inserts and upserts write
  // The values of a record that is to be inserted, with the key that its caller makes; may be
  // empty. They are good until the next call.
  std::function<Result<std::span<const Value>>(std::span<const Value>)> make_key;
};

struct FailedChange {
  std::size_t place = 0;
  Error error;
};

struct BatchOutcome {
  std::vector<FailedChange> failed;  // in order; of an atomic batch the first alone
  bool undone = false;               // the batch was atomic, and one failed: nothing is changed
  bool replayed = false;  // it was carried out before; the errors have no words of theirs
  // Where they were asked for: places and keys of the records that inserts and upserts wrote, in
  // order. Of a batch that was carried out before as many as are remembered (batch_memory.h): none
  // where they were not asked for then.
  std::vector<std::pair<std::uint64_t, EncodedKey>> keys;
};

// kInvalid: the key is too long, or another batch has it. Other errors are of the system, and the
// transaction is unusable. O(changes), and O(log batches) for the key.
Result<BatchOutcome> apply_batch(WriteTxn& txn, const Collection& collection,
                                 std::span<const Change> changes, const BatchTerms& terms);

// What tells one batch from another: every change as it was given. Defaults are not resolved.
std::uint64_t hash_of(std::span<const Change> changes, bool partial);

}  // namespace quire
