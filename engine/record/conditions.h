// Changes of a record that are carried out only where it is what their caller thinks it is.
//
// Two things say what that is: conditions, each a field and the value that it has to have now, and
// fields that count the changes of their record (DefaultKind::kVersion). Such a field is 1 in a new
// record, or what the caller gives; a change makes it one more. A value that the caller of a change
// gives for it is not written: it is what the field has to have now.
#pragma once

#include <span>

#include "engine/record/collection.h"
#include "engine/record/row_codec.h"

namespace quire {

// Numbers and timestamps as they compare, -0.0 as 0.0 and NaN as itself; all else by its bytes: a
// JSON text as it was written. Null equals null.
struct Expected {
  std::uint32_t field = 0;  // index
  Value value;
};

struct ChangeTerms {
  std::span<const Expected> expected;
  // Versions are written as they are given: for a copy of a record.
  bool keep_versions = false;
};

// Whether the conditions could hold at all. kInvalid (no such field), kType, kSchema.
Status check_expected(const Collection& collection, std::span<const Expected> expected);
// Whether they hold for the record with this key, or nullptr where there is none: kConflict, with
// collection, field, record, what was expected and what is there.
Status check_conditions(WriteTxn& txn, const Collection& collection, Bytes key, const RowView* row,
                        std::span<const Expected> expected);
// The same for the versions among the values of a record, one a field. kType, kSchema.
Status check_versions(const Collection& collection, Bytes key, const RowView* row,
                      std::span<const Value> given);

}  // namespace quire
