// Queries whose rows are groups of records.
#include <algorithm>
#include <utility>

#include "index/query/query.h"

namespace quire {

using query::AggregateKind;

// ---------------------------------------------------------------- the whole as one group

// Of the plan's own range: its entries are in the order of the value.
Result<bool> Query::end_of_range(const query::OrderTerm& term, bool least, OwnedValue& end) {
  const query::AccessPath& path = plan_.path;
  if (!plan_.exact() || path.index == nullptr || path.ranges.size() != 1) return false;
  const std::vector<BoundPart>& parts = path.index->form().parts;
  if (path.fixed == parts.size()) return false;
  const BoundPart& part = parts[path.fixed];
  if (part.source != PartSource::kField || part.field != term.term.field ||
      part.form.collation != Collation::kBytes)
    return false;
  const KeyRange* range = &path.ranges.front();
  // Without a condition on the part the range begins, or ends, with its nulls.
  if (path.parts == path.fixed) {
    end_range_ = *range;
    EncodedKey& bound = part.form.descending ? end_range_.high.emplace() : end_range_.low;
    bound = range->low;
    bound += null_tag(part.form);
    if (!part.form.descending) ++bound.back();
    range = &end_range_;
  }
  const bool forward = least != part.form.descending;
  ends_.begin(*view_, *path.index, *range,
              forward ? ScanDirection::kForward : ScanDirection::kBackward);
  QUIRE_TRY(const bool there, ends_.next());
  end.assign(Value::null());
  if (!there) return true;
  QUIRE_CHECK(budget_.entry());
  QUIRE_TRY(const Value value, ends_.part(path.fixed));
  end.assign(value);
  return true;
}

// By an index that has the order of the value.
Result<bool> Query::end_of_order(const query::OrderTerm& term, bool least, OwnedValue& end) {
  filter::Node is_null;
  is_null.kind = filter::Kind::kIsNull;
  is_null.children.resize(1);
  is_null.children[0].kind = filter::Kind::kField;
  is_null.children[0].field = term.term.field;
  std::vector<query::Condition> conditions = conditions_;
  conditions.push_back({&is_null, true, query::kWhole});
  query::OrderTerm order = term;
  order.form.descending = !least;
  query::Wanted wanted = wanted_;
  wanted.conditions = conditions;
  wanted.order = std::span(&order, 1);
  wanted.rows = 1;
  QUIRE_TRY(const query::Plan plan, query::make_plan(*view_, collection_, wanted));
  if (!plan.ordered || plan.cost_us > plan_.cost_us) return false;
  query::RecordStream stream;
  QUIRE_CHECK(stream.begin(*view_, collection_, wanted, plan, budget_));
  QUIRE_TRY(const bool there, stream.next());
  OwnedValue memory;
  end.assign(there ? order.term.value(stream.fields(), memory) : Value::null());
  return true;
}

// The least or greatest value that is not null, where an index has it at an end. False where none
// has.
Result<bool> Query::end_of(const query::OrderTerm& term, bool least, OwnedValue& end) {
  if (term.term.field == filter::kNone) return false;
  QUIRE_TRY(const bool known, end_of_range(term, least, end));
  if (known) return true;
  return end_of_order(term, least, end);
}

Result<std::uint64_t> Query::count_exactly() {
  if (plan_.path.exact_count) return plan_.path.entries;
  std::uint64_t all = 0;
  for (const KeyRange& range : plan_.path.ranges) {
    QUIRE_TRY(const std::uint64_t some, count_range(*view_, plan_.path.tree, range));
    all += some;
  }
  return all;
}

// All records as one group, where counts of the tree and ends of indexes tell all of it.
Result<bool> Query::whole_by_ranks() {
  const std::vector<query::Grouping::Aggregate>& aggregates = prepared_->grouping->aggregates;
  group_.extremes.resize(aggregates.size());
  for (std::size_t i = 0; i < aggregates.size(); ++i) {
    const query::Grouping::Aggregate& aggregate = aggregates[i];
    if (aggregate.kind == AggregateKind::kCount) {
      if (!plan_.exact()) return false;
      QUIRE_TRY(group_.count, count_exactly());
      continue;
    }
    const bool least = aggregate.kind == AggregateKind::kMin;
    QUIRE_TRY(const bool known, end_of(*aggregate.term, least, group_.extremes[i].value));
    if (!known) return false;
  }
  return true;
}

// ---------------------------------------------------------------- rows

Status Query::start_groups() {
  if (prepared_->grouping->terms.empty()) {
    if (!never_) {
      QUIRE_TRY(whole_, whole_by_ranks());
      if (whole_) return {};
    }
  } else if (plan_.ordered && !plan_.nothing && query::can_hop(plan_, *prepared_->grouping)) {
    ordered_groups_ = query::groups_by_rank(*view_, plan_, *prepared_->grouping, budget_);
    return sort_groups();
  }
  QUIRE_CHECK(stream_.begin(*view_, collection_, wanted_, plan_, budget_));
  if (plan_.ordered && !prepared_->grouping->terms.empty()) {
    ordered_groups_ = query::groups_of_stream(stream_, *prepared_->grouping, budget_);
  } else {
    QUIRE_TRY(groups_, query::gather(stream_, *prepared_->grouping, budget_));
    // No record at all is one group, too, where all are one.
    if (groups_.empty() && prepared_->grouping->terms.empty()) {
      groups_.emplace_back();
      groups_.back().extremes.resize(prepared_->grouping->aggregates.size());
    }
  }
  return sort_groups();
}

// In another order than that of their values.
Status Query::sort_groups() {
  if (prepared_->group_order.empty()) return {};
  while (ordered_groups_) {
    query::Group group;
    QUIRE_TRY(const bool there, ordered_groups_->next(group));
    if (!there) break;
    QUIRE_CHECK(budget_.memory(sizeof group + group.values.size() * sizeof(OwnedValue)));
    groups_.push_back(std::move(group));
  }
  ordered_groups_.reset();
  for (query::Group& group : groups_) {
    fill_group(group);
    group.key.clear();
    for (const query::PreparedQuery::GroupOrder& order : prepared_->group_order) {
      PartForm form = prepared_->group_columns[order.column].form;
      form.descending = order.descending;
      query::append_term(form, values_[order.column], group.key);
    }
  }
  std::ranges::stable_sort(groups_, {}, &query::Group::key);
  return {};
}

void Query::fill_group(const query::Group& group) {
  for (std::size_t i = 0; i < prepared_->group_columns.size(); ++i) {
    const query::PreparedQuery::GroupColumn& column = prepared_->group_columns[i];
    if (!column.aggregate) {
      values_[i] = group.values[column.at].view();
    } else if (prepared_->grouping->aggregates[column.at].kind == AggregateKind::kCount) {
      values_[i] = Value::of_i64(static_cast<std::int64_t>(group.count));
    } else {
      values_[i] = group.extremes[column.at].value.view();
    }
  }
}

Result<bool> Query::take_group() {
  if (std::exchange(whole_, false)) return true;
  if (ordered_groups_) return ordered_groups_->next(group_);
  if (at_ == groups_.size()) return false;
  group_ = std::move(groups_[at_++]);
  return true;
}

Result<bool> Query::next_group() {
  for (; offset_ > 0; --offset_) {
    QUIRE_TRY(const bool there, take_group());
    if (!there) return false;
  }
  QUIRE_TRY(const bool there, take_group());
  if (there) fill_group(group_);
  return there;
}

}  // namespace quire
