#include "index/query/condition.h"

#include <algorithm>

#include "index/filter/term.h"

namespace quire::query {
namespace {

using filter::CompareOp;
using filter::Kind;
using filter::Node;

CompareOp opposite(CompareOp op) noexcept {
  switch (op) {
    case CompareOp::kEqual:
      return CompareOp::kNotEqual;
    case CompareOp::kNotEqual:
      return CompareOp::kEqual;
    case CompareOp::kLess:
      return CompareOp::kGreaterEqual;
    case CompareOp::kLessEqual:
      return CompareOp::kGreater;
    case CompareOp::kGreater:
      return CompareOp::kLessEqual;
    case CompareOp::kGreaterEqual:
      return CompareOp::kLess;
  }
  return op;
}

// a op b is b mirrored(op) a.
CompareOp mirrored(CompareOp op) noexcept {
  switch (op) {
    case CompareOp::kLess:
      return CompareOp::kGreater;
    case CompareOp::kLessEqual:
      return CompareOp::kGreaterEqual;
    case CompareOp::kGreater:
      return CompareOp::kLess;
    case CompareOp::kGreaterEqual:
      return CompareOp::kLessEqual;
    default:
      return op;
  }
}

Constraint nothing() { return {{}, true}; }

std::optional<Constraint> both(const std::optional<Constraint>& a,
                               const std::optional<Constraint>& b) {
  if (!a || !b) return {};
  return Constraint{intersect(a->values, b->values), a->exact && b->exact};
}
std::optional<Constraint> either(std::optional<Constraint> a, std::optional<Constraint> b) {
  if (!a || !b) return {};
  return Constraint{unite(std::move(a->values), std::move(b->values)), a->exact && b->exact};
}

class Constrainer {
 public:
  Constrainer(const BoundFilter& filter, const KeyPart& part) noexcept
      : filter_(filter), part_(part) {}

  // Where the node is true, or, `negated`, where it is false; nothing where that can't be told of
  // the part.
  std::optional<Constraint> of(const Node& node, bool negated) const {
    switch (node.kind) {
      case Kind::kAnd:
      case Kind::kOr:
        return joined(node, negated);
      case Kind::kNot:
        return of(node.children[0], !negated);
      case Kind::kHas:
        if (negated) return {};
        return has(node, kWhole);
      default:
        if (part_.source() == PartSource::kElements) return null_elements(node, negated);
        return of_scalar(node, negated);
    }
  }

  // Of arrays with this element: of one item of `has`, or of any of them.
  std::optional<Constraint> has(const Node& node, std::uint32_t item) const {
    if (part_.source() != PartSource::kElements || !is_field(node.children[0])) return {};
    if (node.every && item == kWhole) return {};
    const filter::ValueSet* items = filter_.items(node);
    if (items == nullptr) return {};
    if (item != kWhole) return equal(items->values()[item]);
    return among(*items);
  }

 private:
  bool is_field(const Node& node) const noexcept {
    return node.kind == Kind::kField && node.field == part_.field();
  }
  // Whether a node is what the part has the values of.
  bool is_part(const Node& node) const noexcept {
    if (part_.source() == PartSource::kField) return is_field(node);
    return node.kind == Kind::kJsonPath && node.field == part_.field() && part_.path() != nullptr &&
           same_path(node, *part_.path());
  }

  std::optional<Constraint> joined(const Node& node, bool negated) const {
    // Two conditions on elements may hold of two elements.
    if (node.kind == Kind::kAnd && part_.source() == PartSource::kElements) return {};
    const bool all = (node.kind == Kind::kAnd) != negated;
    std::optional<Constraint> whole = of(node.children[0], negated);
    for (std::size_t i = 1; whole && i < node.children.size(); ++i) {
      std::optional<Constraint> next = of(node.children[i], negated);
      whole = all ? both(whole, next) : either(std::move(whole), std::move(next));
    }
    return whole;
  }

  // An array that is null has an entry with a null; so has an empty one.
  std::optional<Constraint> null_elements(const Node& node, bool negated) const {
    if (negated || node.kind != Kind::kIsNull || !is_field(node.children[0])) return {};
    return Constraint{part_.null(), false};
  }

  std::optional<Constraint> of_scalar(const Node& node, bool negated) const {
    switch (node.kind) {
      case Kind::kField:
      case Kind::kJsonPath:
        if (!is_part(node)) return {};
        return equal(Value::of_bool(!negated));
      case Kind::kCompare:
        return compared(node, negated);
      case Kind::kBetween:
        return between(node, negated);
      case Kind::kIn:
        return in(node, negated);
      case Kind::kLike:
        if (negated) return {};
        return like(node);
      case Kind::kIsNull:
        return is_null(node, negated);
      default:
        return {};
    }
  }

  std::optional<Constraint> is_null(const Node& node, bool negated) const {
    if (!is_part(node.children[0])) return {};
    // In JSON also what is an array or an object has a null in its entry.
    if (part_.json() && negated) return {};
    return Constraint{negated ? part_.not_null() : part_.null(), !part_.json()};
  }

  std::optional<Constraint> compared(const Node& node, bool negated) const {
    const Node& left = node.children[0];
    const Node& right = node.children[1];
    const CompareOp op = negated ? opposite(node.compare) : node.compare;
    if (is_part(left)) {
      if (const Value* constant = filter_.constant(right)) return where(op, *constant);
    } else if (is_part(right)) {
      if (const Value* constant = filter_.constant(left)) return where(mirrored(op), *constant);
    } else if (node.compare == CompareOp::kEqual && !negated) {
      return folded(left, right);
    }
    return {};
  }

  // lower(part) = 'text', of a part that is folded in the same way.
  std::optional<Constraint> folded(const Node& left, const Node& right) const {
    if (!part_.folded() || part_.json() || left.kind != Kind::kFunction ||
        left.function != filter::Function::kLower || !is_part(left.children[0]))
      return {};
    const Value* constant = filter_.constant(right);
    if (constant == nullptr || constant->type != FieldType::kText) return {};
    // A text with a capital letter in it is never what lower() gives.
    return Constraint{part_.point(*constant), false};
  }

  std::optional<Constraint> between(const Node& node, bool negated) const {
    if (!is_part(node.children[0])) return {};
    const Value* low = filter_.constant(node.children[1]);
    const Value* high = filter_.constant(node.children[2]);
    if (low == nullptr || high == nullptr) return {};
    if (negated) return either(where(CompareOp::kLess, *low), where(CompareOp::kGreater, *high));
    return both(where(CompareOp::kGreaterEqual, *low), where(CompareOp::kLessEqual, *high));
  }

  std::optional<Constraint> in(const Node& node, bool negated) const {
    const filter::ValueSet* items = filter_.items(node);
    if (items == nullptr || !is_part(node.children[0])) return {};
    if (!negated) return among(*items);
    if (items->has_null()) return nothing();
    if (part_.json() || part_.folded()) return {};
    return others_than(*items);
  }

  std::optional<Constraint> among(const filter::ValueSet& items) const {
    Constraint all{{}, true};
    for (const Value& item : items.values()) {
      Constraint one = equal(item);
      std::ranges::move(one.values, std::back_inserter(all.values));
      all.exact = all.exact && one.exact;
    }
    all.values = unite(std::move(all.values), {});
    return all;
  }

  std::optional<Constraint> others_than(const filter::ValueSet& items) const {
    std::optional<Constraint> others = Constraint{part_.not_null(), true};
    for (const Value& item : items.values())
      others = both(others, where(CompareOp::kNotEqual, item));
    return others;
  }

  Constraint equal(const Value& value) const {
    if (part_.json()) return equal_json(value);
    const filter::Term term = filter::term_for(part_.form().type, CompareOp::kEqual, value);
    if (term.what != filter::Term::What::kCompare) return nothing();
    return {part_.point(term.value), !part_.folded()};
  }
  Constraint equal_json(const Value& value) const {
    if (value.is_null() || !fits_part(part_.form(), value)) return nothing();
    return {part_.point(value), !(part_.folded() && value.type == FieldType::kText)};
  }

  std::optional<Constraint> where(CompareOp op, const Value& constant) const {
    if (constant.is_null()) return nothing();
    if (op == CompareOp::kEqual) return equal(constant);
    // Folding keeps no order of texts.
    if (part_.folded()) return {};
    if (part_.json()) {
      // What is of another kind is unequal, and may be an object, whose entry has a null.
      if (op == CompareOp::kNotEqual) return {};
      if (!fits_part(part_.form(), constant)) return nothing();
      return ranged(op, constant);
    }
    const filter::Term term = filter::term_for(part_.form().type, op, constant);
    if (term.what == filter::Term::What::kNever) return nothing();
    if (term.what == filter::Term::What::kNotNull) return Constraint{part_.not_null(), true};
    return ranged(term.op, term.value);
  }

  Constraint ranged(CompareOp op, const Value& value) const {
    const std::optional<PartBound> within = PartBound{value, true};
    const std::optional<PartBound> without = PartBound{value, false};
    switch (op) {
      case CompareOp::kEqual:
        return {part_.point(value), true};
      case CompareOp::kNotEqual:
        return {unite(part_.range({}, without), part_.range(without, {})), true};
      case CompareOp::kLess:
        return {part_.range({}, without), true};
      case CompareOp::kLessEqual:
        return {part_.range({}, within), true};
      case CompareOp::kGreater:
        return {part_.range(without, {}), true};
      case CompareOp::kGreaterEqual:
        return {part_.range(within, {}), true};
    }
    return nothing();
  }

  std::optional<Constraint> like(const Node& node) const {
    if (!is_part(node.children[0])) return {};
    if (!part_.json() && part_.form().type != FieldType::kText) return {};
    const filter::LikePattern* pattern = filter_.like_pattern(node);
    if (pattern == nullptr) return {};
    // The part has the text in lower case: what it begins with in any case can be used.
    const bool same_fold = part_.folded() && node.fold_case;
    const filter::LikePattern::Prefix& prefix =
        same_fold ? pattern->folded_prefix() : pattern->prefix();
    const bool exact = same_fold || !part_.folded();
    const Value text = Value::of_text(prefix.text);
    if (prefix.exact) return Constraint{part_.point(text), exact};
    if (prefix.text.empty()) return {};
    return Constraint{part_.begins(text), exact && prefix.alone};
  }

  const BoundFilter& filter_;
  const KeyPart& part_;
};

}  // namespace

void take_apart(const BoundFilter& filter, const Node& node, bool negated,
                std::vector<Condition>& parts) {
  if (node.kind == Kind::kNot) return take_apart(filter, node.children[0], !negated, parts);
  if (node.kind == (negated ? Kind::kOr : Kind::kAnd)) {
    for (const Node& child : node.children) take_apart(filter, child, negated, parts);
    return;
  }
  const filter::ValueSet* items =
      node.kind == Kind::kHas && node.every && !negated ? filter.items(node) : nullptr;
  if (items == nullptr || items->has_null() || items->values().empty()) {
    parts.push_back({&node, negated, kWhole});
    return;
  }
  for (std::uint32_t i = 0; i < items->values().size(); ++i) parts.push_back({&node, false, i});
}

std::vector<Condition> alternatives(const Condition& condition) {
  std::vector<Condition> all;
  if (condition.node->kind != (condition.negated ? Kind::kAnd : Kind::kOr)) return all;
  for (const Node& child : condition.node->children)
    all.push_back({&child, condition.negated, kWhole});
  return all;
}

std::optional<Constraint> constrain(const BoundFilter& filter, const Condition& condition,
                                    const KeyPart& part) {
  const Constrainer constrainer(filter, part);
  if (condition.item != kWhole) return constrainer.has(*condition.node, condition.item);
  return constrainer.of(*condition.node, condition.negated);
}

void add_fields(const Node& node, FieldList& fields) {
  if (node.field != filter::kNone) fields.push_back(node.field);
  for (const Node& child : node.children) add_fields(child, fields);
}

bool same_path(const Node& node, const JsonPath& path) noexcept {
  return node.steps == path.steps();
}

}  // namespace quire::query
