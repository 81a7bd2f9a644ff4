// Sets of records that queries gave, kept for the next search that asks for the same of the same
// state: finding them costs a search more than all else it does.
#pragma once

#include <list>
#include <mutex>
#include <string>

#include "index/query/query.h"
#include "index/vector/record_filter.h"

namespace quire {

// Thread-safe; one for each open database.
//
// Invariant: what is found under a key is what the query would give. The key has the whole request
// and the root of the primary tree, which is another page after each change of a record, and never
// the same again; an entry holds the definition that its key names by address. What depends on the
// time, or is of a write transaction, whose pages change in place, is not kept.
class FilterCache {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{32} << 20;

  // The records that the query gives: kNotSupported where its rows are groups, and the errors of
  // Query. O(request) where it is known, else O(query).
  Result<std::shared_ptr<const RecordFilter>> find(View& view, const Collection& collection,
                                                   const QueryRequest& request);

 private:
  struct Entry {
    std::string key;
    Collection collection;  // keeps its definition, and so that definition's address
    std::shared_ptr<const RecordFilter> filter;
    std::size_t bytes;
  };

  std::shared_ptr<const RecordFilter> look_up(const std::string& key);
  void keep(Entry entry);

  std::mutex mutex_;
  std::list<Entry> entries_;  // used last first
  std::size_t bytes_ = 0;
};

}  // namespace quire
