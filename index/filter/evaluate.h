// What a tree means, over one row. Everything else that answers a filter has to agree with this.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "engine/record/pattern.h"
#include "index/filter/compare.h"
#include "index/filter/field_source.h"
#include "index/filter/like.h"
#include "index/filter/tree.h"

namespace quire::filter {

class Scratch;

// What a tree needs that is not in it: values of the nodes that have a slot, and what was made of
// patterns and lists. nullptr, or a pattern that is none, stands for null.
struct Environment {
  std::vector<Value> slots;
  std::vector<std::shared_ptr<const ValueSet>> sets;  // these three by Node::compiled
  std::vector<std::shared_ptr<const LikePattern>> likes;
  std::vector<Pattern> patterns;
  std::vector<OwnedValue> arguments;  // of the parameters
  std::int64_t now = 0;
};

// One evaluation. What it gives borrows from the row, the tree, the environment or itself.
// Memory that texts and JSON need is the thread's and is used again.
class Evaluator {
 public:
  Evaluator(const Environment& environment, const FieldSource& row) noexcept
      : environment_(environment), row_(row) {}
  ~Evaluator();
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  // What is neither true nor false, and what is no condition, is unknown.
  Truth truth(const Node& node) {
    if (node.slot != kNone) return truth_of_value(environment_.slots[node.slot]);
    return compute_truth(node);
  }
  Value value(const Node& node) {
    if (node.slot != kNone) return environment_.slots[node.slot];
    if (node.kind == Kind::kField) return row_.value(node.field);
    return compute(node);
  }
  // The same without a look at its own slot.
  Value compute(const Node& node);

 private:
  static Truth truth_of_value(const Value& value) noexcept {
    return value.type == FieldType::kBool ? truth_of(value.boolean) : Truth::kUnknown;
  }
  Truth compute_truth(const Node& node);
  Truth joined(const Node& node, Truth decisive);
  Truth between(const Node& node);
  Truth member(const Node& node);
  Truth like(const Node& node);
  Truth matches(const Node& node);
  Truth has(const Node& node);
  Truth has(const Node& node, const ValueSet& items);
  Value json_value(const Node& node);
  Value function(const Node& node);
  Value length(const Value& value);
  Value with_case(const Value& value, bool lower);
  Scratch& scratch();
  // A copy that lives as long as the evaluator.
  Value kept(const Value& value);

  const Environment& environment_;
  const FieldSource& row_;
  Scratch* scratch_ = nullptr;
  std::size_t scratch_mark_ = 0;
};

}  // namespace quire::filter
