// Records from a file of the user's, where the machine has no package catalogue: CSV with a header
// line, or one JSON object a line (NDJSON).
//
// Columns find their places by name: the key is `name`, `id`, `key`, `package` or `title`, else the
// first; section is `section`, `category`, `group` or `type`; the summary `summary`, `description`,
// `title` or `text`; version, priority, maintainer and installed_size by their own names. The text
// of all other columns becomes the long description.
#pragma once

#include <string>
#include <vector>

#include "tools/byte_source.h"
#include "tools/demo/package.h"

namespace quire::demo {

struct UserRecords {
  std::vector<Package> packages;
  std::vector<std::string> problems;  // "line 7: ...", lines that were left out
};

// `key`: the column to use as key; empty: as above. Throws std::runtime_error when the file has no
// usable header or no record at all.
UserRecords read_csv(tools::ByteSource& source, const std::string& key);
UserRecords read_ndjson(tools::ByteSource& source, const std::string& key);

}  // namespace quire::demo
