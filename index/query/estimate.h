// How many records fulfil a condition: counted where an index knows, guessed elsewhere.
#pragma once

#include <vector>

#include "index/query/access_path.h"

namespace quire::query {

// For one query. Asks each index at most once for each condition.
class Estimator {
 public:
  Estimator(View& view, const Collection& collection, const BoundFilter& filter,
            std::span<const Condition> conditions);

  // The share of all records, 0 to 1.
  Result<double> share(std::uint32_t condition);

 private:
  Result<std::optional<double>> counted(std::uint32_t condition);
  double guess(const Condition& condition) const;

  View& view_;
  const Collection& collection_;
  const BoundFilter& filter_;
  std::span<const Condition> conditions_;
  std::vector<double> known_;  // negative: not yet
};

}  // namespace quire::query
