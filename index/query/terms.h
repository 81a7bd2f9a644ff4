// Lists in the text of a query: what it selects, orders by and groups by.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "index/filter/filter.h"
#include "index/ordered/entry_key.h"

namespace quire::query {

// A field, or what is calculated of fields.
struct Term {
  std::string text;                           // canonical
  std::uint32_t field = filter::kNone;        // of the schema, where it is a field
  std::optional<BoundExpression> expression;  // else
  std::vector<std::uint32_t> fields;          // that it reads
  FieldType type = FieldType::kNull;          // kNull where only a record tells
  std::uint32_t position = 0;                 // in the list

  // Borrows from the record or `memory`.
  Value value(const FieldSource& record, OwnedValue& memory) const;
  bool operator==(const Term& other) const noexcept { return text == other.text; }
};

struct OrderTerm {
  Term term;
  PartForm form;  // how its values compare: as in a sorted index
};

enum class AggregateKind : std::uint8_t { kNone, kCount, kMin, kMax };

// An item of what is selected.
struct SelectItem {
  std::string name;
  AggregateKind aggregate = AggregateKind::kNone;
  std::optional<Term> term;  // none of count()
  bool descending = false;   // of an item of `order` in a query of groups
};

// Each: kInvalid, kNotFound, kType: "select, item 2: ...".
// `select`: fields and expressions, each with `as name` if need be; count(), min(x), max(x). Empty:
// all fields.
Result<std::vector<SelectItem>> parse_select(std::string_view text, const Schema& schema);
// `group`: fields and expressions of scalars.
Result<std::vector<OrderTerm>> parse_group(std::string_view text, const Schema& schema);
// `order`: the same, each with asc or desc.
Result<std::vector<OrderTerm>> parse_order(std::string_view text, const Schema& schema);
// `order` of a query of groups: names of its columns, or the items as they are in `select`.
Result<std::vector<SelectItem>> parse_group_order(std::string_view text, const Schema& schema);

// How values of a term compare: kType where they have no order.
Result<PartForm> form_of(const Term& term);

// What a value is in the bytes of a key of this form: itself, but null for what such a key has no
// place for (arrays and objects in JSON).
void append_term(const PartForm& form, const Value& value, EncodedKey& key);

}  // namespace quire::query
