#include "index/query/terms.h"

#include <bit>

#include "index/filter/lexer.h"

namespace quire::query {

Result<PartForm> form_of(const Term& term) {
  PartForm form;
  form.type = term.type;
  if (is_scalar(form.type)) return form;
  const filter::Types types =
      term.expression ? term.expression->root().types : filter::types_of(term.type);
  constexpr filter::Types kOrdered = filter::kJsonTypes;
  if (term.field != filter::kNone || (types & ~kOrdered) != 0)
    return fail(ErrorCode::kType, "'%s' has no order", term.text.c_str());
  form.type = FieldType::kJson;
  return form;
}

namespace {

using filter::Lexer;
using filter::TokenKind;

// What stands between two commas.
struct Item {
  std::string_view text;  // without what is taken off its end
  std::vector<filter::Token> tokens;
  std::size_t number = 0;  // from 1
};

std::unexpected<Error> refuse(const char* list, const Item& item, const Error& error) {
  return std::unexpected(
      error.with_context(std::string(list) + ", item " + std::to_string(item.number)));
}
// How a token changes the depth of brackets.
int nesting(const filter::Token& token) noexcept {
  if (token.is_symbol("(") || token.is_symbol("[")) return 1;
  return token.is_symbol(")") || token.is_symbol("]") ? -1 : 0;
}

class Splitter {
 public:
  Splitter(const char* list, std::string_view text) : list_(list), text_(text) {}

  Result<std::vector<Item>> split() {
    if (text_.size() > filter::kMaxTextBytes)
      return fail(ErrorCode::kInvalid, "%s: longer than %zu bytes", list_, filter::kMaxTextBytes);
    Lexer lexer(text_);
    for (int depth = 0;;) {
      auto token = lexer.next();
      if (!token) return std::unexpected(token.error().with_context(list_));
      depth += nesting(*token);
      const bool comma = depth == 0 && token->is_symbol(",");
      if (!comma && token->kind != TokenKind::kEnd) {
        tokens_.push_back(*std::move(token));
        continue;
      }
      if (!comma && items_.empty() && tokens_.empty()) return std::move(items_);
      QUIRE_CHECK(finish(token->position));
      if (!comma) return std::move(items_);
    }
  }

 private:
  Status finish(std::uint32_t end) {
    const std::size_t number = items_.size() + 1;
    if (tokens_.empty())
      return fail(ErrorCode::kInvalid, "%s, item %zu: nothing stands there", list_, number);
    const std::uint32_t begin = tokens_.front().position;
    items_.push_back({text_.substr(begin, end - begin), std::move(tokens_), number});
    tokens_.clear();
    return {};
  }

  const char* list_;
  std::string_view text_;
  std::vector<Item> items_;
  std::vector<filter::Token> tokens_;
};

// Leaves out the last tokens of an item.
void cut(Item& item, std::size_t count) {
  const filter::Token& first = item.tokens[item.tokens.size() - count];
  item.text = item.text.substr(0, first.position - item.tokens.front().position);
  item.tokens.resize(item.tokens.size() - count);
}

std::string_view name_of(const filter::Token& token) {
  return token.kind == TokenKind::kName ? std::string_view(token.value) : token.source;
}

bool is_name(const filter::Token& token) noexcept {
  return token.kind == TokenKind::kName || token.kind == TokenKind::kWord;
}

// The one type of a set, which has one.
FieldType single_type(filter::Types types) noexcept {
  if (std::popcount(types) != 1) return FieldType::kNull;
  return static_cast<FieldType>(std::countr_zero(types));
}

Result<Term> make_term(std::string_view text, std::span<const filter::Token> tokens,
                       const Schema& schema) {
  Term term;
  term.position = tokens.front().position;
  if (tokens.size() == 1 && is_name(tokens[0])) {
    const std::size_t field = schema.find(name_of(tokens[0]));
    const bool reserved =
        tokens[0].kind == TokenKind::kWord && filter::is_reserved(tokens[0].source);
    if (field < schema.size() && !reserved) {
      term.field = static_cast<std::uint32_t>(field);
      term.fields = {term.field};
      term.type = schema.field(field).type;
      term.text = schema.field(field).name;
      return term;
    }
  }
  QUIRE_TRY(const Expression expression, Expression::prepare(text, schema));
  if (!expression.parameters().empty())
    return fail(ErrorCode::kInvalid, "parameters belong into the filter");
  QUIRE_TRY(term.expression, expression.bind());
  term.fields.assign(expression.fields().begin(), expression.fields().end());
  term.type = single_type(expression.types());
  term.text = expression.text();
  return term;
}

Result<OrderTerm> make_order_term(std::string_view text, std::span<const filter::Token> tokens,
                                  const Schema& schema) {
  OrderTerm made;
  QUIRE_TRY(made.term, make_term(text, tokens, schema));
  QUIRE_TRY(made.form, form_of(made.term));
  return made;
}

// Takes asc or desc off the end; a field with this name stands alone.
bool take_direction(Item& item) {
  if (item.tokens.size() < 2) return false;
  const filter::Token& last = item.tokens.back();
  const bool descending = last.is_word("desc");
  if (descending || last.is_word("asc")) cut(item, 1);
  return descending;
}

AggregateKind aggregate_of(const Item& item) {
  const std::vector<filter::Token>& tokens = item.tokens;
  if (tokens.size() < 3 || !tokens[1].is_symbol("(") || !tokens.back().is_symbol(")"))
    return AggregateKind::kNone;
  if (tokens[0].is_word("count")) return AggregateKind::kCount;
  if (tokens[0].is_word("min")) return AggregateKind::kMin;
  return tokens[0].is_word("max") ? AggregateKind::kMax : AggregateKind::kNone;
}

Status fill_aggregate(const Item& item, const Schema& schema, SelectItem& select) {
  const std::span<const filter::Token> inner =
      std::span(item.tokens).subspan(2).first(item.tokens.size() - 3);
  if (select.aggregate == AggregateKind::kCount) {
    const bool all = inner.empty() || (inner.size() == 1 && inner[0].is_symbol("*"));
    if (!all) return fail(ErrorCode::kInvalid, "count() has nothing in its brackets");
    return {};
  }
  if (inner.empty()) return fail(ErrorCode::kInvalid, "a value is missing in the brackets");
  const std::size_t begin = inner.front().position - item.tokens.front().position;
  const std::size_t end = item.tokens.back().position - item.tokens.front().position;
  QUIRE_TRY(OrderTerm term, make_order_term(item.text.substr(begin, end - begin), inner, schema));
  select.term = std::move(term.term);
  return {};
}

std::string aggregate_name(const SelectItem& item) {
  if (item.aggregate == AggregateKind::kCount) return "count";
  return (item.aggregate == AggregateKind::kMin ? "min(" : "max(") + item.term->text + ")";
}

Status take_name(Item& item, SelectItem& select) {
  const std::size_t size = item.tokens.size();
  if (size < 3 || !item.tokens[size - 2].is_word("as")) return {};
  if (!is_name(item.tokens.back())) return fail(ErrorCode::kInvalid, "no name follows `as`");
  select.name = name_of(item.tokens.back());
  cut(item, 2);
  return {};
}

Result<SelectItem> make_select(Item& item, const Schema& schema) {
  SelectItem select;
  QUIRE_CHECK(take_name(item, select));
  select.aggregate = aggregate_of(item);
  if (select.aggregate != AggregateKind::kNone) {
    QUIRE_CHECK(fill_aggregate(item, schema, select));
    if (select.name.empty()) select.name = aggregate_name(select);
    return select;
  }
  QUIRE_TRY(select.term, make_term(item.text, item.tokens, schema));
  if (select.name.empty()) select.name = select.term->text;
  return select;
}

}  // namespace

Value Term::value(const FieldSource& record, OwnedValue& memory) const {
  if (field != filter::kNone) return record.value(field);
  memory = expression->value(record);
  return memory.view();
}

Result<std::vector<SelectItem>> parse_select(std::string_view text, const Schema& schema) {
  QUIRE_TRY(std::vector<Item> items, Splitter("select", text).split());
  std::vector<SelectItem> all;
  for (Item& item : items) {
    auto made = make_select(item, schema);
    if (!made) return refuse("select", item, made.error());
    all.push_back(*std::move(made));
  }
  return all;
}

Result<std::vector<OrderTerm>> parse_group(std::string_view text, const Schema& schema) {
  QUIRE_TRY(const std::vector<Item> items, Splitter("group", text).split());
  std::vector<OrderTerm> terms;
  for (const Item& item : items) {
    auto term = make_order_term(item.text, item.tokens, schema);
    if (!term) return refuse("group", item, term.error());
    terms.push_back(*std::move(term));
  }
  return terms;
}

Result<std::vector<OrderTerm>> parse_order(std::string_view text, const Schema& schema) {
  QUIRE_TRY(std::vector<Item> items, Splitter("order", text).split());
  std::vector<OrderTerm> terms;
  for (Item& item : items) {
    const bool descending = take_direction(item);
    auto term = make_order_term(item.text, item.tokens, schema);
    if (!term) return refuse("order", item, term.error());
    term->form.descending = descending;
    terms.push_back(*std::move(term));
  }
  return terms;
}

Result<std::vector<SelectItem>> parse_group_order(std::string_view text, const Schema& schema) {
  QUIRE_TRY(std::vector<Item> items, Splitter("order", text).split());
  std::vector<SelectItem> all;
  for (Item& item : items) {
    const bool descending = take_direction(item);
    SelectItem made;
    if (item.tokens.size() == 1 && is_name(item.tokens[0])) {
      made.name = name_of(item.tokens[0]);
    } else {
      auto select = make_select(item, schema);
      if (!select) return refuse("order", item, select.error());
      made = *std::move(select);
    }
    made.descending = descending;
    all.push_back(std::move(made));
  }
  return all;
}

void append_term(const PartForm& form, const Value& value, EncodedKey& key) {
  append_part(form, fits_part(form, value) ? value : Value::null(), key);
}

}  // namespace quire::query
