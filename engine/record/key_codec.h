// Primary keys as bytes whose order (memcmp) is the order of the values.
//
// A key is one component for each key field, one after the other. A component is a tag byte, 0x02,
// and the value (0x01 is null, in keys of indexes, which then comes first):
//
//   bool             1 byte, 0 or 1
//   i64, timestamp   8 bytes, big-endian, sign bit flipped
//   f64              8 bytes, big-endian; sign bit flipped, or all bits of a negative number. -0.0
//                    is stored as 0.0: they are one key. There is no NaN key
//   text, bytes      as it is, to the end of the key, where it is the last; else each 00 as 00 FF,
//                    and 00 00 behind it
//
// The tag makes the empty text a key of one byte: trees have no empty keys. Neighbouring keys share
// it, and a tree stores what its keys share once a page.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/record/row_codec.h"

namespace quire {

// Numbers and short texts need no memory of their own.
using EncodedKey = std::string;

inline Bytes bytes_of(const EncodedKey& key) noexcept { return as_bytes(std::string_view(key)); }

// Values of the key fields, in the order of the key. Borrows.
class KeyValues {
 public:
  KeyValues(std::span<const Value> values) noexcept : values_(values) {}  // NOLINT: it is these
  KeyValues(const Value& value) noexcept : values_(&value, 1) {}          // NOLINT: or this one
  std::span<const Value> values() const noexcept { return values_; }

 private:
  std::span<const Value> values_;
};

// Appends a component. `last`: nothing will follow it. Text and bytes: O(size).
void append_component(const Value& value, bool last, EncodedKey& key);
// Takes a component of this type off the front of `key`. Text and bytes that are not the last are
// put into `memory`, if they have escaped zeros, else they borrow from `key`. kCorrupt.
Result<Value> take_component(FieldType type, bool last, Bytes& key, std::string& memory);

// Of a key with one component.
inline void encode_key(const Value& value, EncodedKey& key) {
  key.clear();
  append_component(value, true, key);
}
// The values are those of the key fields and no NaN (check_value).
void encode_key(const Schema& schema, KeyValues values, EncodedKey& key);
// Of a record's values, or its row.
void encode_key_of(const Schema& schema, std::span<const Value> values, EncodedKey& key);
void encode_key_of(const RowView& row, EncodedKey& key);

// kCorrupt when no record has this key.
Result<std::vector<OwnedValue>> decode_key(const Schema& schema, Bytes key);
// Of a key with one component; the value borrows from `key`.
Result<Value> decode_single_key(FieldType type, Bytes key);
// The values for a message, shortened: 'text', 42, 0x0102; (1, 'a') of several.
std::string describe_key(const Schema& schema, Bytes key);

}  // namespace quire
