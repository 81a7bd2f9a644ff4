// Records that end. A schema may have a field that says when the time of a record is over
// (Field::ttl): null is never.
//
// A record whose time is over is there, for every reader, until somebody erases it: what a
// transaction sees depends on its snapshot and on no clock. Erasing is an ordinary change.
#pragma once

#include "engine/record/record_change.h"

namespace quire {

// kInvalid where no field says when.
Status check_has_ttl(const Collection& collection);

// Whether the time that the row has was over at `now_us`: at or before it. False where the schema
// has no such field.
bool is_over(const RowView& row, std::int64_t now_us) noexcept;

// Erases the record with this key if there is one and its time is over; whether it did. O(log n).
Result<bool> erase_if_over(WriteTxn& txn, const Collection& collection, Bytes key,
                           std::int64_t now_us);

}  // namespace quire
