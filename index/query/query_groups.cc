// Queries whose rows are groups of records.
#include <algorithm>

#include "index/query/query.h"

namespace quire {

using query::AggregateKind;

// ---------------------------------------------------------------- the whole as one group

// Of the plan's own range: its entries are in the order of the value.
Result<std::optional<OwnedValue>> Query::end_of_range(const query::OrderTerm& term, bool least) {
  const query::AccessPath& path = plan_.path;
  if (!plan_.exact() || path.index == nullptr || path.ranges.size() != 1) return std::nullopt;
  const std::vector<BoundPart>& parts = path.index->form().parts;
  if (path.fixed == parts.size()) return std::nullopt;
  const BoundPart& part = parts[path.fixed];
  if (part.source != PartSource::kField || part.field != term.term.field ||
      part.form.collation != Collation::kBytes)
    return std::nullopt;
  end_range_ = path.ranges.front();
  // Without a condition on the part the range begins, or ends, with its nulls.
  if (path.parts == path.fixed) {
    EncodedKey nulls = end_range_.low;
    nulls += null_tag(part.form);
    if (part.form.descending) {
      end_range_.high = std::move(nulls);
    } else {
      end_range_.low = *behind_prefix(quire::bytes_of(nulls));
    }
  }
  const bool forward = least != part.form.descending;
  ends_.begin(*view_, *path.index, end_range_,
              forward ? ScanDirection::kForward : ScanDirection::kBackward);
  QUIRE_TRY(const bool there, ends_.next());
  if (!there) return OwnedValue();
  QUIRE_CHECK(budget_.entry());
  QUIRE_TRY(const std::span<const Value> values, ends_.parts());
  return OwnedValue(values[path.fixed]);
}

// The least or greatest value that is not null, where an index has it at an end.
Result<std::optional<OwnedValue>> Query::end_of(const query::OrderTerm& term, bool least) {
  if (term.term.field == filter::kNone) return std::nullopt;
  QUIRE_TRY(auto known, end_of_range(term, least));
  if (known) return known;
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
  if (!plan.ordered || plan.cost_us > plan_.cost_us) return std::nullopt;
  query::RecordStream stream;
  QUIRE_CHECK(stream.begin(*view_, collection_, wanted, plan, budget_));
  QUIRE_TRY(const bool there, stream.next());
  if (!there) return OwnedValue();
  OwnedValue memory;
  return OwnedValue(order.term.value(stream.fields(), memory));
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
Result<std::optional<query::Group>> Query::whole_by_ranks() {
  query::Group whole;
  whole.extremes.resize(prepared_->grouping->aggregates.size());
  for (std::size_t i = 0; i < prepared_->grouping->aggregates.size(); ++i) {
    const query::Grouping::Aggregate& aggregate = prepared_->grouping->aggregates[i];
    if (aggregate.kind == AggregateKind::kCount) {
      if (!plan_.exact()) return std::nullopt;
      QUIRE_TRY(whole.count, count_exactly());
      continue;
    }
    QUIRE_TRY(auto end, end_of(*aggregate.term, aggregate.kind == AggregateKind::kMin));
    if (!end) return std::nullopt;
    whole.extremes[i].value = *std::move(end);
  }
  return whole;
}

// ---------------------------------------------------------------- rows

Status Query::start_groups() {
  if (prepared_->grouping->terms.empty()) {
    if (!never_) {
      QUIRE_TRY(auto whole, whole_by_ranks());
      if (whole) {
        groups_.push_back(*std::move(whole));
        return {};
      }
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
