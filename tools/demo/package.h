// One record of the demo: a package of the catalogue, or a line of the user's file.
#pragma once

#include <cstdint>
#include <string>

namespace quire::demo {

struct Package {
  std::string name;  // the primary key
  std::string version;
  std::string section;
  std::string priority;
  std::int64_t installed_size_kib = 0;
  std::string maintainer;
  std::string summary;      // one line
  std::string description;  // the long one; may be empty
};

}  // namespace quire::demo
