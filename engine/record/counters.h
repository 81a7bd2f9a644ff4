// Numbers that are counted up: fields whose default is the next number.
//
// A collection's tree `counters` has, for each such field, the greatest number that a record ever
// had in it, also when that record is gone: be32 field id -> i64, little-endian.
#pragma once

#include "engine/record/collection.h"
#include "engine/record/row_codec.h"

namespace quire {

// The greatest so far, 0 where there is none above that.
Result<std::int64_t> read_counter(View& view, const Collection& collection, std::size_t field);
// Raises the counters of a record that was written; an error breaks the transaction.
Status raise_counters(WriteTxn& txn, const Collection& collection, const RowView& row);
Status raise_counter(WriteTxn& txn, const Collection& collection, std::size_t field,
                     std::int64_t value);
Status forget_counter(WriteTxn& txn, StructureId counters, FieldId field);

}  // namespace quire
