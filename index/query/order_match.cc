#include <algorithm>

#include "index/query/plan.h"

namespace quire::query {
namespace {

// Whether the values of a part are those of a term, in the same order but for the direction.
bool is_of_part(const Term& term, const KeyPart& part) {
  if (part.folded() || part.source() == PartSource::kElements) return false;
  if (part.source() == PartSource::kField) return term.field == part.field();
  if (!term.expression) return false;
  const filter::Node& root = term.expression->root();
  return root.kind == filter::Kind::kJsonPath && root.field == part.field() &&
         same_path(root, *part.path());
}

}  // namespace

bool gives_order(const Collection& collection, const AccessPath& path,
                 std::span<const OrderTerm> order, bool& forward) {
  forward = true;
  if (order.empty()) return true;
  const KeyParts parts = key_parts(collection, path.index);
  std::size_t at = 0;
  std::optional<bool> direction;
  for (const OrderTerm& wanted : order) {
    // A part with one value is in any order.
    const auto fixed = std::span(parts.data(), path.fixed);
    if (std::ranges::any_of(fixed,
                            [&](const KeyPart& part) { return is_of_part(wanted.term, part); }))
      continue;
    at = std::max(at, path.fixed);
    // Behind the whole primary key there is nothing left to be ordered.
    if (at == parts.size()) {
      if (path.index != nullptr) return false;
      break;
    }
    if (!is_of_part(wanted.term, parts[at])) return false;
    const bool same = parts[at].form().descending == wanted.form.descending;
    if (direction && *direction != same) return false;
    direction = same;
    ++at;
  }
  forward = direction.value_or(true);
  return true;
}

}  // namespace quire::query
