// Changes of what a collection is: its name, its fields, its indexes. Each is a statement: an error
// of the caller leaves everything as it was, and each is one operation in the log, the whole new
// definition; what differs from the old one is carried out, then and when the log is replayed.
//
// No record is written again for a change of fields: rows keep the version of the schema that they
// were written with (schema.h).
#pragma once

#include "engine/record/collection.h"

namespace quire {

// A new name, free among keyspaces and collections. kInvalid, kExists.
Result<Collection> rename_collection(WriteTxn& txn, const Collection& collection,
                                     std::string_view name, IndexKinds kinds);

// Other fields: see Schema::changed. A new field is, in the records that are there, its default
// where that is a value or the present time, else null; one that can't be null and has neither
// needs an empty collection (kSchema). Where something becomes stricter or a number may lose
// digits, every record is read: kSchema, naming the first that does not fit. Dropping a field drops
// its vectors; kInvalid for one that an index uses. Indexes are built again where the values of a
// field are others now.
Result<Collection> change_fields(WriteTxn& txn, const Collection& collection,
                                 std::vector<Field> fields, IndexKinds kinds,
                                 const ReportProgress& progress = {});

// The schema of another life of the same collection: one that changes of this one's have led to, or
// may have. Records are not looked at. For a salvage.
Result<Collection> adopt_schema(WriteTxn& txn, const Collection& collection, const Schema& schema);

// Writes each row that is of an older version again, so that those versions can go. O(records).
Result<Collection> rewrite_rows(WriteTxn& txn, const Collection& collection, IndexKinds kinds,
                                const ReportProgress& progress = {});

// What an index is made of.
struct IndexRequest {
  std::string_view name;
  std::string_view kind;
  std::string_view options;  // an object in JSON; the kind says what may be in it
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;
};
// kExists (name), kInvalid (name, options), kNotSupported (a kind that is not known), kUnique,
// kKeySize (a record's), kCancelled.
Result<Collection> create_index(WriteTxn& txn, const Collection& collection,
                                const IndexRequest& request, IndexKinds kinds,
                                const ReportProgress& progress = {});
// kNotFound.
Result<Collection> drop_index(WriteTxn& txn, const Collection& collection, std::string_view name,
                              IndexKinds kinds);
// kNotFound, kExists, kInvalid.
Result<Collection> rename_index(WriteTxn& txn, const Collection& collection, std::string_view name,
                                std::string_view to, IndexKinds kinds);
// Builds it anew beside the old one, which then goes. kNotFound, kCancelled.
Result<Collection> rebuild_index(WriteTxn& txn, const Collection& collection, std::string_view name,
                                 IndexKinds kinds, const ReportProgress& progress = {});

// Carries out a logged change: everything has to come out as it was.
Status replay_redefinition(WriteTxn& txn, const Collection& collection, Bytes definition,
                           IndexKinds kinds);

}  // namespace quire
