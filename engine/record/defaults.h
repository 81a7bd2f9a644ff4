// What a record has where its writer says "by default".
#pragma once

#include <array>
#include <list>
#include <span>

#include <boost/container/small_vector.hpp>

#include "engine/record/collection.h"
#include "engine/record/row_codec.h"

namespace quire {

// A UUID of version 7 (RFC 9562): milliseconds since 1970, a fraction of one (so that those of a
// process are in order down to a quarter of a microsecond), 62 random bits.
std::array<std::byte, 16> make_uuid();
std::string uuid_text(const std::array<std::byte, 16>& uuid);

// Microseconds since 1970 UTC.
std::int64_t now_us() noexcept;

// Keeps what it makes as long as it lives.
class Defaults {
 public:
  // `values`, with those of type kDefault replaced; values.size() is that of the schema, or the
  // answer is `values`. kSchema for a field that has no default and can't be null, or whose numbers
  // are used up. Reads counters, changes nothing.
  Result<std::span<const Value>> resolve(View& view, const Collection& collection,
                                         std::span<const Value> values);
  // `values`, which may be those that resolve() gave, for a record that is there: each version is
  // one more than the record's. kSchema where they are used up, or a rule does not allow the next.
  Result<std::span<const Value>> advance(const Collection& collection, const RowView& old,
                                         std::span<const Value> values);

 private:
  Result<Value> make(View& view, const Collection& collection, std::size_t field);
  Value keep(std::string bytes, FieldType type);

  boost::container::small_vector<Value, 16> values_;
  std::list<std::string> kept_;
};

}  // namespace quire
