// Queries whose rows are groups of records.
#include <algorithm>

#include "index/query/query.h"

namespace quire {

using query::AggregateKind;
using query::kAll;

namespace {

bool same_item(const query::SelectItem& a, const query::SelectItem& b) {
  if (a.aggregate != b.aggregate || a.term.has_value() != b.term.has_value()) return false;
  return !a.term || *a.term == *b.term;
}

}  // namespace

// ---------------------------------------------------------------- preparation

Status Query::add_group_column(const query::SelectItem& item) {
  GroupColumn column;
  query::Grouping& grouping = *grouping_;
  if (item.aggregate == AggregateKind::kNone) {
    const auto found = std::ranges::find(grouping.terms, *item.term, &query::OrderTerm::term);
    if (found == grouping.terms.end())
      return fail(ErrorCode::kInvalid,
                  "select: '%s' is neither in `group` nor count(), min() or max()",
                  item.name.c_str());
    column.at = static_cast<std::size_t>(found - grouping.terms.begin());
    column.form = found->form;
    columns_.push_back({item.name, item.term->type});
  } else {
    column.aggregate = true;
    column.at = grouping.aggregates.size();
    column.form.type = FieldType::kI64;
    query::Grouping::Aggregate aggregate{item.aggregate, {}};
    if (item.term) {
      column.form.type = item.term->type != FieldType::kNull ? item.term->type : FieldType::kJson;
      aggregate.term = query::OrderTerm{*item.term, column.form};
    }
    grouping.aggregates.push_back(std::move(aggregate));
    columns_.push_back({item.name, item.term ? item.term->type : FieldType::kI64});
  }
  group_columns_.push_back(std::move(column));
  return {};
}

Status Query::prepare_groups(const QueryRequest& request) {
  const Schema& schema = collection_.schema();
  query::Grouping& grouping = grouping_.emplace();
  QUIRE_TRY(grouping.terms, query::parse_group(request.group, schema));
  if (request.distinct) {
    if (!request.group.empty())
      return fail(ErrorCode::kInvalid, "query: distinct and group can't be used together");
    if (request.select.empty())
      return fail(ErrorCode::kInvalid, "query: distinct needs a list of what to select");
    QUIRE_TRY(grouping.terms, query::parse_group(request.select, schema));
  }
  if (select_.empty()) {
    for (const query::OrderTerm& term : grouping.terms)
      select_.push_back({.name = term.term.text, .term = term.term});
    select_.push_back({.name = "count", .aggregate = AggregateKind::kCount});
  }
  for (const query::SelectItem& item : select_) QUIRE_CHECK(add_group_column(item));
  values_.resize(columns_.size());
  return prepare_group_order(request.order);
}

Result<std::size_t> Query::find_column(const query::SelectItem& item) const {
  for (std::size_t i = 0; i < select_.size(); ++i) {
    const bool named = !item.term && item.aggregate == AggregateKind::kNone;
    if (named ? select_[i].name == item.name : same_item(select_[i], item)) return i;
  }
  return fail(ErrorCode::kNotFound, "order: '%s' is no column of the groups", item.name.c_str());
}

Status Query::prepare_group_order(std::string_view order) {
  QUIRE_TRY(const auto items, query::parse_group_order(order, collection_.schema()));
  for (const query::SelectItem& item : items) {
    QUIRE_TRY(const std::size_t column, find_column(item));
    group_order_.push_back({column, item.descending});
  }
  return {};
}

// ---------------------------------------------------------------- the whole as one group

// The least or greatest value that is not null, where an index has it at an end.
Result<std::optional<OwnedValue>> Query::end_of(const query::OrderTerm& term, bool least) {
  if (term.term.field == filter::kNone) return std::nullopt;
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
  QUIRE_TRY(auto stream,
            query::RecordStream::open(*view_, collection_, wanted, plan, budget_));
  QUIRE_TRY(const bool there, stream->next());
  if (!there) return OwnedValue();
  OwnedValue memory;
  return OwnedValue(order.term.value(stream->fields(), memory));
}

Result<std::uint64_t> Query::count_exactly() {
  if (plan_.path.exact_count) return plan_.path.entries;
  std::uint64_t all = 0;
  for (const KeyRange& range : plan_.path.ranges) {
    QUIRE_TRY(const std::uint64_t some, RangeScan(*view_, plan_.path.tree, range).count());
    all += some;
  }
  return all;
}

// All records as one group, where counts of the tree and ends of indexes tell all of it.
Result<std::optional<query::Group>> Query::whole_by_ranks() {
  query::Group whole;
  whole.extremes.resize(grouping_->aggregates.size());
  for (std::size_t i = 0; i < grouping_->aggregates.size(); ++i) {
    const query::Grouping::Aggregate& aggregate = grouping_->aggregates[i];
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
  if (grouping_->terms.empty()) {
    if (!never_) {
      QUIRE_TRY(auto whole, whole_by_ranks());
      if (whole) {
        groups_.push_back(*std::move(whole));
        return {};
      }
    }
  } else if (plan_.ordered && !plan_.nothing && query::can_hop(plan_, *grouping_)) {
    ordered_groups_ = query::groups_by_rank(*view_, plan_, *grouping_, budget_);
    return sort_groups();
  }
  QUIRE_TRY(stream_, query::RecordStream::open(*view_, collection_, wanted_, plan_, budget_));
  if (plan_.ordered && !grouping_->terms.empty()) {
    ordered_groups_ = query::groups_of_stream(*stream_, *grouping_, budget_);
  } else {
    QUIRE_TRY(groups_, query::gather(*stream_, *grouping_, budget_));
    // No record at all is one group, too, where all are one.
    if (groups_.empty() && grouping_->terms.empty()) {
      groups_.emplace_back();
      groups_.back().extremes.resize(grouping_->aggregates.size());
    }
  }
  return sort_groups();
}

// In another order than that of their values.
Status Query::sort_groups() {
  if (group_order_.empty()) return {};
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
    for (const GroupOrder& order : group_order_) {
      PartForm form = group_columns_[order.column].form;
      form.descending = order.descending;
      query::append_term(form, values_[order.column], group.key);
    }
  }
  std::ranges::stable_sort(groups_, {}, &query::Group::key);
  return {};
}

void Query::fill_group(const query::Group& group) {
  for (std::size_t i = 0; i < group_columns_.size(); ++i) {
    const GroupColumn& column = group_columns_[i];
    if (!column.aggregate) {
      values_[i] = group.values[column.at].view();
    } else if (grouping_->aggregates[column.at].kind == AggregateKind::kCount) {
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
