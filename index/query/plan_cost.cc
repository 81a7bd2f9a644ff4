#include <algorithm>

#include "index/query/cost.h"
#include "index/query/plan.h"

namespace quire::query {
namespace {

double set_cost(const SetPlan& set) {
  return static_cast<double>(set.entries) * (kEntryCost + kSetCost) +
         kRangeCost * static_cast<double>(std::max<std::size_t>(set.members.size(), 1));
}

double row_cost(const Plan& plan) {
  const double fetch = plan.by_number               ? kNumberCost + kFetchCost
                       : plan.path.index == nullptr ? 0
                                                    : kFetchCost;
  return fetch + kTestCost * static_cast<double>(plan.row_tests.size());
}

// Reading all records, and testing each condition.
double cost_of_all(const Wanted& wanted, double records) {
  return records * (kRowCost + kTestCost * static_cast<double>(wanted.conditions.size()));
}

// Of the only path that leaves out anything. Where all records are wanted, the others read all of
// them. Where some are, or an order, the others have the order too and find what is wanted among
// more entries; the primary tree, whose records need not be fetched, among many more.
bool is_best_alone(const Plan& plan, const Wanted& wanted, double records) {
  constexpr std::uint64_t kManyMore = 10;
  if (wanted.rows == kAll && wanted.order.empty())
    return plan.cost_us < cost_of_all(wanted, records);
  return plan.ordered && plan.path.entries * kManyMore < plan.path.total;
}

bool same_way(const AccessPath& a, const AccessPath& b) {
  return a.parts == b.parts && a.fixed == b.fixed && a.duplicates == b.duplicates &&
         a.single == b.single && a.used == b.used && a.answered == b.answered;
}

// Of the same path, for the arguments that the filter is bound to now. False where they make
// another.
bool renew_ranges(const Collection& collection, const Wanted& wanted, Plan& plan) {
  if (plan.recipe && plan.recipe->make(*wanted.filter, plan.path.ranges.front())) return true;
  AccessPath& path = plan.before;
  if (!find_ranges(collection, *wanted.filter, wanted.conditions, plan.path.index, path))
    return false;
  if (path.ranges.empty() || !same_way(path, plan.path)) return false;
  path.total = plan.path.total;
  path.entries = plan.path.entries;
  std::swap(plan.path, path);
  if (!plan.recipe)
    plan.recipe = std::make_shared<const RangeRecipe>(
        RangeRecipe::of(collection, *wanted.filter, wanted.conditions, plan.path));
  return true;
}

}  // namespace

double entry_cost(const Plan& plan) {
  const double own = plan.by_number ? kSetCost : plan.path.index == nullptr ? kRowCost : kEntryCost;
  return own + kContainsCost * static_cast<double>(plan.filters.size()) +
         kTestCost * static_cast<double>(plan.entry_tests.size());
}

void price(Plan& plan, const Wanted& wanted, double records) {
  const double all = std::max(records, 1.0);
  double entries = static_cast<double>(plan.by_number ? plan.set.records : plan.path.entries);
  double before = plan.by_number ? set_cost(plan.set)
                                 : static_cast<double>(plan.path.ranges.size()) * kRangeCost;
  double in_sets = 1;
  for (const SetPlan& set : plan.filters) {
    in_sets *= std::min(1.0, static_cast<double>(set.records) / all);
    before += set_cost(set);
  }
  const double read = in_sets * plan.entry_share;
  plan.found = entries * read * plan.row_share;
  if (plan.ordered && wanted.rows != kAll && plan.found > 0)
    entries *= std::min(1.0, static_cast<double>(wanted.rows) / plan.found);
  plan.entries = entries;
  plan.rows = plan.reads_rows ? entries * read : 0;
  plan.cost_us = before + entries * entry_cost(plan) + plan.rows * row_cost(plan);
  if (!plan.ordered) plan.cost_us += plan.found * kSortCost;
}

Result<bool> renew_plan(View& view, const Collection& collection, const Wanted& wanted, bool count,
                        Plan& plan) {
  const bool by_path = !plan.by_number && plan.filters.empty() && plan.path.narrows();
  if (!by_path || plan.nothing || plan.conditions != wanted.conditions.size()) return false;
  if (!renew_ranges(collection, wanted, plan)) return false;
  plan.path.exact_count = false;
  // One entry at most costs what it did.
  if (!count || (plan.one() && plan.cost_us < kCheapEnough)) return true;
  QUIRE_CHECK(count_entries(view, plan.path));
  QUIRE_TRY(const TreeRoot records, view.tree_root(collection.id()));
  const auto all = static_cast<double>(records.count());
  price(plan, wanted, all);
  return plan.cost_us < kCheapEnough || (plan.alone && is_best_alone(plan, wanted, all));
}

}  // namespace quire::query
