// JSON documents as values: the text that was given (RFC 8259).
#pragma once

#include <string_view>

#include "engine/base/result.h"

namespace quire {

// How deep arrays and objects may nest.
inline constexpr std::size_t kMaxJsonDepth = 256;

// Whether the text is one JSON document: kSchema, saying what is wrong with it. O(size).
Status check_json(std::string_view text);

}  // namespace quire
