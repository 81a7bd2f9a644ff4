#include "index/filter/evaluate.h"

#include <bit>

#include "engine/record/array_value.h"
#include "index/filter/arithmetic.h"
#include "index/filter/ascii.h"
#include "index/filter/json_reader.h"

namespace quire::filter {

// Memory of a thread. An evaluation within another takes texts behind those of the outer one.
class Scratch {
 public:
  JsonReader json;

  static Scratch& of_thread() {
    thread_local Scratch scratch;
    return scratch;
  }
  std::size_t used() const noexcept { return used_; }
  std::string& take() {
    if (used_ == texts_.size()) texts_.emplace_back();
    return texts_[used_++];
  }
  void give_back(std::size_t mark) noexcept {
    for (; used_ > mark; --used_)
      if (texts_[used_ - 1].capacity() > kKept) texts_[used_ - 1] = {};
    json.forget();
    json.trim();
  }

 private:
  static constexpr std::size_t kKept = std::size_t{64} << 10;
  std::deque<std::string> texts_;
  std::size_t used_ = 0;
};

namespace {

Truth both(Truth a, Truth b) noexcept {
  if (a == Truth::kFalse || b == Truth::kFalse) return Truth::kFalse;
  return a == Truth::kTrue && b == Truth::kTrue ? Truth::kTrue : Truth::kUnknown;
}

Value value_of(Truth truth) noexcept {
  return truth == Truth::kUnknown ? Value::null() : Value::of_bool(truth == Truth::kTrue);
}

// Which of a set's values an array has, told one after the other.
class Collected {
 public:
  Collected(const ValueSet& items, bool every) : items_(items), every_(every) {
    if (every) seen_.resize(items.values().size());
  }
  // False when the answer is known.
  bool add(const Value& element) {
    const std::size_t place = items_.find(element);
    if (place == items_.values().size()) return true;
    if (!every_) found_ = 1;
    if (!every_) return false;
    if (!seen_[place]) ++found_;
    seen_[place] = true;
    return found_ < seen_.size();
  }
  Truth answer() const noexcept {
    const bool complete = every_ ? found_ == seen_.size() : found_ > 0;
    if (complete != every_) return truth_of(complete);
    return items_.has_null() ? Truth::kUnknown : truth_of(complete);
  }

 private:
  const ValueSet& items_;
  bool every_;
  std::size_t found_ = 0;
  std::vector<bool> seen_;
};

}  // namespace

Evaluator::~Evaluator() {
  if (scratch_ != nullptr) scratch_->give_back(scratch_mark_);
}

Scratch& Evaluator::scratch() {
  if (scratch_ == nullptr) {
    scratch_ = &Scratch::of_thread();
    scratch_mark_ = scratch_->used();
    scratch_->json.forget();
  }
  return *scratch_;
}

Value Evaluator::kept(const Value& value) {
  std::string& text = scratch().take();
  text.assign(value.text());
  return Value::of_array(value.type, as_bytes(text));
}

Truth Evaluator::compute_truth(const Node& node) {
  switch (node.kind) {
    case Kind::kCompare:
      return compare_values(node.compare, value(node.children[0]), value(node.children[1]));
    case Kind::kAnd:
      return joined(node, Truth::kFalse);
    case Kind::kOr:
      return joined(node, Truth::kTrue);
    case Kind::kNot:
      return negated(truth(node.children[0]));
    case Kind::kBetween:
      return between(node);
    case Kind::kIn:
      return member(node);
    case Kind::kLike:
      return like(node);
    case Kind::kMatches:
      return matches(node);
    case Kind::kIsNull:
      return truth_of(value(node.children[0]).is_null());
    case Kind::kHas:
      return has(node);
    case Kind::kField:
      return truth_of_value(row_.value(node.field));
    default:
      return truth_of_value(compute(node));
  }
}

Value Evaluator::compute(const Node& node) {
  switch (node.kind) {
    case Kind::kField:
      return row_.value(node.field);
    case Kind::kJsonPath:
      return json_value(node);
    case Kind::kConstant:
      return node.constant.view();
    case Kind::kParameter:
      return environment_.arguments[node.parameter].view();
    case Kind::kNow:
      return Value::of_timestamp(environment_.now);
    case Kind::kArithmetic:
      return calculate(node.arithmetic, value(node.children[0]), value(node.children[1]));
    case Kind::kNegate:
      return negative(value(node.children[0]));
    case Kind::kFunction:
      return function(node);
    default:
      return value_of(compute_truth(node));
  }
}

// One decisive part decides; else one that is unknown.
Truth Evaluator::joined(const Node& node, Truth decisive) {
  Truth all = negated(decisive);
  for (const Node& child : node.children) {
    const Truth part = truth(child);
    if (part == decisive) return decisive;
    if (part == Truth::kUnknown) all = part;
  }
  return all;
}

Truth Evaluator::between(const Node& node) {
  const Value middle = value(node.children[0]);
  const Truth low = compare_values(CompareOp::kGreaterEqual, middle, value(node.children[1]));
  if (low == Truth::kFalse) return low;
  return both(low, compare_values(CompareOp::kLessEqual, middle, value(node.children[2])));
}

Truth Evaluator::member(const Node& node) {
  const Value looked_for = value(node.children[0]);
  if (node.compiled != kNone) {
    const ValueSet* const set = environment_.sets[node.compiled].get();
    return set == nullptr ? Truth::kUnknown : set->contains(looked_for);
  }
  Truth answer = Truth::kFalse;
  for (std::size_t i = 1; i < node.children.size(); ++i) {
    const Truth equal = compare_values(CompareOp::kEqual, looked_for, value(node.children[i]));
    if (equal == Truth::kTrue) return equal;
    if (equal == Truth::kUnknown) answer = equal;
  }
  return answer;
}

// A pattern is compiled here only where a constant is folded, and is known to be sound.
Truth Evaluator::like(const Node& node) {
  const Value text = value(node.children[0]);
  if (text.type != FieldType::kText) return Truth::kUnknown;
  if (node.compiled != kNone) {
    const LikePattern* const pattern = environment_.likes[node.compiled].get();
    return pattern == nullptr ? Truth::kUnknown : truth_of(pattern->matches(text.text()));
  }
  const Value pattern = value(node.children[1]);
  if (pattern.type != FieldType::kText) return Truth::kUnknown;
  const std::string_view escape =
      node.children.size() > 2 ? node.children[2].constant.view().text() : std::string_view();
  const auto compiled = LikePattern::compile(pattern.text(), escape, node.fold_case);
  return compiled ? truth_of(compiled->matches(text.text())) : Truth::kUnknown;
}

Truth Evaluator::matches(const Node& node) {
  const Value text = value(node.children[0]);
  if (text.type != FieldType::kText) return Truth::kUnknown;
  if (node.compiled != kNone) {
    const Pattern& pattern = environment_.patterns[node.compiled];
    return pattern ? truth_of(pattern.matches_part(text.text())) : Truth::kUnknown;
  }
  const Value expression = value(node.children[1]);
  if (expression.type != FieldType::kText) return Truth::kUnknown;
  const auto compiled = Pattern::compile(expression.text());
  return compiled ? truth_of(compiled->matches_part(text.text())) : Truth::kUnknown;
}

Truth Evaluator::has(const Node& node) {
  if (node.compiled != kNone) {
    const ValueSet* const set = environment_.sets[node.compiled].get();
    return set == nullptr ? Truth::kUnknown : has(node, *set);
  }
  std::vector<Value> items;
  for (std::size_t i = 1; i < node.children.size(); ++i) items.push_back(value(node.children[i]));
  return has(node, ValueSet(std::move(items)));
}

Truth Evaluator::has(const Node& node, const ValueSet& items) {
  const Node& array = node.children[0];
  const Value value = row_.value(array.field);
  if (value.is_null()) return Truth::kUnknown;
  Collected collected(items, node.every);
  if (array.kind == Kind::kJsonPath) {
    const bool found =
        scratch().json.for_each(value.text(), array.steps, [&](const Value& element) {
          return element.is_null() || element.type == FieldType::kJson || collected.add(element);
        });
    return found ? collected.answer() : Truth::kUnknown;
  }
  ArrayReader reader(value);
  Value element;
  while (reader.next(element) && collected.add(element)) {
  }
  return collected.answer();
}

Value Evaluator::json_value(const Node& node) {
  const Value document = row_.value(node.field);
  if (document.is_null()) return document;
  const Value found = scratch().json.find(document.text(), node.steps);
  return is_variable(found.type) ? kept(found) : found;
}

Value Evaluator::function(const Node& node) {
  const Value argument = value(node.children[0]);
  if (node.function == Function::kLength) return length(argument);
  return with_case(argument, node.function == Function::kLower);
}

Value Evaluator::length(const Value& value) {
  std::int64_t count = 0;
  if (is_array(value.type))
    return Value::of_i64(static_cast<std::int64_t>(ArrayReader(value).size()));
  switch (value.type) {
    case FieldType::kText:
      return Value::of_i64(static_cast<std::int64_t>(count_characters(value.text())));
    case FieldType::kBytes:
      return Value::of_i64(static_cast<std::int64_t>(value.bytes.size()));
    case FieldType::kJson:
      return scratch().json.for_each(value.text(), {}, [&](const Value&) { return ++count > 0; })
                 ? Value::of_i64(count)
                 : Value::null();
    default:
      return Value::null();
  }
}

Value Evaluator::with_case(const Value& value, bool lower) {
  if (value.type != FieldType::kText) return Value::null();
  std::string& text = scratch().take();
  text.assign(value.text());
  std::ranges::transform(text, text.begin(), lower ? to_lower : to_upper);
  return Value::of_text(text);
}

}  // namespace quire::filter
