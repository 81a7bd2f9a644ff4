// The first rows of an order that no index has.
#pragma once

#include <vector>

#include "index/query/budget.h"
#include "index/query/terms.h"

namespace quire::query {

// Keeps the `rows` first of what it is given. O(n log rows); memory for `rows`.
class Sorter {
 public:
  struct Row {
    EncodedKey order;  // that it is sorted by
    std::string data;  // what the caller gave with it
  };

  // `rows` may be kAll.
  Sorter(std::uint64_t rows, Budget& budget) : rows_(rows), budget_(&budget) {}

  // kBudget.
  Status add(const EncodedKey& order, std::string_view data);
  // All that are kept, in their order. Once, at the end.
  std::vector<Row> take();

 private:
  std::uint64_t rows_;
  Budget* budget_;
  std::vector<Row> kept_;  // a heap whose top is the last in order, once there are `rows_`
};

}  // namespace quire::query
