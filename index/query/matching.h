// The records that a query gives, as a set of their numbers: what a search is narrowed by.
#pragma once

#include "engine/record/numbers.h"
#include "index/query/query.h"

namespace quire::query {

// What selects the least there is of a record: the first field of its key, which each way to a
// record has at hand, quoted where its name needs that.
std::string field_of_key(const Schema& schema);

struct Matching {
  NumberSet numbers;
  bool steady = false;  // the same whenever it is asked of the same state
};

// What the query selects is of no meaning. kNotSupported where its rows are groups; else the errors
// of Query. O(query), and a bit of memory for each number; records are read only where no index
// answers a condition.
Result<Matching> matching_records(View& view, const Collection& collection, QueryRequest request);

}  // namespace quire::query
