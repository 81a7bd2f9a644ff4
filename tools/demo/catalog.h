// Finds the package catalogue of this machine, or reads the user's file, and makes clean records:
// each name once, all text valid UTF-8.
#pragma once

#include <string>
#include <vector>

#include "tools/demo/package.h"

namespace quire::demo {

struct Source {
  std::string path;
  std::size_t packages = 0;  // new ones: those that an earlier source had are not counted
};

struct Catalog {
  std::vector<Package> packages;  // in an order that has nothing to do with their names
  std::vector<Source> sources;
  std::vector<std::string> problems;  // what was left out, and why
};

struct CatalogRequest {
  std::string file;       // of the user; empty: the machine's catalogue
  std::string key;        // the column of `file` to use as key
  std::size_t limit = 0;  // 0: all
  std::string root;       // for tests: before /var/lib
};

// Throws std::runtime_error with what to do when there is nothing to read.
Catalog read_catalog(const CatalogRequest& request);

// Bytes that are not UTF-8 replaced by question marks.
std::string valid_utf8(std::string text);

}  // namespace quire::demo
