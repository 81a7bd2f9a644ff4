// One change of one record, in every structure of its collection, and its line in the log: what the
// calls of record_writer.h and the replay of the log have in common.
#pragma once

#include <optional>

#include "engine/record/record_log.h"

namespace quire {

// The row of a key, if there is a record.
Result<std::optional<RowView>> find_row(View& view, const Collection& collection, Bytes key);

// The elements of the record's vector with this place in Schema::vectors(), which is not null.
Result<Bytes> stored_vector(WriteTxn& txn, const Collection& collection, const RowView& row,
                            std::size_t place);

bool same_vectors_present(const Schema& schema, const RowView& a, const RowView& b) noexcept;

// Carries out a put (record_log.h) that was checked, under its key, and logs it. The number in its
// row is the record's own, a free one or the next new one. `before`: the row of find_row that it
// replaces, or nullptr for a new record; kExists when that is there, kUnique (index.h): nothing is
// changed then. Whatever fails after the first change makes the transaction unusable.
Status change_put(WriteTxn& txn, const Collection& collection, Bytes key, Bytes payload,
                  const RowView* before);

// Removes the record with this key, frees its number, and logs it. Whether there was one.
Result<bool> change_erase(WriteTxn& txn, const Collection& collection, Bytes key);

}  // namespace quire
