// The plan of a query, as a person reads it.
#pragma once

#include <string>
#include <string_view>

namespace quire::tools {

// `json`: what quire_query_explain gave. `ran`: the figures of what was done are shown too.
std::string explain_as_text(std::string_view json, bool ran);

}  // namespace quire::tools
