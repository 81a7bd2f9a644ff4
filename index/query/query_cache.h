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

// Queries that have ended and stay with their transaction, in case it asks the same again: that
// takes no lock. One thread. The cache outlives it.
class RestingQueries {
 public:
  // One that asked this; nullptr where there is none.
  CachedQuery take(const Collection& collection, const QueryText& text) noexcept;
  // Ends what it asked. Where there is no place left, another goes back to the cache.
  void put(CachedQuery query) noexcept;
  // All go back.
  void clear() noexcept;

 private:
  static constexpr std::size_t kPlaces = 4;
  std::array<CachedQuery, kPlaces> queries_;
  std::size_t next_ = 0;  // the place that is given up next
};

// Thread-safe; one for each open database.
class QueryCache {
 public:
  // As Query::open(), which it saves where it can. The cache outlives it. `resting`: where one is
  // looked for first.
  Result<CachedQuery> open(View& view, const Collection& collection, const QueryRequest& request,
                           RestingQueries* resting = nullptr);
  // Its view is not touched.
  void close(std::unique_ptr<Query> query) noexcept;

 private:
  // Idle queries of one text: threads that ask the same at the same time have one each.
  static constexpr std::size_t kIdle = 4;
  struct Entry {
    Collection collection;  // keeps its definition, and so that definition's address
    std::uint64_t hash;
    std::shared_ptr<const PreparedQuery> query;
    std::array<std::unique_ptr<Query>, kIdle> idle;
    std::size_t idle_count = 0;

    bool is_of(std::uint64_t wanted, const Collection& of, const QueryText& asked) const noexcept {
      return hash == wanted && &collection.definition() == &of.definition() &&
             query->text() == asked;
    }
  };

  // One that is idle; else `prepared` is set, where the text is known.
  std::unique_ptr<Query> take_idle(std::uint64_t hash, const Collection& collection,
                                   const QueryText& text,
                                   std::shared_ptr<const PreparedQuery>& prepared) noexcept;
  void keep(std::uint64_t hash, const Collection& collection,
            std::shared_ptr<const PreparedQuery> prepared);
  // One of this text, which is to be asked.
  Result<CachedQuery> find_or_make(const Collection& collection, const QueryText& text);

  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;  // a table by hash; the newest of each place
};

}  // namespace quire::query
