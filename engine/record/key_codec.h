// Primary keys as bytes whose order (memcmp) is the order of the values.
//
// A key is one component for each key field; today there is one key field. A component is a tag
// byte, 0x02, and the value (0x01 is left for null, in keys of indexes, which then comes first):
//
//   bool             1 byte, 0 or 1
//   i64, timestamp   8 bytes, big-endian, sign bit flipped
//   f64              8 bytes, big-endian; sign bit flipped, or all bits of a negative number. -0.0
//                    is stored as 0.0: they are one key. There is no NaN key
//   text, bytes      as it is, to the end of the key. (As any but the last component of a key it
//                    will need its zero bytes escaped and an end.)
//
// The tag makes the empty text a key of one byte: trees have no empty keys. Neighbouring keys share
// it, and a tree stores what its keys share once a page.
#pragma once

#include <string>

#include "engine/base/result.h"
#include "engine/record/schema.h"

namespace quire {

// Numbers and short texts need no memory of their own.
using EncodedKey = std::string;

inline Bytes bytes_of(const EncodedKey& key) noexcept { return as_bytes(std::string_view(key)); }

// The value is of the field's type and no NaN (check_value).
void encode_key(const Value& value, EncodedKey& key);
// Text and bytes borrow from `key`. kCorrupt when no value of the field has this key.
Result<Value> decode_key(const Field& field, Bytes key);
// The value for a message, shortened: 'text', 42, 0x0102.
std::string describe_key(const Field& field, Bytes key);

}  // namespace quire
