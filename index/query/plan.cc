#include "index/query/plan.h"

#include <algorithm>
#include <ranges>

#include "index/query/cost.h"
#include "index/query/entry_fields.h"
#include "index/query/estimate.h"

namespace quire::query {
namespace {

// Sets that one driver is narrowed by.
constexpr std::size_t kMaxFilters = 3;
// A set has to save as much of the cost.
constexpr double kWorthwhile = 0.9;
// Members of a set, all alternatives together.
constexpr std::size_t kMaxMembers = 256;

bool has(std::span<const std::uint32_t> list, std::uint32_t item) noexcept {
  return std::ranges::find(list, item) != list.end();
}

class Planner {
 public:
  Planner(View& view, const Collection& collection, const Wanted& wanted)
      : view_(view),
        collection_(collection),
        wanted_(wanted),
        estimator_(view, collection, *wanted.filter, wanted.conditions) {}

  Result<Plan> choose() {
    plans_.reserve(collection_.indexes().size() + 1);  // best_ points into it
    QUIRE_TRY(const TreeRoot records, view_.tree_root(collection_.id()));
    records_ = static_cast<double>(records.count());
    QUIRE_CHECK(compare());
    if (best_ == nullptr) return refused();
    best_->alone = is_alone();
    best_->conditions = wanted_.conditions.size();
    return std::move(*best_);
  }

 private:
  // ------------------------------------------------------------ paths

  bool allowed(const SortedIndex& index) const noexcept {
    if (wanted_.tree != 0) return index.tree() == wanted_.tree;
    if (!wanted_.index.empty()) return index.name() == wanted_.index;
    return !wanted_.no_index;
  }
  bool primary_allowed() const noexcept {
    return wanted_.index.empty() && (wanted_.tree == 0 || wanted_.tree == collection_.id());
  }

  // Whether an index could do better than reading all: it begins with a field of the filter or of
  // the order, or is small.
  bool promises(const SortedIndex& index) const {
    const auto first = static_cast<std::uint32_t>(index.form().parts[0].field);
    const auto reads = [&](const OrderTerm& term) { return has(term.term.fields, first); };
    return index.form().where != nullptr || wanted_.tree != 0 || !wanted_.index.empty() ||
           std::ranges::any_of(wanted_.order, reads) ||
           std::ranges::any_of(wanted_.conditions, [&](const Condition& condition) {
             return mentions(*condition.node, first);
           });
  }
  static bool mentions(const filter::Node& node, std::uint32_t field) {
    return node.field == field ||
           std::ranges::any_of(node.children,
                               [&](const filter::Node& child) { return mentions(child, field); });
  }

  std::unexpected<Error> refused() const {
    if (wanted_.tree != 0 || wanted_.by_number)
      return fail(ErrorCode::kConflict,
                  "query: it can't go on where the token says: the index that gave the order has "
                  "gone, was built anew or serves the filter no more");
    const std::string name(wanted_.index);
    for (const auto& index : collection_.indexes()) {
      const SortedIndex* sorted = as_sorted(index.get());
      if (sorted != nullptr && sorted->name() == wanted_.index)
        return collection_.failure(
            ErrorCode::kInvalid,
            "index '" + name + "' has a filter and lacks records that the query may want");
    }
    return collection_.failure(ErrorCode::kNotFound, "there is no sorted index '" + name + "'");
  }

  // First every path by itself; sets cost reading them, and are for what none does cheaply.
  Status compare() {
    QUIRE_CHECK(compare_paths(true));
    if (done()) return {};
    if (best_ == nullptr || !best_->path.narrows()) QUIRE_CHECK(compare_paths(false));
    // Sets answer what is left to be tested.
    const bool tests = best_ == nullptr || !best_->entry_tests.empty() ||
                       !best_->row_tests.empty() || best_->path.duplicates;
    if (done() || (!tests && !wanted_.by_number)) return {};
    if (!wanted_.by_number) {
      for (const Plan& plan : plans_) QUIRE_CHECK(try_filters(plan));
    }
    if (wanted_.tree != 0 || !wanted_.index.empty()) return {};
    return consider_sets();
  }

  bool done() const noexcept {
    return best_ != nullptr && (best_->nothing || best_->cost_us < kCheapEnough);
  }

  // Those that promise something, and the primary tree; or those that do not.
  Status compare_paths(bool promising) {
    for (const auto& index : collection_.indexes()) {
      const SortedIndex* sorted = as_sorted(index.get());
      if (sorted == nullptr || wanted_.no_index || promises(*sorted) != promising) continue;
      QUIRE_CHECK(consider(sorted, allowed(*sorted)));
      if (done()) return {};
    }
    return promising ? consider(nullptr, primary_allowed()) : Status();
  }

  // Whether no other path leaves out anything, and sets can't either: then what competes with the
  // best for other arguments is known without being looked at (renew_plan).
  bool is_alone() const {
    const auto narrows = [](const Plan& plan) { return plan.path.narrows(); };
    const auto has_alternatives = [](const Condition& condition) {
      return !alternatives(condition).empty();
    };
    return !wanted_.by_number && wanted_.tree == 0 && !best_->by_number && best_->ordered &&
           best_->filters.empty() && best_->path.narrows() &&
           std::ranges::count_if(plans_, narrows) == 1 &&
           std::ranges::none_of(wanted_.conditions, has_alternatives);
  }

  // ------------------------------------------------------------ a driver

  // The plan of one path; `drives`: whether it may be taken, or only made a set of.
  Status consider(const SortedIndex* index, bool drives) {
    QUIRE_TRY(auto path, find_path(view_, collection_, *wanted_.filter, wanted_.conditions, index));
    if (!path) return {};
    Plan& plan = plans_.emplace_back();
    indexes_.push_back(index);
    plan.path = *std::move(path);
    if (!drives || wanted_.by_number) return {};
    plan.nothing = plan.path.ranges.empty();
    plan.ordered = gives_order(collection_, plan.path, wanted_.order, plan.forward);
    QUIRE_CHECK(finish(plan));
    if (best_ == nullptr || plan.cost_us < best_->cost_us) best_ = &plan;
    return {};
  }

  void keep(Plan plan) {
    if (best_ != nullptr && plan.cost_us >= best_->cost_us) return;
    with_sets_ = std::move(plan);
    best_ = &*with_sets_;
  }

  // A driver with sets; not one that costs more by reading its own entries than the best does.
  Status try_filters(const Plan& plan) {
    const bool usable = plan.path.index != nullptr ? allowed(*plan.path.index) : primary_allowed();
    if (!usable || plan.entries * entry_cost(plan) > best_->cost_us) return {};
    Plan tried = plan;
    QUIRE_CHECK(add_filters(tried));
    if (!tried.filters.empty()) keep(std::move(tried));
    return {};
  }

  // A set is worth trying where a path answers what the driver leaves open.
  Status add_filters(Plan& plan) {
    QUIRE_CHECK(make_sets());
    while (plan.filters.size() < kMaxFilters) {
      std::optional<Plan> better;
      for (const SetPlan& set : sets_) {
        if (!adds_to(plan, set)) continue;
        Plan tried = plan;
        tried.filters.push_back(set);
        QUIRE_CHECK(finish(tried));
        const double least = better ? better->cost_us : plan.cost_us * kWorthwhile;
        if (tried.cost_us < least) better = std::move(tried);
      }
      if (!better) return {};
      plan = *std::move(better);
    }
    return {};
  }

  bool adds_to(const Plan& plan, const SetPlan& set) const {
    if (set.members.empty() && !plan.by_number && set.path.tree == plan.path.tree) return false;
    return std::ranges::any_of(set.used, [&](std::uint32_t condition) {
      return has(plan.row_tests, condition) || has(plan.entry_tests, condition);
    });
  }

  // ------------------------------------------------------------ sets

  Status make_sets() {
    if (sets_made_) return {};
    sets_made_ = true;
    for (const Plan& plan : plans_) {
      const AccessPath& path = plan.path;
      if (path.index == nullptr || !path.narrows()) continue;
      if (best_ != nullptr && static_cast<double>(path.entries) * kEntryCost > best_->cost_us)
        continue;
      sets_.push_back(set_of(path));
    }
    if (wanted_.no_index) return {};
    for (std::uint32_t i = 0; i < wanted_.conditions.size(); ++i) {
      std::size_t members = 0;
      QUIRE_TRY(auto set, union_of(wanted_.conditions[i], members));
      if (!set) continue;
      if (!set->answered.empty()) set->answered = {i};
      set->used = {i};
      sets_.push_back(*std::move(set));
    }
    return {};
  }

  static SetPlan set_of(const AccessPath& path) {
    SetPlan set;
    set.path = path;
    set.answered = path.answered;
    set.used = path.used;
    set.entries = set.records = path.entries;
    return set;
  }

  // The records of any of the alternatives, each by its best path; `answered` has something in it
  // where none of them has to be tested again. Nothing where one has no path.
  Result<std::optional<SetPlan>> union_of(const Condition& condition, std::size_t& members) {
    const std::vector<Condition> all = alternatives(condition);
    if (all.empty()) return std::nullopt;
    SetPlan joined;
    bool exact = true;
    for (const Condition& alternative : all) {
      QUIRE_TRY(auto member, set_for(alternative, members));
      if (!member) return std::nullopt;
      exact = exact && !member->answered.empty();
      joined.entries += member->entries;
      joined.records += member->records;
      joined.members.push_back(*std::move(member));
    }
    joined.records = std::min(joined.records, static_cast<std::uint64_t>(records_));
    if (exact) joined.answered = {0};
    return joined;
  }

  Result<std::optional<SetPlan>> set_for(const Condition& alternative, std::size_t& members) {
    if (++members > kMaxMembers) return std::nullopt;
    std::vector<Condition> parts;
    take_apart(*wanted_.filter, *alternative.node, alternative.negated, parts);
    std::optional<SetPlan> best;
    for (const SortedIndex* index : indexes_) {
      QUIRE_TRY(const auto path, find_path(view_, collection_, *wanted_.filter, parts, index));
      if (!path || !path->narrows() || (best && best->entries <= path->entries)) continue;
      best = set_of(*path);
      const bool whole = std::ranges::all_of(std::views::iota(0U, parts.size()), [&](auto i) {
        return path->answers(static_cast<std::uint32_t>(i));
      });
      best->answered.assign(whole ? 1 : 0, 0);
    }
    if (parts.size() == 1) {
      QUIRE_TRY(auto nested, union_of(parts[0], members));
      if (nested && (!best || nested->entries < best->entries)) best = std::move(nested);
    }
    return best;
  }

  Status consider_sets() {
    QUIRE_CHECK(make_sets());
    for (const SetPlan& set : sets_) {
      // A path of its own drives as well, unless it leads to a record several times.
      if (set.members.empty() && !wanted_.by_number && !set.path.duplicates) continue;
      Plan plan;
      plan.by_number = true;
      plan.set = set;
      plan.ordered = wanted_.order.empty();
      QUIRE_CHECK(finish(plan));
      QUIRE_CHECK(add_filters(plan));
      keep(std::move(plan));
    }
    return {};
  }

  // ------------------------------------------------------------ tests and cost

  bool answered(const Plan& plan, std::uint32_t condition) const {
    if (plan.by_number ? has(plan.set.answered, condition) : plan.path.answers(condition))
      return true;
    return std::ranges::any_of(plan.filters,
                               [&](const SetPlan& set) { return has(set.answered, condition); });
  }

  // Items of one `has all` are tested together.
  bool tested(const Plan& plan, std::uint32_t condition) const {
    const Condition& wanted = wanted_.conditions[condition];
    const auto same = [&](std::uint32_t other) {
      return wanted_.conditions[other].node == wanted.node;
    };
    return wanted.item != kWhole && (std::ranges::any_of(plan.row_tests, same) ||
                                     std::ranges::any_of(plan.entry_tests, same));
  }

  bool entries_have(const Plan& plan, std::span<const std::uint32_t> fields) const {
    if (plan.by_number || plan.path.index == nullptr) return false;
    return std::ranges::all_of(fields, [&](std::uint32_t field) {
      return entry_has(collection_, *plan.path.index, field);
    });
  }

  // Whether entries have all of the records that match: also what they are still to be sorted by.
  bool entries_suffice(const Plan& plan) const {
    const bool sorts = !plan.ordered && !wanted_.order.empty();
    if (wanted_.fields.empty() && !sorts) return true;
    return entries_have(plan, wanted_.fields) &&
           (!sorts || std::ranges::all_of(wanted_.order, [&](const OrderTerm& term) {
             return entries_have(plan, term.term.fields);
           }));
  }

  void add_given_fields(Plan& plan) const {
    std::ranges::copy(wanted_.fields, std::back_inserter(plan.entry_fields));
    if (plan.ordered) return;
    for (const OrderTerm& term : wanted_.order)
      std::ranges::copy(term.term.fields, std::back_inserter(plan.entry_fields));
  }

  // Which conditions are tested where, and what all of it costs.
  Status finish(Plan& plan) {
    plan.entry_tests.clear();
    plan.row_tests.clear();
    plan.entry_fields.clear();
    for (std::uint32_t i = 0; i < wanted_.conditions.size(); ++i) {
      if (answered(plan, i) || tested(plan, i)) continue;
      FieldList fields;
      add_fields(*wanted_.conditions[i].node, fields);
      const bool by_entry = entries_have(plan, {fields.data(), fields.size()});
      (by_entry ? plan.entry_tests : plan.row_tests).push_back(i);
      if (by_entry) std::ranges::copy(fields, std::back_inserter(plan.entry_fields));
    }
    const bool duplicates = !plan.by_number && plan.path.duplicates && !wanted_.as_set;
    plan.reads_rows = !plan.row_tests.empty() || duplicates || !entries_suffice(plan);
    if (!plan.reads_rows) add_given_fields(plan);
    std::ranges::sort(plan.entry_fields);
    const auto twice = std::ranges::unique(plan.entry_fields);
    plan.entry_fields.erase(twice.begin(), twice.end());
    return estimate(plan);
  }

  Result<double> share_of(std::span<const std::uint32_t> conditions) {
    double share = 1;
    for (const std::uint32_t condition : conditions) {
      QUIRE_TRY(const double one, estimator_.share(condition));
      share *= one;
    }
    return share;
  }

  Status estimate(Plan& plan) {
    QUIRE_TRY(plan.entry_share, share_of(plan.entry_tests));
    QUIRE_TRY(plan.row_share, share_of(plan.row_tests));
    price(plan, wanted_, records_);
    return {};
  }

  View& view_;
  const Collection& collection_;
  const Wanted& wanted_;
  Estimator estimator_;
  double records_ = 0;
  std::vector<Plan> plans_;  // each by one path, without sets; also of paths that may not drive
  std::vector<const SortedIndex*> indexes_;  // of these; nullptr: the primary tree
  std::vector<SetPlan> sets_;
  bool sets_made_ = false;
  std::optional<Plan> with_sets_;  // the best that has some
  Plan* best_ = nullptr;           // one of plans_, or that
};

}  // namespace

Result<Plan> make_plan(View& view, const Collection& collection, const Wanted& wanted) {
  return Planner(view, collection, wanted).choose();
}

}  // namespace quire::query
