#include "index/query/filter_cache.h"

#include <algorithm>
#include <bit>

#include "engine/record/owned_value.h"
#include "index/query/matching.h"

namespace quire {
namespace {

// Beside a bit for each number, which its places in a graph have as well, twice.
constexpr std::size_t kBytesOfEntry = 512;
constexpr std::size_t kTimesNumbers = 4;

void put_text(ByteWriter& writer, std::string_view text) {
  writer.put(static_cast<std::uint64_t>(text.size()));
  writer.put_bytes(as_bytes(text));
}

void put_argument(ByteWriter& writer, std::string_view name, const Value& value) {
  put_text(writer, name);
  ByteVector bytes;
  ByteWriter of_value(bytes);
  OwnedValue(value).encode(of_value);
  put_text(writer, as_text(Bytes(bytes)));
}

// Everything that decides which records are given, and whether an error is.
Result<std::string> key_of(View& view, const Collection& collection, const QueryRequest& request) {
  ByteVector bytes;
  ByteWriter writer(bytes);
  // Numbers too: a collection that is empty again has the same records, and more numbers.
  for (const StructureId id : {collection.id(), collection.definition().numbers}) {
    QUIRE_TRY(const TreeRoot tree, view.tree_root(id));
    for (const std::uint64_t number : {std::uint64_t{id}, std::uint64_t{tree.root.page},
                                       tree.root.checksum, tree.root.birth, tree.root.count})
      writer.put(number);
  }
  for (const std::uint64_t number :
       {static_cast<std::uint64_t>(std::bit_cast<std::uintptr_t>(&collection.definition())),
        request.limit, request.offset, std::uint64_t{request.no_index}, request.limits.time_us,
        request.limits.records, request.limits.memory_bytes})
    writer.put(number);
  for (const std::string_view text : {request.filter, request.order, request.index})
    put_text(writer, text);
  for (const Value& argument : request.arguments) put_argument(writer, {}, argument);
  for (const Argument& argument : request.named)
    put_argument(writer, argument.name, argument.value);
  return std::string(as_text(Bytes(bytes)));
}

}  // namespace

std::shared_ptr<const RecordFilter> FilterCache::look_up(const std::string& key) {
  const std::scoped_lock lock(mutex_);
  const auto at = std::ranges::find(entries_, key, &Entry::key);
  if (at == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, at);
  return at->filter;
}

void FilterCache::keep(Entry entry) {
  if (entry.bytes > kMostBytes / 2) return;
  const std::scoped_lock lock(mutex_);
  // Another thread may have been first.
  if (std::ranges::find(entries_, entry.key, &Entry::key) != entries_.end()) return;
  bytes_ += entry.bytes;
  entries_.push_front(std::move(entry));
  while (bytes_ > kMostBytes) {
    bytes_ -= entries_.back().bytes;
    entries_.pop_back();
  }
}

Result<std::shared_ptr<const RecordFilter>> FilterCache::find(View& view,
                                                              const Collection& collection,
                                                              const QueryRequest& request) {
  // Of a snapshot nothing changes.
  const bool is_snapshot = view.tree_version(collection.id()) == 0;
  const bool may_keep =
      is_snapshot && request.token.empty() && request.group.empty() && !request.distinct;
  std::string key;
  if (may_keep) {
    QUIRE_TRY(key, key_of(view, collection, request));
    if (auto known = look_up(key)) return known;
  }
  QUIRE_TRY(query::Matching matching, query::matching_records(view, collection, request));
  const bool keeps = may_keep && matching.steady;
  auto filter = std::make_shared<const RecordFilter>(std::move(matching.numbers), is_snapshot);
  const std::size_t bytes = kBytesOfEntry + key.size() + kTimesNumbers * filter->bytes();
  if (keeps) keep({std::move(key), collection, filter, bytes});
  return filter;
}

}  // namespace quire
