#include "index/query/implied.h"

#include <algorithm>

#include "index/filter/term.h"

namespace quire::query {
namespace {

using filter::CompareOp;
using filter::Kind;
using filter::Node;

struct Claim {
  const Node* node;
  bool negated;
};

// The claims of a filter without parameters: its conditions, negations taken apart.
void collect(const Node& node, bool negated, std::vector<Claim>& claims) {
  if (node.kind == Kind::kNot) return collect(node.children[0], !negated, claims);
  if (node.kind == (negated ? Kind::kOr : Kind::kAnd)) {
    for (const Node& child : node.children) collect(child, negated, claims);
    return;
  }
  claims.push_back({&node, negated});
}

// The values for which a condition of a partial filter holds, which are all constants of the text.
class Ranges {
 public:
  explicit Ranges(const KeyPart& part) noexcept : part_(part) {}

  std::optional<Intervals> of(const Node& node, bool negated) const {
    if (node.kind == Kind::kIsNull && is_part(node.children[0]))
      return negated ? part_.not_null() : part_.null();
    if (is_part(node)) return part_.point(Value::of_bool(!negated));
    if (negated || node.kind != Kind::kCompare || !is_part(node.children[0]) ||
        node.children[1].kind != Kind::kConstant)
      return {};
    const Value constant = node.children[1].constant.view();
    const filter::Term term = filter::term_for(part_.form().type, node.compare, constant);
    if (term.what != filter::Term::What::kCompare) return {};
    return of(term.op, term.value);
  }

 private:
  bool is_part(const Node& node) const noexcept {
    return node.kind == Kind::kField && node.field == part_.field();
  }
  std::optional<Intervals> of(CompareOp op, const Value& value) const {
    const std::optional<PartBound> bound =
        PartBound{value, op == CompareOp::kLessEqual || op == CompareOp::kGreaterEqual};
    switch (op) {
      case CompareOp::kEqual:
        return part_.point(value);
      case CompareOp::kLess:
      case CompareOp::kLessEqual:
        return part_.range({}, bound);
      case CompareOp::kGreater:
      case CompareOp::kGreaterEqual:
        return part_.range(bound, {});
      case CompareOp::kNotEqual:
        return unite(part_.range({}, bound), part_.range(bound, {}));
    }
    return {};
  }

  const KeyPart& part_;
};

// The field that a claim is about alone, where it is a scalar.
std::optional<std::uint32_t> field_of(const Claim& claim, const Schema& schema) {
  const Node* node = claim.node;
  if (node->kind != Kind::kField && !node->children.empty()) node = node->children.data();
  if (node->kind != Kind::kField || !is_scalar(schema.field(node->field).type)) return {};
  return node->field;
}

bool within(const Intervals& inner, const Intervals& outer) {
  const auto ends_within = [](const Interval& a, const Interval& b) {
    return !b.high || (a.high && *a.high <= *b.high);
  };
  return std::ranges::all_of(inner, [&](const Interval& one) {
    return std::ranges::any_of(outer, [&](const Interval& other) {
      return other.low <= one.low && ends_within(one, other);
    });
  });
}

// All conditions on the field together leave no value that the claim does not have.
bool narrower(const BoundFilter& filter, std::span<const Condition> conditions, const Claim& claim,
              const Schema& schema) {
  const std::optional<std::uint32_t> field = field_of(claim, schema);
  if (!field) return false;
  BoundPart bound;
  bound.field = *field;
  bound.form.type = schema.field(*field).type;
  const KeyPart part = KeyPart::of_index(bound);
  const auto claimed = Ranges(part).of(*claim.node, claim.negated);
  if (!claimed) return false;
  Intervals left = unite(part.null(), part.not_null());
  for (const Condition& condition : conditions) {
    if (const auto constraint = constrain(filter, condition, part))
      left = intersect(left, constraint->values);
  }
  return within(left, *claimed);
}

}  // namespace

std::optional<std::vector<std::uint32_t>> implied_by(const BoundFilter& filter,
                                                     std::span<const Condition> conditions,
                                                     const Node& index_filter,
                                                     const Schema& schema) {
  std::vector<Claim> claims;
  collect(index_filter, false, claims);
  std::vector<std::uint32_t> same;
  for (const Claim& claim : claims) {
    const auto found = std::ranges::find_if(conditions, [&](const Condition& condition) {
      return condition.item == kWhole && condition.negated == claim.negated &&
             equal_trees(*condition.node, *claim.node);
    });
    if (found != conditions.end()) {
      same.push_back(static_cast<std::uint32_t>(found - conditions.begin()));
    } else if (!narrower(filter, conditions, claim, schema)) {
      return {};
    }
  }
  return same;
}

}  // namespace quire::query
