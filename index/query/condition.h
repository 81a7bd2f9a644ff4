// The conditions that a filter asks for all together, and what each leaves of a part of a key.
#pragma once

#include <optional>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "index/filter/filter.h"
#include "index/query/key_part.h"

namespace quire::query {

inline constexpr std::uint32_t kWhole = UINT32_MAX;

// True of a record where the node is true, or, negated, where it is false. Of `has all` there is
// one for each item, so that an index can answer them one by one.
struct Condition {
  const filter::Node* node = nullptr;
  bool negated = false;
  std::uint32_t item = kWhole;
};

// What a filter is made of: `and`, and `or` under a `not`, taken apart.
void take_apart(const BoundFilter& filter, const filter::Node& node, bool negated,
                std::vector<Condition>& parts);
// The alternatives of a condition; none where it is no `or`.
std::vector<Condition> alternatives(const Condition& condition);

inline bool holds(const BoundFilter& filter, const Condition& condition,
                  const FieldSource& record) {
  const filter::Truth wanted = condition.negated ? filter::Truth::kFalse : filter::Truth::kTrue;
  return filter.test(*condition.node, record) == wanted;
}

// Values of a part. Every record for which the condition holds has one of them in it (of the
// elements of an array: one of its elements is one); `exact`: and no other record has.
struct Constraint {
  Intervals values;
  bool exact = true;
};
// Nothing where the condition says nothing of this part.
std::optional<Constraint> constrain(const BoundFilter& filter, const Condition& condition,
                                    const KeyPart& part);

// Fields below a node are added to `fields`, which may then have some twice.
using FieldList = boost::container::small_vector<std::uint32_t, 8>;
void add_fields(const filter::Node& node, FieldList& fields);
// The path of a node, where it is one, is that of a part.
bool same_path(const filter::Node& node, const JsonPath& path) noexcept;

}  // namespace quire::query
