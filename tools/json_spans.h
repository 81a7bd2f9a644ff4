// Where the parts of a JSON text lie in it, so that they can be kept as they were written.
#pragma once

#include <string_view>
#include <vector>

namespace quire::tools {

// The values of an object's members, or an array's elements, in their order, without blanks around
// them. The text has been parsed before and is known to be good.
std::vector<std::string_view> json_members(std::string_view object);
std::vector<std::string_view> json_elements(std::string_view array);

}  // namespace quire::tools
