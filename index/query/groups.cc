#include "index/query/groups.h"

#include <algorithm>

namespace quire::query {

bool Grouping::counts_only() const noexcept {
  return std::ranges::all_of(aggregates, [](const Aggregate& aggregate) {
    return aggregate.kind == AggregateKind::kCount;
  });
}

bool Grouping::ends_only() const noexcept {
  return terms.empty() && std::ranges::all_of(aggregates, [](const Aggregate& aggregate) {
           return aggregate.kind == AggregateKind::kMin || aggregate.kind == AggregateKind::kMax;
         });
}

const EncodedKey& GroupMaker::key_of(const FieldSource& record) {
  key_.clear();
  for (const OrderTerm& term : grouping_->terms)
    append_term(term.form, term.term.value(record, memory_), key_);
  return key_;
}

Result<Group> GroupMaker::begin(const FieldSource& record) {
  Group group;
  group.key = key_;
  for (const OrderTerm& term : grouping_->terms)
    group.values.emplace_back(term.term.value(record, memory_));
  group.extremes.resize(grouping_->aggregates.size());
  QUIRE_CHECK(budget_->memory(sizeof(Group) + 2 * key_.size() +
                              grouping_->aggregates.size() * sizeof(Group::Extreme)));
  return group;
}

void GroupMaker::add(const FieldSource& record, Group& group) {
  ++group.count;
  for (std::size_t i = 0; i < grouping_->aggregates.size(); ++i) {
    const Grouping::Aggregate& aggregate = grouping_->aggregates[i];
    if (!aggregate.term) continue;
    const Value value = aggregate.term->term.value(record, memory_);
    if (value.is_null() || !fits_part(aggregate.term->form, value)) continue;
    extreme_.clear();
    append_term(aggregate.term->form, value, extreme_);
    Group::Extreme& known = group.extremes[i];
    const bool better =
        known.value.is_null() ||
        (aggregate.kind == AggregateKind::kMin ? extreme_ < known.key : extreme_ > known.key);
    if (!better) continue;
    known.key = extreme_;
    known.value = OwnedValue(value);
  }
}

Result<std::vector<Group>> gather(RecordStream& stream, const Grouping& grouping, Budget& budget) {
  GroupMaker maker(grouping, budget);
  std::unordered_map<EncodedKey, std::size_t> places;
  std::vector<Group> groups;
  while (true) {
    QUIRE_TRY(const bool there, stream.next());
    if (!there) break;
    const EncodedKey& key = maker.key_of(stream.fields());
    const auto [place, is_new] = places.try_emplace(key, groups.size());
    if (is_new) {
      QUIRE_TRY(Group group, maker.begin(stream.fields()));
      groups.push_back(std::move(group));
    }
    maker.add(stream.fields(), groups[place->second]);
  }
  std::ranges::sort(groups, {}, &Group::key);
  return groups;
}

namespace {

class StreamGroups final : public OrderedGroups {
 public:
  StreamGroups(RecordStream& stream, const Grouping& grouping, Budget& budget)
      : stream_(stream), maker_(grouping, budget) {}

  Result<bool> next(Group& group) override {
    if (!waiting_) {
      QUIRE_TRY(waiting_, stream_.next());
      if (!waiting_) return false;
      maker_.key_of(stream_.fields());
    }
    QUIRE_TRY(group, maker_.begin(stream_.fields()));
    do {
      maker_.add(stream_.fields(), group);
      QUIRE_TRY(waiting_, stream_.next());
    } while (waiting_ && maker_.key_of(stream_.fields()) == group.key);
    return true;
  }

 private:
  RecordStream& stream_;
  GroupMaker maker_;
  bool waiting_ = false;  // the stream is on the first record of the next group
};

// Entries of a group that are read one by one before the rest of them is counted.
constexpr std::uint64_t kReadThrough = 12;

class RankGroups final : public OrderedGroups {
 public:
  RankGroups(View& view, const Plan& plan, const Grouping& grouping, Budget& budget)
      : view_(view),
        plan_(plan),
        grouping_(grouping),
        budget_(budget),
        scan_(view, *plan.path.index, plan.path.ranges.front(), direction()) {}

  Result<bool> next(Group& group) override {
    if (!waiting_) {
      QUIRE_TRY(waiting_, step());
    }
    if (!waiting_) return false;
    QUIRE_TRY(EncodedKey prefix, begin(group));
    for (std::uint64_t read = 0; waiting_ && starts_with(scan_.key(), quire::bytes_of(prefix));) {
      ++group.count;
      if (++read == kReadThrough) QUIRE_CHECK(count_rest(prefix, group));
      QUIRE_TRY(waiting_, step());
    }
    budget_.figures().found += group.count;
    return true;
  }

 private:
  ScanDirection direction() const noexcept {
    return plan_.forward ? ScanDirection::kForward : ScanDirection::kBackward;
  }
  Result<bool> step() {
    QUIRE_TRY(const bool there, scan_.next());
    if (there) QUIRE_CHECK(budget_.entry());
    return there;
  }

  // The group that the scan is on: its values, and the bytes that its keys begin with.
  Result<EncodedKey> begin(Group& group) {
    const std::vector<BoundPart>& parts = plan_.path.index->form().parts;
    const std::size_t last = plan_.path.fixed + grouping_.terms.size();
    QUIRE_TRY(const std::span<const Value> values, scan_.parts());
    group = Group();
    for (std::size_t i = plan_.path.fixed; i < last; ++i) group.values.emplace_back(values[i]);
    group.extremes.resize(grouping_.aggregates.size());
    Bytes rest = scan_.key();
    for (std::size_t i = 0; i < last; ++i) {
      QUIRE_TRY(const PartExtent extent, measure_part(parts[i].form, rest));
      rest = rest.subspan(extent.size);
    }
    const Bytes key = scan_.key();
    return EncodedKey(as_text(key.first(key.size() - rest.size())));
  }

  // Goes to the last entry of the group, counting those on the way.
  Status count_rest(const EncodedKey& prefix, Group& group) {
    KeyRange rest = plan_.path.ranges.front();
    rest.low = std::max(rest.low, prefix);
    const std::optional<EncodedKey> behind = behind_prefix(quire::bytes_of(prefix));
    if (behind && (!rest.high || *behind < *rest.high)) rest.high = behind;
    RangeScan all(view_, plan_.path.tree, std::move(rest));
    QUIRE_TRY(const std::uint64_t count, all.count());
    QUIRE_TRY(const std::uint64_t skipped, scan_.skip(count - group.count));
    group.count += skipped;
    return {};
  }

  View& view_;
  const Plan& plan_;
  const Grouping& grouping_;
  Budget& budget_;
  SortedScan scan_;
  bool waiting_ = false;  // the scan is on the first entry of the next group
};

}  // namespace

std::unique_ptr<OrderedGroups> groups_of_stream(RecordStream& stream, const Grouping& grouping,
                                                Budget& budget) {
  return std::make_unique<StreamGroups>(stream, grouping, budget);
}

bool can_hop(const Plan& plan, const Grouping& grouping) {
  if (!plan.exact() || plan.path.index == nullptr || plan.path.ranges.size() != 1 ||
      !grouping.counts_only())
    return false;
  const std::vector<BoundPart>& parts = plan.path.index->form().parts;
  for (std::size_t i = 0; i < grouping.terms.size(); ++i) {
    const std::size_t at = plan.path.fixed + i;
    // In the order in which they are asked for, and values that a key keeps as they are.
    if (at >= parts.size() || parts[at].source != PartSource::kField ||
        parts[at].field != grouping.terms[i].term.field || parts[at].form.type == FieldType::kF64 ||
        parts[at].form.collation != Collation::kBytes)
      return false;
  }
  return true;
}

std::unique_ptr<OrderedGroups> groups_by_rank(View& view, const Plan& plan,
                                              const Grouping& grouping, Budget& budget) {
  return std::make_unique<RankGroups>(view, plan, grouping, budget);
}

}  // namespace quire::query
