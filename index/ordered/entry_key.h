// Keys of entries: bytes whose order (memcmp) is the order of the index.
//
// A key is its parts, one after the other, and behind them be64 the record's number, unless the
// index is unique and no part is null. A part is a tag byte and what the tag says:
//
//   01  null, before all values
//   02  a value of the part's type, as a component of key_codec.h that is not the last: text and
//       bytes have each 00 as 00 FF and end with 00 00. NaN, which no primary key has, is eight
//       zero bytes: before all numbers
//
// Parts that are paths into JSON have values of several types, in the order of their tags:
//
//   01  null; also what is not there, arrays and objects
//   02  false or true, one byte
//   03  a number, 10 bytes: the greatest f64 that is not above it, as in key_codec.h, and be16 what
//       is missing to it, 0 to 1023. So integers of 64 bits, of which f64 knows those up to 2^53,
//       are exact and in order among all f64; 1 and 1.0 are one number
//   04  text
//
// Folded texts have a to z for A to Z. Of a descending part all bits are turned, the tag's too:
// null is its last. No part is a prefix of another of its kind, so keys of several parts are in
// order too, and all keys with the same first parts lie together.
#pragma once

#include <optional>
#include <string>

#include "engine/record/key_codec.h"

namespace quire {

enum class Collation : std::uint8_t {
  kBytes = 0,
  kAsciiNocase = 1,  // A to Z are a to z
};

// How the values of a part are written.
struct PartForm {
  FieldType type = FieldType::kNull;  // a scalar, or kJson
  bool descending = false;
  Collation collation = Collation::kBytes;  // of texts and bytes
};

// Whether a value can be in such a part: null, a value of its type, or a scalar of JSON.
bool fits_part(const PartForm& form, const Value& value) noexcept;
// Appends a value that fits. Text and bytes: O(size).
void append_part(const PartForm& form, const Value& value, EncodedKey& key);
// Takes a part off the front of `key`: a text in `memory` or borrowed from the key, as it was
// folded; a number of JSON is an i64 where it is one. kCorrupt.
Result<Value> take_part(const PartForm& form, Bytes& key, std::string& memory);
// Bytes of the part that `key` begins with, and whether it is null. kCorrupt.
struct PartExtent {
  std::size_t size = 0;
  bool null = false;
};
Result<PartExtent> measure_part(const PartForm& form, Bytes key);
// What a part of a type takes at most; 0 where there is no such bound.
std::size_t part_size_bound(const PartForm& form) noexcept;

// The tag of a null in such a part.
char null_tag(const PartForm& form) noexcept;

// The least key that is greater than all that begin with `prefix`; nothing where there is none.
std::optional<EncodedKey> behind_prefix(Bytes prefix);

}  // namespace quire
