#include "index/filter/fold.h"

#include <algorithm>

#include "index/filter/evaluate.h"
#include "index/filter/field_source.h"

namespace quire::filter {
namespace {

bool is_constant(const Node& node) noexcept { return node.kind == Kind::kConstant; }

bool has_parameters(const Node& node) noexcept {
  return node.kind == Kind::kParameter || std::ranges::any_of(node.children, has_parameters);
}

bool is_bool(const Node& node, bool value) noexcept {
  return is_constant(node) && node.constant.type() == FieldType::kBool &&
         node.constant.view().boolean == value;
}

void replace_by_child(Node& node, std::size_t place) {
  Node child = std::move(node.children[place]);
  node = std::move(child);
}

// A part that was folded may be what the node itself is.
void flatten(Node& node) {
  std::vector<Node> parts;
  for (Node& child : node.children) {
    if (child.kind != node.kind) {
      parts.push_back(std::move(child));
      continue;
    }
    for (Node& part : child.children) parts.push_back(std::move(part));
  }
  node.children = std::move(parts);
}

void fold_joined(Node& node) {
  const bool decisive = node.kind == Kind::kOr;
  const auto decides = [&](const Node& child) { return is_bool(child, decisive); };
  if (std::ranges::any_of(node.children, decides) && !has_parameters(node))
    return set_constant(node, Value::of_bool(decisive));
  flatten(node);
  // What is left alone has to be a bool itself: inside `(true and doc.x) is null` the `and` makes
  // null of what is none.
  const auto counts = [&](const Node& child) { return !is_bool(child, !decisive); };
  const auto left = std::ranges::count_if(node.children, counts);
  if (left == 1) {
    const auto alone = std::ranges::find_if(node.children, counts);
    if (alone->types == types_of(FieldType::kBool))
      replace_by_child(node, static_cast<std::size_t>(alone - node.children.begin()));
  } else if (left > 1) {
    std::erase_if(node.children, [&](const Node& child) { return !counts(child); });
  }
}

}  // namespace

bool depends_on_row(const Node& node) noexcept {
  return node.kind == Kind::kField || node.kind == Kind::kJsonPath ||
         std::ranges::any_of(node.children, depends_on_row);
}

void set_constant(Node& node, const Value& value) {
  Node constant;
  constant.position = node.position;
  constant.constant = OwnedValue(value);
  constant.types = value.is_null() ? 0 : types_of(value.type);
  node = std::move(constant);
}

void fold(Node& node) {
  if (node.children.empty()) return;
  if (std::ranges::all_of(node.children, is_constant)) {
    const Environment nothing;
    const NoFields no_fields;
    Evaluator evaluator(nothing, no_fields);
    return set_constant(node, evaluator.compute(node));
  }
  if (node.kind == Kind::kNot && node.children[0].kind == Kind::kNot &&
      node.children[0].children[0].types == types_of(FieldType::kBool)) {
    Node inner = std::move(node.children[0].children[0]);
    node = std::move(inner);
  } else if (node.kind == Kind::kAnd || node.kind == Kind::kOr) {
    fold_joined(node);
  }
}

}  // namespace quire::filter
