// Whether the structures of a collection agree with one another.
#pragma once

#include <functional>

#include "engine/record/collection.h"

namespace quire {

// Reads every record of the collection. Reports each place where a row can't be read, a key is not
// that of its row, a value does not fit the schema, a record and the entry of its number don't
// agree, a vector is missing or not finite, or the free numbers are not those that are not in use.
// The structures themselves (tree_check, array_check) are somebody else's. An error: it could not
// go on. Not for use by many threads on one view.
Status check_collection(View& view, const Collection& collection, const ReportDamage& report);

// Visits every entry of a tree, in order. Reports what the visit finds corrupt, and goes on; any
// other error ends it, and one of the tree.
Status check_entries(View& view, const TreeRoot& tree, const ReportDamage& report,
                     const std::function<Status(Bytes key, Bytes value)>& visit);

}  // namespace quire
