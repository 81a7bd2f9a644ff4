// Groups of records: how many each has, and the least and greatest of values in it.
#pragma once

#include <deque>
#include <unordered_map>

#include "index/query/stream.h"

namespace quire::query {

// What is known of one group.
struct Group {
  EncodedKey key;  // its values, as they are ordered
  std::vector<OwnedValue> values;
  std::uint64_t count = 0;
  struct Extreme {
    EncodedKey key;
    OwnedValue value;  // null: there was none yet
  };
  std::vector<Extreme> extremes;  // one for each aggregate, in their order
};

// What groups are made of, and what is told of each.
struct Grouping {
  std::vector<OrderTerm> terms;
  struct Aggregate {
    AggregateKind kind = AggregateKind::kCount;
    std::optional<OrderTerm> term;  // of kMin and kMax
  };
  std::vector<Aggregate> aggregates;
  // Nothing but how many records a group has.
  bool counts_only() const noexcept;
  // The whole as one group, and nothing of it but its least and greatest values.
  bool ends_only() const noexcept;
};

// Gathers records that come one by one.
class GroupMaker {
 public:
  GroupMaker(const Grouping& grouping, Budget& budget) : grouping_(&grouping), budget_(&budget) {}

  // Sets the key of the group that a record belongs to.
  const EncodedKey& key_of(const FieldSource& record);
  // A new group of the record that key_of() was last asked about, without any record in it.
  Result<Group> begin(const FieldSource& record);
  // Counts the record in.
  void add(const FieldSource& record, Group& group);

 private:
  const Grouping* grouping_;
  Budget* budget_;
  EncodedKey key_;
  EncodedKey extreme_;
  OwnedValue memory_;
};

// All groups of a stream, in the order of their values. O(records + groups log groups), and memory
// for all groups. kBudget.
Result<std::vector<Group>> gather(RecordStream& stream, const Grouping& grouping, Budget& budget);

// Groups of a driver that has their order, one after the other.
class OrderedGroups {
 public:
  virtual ~OrderedGroups() = default;
  // False at the end.
  virtual Result<bool> next(Group& group) = 0;
};
// Of records that come in the order of the groups.
std::unique_ptr<OrderedGroups> groups_of_stream(RecordStream& stream, const Grouping& grouping,
                                                Budget& budget);
// Whether counts in the tree tell how many records each group has: the plan is exact, and the
// groups are the values of parts of its index.
bool can_hop(const Plan& plan, const Grouping& grouping);
// Of such a plan. Small groups are read through, others are counted by two descents: O(log n) each.
std::unique_ptr<OrderedGroups> groups_by_rank(View& view, const Plan& plan,
                                              const Grouping& grouping, Budget& budget);

}  // namespace quire::query
