// Whether values fit a schema. Everything is checked before anything is written.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "engine/record/collection.h"
#include "engine/record/key_codec.h"

namespace quire {

// One value a field, in order. kSchema (how many, null, UTF-8, dimension, NaN or infinity in a
// vector, NaN as the key) or kType, naming collection and field; kValueSize for a record that is
// too large.
Status check_values(const Collection& collection, std::span<const Value> values);
// The same for one value of one field.
Status check_value(const Collection& collection, std::size_t field, const Value& value);
// The same, but for the rules of the field (FieldRules): a value to look for.
Status check_type(const Collection& collection, std::size_t field, const Value& value);
// Whether a key, or the first values of one, may have so many. kInvalid.
Status check_key_count(const Collection& collection, std::size_t count);
Status check_key_prefix_count(const Collection& collection, std::size_t count);
// Checks the values of the key fields and encodes them. kInvalid when they are not as many,
// kKeySize when the key is over `limit` bytes.
Status make_key(const Collection& collection, KeyValues values, std::size_t limit, EncodedKey& key);
// Of the first key fields, as many as there are values. kInvalid when these are too many.
Status make_key_prefix(const Collection& collection, std::span<const Value> values,
                       EncodedKey& key);
// What no vector of the field may have, in words ("element 3 is NaN"), or nothing: NaN and
// infinities in floats, bits set past the last. The elements may lie anywhere.
std::optional<std::string> wrong_element(const Field& field, const std::byte* vector);

}  // namespace quire
