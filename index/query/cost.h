// What the steps of a plan cost, in microseconds, measured on one machine (docs/queries.md). Only
// their ratios matter.
#pragma once

namespace quire::query {

inline constexpr double kRangeCost = 1.0;      // to descend to the begin of a range
inline constexpr double kEntryCost = 0.06;     // the next entry of an index
inline constexpr double kRowCost = 0.10;       // the next record of the primary tree
inline constexpr double kTestCost = 0.03;      // of a condition
inline constexpr double kFetchCost = 0.7;      // a record by its key
inline constexpr double kNumberCost = 0.6;     // the key of a record, by its number
inline constexpr double kSetCost = 0.02;       // a number into a set
inline constexpr double kContainsCost = 0.03;  // whether a number is in one
inline constexpr double kSortCost = 0.3;       // of a record to be sorted

// A plan as cheap as this is taken without a look at the others: that would cost more.
inline constexpr double kCheapEnough = 4.0;

}  // namespace quire::query
