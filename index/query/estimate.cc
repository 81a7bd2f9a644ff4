#include "index/query/estimate.h"

#include <algorithm>

namespace quire::query {

using filter::Kind;

Estimator::Estimator(View& view, const Collection& collection, const BoundFilter& filter,
                     std::span<const Condition> conditions)
    : view_(view), collection_(collection), filter_(filter), conditions_(conditions) {}

Result<double> Estimator::share(std::uint32_t condition) {
  if (known_.empty()) known_.assign(conditions_.size(), -1);
  double& known = known_[condition];
  if (known >= 0) return known;
  QUIRE_TRY(const std::optional<double> counted_share, counted(condition));
  known = counted_share ? std::min(*counted_share, 1.0) : guess(conditions_[condition]);
  return known;
}

Result<std::optional<double>> Estimator::counted(std::uint32_t condition) {
  const auto one = conditions_.subspan(condition, 1);
  const auto share_of = [&](const SortedIndex* index) -> Result<std::optional<double>> {
    QUIRE_TRY(const auto path, find_path(view_, collection_, filter_, one, index));
    if (!path || path->parts == 0 || path->total == 0) return std::nullopt;
    return static_cast<double>(path->entries) / static_cast<double>(path->total);
  };
  for (const auto& index : collection_.indexes()) {
    const SortedIndex* sorted = as_sorted(index.get());
    if (sorted == nullptr || sorted->form().where != nullptr) continue;
    QUIRE_TRY(const std::optional<double> share, share_of(sorted));
    if (share) return share;
  }
  return share_of(nullptr);
}

double Estimator::guess(const Condition& condition) const {
  double share = 0.5;
  switch (condition.node->kind) {
    case Kind::kCompare:
      share = condition.node->compare == filter::CompareOp::kEqual      ? 0.05
              : condition.node->compare == filter::CompareOp::kNotEqual ? 0.95
                                                                        : 0.3;
      break;
    case Kind::kBetween:
      share = 0.2;
      break;
    case Kind::kIn:
    case Kind::kLike:
    case Kind::kMatches:
    case Kind::kIsNull:
    case Kind::kHas:
      share = 0.1;
      break;
    default:
      break;
  }
  return condition.negated ? 1 - share : share;
}

}  // namespace quire::query
