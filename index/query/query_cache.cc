#include "index/query/query_cache.h"

#include <algorithm>
#include <functional>

#include "engine/base/checksum.h"

namespace quire::query {
namespace {

// Places of the table. Programs ask few different texts.
constexpr std::size_t kPlaces = 256;

std::uint64_t hash_of(const Collection& collection, const QueryText& text) noexcept {
  std::uint64_t hash = collection.id() + (text.distinct ? std::uint64_t{1} << 32 : 0);
  for (const std::string_view part : {text.filter, text.select, text.group, text.order})
    hash = checksum64(as_bytes(part), hash);
  return hash;
}

}  // namespace

std::unique_ptr<Query> QueryCache::take_idle(
    std::uint64_t hash, const Collection& collection, const QueryText& text,
    std::shared_ptr<const PreparedQuery>& prepared) noexcept {
  const std::scoped_lock lock(mutex_);
  if (entries_.empty() || entries_[hash % kPlaces] == nullptr) return nullptr;
  Entry& entry = *entries_[hash % kPlaces];
  if (!entry.is_of(hash, collection, text)) return nullptr;
  if (entry.idle_count != 0) return std::move(entry.idle[--entry.idle_count]);
  prepared = entry.query;
  return nullptr;
}

void QueryCache::keep(std::uint64_t hash, const Collection& collection,
                      std::shared_ptr<const PreparedQuery> prepared) {
  auto entry = std::make_unique<Entry>(Entry{collection, hash, std::move(prepared), {}});
  const std::scoped_lock lock(mutex_);
  if (entries_.empty()) entries_.resize(kPlaces);
  // What was there ends outside of the lock.
  std::swap(entries_[hash % kPlaces], entry);
}

void CloseQuery::operator()(Query* query) const noexcept {
  cache->close(std::unique_ptr<Query>(query));
}

Result<CachedQuery> QueryCache::find_or_make(const Collection& collection, const QueryText& text) {
  const std::uint64_t hash = hash_of(collection, text);
  std::shared_ptr<const PreparedQuery> prepared;
  CachedQuery query(take_idle(hash, collection, text, prepared).release(), {this});
  if (query != nullptr) return query;
  if (prepared == nullptr) {
    QUIRE_TRY(prepared, PreparedQuery::make(collection, text));
    keep(hash, collection, prepared);
  }
  query.reset(new Query(collection, std::move(prepared), hash));
  return query;
}

Result<CachedQuery> QueryCache::open(View& view, const Collection& collection,
                                     const QueryRequest& request, RestingQueries* resting) {
  const QueryText text = request.text();
  CachedQuery query;
  if (resting != nullptr) query = resting->take(collection, text);
  if (query == nullptr) {
    QUIRE_TRY(query, find_or_make(collection, text));
  }
  QUIRE_CHECK(query->ask(view, request));
  return query;
}

void QueryCache::close(std::unique_ptr<Query> query) noexcept {
  if (query == nullptr || !query->rest()) return;
  const std::scoped_lock lock(mutex_);
  if (entries_.empty()) return;
  Entry* entry = entries_[query->hash() % kPlaces].get();
  // Others may have come to its place since.
  if (entry == nullptr || entry->query != query->prepared() || entry->idle_count == kIdle) return;
  entry->idle[entry->idle_count++] = std::move(query);
}

CachedQuery RestingQueries::take(const Collection& collection, const QueryText& text) noexcept {
  for (CachedQuery& query : queries_) {
    if (query != nullptr && query->is_of(collection, text)) return std::move(query);
  }
  return nullptr;
}

void RestingQueries::put(CachedQuery query) noexcept {
  // What it grew to is not kept: the cache does not take it either.
  if (query == nullptr || !query->rest()) return;
  const auto free = std::ranges::find_if(queries_, std::logical_not<>(), &CachedQuery::get);
  if (free != queries_.end()) {
    *free = std::move(query);
    return;
  }
  queries_[next_] = std::move(query);
  next_ = (next_ + 1) % kPlaces;
}

void RestingQueries::clear() noexcept {
  for (CachedQuery& query : queries_) query.reset();
}

}  // namespace quire::query
