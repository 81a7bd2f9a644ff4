// One record of the demo: a package of the catalogue, or a line of the user's file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace quire::demo {

struct Package {
  std::string name;  // the primary key
  std::string version;
  std::string section;
  std::string priority;
  std::optional<std::int64_t> installed_size_kib;
  std::string maintainer;
  std::string summary;      // one line
  std::string description;  // the long one; may be empty
};

}  // namespace quire::demo
