// One part of a key as a search sees it, and which of its values a condition leaves: intervals of
// its bytes.
//
// Parts are those of the keys of a sorted index (entry_key.h) and of the primary key (key_codec.h).
// Both are written so that memcmp has them in order and no part is the beginning of another, but
// for a text that ends a primary key. So a set of values is a set of intervals of bytes, whatever
// the type, the direction or the collation; and intervals of several parts, one after the other,
// are ranges of keys.
#pragma once

#include <optional>

#include <boost/container/small_vector.hpp>

#include "index/ordered/sorted_form.h"

namespace quire::query {

// Bytes from `low` on and before `high`, where there is one.
struct Interval {
  EncodedKey low;
  std::optional<EncodedKey> high;
  bool point = false;  // of one value
};

// Ascending, none touches another, none is empty. Most conditions leave one, or two.
using Intervals = boost::container::small_vector<Interval, 2>;

Intervals intersect(const Intervals& a, const Intervals& b);
Intervals unite(Intervals a, Intervals b);
// The least interval around all; there is one at least.
Interval span_of(const Intervals& intervals);

struct PartBound {
  Value value;  // not null
  bool inclusive = true;
};

// Borrows what it is made of.
class KeyPart {
 public:
  static KeyPart of_index(const BoundPart& part);
  // `last`: nothing follows it in the primary key.
  static KeyPart of_primary(std::size_t field, FieldType type, bool last);

  std::size_t field() const noexcept { return field_; }
  PartSource source() const noexcept { return source_; }
  const JsonPath* path() const noexcept { return path_; }
  const PartForm& form() const noexcept { return form_; }
  bool json() const noexcept { return form_.type == FieldType::kJson; }
  bool folded() const noexcept { return form_.collation == Collation::kAsciiNocase; }
  bool primary() const noexcept { return primary_; }

  // Appends a value that the part can have, as it is in a key.
  void append(const Value& value, EncodedKey& key) const;
  // Makes of a key that ends with this part the least one behind it and all that follow it.
  void step_behind(EncodedKey& key) const;
  Intervals null() const;
  bool is_null(const Interval& interval) const;
  Intervals not_null() const;
  // Values that the part can have: fits_part().
  Intervals point(const Value& value) const;
  // In the order of the values, whatever that of the part. In JSON of the bounds' kind alone; one
  // bound is given at least.
  Intervals range(const std::optional<PartBound>& low, const std::optional<PartBound>& high) const;
  // Texts that begin with this one.
  Intervals begins(const Value& text) const;

 private:
  EncodedKey encode(const Value& value) const;
  // The least bytes behind this value and all that follows it in a key.
  EncodedKey behind(const EncodedKey& encoded) const;
  Interval kind_of(const Value& value) const;

  std::size_t field_ = 0;
  PartSource source_ = PartSource::kField;
  const JsonPath* path_ = nullptr;
  PartForm form_;
  bool primary_ = false;
  bool last_ = false;
};

}  // namespace quire::query
