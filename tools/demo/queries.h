// Filters and queries over the finished database, by indexes, and the same by looking at every
// record: both have to find the same.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/demo/console.h"
#include "tools/demo/store.h"

namespace quire::demo {

class Queries {
 public:
  Queries(Console& console, Database& database) : console_(console), database_(database) {}

  // A composite index and a unique one beside that of sizes, which was there from the beginning.
  // False, having said why, where the records of a user's file have texts too long for a key.
  bool make_indexes();
  // A unique index can't be made where two records have the same key.
  void refuse_unique_sections();
  // `section`: one that there is.
  void ask(const std::string& section, const std::string& name);

 private:
  using Matches = std::function<bool(std::span<const Value>)>;
  struct Found {
    std::vector<std::string> names;  // in order
    std::string by;                  // which index, or none
    std::uint64_t entries = 0;       // read
    double milliseconds = 0;
  };

  int create_index(const Transaction& transaction, const char* name, const char* options);
  void compare(const char* filter, const std::vector<Value>& arguments, const Matches& matches);
  Found by_query(const char* filter, const std::vector<Value>& arguments);
  Found by_scan(const Matches& matches);
  void biggest(const std::string& section);

  Console& console_;
  Database& database_;
};

}  // namespace quire::demo
