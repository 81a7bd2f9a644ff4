#include "index/ordered/purge.h"

#include <algorithm>

#include "engine/record/expiry.h"
#include "index/filter/tree.h"
#include "index/ordered/key_range.h"
#include "index/ordered/sorted_kind.h"
#include "index/ordered/sorted_scan.h"

namespace quire {
namespace {

bool has_all_with(const SortedForm& form, std::size_t field) noexcept {
  if (form.where == nullptr) return true;
  const filter::Node* tree = form.where->tree();
  if (tree == nullptr || tree->kind != filter::Kind::kNot) return false;
  const filter::Node& inner = tree->children[0];
  return inner.kind == filter::Kind::kIsNull && inner.children[0].kind == filter::Kind::kField &&
         inner.children[0].field == field;
}

// One entry a record, in the order of the field.
bool serves(const SortedForm& form, std::size_t field) noexcept {
  return form.parts[0].field == field && form.parts[0].source == PartSource::kField &&
         std::ranges::count(form.parts, PartSource::kElements, &BoundPart::source) == 0 &&
         has_all_with(form, field);
}

// Keys of the primary tree: all, or those whose first field is not after `now_us`.
KeyRange primary_range(const Schema& schema, std::int64_t now_us) {
  KeyRange range;
  if (schema.key()[0] != schema.ttl() || now_us == INT64_MAX) return range;
  append_component(Value::of_timestamp(now_us + 1), schema.key().size() == 1, range.high.emplace());
  return range;
}

Result<std::vector<EncodedKey>> find_by_index(View& view, const SortedIndex& index,
                                              std::int64_t now_us, std::uint64_t most,
                                              PurgePlace& place) {
  const KeyBound now{.value = Value::of_timestamp(now_us), .inclusive = true};
  QUIRE_TRY(KeyRange range, bounded_range(index.form(), {}, {}, now));
  QUIRE_TRY(SortedScan scan, SortedScan::open(view, index, std::move(range)));
  if (place.behind) scan.seek_after(bytes_of(*place.behind));
  std::vector<EncodedKey> keys;
  while (keys.size() < std::min(most, kPurgeReads)) {
    QUIRE_TRY(const bool there, scan.next());
    if (!there) {
      place.ended = true;
      return keys;
    }
    keys.emplace_back(as_text(scan.primary_key()));
    place.behind = as_text(scan.key());
  }
  return keys;
}

Result<std::vector<EncodedKey>> find_by_reading(View& view, const Collection& collection,
                                                std::int64_t now_us, std::uint64_t most,
                                                PurgePlace& place) {
  RangeScan scan(view, collection.id(), primary_range(collection.schema(), now_us));
  if (place.behind) scan.seek_after(bytes_of(*place.behind));
  std::vector<EncodedKey> keys;
  for (std::uint64_t read = 0; read < kPurgeReads && keys.size() < most; ++read) {
    QUIRE_TRY(const bool there, scan.next());
    if (!there) {
      place.ended = true;
      return keys;
    }
    QUIRE_TRY(const Bytes bytes, scan.value());
    const auto row = RowView::parse(collection.schema(), bytes);
    if (!row) return collection.failure(row.error().code(), row.error().message());
    if (is_over(*row, now_us)) keys.emplace_back(as_text(scan.key()));
    place.behind = as_text(scan.key());
  }
  return keys;
}

// What a state has of the collection: nothing where there is nothing to purge in it any more.
Result<std::optional<Collection>> still_purged(View& view, StructureId id, CollectionCache* cache) {
  auto collection = Collection::open(view, id, cache);
  if (!collection && collection.error().code() == ErrorCode::kNotFound) return std::nullopt;
  if (!collection) return std::unexpected(std::move(collection).error());
  if (collection->schema().ttl() == collection->schema().size()) return std::nullopt;
  return *std::move(collection);
}

// Those whose time is still over go, in one transaction: how many.
Result<std::uint64_t> erase_piece(Database& database, StructureId id, CollectionCache* cache,
                                  std::span<const EncodedKey> keys, const PurgeTerms& terms) {
  QUIRE_TRY(const auto txn, database.begin_write(true));
  QUIRE_TRY(const auto collection, still_purged(*txn, id, cache));
  if (!collection) return 0;
  std::uint64_t erased = 0;
  for (const EncodedKey& key : keys) {
    QUIRE_TRY(const bool was_over, erase_if_over(*txn, *collection, bytes_of(key), terms.now_us));
    if (was_over) ++erased;
  }
  if (erased != 0) QUIRE_CHECK(database.writer()->commit(*txn, terms.durability));
  return erased;
}

}  // namespace

const SortedIndex* purge_index(const Collection& collection) noexcept {
  for (const auto& index : collection.indexes()) {
    const SortedIndex* sorted = as_sorted(index.get());
    if (sorted != nullptr && serves(sorted->form(), collection.schema().ttl())) return sorted;
  }
  return nullptr;
}

Result<std::vector<EncodedKey>> find_over(View& view, const Collection& collection,
                                          std::int64_t now_us, std::uint64_t most,
                                          PurgePlace& place) {
  QUIRE_CHECK(check_has_ttl(collection));
  const SortedIndex* index = purge_index(collection);
  const StructureId tree = index != nullptr ? index->tree() : collection.id();
  if (place.tree != tree) place = {.tree = tree, .behind = {}, .ended = false};
  if (index == nullptr) return find_by_reading(view, collection, now_us, most, place);
  return find_by_index(view, *index, now_us, most, place);
}

Result<std::uint64_t> purge_records(WriteTxn& txn, const Collection& collection,
                                    std::int64_t now_us, std::uint64_t most) {
  QUIRE_CHECK(txn.usable());
  std::uint64_t purged = 0;
  PurgePlace place;
  while (!place.ended && purged < most) {
    const std::uint64_t next = std::min<std::uint64_t>(most - purged, kPurgeBatch);
    QUIRE_TRY(const auto keys, find_over(txn, collection, now_us, next, place));
    for (const EncodedKey& key : keys) {
      QUIRE_TRY(const bool was_over, erase_if_over(txn, collection, bytes_of(key), now_us));
      if (!was_over)
        return collection.failure(ErrorCode::kCorrupt,
                                  "an index says that the time of the record with the key " +
                                      describe_key(collection.schema(), bytes_of(key)) +
                                      " is over, and the record does not");
      ++purged;
    }
  }
  return purged;
}

Status purge_in_pieces(Database& database, StructureId id, CollectionCache* cache,
                       const PurgeTerms& terms, std::uint64_t& purged) {
  PurgePlace place;
  while (!place.ended && purged < terms.most) {
    if (terms.go_on && !terms.go_on(purged))
      return fail(ErrorCode::kCancelled, "the purge was stopped");
    std::vector<EncodedKey> keys;
    {
      QUIRE_TRY(const auto snapshot, database.begin_read());
      QUIRE_TRY(const auto collection, still_purged(*snapshot, id, cache));
      if (!collection) return {};
      const std::uint64_t next = std::min<std::uint64_t>(terms.most - purged, terms.batch);
      QUIRE_TRY(keys, find_over(*snapshot, *collection, terms.now_us, next, place));
    }
    if (keys.empty()) continue;
    QUIRE_TRY(const std::uint64_t erased, erase_piece(database, id, cache, keys, terms));
    purged += erased;
  }
  return {};
}

Status purge_all_in_pieces(Database& database, CollectionCache* cache, const PurgeTerms& terms,
                           std::uint64_t& purged) {
  std::vector<CollectionInfo> collections;
  {
    QUIRE_TRY(const auto snapshot, database.begin_read());
    QUIRE_TRY(collections, Collection::list(*snapshot));
  }
  Status first;
  for (const CollectionInfo& info : collections) {
    Status done = purge_in_pieces(database, info.id, cache, terms, purged);
    if (!done && done.error().code() == ErrorCode::kCancelled) return done;
    if (!done && first) first = std::move(done);
  }
  return first;
}

}  // namespace quire
