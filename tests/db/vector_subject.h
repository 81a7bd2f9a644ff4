// What the campaigns do with an index of vectors: subjects.h has the list.
#pragma once

#include <algorithm>
#include <array>

#include "engine/record/collection_change.h"
#include "engine/record/record_reader.h"
#include "engine/record/record_writer.h"
#include "index/vector/hnsw/hnsw_kind.h"
#include "index/vector/hnsw/hnsw_search.h"
#include "tests/db/state.h"

namespace quire::test {

inline constexpr std::uint32_t kSpotDimension = 3;
// Few vectors, so codes that need no training.
inline constexpr const char* kSpotsIndex =
    R"({"field": "at", "quantizer": "none", "m": 4, "ef_construction": 8, "tail_bytes": 16384})";

template <class T>
Status forgiven(const Result<T>& result);

inline Result<Collection> spots_of(WriteTxn& txn, IndexKinds kinds) {
  static CollectionCache cache(kinds);
  QUIRE_TRY(const auto entry, txn.find_name("spots"));
  if (entry) return Collection::open(txn, entry->id, &cache);
  QUIRE_TRY(const Schema schema, Schema::make({{"id", FieldType::kI64},
                                               {"note", FieldType::kI64, true},
                                               {.name = "at",
                                                .type = FieldType::kVectorF32,
                                                .nullable = true,
                                                .dimension = kSpotDimension}},
                                              0));
  return Collection::create(txn, "spots", schema, kinds);
}

inline Status redefine_spots(WriteTxn& txn, const Collection& spots, Random& random,
                             IndexKinds kinds) {
  const bool there = !spots.indexes().empty();
  if (!there)
    return forgiven(
        create_index(txn, spots, {.name = "near", .kind = "hnsw", .options = kSpotsIndex}, kinds));
  if (random() % 3 == 0) return forgiven(drop_index(txn, spots, "near", kinds));
  return forgiven(rebuild_index(txn, spots, "near", kinds));
}

inline Status change_spots_of(WriteTxn& txn, Random& random, IndexKinds kinds) {
  QUIRE_TRY(const Collection spots, spots_of(txn, kinds));
  if (spots.indexes().empty() || random() % 16 == 0)
    return redefine_spots(txn, spots, random, kinds);
  std::array<float, kSpotDimension> at;
  for (float& element : at) element = static_cast<float>(random() % 16);
  const std::array<Value, 3> values = {
      Value::of_i64(static_cast<std::int64_t>(random() % 60)),
      Value::of_i64(static_cast<std::int64_t>(random() % 3)),
      random() % 6 == 0 ? Value::null() : Value::of_vector(at.data(), kSpotDimension)};
  switch (random() % 8) {
    case 0:
      if (random() % 24 == 0) return spots.drop(txn);
      [[fallthrough]];
    case 1:
      return forgiven(erase_record(txn, spots, values[0]));
    case 2: {
      const std::uint32_t field[] = {1 + static_cast<std::uint32_t>(random() % 2)};
      return forgiven(update_record(txn, spots, values[0], field, {&values[field[0]], 1}));
    }
    default:
      return forgiven(upsert_record(txn, spots, values));
  }
}

// All that a search for as many as there are finds, which must be what an exact one finds.
inline Status read_near(View& view, const Collection& spots, Keys& found) {
  const hnsw::HnswIndex* index = as_hnsw(spots.indexes().front().get());
  if (index == nullptr) return {};
  const std::array<float, kSpotDimension> origin = {1, 2, 3};
  QUIRE_TRY(const auto truth,
            exact_search(view, spots,
                         {.field = 2,
                          .metric = {},
                          .vector = Value::of_vector(origin.data(), kSpotDimension),
                          .k = 1000}));
  QUIRE_TRY(const auto reader, hnsw::HnswReader::open(view, spots, *index));
  QUIRE_TRY(const auto hits, reader->search({std::as_bytes(std::span(origin)).data(), 1000, 10}));
  const auto same = [](const VectorHit& hit, const Neighbour<RecordNumber>& other) {
    return hit.number == other.id && hit.distance == other.distance;
  };
  if (!std::ranges::equal(truth, hits, same))
    return fail(ErrorCode::kCorrupt,
                "a search by the index of vectors finds others than are there");
  for (const VectorHit& hit : truth) found.emplace(std::to_string(hit.number), as_text(hit.key));
  // And one that goes by the graph: it may miss some, and finds as many as it is asked for.
  const std::size_t few = std::min<std::size_t>(3, truth.size());
  QUIRE_TRY(const auto nearest,
            reader->search({std::as_bytes(std::span(origin)).data(), few == 0 ? 1 : few, 20}));
  if (nearest.size() != few)
    return fail(ErrorCode::kCorrupt, "a search for %zu finds %zu", few, nearest.size());
  return {};
}

// The records as "#spots", and what is found by the index as "#spots/near/numbers".
inline Status read_spots_of(View& view, State& state, IndexKinds kinds) {
  QUIRE_TRY(const auto collections, Collection::list(view));
  CollectionCache cache(kinds);
  for (const CollectionInfo& info : collections) {
    if (!info.name.starts_with("spots")) continue;
    QUIRE_TRY(const Collection spots, Collection::open(view, info.id, &cache));
    Keys& records = state["#" + info.name];
    RecordReader reader(view, spots);
    QUIRE_TRY(RecordScan scan, RecordScan::open(reader, nullptr, nullptr));
    std::array<Value, 3> values;
    for (;;) {
      QUIRE_TRY(const bool there, scan.next(values));
      if (!there) break;
      std::string text = values[1].is_null() ? "(null)" : std::to_string(values[1].i64);
      text += values[2].is_null() ? "(null)" : as_text(values[2].vector_bytes());
      records.emplace(std::to_string(values[0].i64), text);
    }
    if (!spots.indexes().empty())
      QUIRE_CHECK(read_near(view, spots, state["#" + info.name + "/near/numbers"]));
  }
  return {};
}

}  // namespace quire::test
