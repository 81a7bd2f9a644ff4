// The range of a path as it follows from arguments, so that a query which is asked again need not
// find out again what its conditions say of an index.
#pragma once

#include "index/query/access_path.h"

namespace quire::query {

// Of paths with one range: the first parts of the key have one value each, and the next one may
// have bounds. Each comes from a comparison with something constant, which is looked up anew.
//
// Borrows the filter's tree and the index.
class RangeRecipe {
 public:
  RangeRecipe() = default;  // of no path

  // Of a path that was found for these conditions; of no path where its range can't be told so.
  static RangeRecipe of(const Collection& collection, const BoundFilter& filter,
                        std::span<const Condition> conditions, const AccessPath& path);

  // The range that find_ranges() would find, in the memory of `range`. False where a value is null
  // or none that the part can have, or no key is in the range: the path is another one then.
  bool make(const BoundFilter& filter, KeyRange& range) const;

 private:
  struct Value {
    KeyPart part;
    const filter::Node* node;  // constant
  };
  struct Bound {
    filter::CompareOp op;  // part op node
    const filter::Node* node;
  };
  class Maker;
  bool make_bounded(const BoundFilter& filter, KeyRange& range) const;

  bool known_ = false;
  bool single_ = false;
  boost::container::small_vector<Value, 2> values_;
  std::optional<KeyPart> bounded_;  // the part behind these
  boost::container::small_vector<Bound, 2> bounds_;
};

}  // namespace quire::query
