// Whether a partial index has an entry for every record that a query is for.
#pragma once

#include "index/query/condition.h"

namespace quire::query {

// The conditions that are the index's own, word for word: its entries fulfil them. Nothing where
// the conditions together do not say that a record is in the index.
//
// What is seen: a condition of the index that is among them; a range on a field within the index's
// range on it; `is not null` of a field that a condition compares.
std::optional<std::vector<std::uint32_t>> implied_by(const BoundFilter& filter,
                                                     std::span<const Condition> conditions,
                                                     const filter::Node& index_filter,
                                                     const Schema& schema);

}  // namespace quire::query
