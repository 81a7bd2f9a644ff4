#include "index/query/range_recipe.h"

#include "index/filter/term.h"

namespace quire::query {

using filter::CompareOp;
using filter::Kind;
using filter::Node;

class RangeRecipe::Maker {
 public:
  Maker(const BoundFilter& filter, std::span<const Condition> conditions, const AccessPath& path)
      : filter_(filter), conditions_(conditions), path_(path) {}

  RangeRecipe make(const KeyParts& parts) {
    const bool plain = path_.ranges.size() == 1 && path_.parts != 0 &&
                       (path_.index == nullptr || path_.index->form().where == nullptr);
    for (std::size_t i = 0; plain && i < path_.parts; ++i) {
      if (recipe_.bounded_ || !take_part(parts[i])) return {};
    }
    // No condition has narrowed the path in another way.
    if (!plain || taken_ != path_.used.size()) return {};
    recipe_.single_ = path_.single;
    recipe_.known_ = true;
    KeyRange again;
    const KeyRange& range = path_.ranges.front();
    const bool same = recipe_.make(filter_, again) && again.low == range.low &&
                      again.high == range.high && again.one == range.one;
    return same ? std::move(recipe_) : RangeRecipe();
  }

 private:
  bool take_part(const KeyPart& part) {
    if (part.source() != PartSource::kField || part.json() || part.folded()) return false;
    boost::container::small_vector<Bound, 2> found;
    for (const std::uint32_t i : path_.used) take_condition(conditions_[i], part, found);
    if (found.empty()) return false;
    if (found.size() == 1 && found.front().op == CompareOp::kEqual) {
      recipe_.values_.push_back({part, found.front().node});
      return true;
    }
    recipe_.bounded_ = part;
    recipe_.bounds_ = std::move(found);
    return true;
  }

  // What a condition says of a part, if it does.
  void take_condition(const Condition& condition, const KeyPart& part,
                      boost::container::small_vector<Bound, 2>& found) {
    const Node& node = *condition.node;
    if (condition.negated || condition.item != kWhole || node.children.size() < 2) return;
    if (!is_part(node.children[0], part) || !is_constant(node.children[1])) return;
    if (node.kind == Kind::kCompare) {
      found.push_back({node.compare, &node.children[1]});
    } else if (node.kind == Kind::kBetween && is_constant(node.children[2])) {
      found.push_back({CompareOp::kGreaterEqual, &node.children[1]});
      found.push_back({CompareOp::kLessEqual, &node.children[2]});
    } else {
      return;
    }
    ++taken_;
  }
  static bool is_part(const Node& node, const KeyPart& part) noexcept {
    return node.kind == Kind::kField && node.field == part.field();
  }
  bool is_constant(const Node& node) const noexcept { return filter_.constant(node) != nullptr; }

  const BoundFilter& filter_;
  std::span<const Condition> conditions_;
  const AccessPath& path_;
  RangeRecipe recipe_;
  std::size_t taken_ = 0;  // conditions
};

RangeRecipe RangeRecipe::of(const Collection& collection, const BoundFilter& filter,
                            std::span<const Condition> conditions, const AccessPath& path) {
  return Maker(filter, conditions, path).make(key_parts(collection, path.index));
}

bool RangeRecipe::make(const BoundFilter& filter, KeyRange& range) const {
  if (!known_) return false;
  range.low.clear();
  for (const Value& value : values_) {
    const filter::Term term =
        filter::term_for(value.part.form().type, CompareOp::kEqual, *filter.constant(*value.node));
    if (term.what != filter::Term::What::kCompare) return false;
    value.part.append(term.value, range.low);
  }
  range.one = single_;
  if (bounded_) return make_bounded(filter, range);
  if (!range.high) range.high.emplace();
  *range.high = range.low;
  values_.back().part.step_behind(*range.high);
  return true;
}

// Two bounds on one side would have to be compared: that is left to the long way.
bool RangeRecipe::make_bounded(const BoundFilter& filter, KeyRange& range) const {
  std::optional<PartBound> low;
  std::optional<PartBound> high;
  for (const Bound& bound : bounds_) {
    const filter::Term term =
        filter::term_for(bounded_->form().type, bound.op, *filter.constant(*bound.node));
    if (term.what != filter::Term::What::kCompare) return false;
    const bool above = term.op == CompareOp::kGreater || term.op == CompareOp::kGreaterEqual;
    const bool below = term.op == CompareOp::kLess || term.op == CompareOp::kLessEqual;
    std::optional<PartBound>& side = above ? low : high;
    if (above == below || side) return false;
    side = PartBound{term.value,
                     term.op == CompareOp::kGreaterEqual || term.op == CompareOp::kLessEqual};
  }
  const Intervals intervals = bounded_->range(low, high);
  if (intervals.size() != 1) return false;
  const EncodedKey prefix = range.low;
  set_range(prefix, intervals.front(), range);
  return true;
}

}  // namespace quire::query
