#include "index/vector/hnsw/filtered_walk.h"

#include <algorithm>

namespace quire::hnsw {
namespace {

// Neighbours of a place whose lists tell what share of what is near it matches.
constexpr std::uint32_t kLookedAround = 16;

// As many matches as a node should lead to: what it has neighbours, and where few of these match,
// and so a path of matches is easily missed, more.
std::uint32_t wanted_of(std::uint32_t matches, std::uint32_t neighbours) noexcept {
  if (matches * 10 < neighbours) return neighbours * 3 / 2;
  return matches * 2 < neighbours ? neighbours * 5 / 4 : neighbours;
}

}  // namespace

Status FilteredWalk::add(Place place, Batch& batch) {
  const std::byte* code = view_->code(place);
  if (code == nullptr) return std::unexpected(view_->take_error());
  const std::size_t bytes = view_->shape().code_bytes;
  for (std::size_t line = 0; line < bytes; line += 64) __builtin_prefetch(code + line);
  batch.places[batch.size] = place;
  batch.codes[batch.size++] = code;
  return {};
}

Status FilteredWalk::add_match(Place place, Batch& batch) {
  if (!measured_matches_.visit(place)) return {};
  QUIRE_CHECK(add(place, batch));
  if (batch.size == kMostNeighbours) offer_all(batch);
  return {};
}

void FilteredWalk::measure(Batch& batch) {
  metric_.distance.list(query_, batch.codes, batch.size, metric_.dimension, batch.distances);
  measured_ += batch.size;
}

void FilteredWalk::offer_all(Batch& batch) {
  if (batch.size == 0) return;
  measure(batch);
  for (std::size_t i = 0; i < batch.size; ++i) {
    if (pool_.offer(batch.distances[i], batch.places[i]) && pool_.peek() == batch.places[i])
      view_->prefetch_list(batch.places[i]);
  }
  batch.size = 0;
}

// Calls visit(neighbour) for each of a node, unchecked; false where the list names what can't be.
template <class Visit>
bool FilteredWalk::each_neighbour(const std::byte* list, Visit&& visit) const {
  const std::uint32_t most = view_->shape().most(0);
  const Place end = view_->end();
  for (std::uint32_t i = 0; i < most; ++i) {
    const auto neighbour = load_le<Place>(list + std::size_t{i} * sizeof(Place));
    if (neighbour == kNoPlace) return true;
    if (neighbour >= end) [[unlikely]]
      return false;
    visit(neighbour);
  }
  return true;
}

// Told by the reader, which checks what it reads.
std::unexpected<Error> FilteredWalk::failure(Place place) {
  GraphReader reader(*view_);
  Neighbours list;
  (void)reader.read(0, place, list);
  return std::unexpected(reader.take_error());
}

// How many matches there are among the neighbours of a node; those that are new are measured.
Result<std::uint32_t> FilteredWalk::look_through(Place bridge, Batch& batch) {
  (void)looked_through_.visit(bridge);
  const std::byte* list = view_->list(0, bridge);
  if (list == nullptr) return failure(bridge);
  ++lists_;
  std::uint32_t matches = 0;
  Place fresh[kMostNeighbours];
  std::uint32_t count = 0;
  const bool good = each_neighbour(list, [&](Place neighbour) {
    if (!matching_->has(neighbour)) return;
    ++matches;
    if (!measured_matches_.has(neighbour)) fresh[count++] = neighbour;
  });
  if (!good) return failure(bridge);
  for (std::uint32_t i = 0; i < count; ++i) QUIRE_CHECK(add_match(fresh[i], batch));
  return matches;
}

// Neighbours that match lead on by themselves, when they are near enough. In the stead of the
// others there are their neighbours that match, until the node has as many as it should.
Status FilteredWalk::expand(Place place) {
  const std::byte* list = view_->list(0, place);
  if (list == nullptr) return failure(place);
  ++lists_;
  Neighbours matches;
  Neighbours bridges;
  std::uint32_t count = 0;
  const bool good = each_neighbour(list, [&](Place neighbour) {
    ++count;
    if (matching_->has(neighbour)) {
      matches.places[matches.count++] = neighbour;
    } else if (!looked_through_.has(neighbour)) {
      bridges.places[bridges.count++] = neighbour;
    }
  });
  if (!good) return failure(place);
  const std::uint32_t wanted = hops_ == Hops::kOne ? 0 : wanted_of(matches.count, count);
  if (matches.count < wanted)
    for (std::uint32_t i = 0; i < bridges.count; ++i) view_->prefetch_list(bridges.places[i]);
  Batch batch;
  for (std::uint32_t i = 0; i < matches.count; ++i)
    QUIRE_CHECK(add_match(matches.places[i], batch));
  if (const Place next = pool_.peek(); next != kNoPlace) view_->prefetch_list(next);
  std::uint32_t found = matches.count;
  for (std::uint32_t i = 0; i < bridges.count && found < wanted; ++i) {
    QUIRE_TRY(const std::uint32_t more, look_through(bridges.places[i], batch));
    found += more;
  }
  offer_all(batch);
  return {};
}

Result<double> FilteredWalk::share_near(GraphView& view, Place place, const PlaceSet& matching) {
  view_ = &view;
  std::uint32_t all = 0;
  std::uint32_t matches = 0;
  Neighbours near;
  const auto count = [&](Place of, bool keeps) {
    const std::byte* list = view.list(0, of);
    if (list == nullptr) return false;
    return each_neighbour(list, [&](Place neighbour) {
      ++all;
      if (matching.has(neighbour)) ++matches;
      if (!keeps || near.count == kLookedAround) return;
      view.prefetch_list(neighbour);
      near.places[near.count++] = neighbour;
    });
  };
  if (!count(place, true)) return failure(place);
  for (std::uint32_t i = 0; i < near.count; ++i)
    if (!count(near.places[i], false)) return failure(near.places[i]);
  return all == 0 ? 0 : static_cast<double>(matches) / all;
}

Status FilteredWalk::offer_sample() {
  Batch batch;
  for (const Place place : matching_->sample()) QUIRE_CHECK(add_match(place, batch));
  offer_all(batch);
  return {};
}

// Matches near the query that stand alone among others are found through these.
Status FilteredWalk::offer_starts(std::span<const Neighbour<Place>> starts) {
  for (const Neighbour<Place>& start : starts) {
    if (!matching_->has(start.id)) {
      view_->prefetch_list(start.id);
    } else if (measured_matches_.visit(start.id)) {
      pool_.offer(start.distance, start.id);
    }
  }
  Batch batch;
  for (const Neighbour<Place>& start : starts) {
    if (matching_->has(start.id)) continue;
    if (const auto found = look_through(start.id, batch); !found)
      return std::unexpected(found.error());
  }
  offer_all(batch);
  return {};
}

Result<std::span<const Neighbour<Place>>> FilteredWalk::run(
    GraphView& view, const CodeMetric& metric, const void* query,
    std::span<const Neighbour<Place>> starts, const PlaceSet& matching, std::size_t ef, Hops hops) {
  view_ = &view;
  metric_ = metric;
  query_ = query;
  matching_ = &matching;
  hops_ = hops;
  measured_ = lists_ = 0;
  pool_.clear(std::min<std::uint64_t>(ef, matching.count()));
  measured_matches_.forget(view.end());
  looked_through_.forget(view.end());
  QUIRE_CHECK(offer_starts(starts));
  QUIRE_CHECK(offer_sample());
  if (!starts.empty() && !matching.has(starts.front().id)) QUIRE_CHECK(expand(starts.front().id));
  for (Place place = pool_.expand(); place != kNoPlace; place = pool_.expand())
    QUIRE_CHECK(expand(place));
  return pool_.sorted();
}

}  // namespace quire::hnsw
