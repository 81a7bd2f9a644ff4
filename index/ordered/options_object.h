// The object in JSON that an index's options are asked for with.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <simdjson.h>

#include "engine/base/result.h"

namespace quire {

// kInvalid: "option 'o': " and the words.
std::unexpected<Error> refuse_option(std::string_view option, const std::string& words);

// Calls back with each member, until one is refused. kInvalid where the text is no object or has a
// name twice. What the callback is given is good as long as `parser` reads nothing else.
Status for_each_option(
    simdjson::dom::parser& parser, std::string_view asked,
    const std::function<Status(std::string_view name, simdjson::dom::element value)>& take);

}  // namespace quire
