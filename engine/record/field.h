// A field of a schema: its type, what it has by default and what is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/record/owned_value.h"
#include "engine/record/pattern.h"

namespace quire {

// Never used again within a collection, also not after the field was dropped. From 1; 0: not given
// yet.
using FieldId = std::uint32_t;

// Where a vector's bit lies in the entries of record numbers (numbers.h); never used again either.
using VectorSlot = std::uint32_t;
inline constexpr VectorSlot kNoSlot = UINT32_MAX;

// What a value of type kDefault becomes, before anything is logged.
enum class DefaultKind : std::uint8_t {
  kNone = 0,   // null, where the field may be null; else there has to be a value
  kValue = 1,  // a constant
  kNow = 2,    // timestamp: the time of the change
  kNext = 3,   // i64: one more than the greatest that a record of the collection ever had, from 1
  kUuid = 4,   // bytes (16) or text (36): a UUID of version 7 (RFC 9562)
  // i64: 1 in a new record, one more with each change of it (conditions.h). Not of the key, never
  // null
  kVersion = 5,
};

// Checked before anything is written. Those of a range, of a list and of a pattern hold for each
// element of an array; null is never checked.
struct FieldRules {
  DefaultKind default_kind = DefaultKind::kNone;
  OwnedValue default_value;
  OwnedValue min;  // null: none. Numbers and timestamps, and their arrays
  OwnedValue max;
  std::optional<std::uint64_t> min_length;  // text: characters; bytes: bytes; arrays: elements
  std::optional<std::uint64_t> max_length;
  std::vector<OwnedValue> one_of;  // empty: any
  Pattern pattern;                 // text and its arrays: what the whole text has to match
  bool operator==(const FieldRules&) const = default;
};

struct Field {
  std::string name;
  FieldType type = FieldType::kNull;
  bool nullable = false;
  std::uint32_t dimension = 0;  // of a vector
  FieldRules rules;
  // Says when its record's time is over (expiry.h): a timestamp, and one field of a schema at most.
  bool ttl = false;

  // Given by the schema.
  FieldId id = 0;
  VectorSlot slot = kNoSlot;  // of a vector
  OwnedValue before;          // what it is in rows that are older than it

  // Bytes of a vector.
  std::uint32_t vector_bytes() const noexcept { return vector_size(type, dimension); }
  bool operator==(const Field&) const = default;
};

// Whether the rules make sense for the type: kInvalid, naming the rule but not the field.
Status check_rules(const Field& field);

// Whether a value of the field's type keeps the rules: nothing, or in words what it breaks ("12 is
// more than the maximum, 10").
std::optional<std::string> broken_rule(const Field& field, const Value& value);

}  // namespace quire
