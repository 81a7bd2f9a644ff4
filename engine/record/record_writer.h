// Changing records. Everything is checked before anything is written: an error of the caller
// (kSchema, kType, kKeySize, kValueSize, kInvalid, kExists, kNotFound, kUnique, kConflict) changes
// nothing; an error of the system makes the transaction unusable. Each call is one operation in the
// log.
//
// Values may borrow from the transaction that is changed. One of type kDefault is what its field
// has by default; `key` gets the key of the record, as it was resolved, if it is not nullptr.
#pragma once

#include <span>

#include "engine/record/collection.h"
#include "engine/record/conditions.h"
#include "engine/record/key_codec.h"

namespace quire {

// kExists when the key is there. O(log n) each, with the size of the record.
Status insert_record(WriteTxn& txn, const Collection& collection, std::span<const Value> values,
                     EncodedKey* key = nullptr);
// Inserts or replaces; a record that is replaced keeps its number. kConflict (conditions.h), as in
// each of these: also where there is no record and something is expected of it.
Status upsert_record(WriteTxn& txn, const Collection& collection, std::span<const Value> values,
                     EncodedKey* key = nullptr, const ChangeTerms& terms = {});
// Gives new values to the fields listed; of one listed twice the last counts. kNotFound; kInvalid
// for a field that does not exist, or another key.
Status update_record(WriteTxn& txn, const Collection& collection, KeyValues key,
                     std::span<const std::uint32_t> fields, std::span<const Value> values,
                     const ChangeTerms& terms = {});
// kNotFound.
Status erase_record(WriteTxn& txn, const Collection& collection, KeyValues key,
                    const ChangeTerms& terms = {});

}  // namespace quire
