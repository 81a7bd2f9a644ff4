// What a RangeCursor should do, over a map.
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "engine/txn/range_cursor.h"
#include "tests/db/state.h"

namespace quire::test {

class CursorModel {
 public:
  CursorModel(std::optional<std::string> low, std::optional<std::string> high)
      : low_(std::move(low)), high_(std::move(high)) {}

  bool first(const Keys& keys) { return settle(keys, keys.lower_bound(low_.value_or(""))); }
  bool last(const Keys& keys) {
    return settle_back(keys, high_ ? keys.lower_bound(*high_) : keys.end());
  }
  bool next(const Keys& keys) {
    if (place_ == Place::kBefore || place_ == Place::kNowhere) return first(keys);
    if (place_ == Place::kAfter) return false;
    return settle(keys, keys.upper_bound(at_));
  }
  bool previous(const Keys& keys) {
    if (place_ == Place::kAfter || place_ == Place::kNowhere) return last(keys);
    if (place_ == Place::kBefore) return false;
    return settle_back(keys, keys.lower_bound(at_));
  }
  bool seek(const Keys& keys, const std::string& wanted) {
    return settle(keys, keys.lower_bound(std::max(wanted, low_.value_or(""))));
  }
  bool seek_rank(const Keys& keys, std::uint64_t rank) {
    auto at = keys.lower_bound(low_.value_or(""));
    for (; rank > 0 && at != keys.end(); --rank) ++at;
    return settle(keys, at);
  }
  bool current(const Keys& keys) const { return place_ == Place::kOn && keys.contains(at_); }
  const std::string& at() const { return at_; }

 private:
  enum class Place { kNowhere, kBefore, kOn, kAfter };
  bool settle(const Keys& keys, Keys::const_iterator at) {
    const bool inside = at != keys.end() && (!high_ || at->first < *high_);
    place_ = inside ? Place::kOn : Place::kAfter;
    if (inside) at_ = at->first;
    return inside;
  }
  bool settle_back(const Keys& keys, Keys::const_iterator behind) {
    const bool inside = behind != keys.begin() && (!low_ || std::prev(behind)->first >= *low_);
    place_ = inside ? Place::kOn : Place::kBefore;
    if (inside) at_ = std::prev(behind)->first;
    return inside;
  }

  std::optional<std::string> low_;
  std::optional<std::string> high_;
  Place place_ = Place::kNowhere;
  std::string at_;
};

// A cursor of a view beside its model.
struct CursorPair {
  std::string space;
  StructureId id;
  RangeCursor cursor;
  CursorModel model;
};

}  // namespace quire::test
