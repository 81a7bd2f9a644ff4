// How a query gets its records, and the choice between the ways that there are.
//
// One path drives: ranges of an index or of the primary tree, read in their order; or a set of
// record numbers. What its entries fulfil is not looked at again; of the other conditions some are
// answered by sets, some by the fields that an entry has, the rest by the record itself.
#pragma once

#include <string>

#include "index/query/range_recipe.h"
#include "index/query/record_set.h"
#include "index/query/terms.h"

namespace quire::query {

inline constexpr std::uint64_t kAll = UINT64_MAX;

// What is asked for, as far as it decides how to get it.
struct Wanted {
  const BoundFilter* filter = nullptr;
  std::span<const Condition> conditions;
  std::span<const std::uint32_t> fields;  // that the caller gets, or that are calculated with
  std::span<const OrderTerm> order;
  std::uint64_t rows = kAll;  // that are needed of those found, at most
  bool keys = true;           // whether primary keys of the records are wanted too
  bool as_set = false;        // the same record may come several times: its number alone counts
  // Which way must be taken: an index by name, or none of them.
  std::string_view index;
  bool no_index = false;
  // A token's tree, which has to drive again: 0 for none.
  StructureId tree = 0;
  bool by_number = false;  // a token's, too: a set drove
};

struct Plan {
  bool nothing = false;    // no record can match
  bool by_number = false;  // `set` drives, else `path`
  AccessPath path;
  SetPlan set;
  bool forward = true;
  bool ordered = true;                      // in the order that is wanted
  std::vector<SetPlan> filters;             // records that are in each of them
  std::vector<std::uint32_t> entry_tests;   // conditions to be tested with the fields of an entry
  std::vector<std::uint32_t> row_tests;     // and with those of the record
  std::vector<std::uint32_t> entry_fields;  // that entries give
  bool reads_rows = true;

  // Estimates.
  double entry_share = 1;  // of entries, that pass their tests
  double row_share = 1;    // of records
  double entries = 0;      // of the driver, to be read
  double rows = 0;         // records to be read
  double found = 0;        // that match
  double cost_us = 0;
  // Its path is the only one that leaves out anything.
  bool alone = false;
  std::size_t conditions = 0;  // that it was made for
  // For renew_plan(): how its range follows from the arguments, once that was asked for, and
  // memory.
  std::shared_ptr<const RangeRecipe> recipe;
  AccessPath before;

  // It leads to one entry at most, by a whole unique key.
  bool one() const noexcept {
    return !nothing && !by_number && filters.empty() && path.single && path.ranges.size() == 1;
  }
  // Each entry that drives is a record that is found.
  bool exact() const noexcept {
    return !by_number && filters.empty() && entry_tests.empty() && row_tests.empty() &&
           !path.duplicates;
  }
};

// kNotFound and kInvalid for an index that is asked for and is not there, or lacks records;
// kConflict for a token's that has gone.
Result<Plan> make_plan(View& view, const Collection& collection, const Wanted& wanted);

// The plan of the same question with other arguments, in the memory of `plan`: its way, with the
// ranges that they make. False where another might be better now, or `plan` is none to begin with;
// it is of no use then. `count`: whether the entries of the ranges matter.
Result<bool> renew_plan(View& view, const Collection& collection, const Wanted& wanted, bool count,
                        Plan& plan);

// What a plan costs, of its shares and the entries of its paths. `records` are there in all.
void price(Plan& plan, const Wanted& wanted, double records);
double entry_cost(const Plan& plan);  // of each that is read

// Whether the records of a path come in this order; `forward` tells in which direction.
bool gives_order(const Collection& collection, const AccessPath& path,
                 std::span<const OrderTerm> order, bool& forward);

}  // namespace quire::query
