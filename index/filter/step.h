// A step into a JSON document: of the paths of filters, and of those that indexes are built on.
#pragma once

#include <cstdint>
#include <string>

namespace quire::filter {

// To a member of an object, or to an element of an array, from 0.
struct Step {
  std::string name;
  std::uint32_t index = 0;
  bool is_index = false;
  bool operator==(const Step&) const = default;
};

}  // namespace quire::filter
