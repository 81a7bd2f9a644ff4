// Whether values fit a schema. Everything is checked before anything is written.
#pragma once

#include <span>

#include "engine/record/collection.h"
#include "engine/record/key_codec.h"

namespace quire {

// One value a field, in order. kSchema (how many, null, UTF-8, dimension, NaN or infinity in a
// vector, NaN as the key) or kType, naming collection and field; kValueSize for a record that is
// too large.
Status check_values(const Collection& collection, std::span<const Value> values);
// The same for one value of one field.
Status check_value(const Collection& collection, std::size_t field, const Value& value);
// Checks the value of the key field and encodes it. kKeySize when it is over `limit` bytes.
Status make_key(const Collection& collection, const Value& value, std::size_t limit,
                EncodedKey& key);
// Place of the first element that is NaN or infinite, or `dimension`. The bytes may lie anywhere.
std::size_t first_not_finite(const std::byte* vector, std::size_t dimension) noexcept;

}  // namespace quire
