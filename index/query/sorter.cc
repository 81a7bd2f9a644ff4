#include "index/query/sorter.h"

#include <algorithm>

namespace quire::query {
namespace {

bool before(const Sorter::Row& a, const Sorter::Row& b) noexcept { return a.order < b.order; }

std::uint64_t memory_of(const EncodedKey& order, std::string_view data) noexcept {
  return sizeof(Sorter::Row) + order.size() + data.size();
}

}  // namespace

Status Sorter::add(const EncodedKey& order, std::string_view data) {
  if (rows_ == 0) return {};
  if (kept_.size() < rows_) {
    QUIRE_CHECK(budget_->memory(memory_of(order, data)));
    kept_.push_back({order, std::string(data)});
    if (kept_.size() == rows_) std::ranges::make_heap(kept_, before);
    return {};
  }
  if (order >= kept_.front().order) return {};
  std::ranges::pop_heap(kept_, before);
  kept_.back().order = order;
  kept_.back().data = data;
  std::ranges::push_heap(kept_, before);
  return {};
}

std::vector<Sorter::Row> Sorter::take() {
  std::ranges::sort(kept_, before);
  return std::move(kept_);
}

}  // namespace quire::query
