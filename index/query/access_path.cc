#include "index/query/access_path.h"

#include <algorithm>

#include "index/query/implied.h"

namespace quire::query {
namespace {

// Ranges that are counted one by one; of more of them as many are taken for all.
constexpr std::size_t kMaxCounted = 64;

class PathFinder {
 public:
  PathFinder(const BoundFilter& filter, std::span<const Condition> conditions, AccessPath& path)
      : filter_(filter), conditions_(conditions), path_(path) {}

  // `unique`: no two entries have one key without a null in it.
  void find(std::span<const KeyPart> parts, bool unique) {
    bool nulls = false;
    for (const KeyPart& part : parts) path_.duplicates |= part.source() == PartSource::kElements;
    for (const KeyPart& part : parts) {
      const std::size_t answered = path_.answered.size();
      std::optional<Intervals> values = values_of(part);
      if (!values) break;
      if (!fit(*values)) path_.answered.resize(answered);
      ++path_.parts;
      const bool fixed = values->size() <= 1;
      if (fixed && part.source() == PartSource::kElements) path_.duplicates = false;
      const bool points = std::ranges::all_of(*values, &Interval::point);
      if (points && fixed && prefixes_.size() == 1) ++path_.fixed;
      nulls = nulls || std::ranges::any_of(*values, [&](const Interval& interval) {
                return part.is_null(interval);
              });
      if (!points || path_.parts == parts.size()) {
        path_.single = points && unique && !nulls && path_.parts == parts.size();
        make_ranges(*values);
        return;
      }
      multiply(*values);
    }
    make_ranges({Interval{}});
  }

 private:
  // What the conditions leave of a part: nothing where that is all of it.
  std::optional<Intervals> values_of(const KeyPart& part) {
    return part.source() == PartSource::kElements ? values_of_elements(part) : all_values(part);
  }

  std::optional<Intervals> all_values(const KeyPart& part) {
    std::optional<Intervals> all;
    for (std::uint32_t i = 0; i < conditions_.size(); ++i) {
      auto constraint = constrain(filter_, conditions_[i], part);
      if (!constraint) continue;
      all = all ? intersect(*all, constraint->values) : std::move(constraint->values);
      path_.used.push_back(i);
      if (constraint->exact) path_.answered.push_back(i);
    }
    return all;
  }

  // One condition alone: another may hold of another element.
  std::optional<Intervals> values_of_elements(const KeyPart& part) {
    std::optional<Constraint> best;
    std::uint32_t from = 0;
    for (std::uint32_t i = 0; i < conditions_.size(); ++i) {
      auto constraint = constrain(filter_, conditions_[i], part);
      if (!constraint || (best && best->values.size() <= constraint->values.size())) continue;
      best = std::move(constraint);
      from = i;
    }
    if (!best) return {};
    path_.used.push_back(from);
    if (best->exact) path_.answered.push_back(from);
    return std::move(best->values);
  }

  // Whether all are kept, and not put together to one.
  bool fit(Intervals& values) const {
    if (values.size() <= 1 || prefixes_.size() * values.size() <= kMaxRanges) return true;
    Interval whole = span_of(values);
    whole.point = false;
    values.clear();
    values.push_back(std::move(whole));
    return false;
  }

  void multiply(const Intervals& points) {
    if (prefixes_.size() == 1 && points.size() == 1) {
      prefixes_.front() += points.front().low;
      return;
    }
    Prefixes all;
    all.reserve(prefixes_.size() * points.size());
    for (const EncodedKey& prefix : prefixes_) {
      for (const Interval& point : points) all.push_back(prefix + point.low);
    }
    prefixes_ = std::move(all);
  }

  void make_ranges(const Intervals& intervals) {
    path_.ranges.resize(prefixes_.size() * intervals.size());
    auto range = path_.ranges.begin();
    for (const EncodedKey& prefix : prefixes_) {
      for (const Interval& interval : intervals) set_range(prefix, interval, *range++);
    }
    for (KeyRange& made : path_.ranges) made.one = path_.single;
  }

  using Prefixes = boost::container::small_vector<EncodedKey, 4>;
  const BoundFilter& filter_;
  std::span<const Condition> conditions_;
  AccessPath& path_;
  Prefixes prefixes_ = Prefixes(1);
};

}  // namespace

void AccessPath::restart() noexcept {
  parts = fixed = 0;
  single = duplicates = false;
  used.clear();
  answered.clear();
  total = entries = 0;
  exact_count = false;
}

bool AccessPath::answers(std::uint32_t condition) const noexcept {
  return std::ranges::find(answered, condition) != answered.end();
}

KeyParts key_parts(const Collection& collection, const SortedIndex* index) {
  KeyParts parts;
  if (index != nullptr) {
    for (const BoundPart& part : index->form().parts) parts.push_back(KeyPart::of_index(part));
    return parts;
  }
  const Schema& schema = collection.schema();
  for (const std::uint32_t field : schema.key())
    parts.push_back(
        KeyPart::of_primary(field, schema.field(field).type, field == schema.key().back()));
  return parts;
}

void set_range(const EncodedKey& prefix, const Interval& interval, KeyRange& range) {
  range.low = prefix;
  range.low += interval.low;
  if (interval.high) {
    if (!range.high) range.high.emplace();
    *range.high = prefix;
    *range.high += *interval.high;
  } else {
    range.high.reset();
    if (!prefix.empty()) range.high = behind_prefix(quire::bytes_of(prefix));
  }
}

Status count_entries(View& view, AccessPath& path) {
  QUIRE_TRY(const TreeRoot root, view.tree_root(path.tree));
  path.total = root.count();
  path.entries = 0;
  path.exact_count = false;
  const std::size_t ranges = path.ranges.size();
  if (path.single) {
    path.entries = std::min<std::uint64_t>(ranges, path.total);
    return {};
  }
  const std::size_t counted = std::min(ranges, kMaxCounted);
  for (std::size_t i = 0; i < counted; ++i) {
    QUIRE_TRY(const std::uint64_t entries, count_range(view, path.tree, path.ranges[i]));
    path.entries += entries;
  }
  path.exact_count = counted == ranges;
  if (!path.exact_count) path.entries = path.entries * ranges / counted;
  return {};
}

bool find_ranges(const Collection& collection, const BoundFilter& filter,
                 std::span<const Condition> conditions, const SortedIndex* index,
                 AccessPath& path) {
  path.restart();
  path.index = index;
  path.tree = index != nullptr ? index->tree() : collection.id();
  if (index != nullptr && index->form().where != nullptr) {
    const filter::Node* where = index->form().where->tree();
    if (where == nullptr) return false;
    auto same = implied_by(filter, conditions, *where, collection.schema());
    if (!same) return false;
    path.used.assign(same->begin(), same->end());
    path.answered.assign(same->begin(), same->end());
  }
  const KeyParts parts = key_parts(collection, index);
  PathFinder(filter, conditions, path)
      .find({parts.data(), parts.size()}, index == nullptr || index->form().unique);
  return true;
}

Result<std::optional<AccessPath>> find_path(View& view, const Collection& collection,
                                            const BoundFilter& filter,
                                            std::span<const Condition> conditions,
                                            const SortedIndex* index) {
  AccessPath path;
  if (!find_ranges(collection, filter, conditions, index, path)) return std::nullopt;
  QUIRE_CHECK(count_entries(view, path));
  return path;
}

}  // namespace quire::query
