// Queries that were asked before: their texts need not be read again, and the memory of those that
// have ended is used again.
#pragma once

#include <array>
#include <mutex>

#include "index/query/query.h"

namespace quire::query {

class QueryCache;

// Gives a query back to the cache that it is from.
struct CloseQuery {
  QueryCache* cache = nullptr;
  void operator()(Query* query) const noexcept;
};
using CachedQuery = std::unique_ptr<Query, CloseQuery>;

// Thread-safe; one for each open database.
class QueryCache {
 public:
  // As Query::open(), which it saves where it can. The cache outlives it.
  Result<CachedQuery> open(View& view, const Collection& collection, const QueryRequest& request);
  // Its view is not touched.
  void close(std::unique_ptr<Query> query) noexcept;

 private:
  // Idle queries of one text: threads that ask the same at the same time have one each.
  static constexpr std::size_t kIdle = 4;
  struct Entry {
    Collection collection;  // keeps its definition, and so that definition's address
    std::uint64_t hash;
    std::string filter, select, group, order;
    bool distinct;
    std::shared_ptr<const PreparedQuery> query;
    std::array<std::unique_ptr<Query>, kIdle> idle;
    std::size_t idle_count = 0;

    QueryText text() const noexcept { return {filter, select, group, order, distinct}; }
    bool is_of(std::uint64_t wanted, const Collection& of, const QueryText& asked) const noexcept {
      return hash == wanted && &collection.definition() == &of.definition() && text() == asked;
    }
  };

  // One that is idle; else `prepared` is set, where the text is known.
  std::unique_ptr<Query> take_idle(std::uint64_t hash, const Collection& collection,
                                   const QueryText& text,
                                   std::shared_ptr<const PreparedQuery>& prepared) noexcept;
  void keep(std::uint64_t hash, const Collection& collection, const QueryText& text,
            std::shared_ptr<const PreparedQuery> prepared);

  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;  // a table by hash; the newest of each place
};

}  // namespace quire::query
