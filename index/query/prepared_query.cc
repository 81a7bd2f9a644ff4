#include "index/query/prepared_query.h"

#include <algorithm>

#include "engine/base/checksum.h"

namespace quire::query {
namespace {

bool same_item(const SelectItem& a, const SelectItem& b) {
  if (a.aggregate != b.aggregate || a.term.has_value() != b.term.has_value()) return false;
  return !a.term || *a.term == *b.term;
}

}  // namespace

Result<std::shared_ptr<const PreparedQuery>> PreparedQuery::make(const Collection& collection,
                                                                 const QueryText& text) {
  auto prepared = std::make_shared<PreparedQuery>();
  QUIRE_CHECK(prepared->read(collection, text));
  return prepared;
}

Status PreparedQuery::read(const Collection& collection, const QueryText& text) {
  filter_text = text.filter;
  select_text = text.select;
  group_text = text.group;
  order_text = text.order;
  distinct = text.distinct;
  const Schema& schema = collection.schema();
  auto read = Filter::prepare(text.filter.empty() ? "true" : text.filter, schema);
  if (!read) return std::unexpected(read.error());
  filter = *std::move(read);
  QUIRE_TRY(select, parse_select(text.select, schema));
  const bool aggregates = std::ranges::any_of(
      select, [](const SelectItem& item) { return item.aggregate != AggregateKind::kNone; });
  const bool groups = aggregates || text.distinct || !text.group.empty();
  QUIRE_CHECK(groups ? read_groups(schema, text) : read_records(schema, text));
  collect_fields();
  ByteVector bytes;
  ByteWriter writer(bytes);
  writer.put(collection.id());
  writer.put_sized(as_bytes(filter->text()));
  writer.put_sized(as_bytes(text.order));
  asked = checksum64(bytes);
  return {};
}

Status PreparedQuery::read_records(const Schema& schema, const QueryText& text) {
  QUIRE_TRY(order, parse_order(text.order, schema));
  if (text.select.empty()) {
    for (std::uint32_t i = 0; i < schema.size(); ++i) {
      Term term;
      term.text = schema.field(i).name;
      term.field = i;
      term.fields = {i};
      term.type = schema.field(i).type;
      select.push_back({.name = term.text, .term = term});
    }
  }
  for (const SelectItem& item : select) columns.push_back({item.name, item.term->type});
  return {};
}

void PreparedQuery::collect_fields() {
  const auto add = [&](const Term& term) {
    std::ranges::copy(term.fields, std::back_inserter(fields));
  };
  if (!grouping) {
    for (const SelectItem& item : select) add(*item.term);
    return;
  }
  for (const OrderTerm& term : grouping->terms) add(term.term);
  for (const Grouping::Aggregate& aggregate : grouping->aggregates) {
    if (aggregate.term) add(aggregate.term->term);
  }
}

// ---------------------------------------------------------------- groups

Status PreparedQuery::add_group_column(const SelectItem& item) {
  GroupColumn column;
  if (item.aggregate == AggregateKind::kNone) {
    const auto found = std::ranges::find(grouping->terms, *item.term, &OrderTerm::term);
    if (found == grouping->terms.end())
      return fail(ErrorCode::kInvalid,
                  "select: '%s' is neither in `group` nor count(), min() or max()",
                  item.name.c_str());
    column.at = static_cast<std::size_t>(found - grouping->terms.begin());
    column.form = found->form;
    columns.push_back({item.name, item.term->type});
  } else {
    column.aggregate = true;
    column.at = grouping->aggregates.size();
    column.form.type = FieldType::kI64;
    Grouping::Aggregate aggregate{item.aggregate, {}};
    if (item.term) {
      column.form.type = item.term->type != FieldType::kNull ? item.term->type : FieldType::kJson;
      aggregate.term = OrderTerm{*item.term, column.form};
    }
    grouping->aggregates.push_back(std::move(aggregate));
    columns.push_back({item.name, item.term ? item.term->type : FieldType::kI64});
  }
  group_columns.push_back(column);
  return {};
}

Status PreparedQuery::read_groups(const Schema& schema, const QueryText& text) {
  grouping.emplace();
  QUIRE_TRY(grouping->terms, parse_group(text.group, schema));
  if (text.distinct) {
    if (!text.group.empty())
      return fail(ErrorCode::kInvalid, "query: distinct and group can't be used together");
    if (text.select.empty())
      return fail(ErrorCode::kInvalid, "query: distinct needs a list of what to select");
    for (const SelectItem& item : select) {
      if (item.aggregate != AggregateKind::kNone)
        return fail(ErrorCode::kInvalid, "query: distinct and %s can't be used together",
                    item.name.c_str());
      QUIRE_TRY(const PartForm form, form_of(*item.term));
      grouping->terms.push_back({*item.term, form});
    }
  }
  if (select.empty()) {
    for (const OrderTerm& term : grouping->terms)
      select.push_back({.name = term.term.text, .term = term.term});
    select.push_back({.name = "count", .aggregate = AggregateKind::kCount});
  }
  for (const SelectItem& item : select) QUIRE_CHECK(add_group_column(item));
  return read_group_order(schema, text.order);
}

Result<std::size_t> PreparedQuery::find_column(const SelectItem& item) const {
  const bool named = !item.term && item.aggregate == AggregateKind::kNone;
  for (std::size_t i = 0; i < select.size(); ++i) {
    if (named ? select[i].name == item.name : same_item(select[i], item)) return i;
  }
  return fail(ErrorCode::kNotFound, "order: '%s' is no column of the groups", item.name.c_str());
}

Status PreparedQuery::read_group_order(const Schema& schema, std::string_view text) {
  QUIRE_TRY(const auto items, parse_group_order(text, schema));
  for (const SelectItem& item : items) {
    QUIRE_TRY(const std::size_t column, find_column(item));
    group_order.push_back({column, item.descending});
  }
  return {};
}

}  // namespace quire::query
