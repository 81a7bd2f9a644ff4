#include "index/query/access_path.h"

#include <algorithm>

#include "index/query/implied.h"

namespace quire::query {
namespace {

// Ranges that are counted one by one; of more of them as many are taken for all.
constexpr std::size_t kMaxCounted = 64;

// What conditions leave of one part.
struct PartValues {
  std::optional<Intervals> values;  // nothing: all
  std::vector<std::uint32_t> used;
  std::vector<std::uint32_t> answered;
};

class PathFinder {
 public:
  PathFinder(const BoundFilter& filter, std::span<const Condition> conditions)
      : filter_(filter), conditions_(conditions) {}

  void find(std::span<const KeyPart> parts, AccessPath& path) const {
    std::vector<EncodedKey> prefixes(1);
    bool has_elements = false;
    for (const KeyPart& part : parts) has_elements |= part.source() == PartSource::kElements;
    path.duplicates = has_elements;
    for (const KeyPart& part : parts) {
      PartValues values = values_of(part);
      if (!values.values) break;
      fit(prefixes.size(), values);
      ++path.parts;
      std::ranges::move(values.used, std::back_inserter(path.used));
      std::ranges::move(values.answered, std::back_inserter(path.answered));
      const bool fixed = values.values->size() <= 1;
      if (fixed && part.source() == PartSource::kElements) path.duplicates = false;
      const bool points = std::ranges::all_of(*values.values, &Interval::point);
      if (points && fixed && prefixes.size() == 1) ++path.fixed;
      if (!points || path.parts == parts.size()) {
        path.ranges = ranges_of(prefixes, *values.values);
        return;
      }
      prefixes = product(prefixes, *values.values);
    }
    path.ranges = ranges_of(prefixes, {Interval{}});
  }

 private:
  PartValues values_of(const KeyPart& part) const {
    return part.source() == PartSource::kElements ? values_of_elements(part) : all_values(part);
  }

  PartValues all_values(const KeyPart& part) const {
    PartValues all;
    for (std::uint32_t i = 0; i < conditions_.size(); ++i) {
      const auto constraint = constrain(filter_, conditions_[i], part);
      if (!constraint) continue;
      all.values = all.values ? intersect(*all.values, constraint->values) : constraint->values;
      all.used.push_back(i);
      if (constraint->exact) all.answered.push_back(i);
    }
    return all;
  }

  // One condition alone: another may hold of another element.
  PartValues values_of_elements(const KeyPart& part) const {
    PartValues best;
    for (std::uint32_t i = 0; i < conditions_.size(); ++i) {
      auto constraint = constrain(filter_, conditions_[i], part);
      if (!constraint) continue;
      if (best.values && best.values->size() <= constraint->values.size()) continue;
      best.values = std::move(constraint->values);
      best.used = {i};
      best.answered = {};
      if (constraint->exact) best.answered = {i};
    }
    return best;
  }

  static void fit(std::size_t prefixes, PartValues& values) {
    if (values.values->size() <= 1 || prefixes * values.values->size() <= kMaxRanges) return;
    values.values = Intervals{span_of(*values.values)};
    values.values->front().point = false;
    values.answered.clear();
  }

  static std::vector<EncodedKey> product(const std::vector<EncodedKey>& prefixes,
                                         const Intervals& points) {
    std::vector<EncodedKey> all;
    all.reserve(prefixes.size() * points.size());
    for (const EncodedKey& prefix : prefixes) {
      for (const Interval& point : points) all.push_back(prefix + point.low);
    }
    return all;
  }

  static std::vector<KeyRange> ranges_of(const std::vector<EncodedKey>& prefixes,
                                         const Intervals& intervals) {
    std::vector<KeyRange> ranges;
    for (const EncodedKey& prefix : prefixes) {
      for (const Interval& interval : intervals) {
        KeyRange range{prefix + interval.low, {}};
        if (interval.high) {
          range.high = prefix + *interval.high;
        } else if (!prefix.empty()) {
          range.high = behind_prefix(quire::bytes_of(prefix));
        }
        ranges.push_back(std::move(range));
      }
    }
    return ranges;
  }

  const BoundFilter& filter_;
  std::span<const Condition> conditions_;
};

Status count_entries(View& view, AccessPath& path) {
  QUIRE_TRY(const TreeRoot root, view.tree_root(path.tree));
  path.total = root.count();
  const std::size_t counted = std::min(path.ranges.size(), kMaxCounted);
  for (std::size_t i = 0; i < counted; ++i) {
    QUIRE_TRY(const std::uint64_t entries, RangeScan(view, path.tree, path.ranges[i]).count());
    path.entries += entries;
  }
  path.exact_count = counted == path.ranges.size();
  if (!path.exact_count) path.entries = path.entries * path.ranges.size() / counted;
  return {};
}

}  // namespace

bool AccessPath::answers(std::uint32_t condition) const noexcept {
  return std::ranges::find(answered, condition) != answered.end();
}

std::vector<KeyPart> key_parts(const Collection& collection, const SortedIndex* index) {
  std::vector<KeyPart> parts;
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

Result<std::optional<AccessPath>> find_path(View& view, const Collection& collection,
                                            const BoundFilter& filter,
                                            std::span<const Condition> conditions,
                                            const SortedIndex* index) {
  AccessPath path;
  path.index = index;
  path.tree = index != nullptr ? index->tree() : collection.id();
  if (index != nullptr && index->form().where != nullptr) {
    const filter::Node* where = index->form().where->tree();
    if (where == nullptr) return std::nullopt;
    auto same = implied_by(filter, conditions, *where, collection.schema());
    if (!same) return std::nullopt;
    path.used = *same;
    path.answered = *std::move(same);
  }
  const std::vector<KeyPart> parts = key_parts(collection, index);
  PathFinder(filter, conditions).find(parts, path);
  QUIRE_CHECK(count_entries(view, path));
  return path;
}

}  // namespace quire::query
