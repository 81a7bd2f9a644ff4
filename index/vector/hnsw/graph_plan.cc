#include "index/vector/hnsw/graph_plan.h"

#include <algorithm>
#include <cstring>

namespace quire::hnsw {

GraphPlan::GraphPlan(GraphView& view, const CodeMetric& metric)
    : view_(&view), metric_(metric), state_(view.state()) {
  overlay_.first_new = view.end();
}

Result<Place> GraphPlan::insert(Bytes code) {
  if (code.size() != view_->shape().code_bytes)
    return fail(ErrorCode::kInvalid, "graph: a code of %zu bytes, not of %u", code.size(),
                view_->shape().code_bytes);
  const Place place = GraphReader(*view_, &overlay_).end();
  if (place >= kEndOfPlaces)
    return fail(ErrorCode::kTooLarge, "graph: all %u places are taken", kEndOfPlaces - 1);
  overlay_.codes.insert(overlay_.codes.end(), code.begin(), code.end());
  overlay_.lists[GraphOverlay::key(0, place)];
  QUIRE_CHECK(link(place, GraphReader(*view_, &overlay_).code(place)));
  return place;
}

Status GraphPlan::link(Place place, const std::byte* code) {
  const std::uint32_t seed = view_->shape().seed;
  const unsigned level = level_of(place, seed);
  for (unsigned above = 1; above <= level; ++above) overlay_.lists[GraphOverlay::key(above, place)];
  if (state_.entry == kNoPlace) {
    state_.entry = place;
    return {};
  }
  GraphReader reader(*view_, &overlay_);
  const unsigned top = level_of(state_.entry, seed);
  QUIRE_CHECK(search_.begin(reader, metric_, code, state_.entry));
  for (unsigned above = top; above > level; --above) QUIRE_CHECK(search_.walk(above, 1));
  for (unsigned at = std::min(level, top) + 1; at-- > 0;) {
    QUIRE_CHECK(search_.walk(at, view_->shape().ef_construction));
    QUIRE_CHECK(link_level(place, at));
  }
  if (level > top) state_.entry = place;
  return {};
}

Status GraphPlan::link_level(Place place, unsigned level) {
  QUIRE_TRY(std::vector<Place> chosen, select(search_.found(), view_->shape().m));
  for (const Place neighbour : chosen) QUIRE_CHECK(link_back(neighbour, place, level));
  overlay_.lists[GraphOverlay::key(level, place)] = std::move(chosen);
  return {};
}

// Adds a neighbour to a list; where that is full, those are kept that the heuristic chooses of all.
Status GraphPlan::link_back(Place from, Place to, unsigned level) {
  QUIRE_TRY(std::vector<Place> * list, list_to_change(from, level));
  const std::uint32_t most = view_->shape().most(level);
  if (list->size() < most) {
    list->push_back(to);
    return {};
  }
  GraphReader reader(*view_, &overlay_);
  const std::byte* code = reader.code(from);
  if (code == nullptr) return std::unexpected(reader.take_error());
  Found candidates;
  candidates.reserve(list->size() + 1);
  const auto add = [&](Place place) -> Status {
    const std::byte* other = reader.code(place);
    if (other == nullptr) return std::unexpected(reader.take_error());
    candidates.push_back({metric_.distance.one(code, other, metric_.dimension), place});
    return {};
  };
  for (const Place place : *list) QUIRE_CHECK(add(place));
  QUIRE_CHECK(add(to));
  std::ranges::sort(candidates, nearer<Place>);
  QUIRE_TRY(*list, select(candidates, most));
  return {};
}

// The heuristic of the paper (algorithm 4, without what it calls extending and keeping): from the
// nearest on, those that are no nearer to one chosen already than to the node itself. So edges lead
// in all directions.
Result<std::vector<Place>> GraphPlan::select(std::span<const Neighbour<Place>> sorted,
                                             std::uint32_t most) {
  GraphReader reader(*view_, &overlay_);
  std::vector<Place> chosen;
  std::vector<const std::byte*> codes;
  for (const Neighbour<Place>& candidate : sorted) {
    if (chosen.size() == most) break;
    const std::byte* code = reader.code(candidate.id);
    if (code == nullptr) return std::unexpected(reader.take_error());
    const bool hidden = std::ranges::any_of(codes, [&](const std::byte* other) {
      return metric_.distance.one(code, other, metric_.dimension) < candidate.distance;
    });
    if (hidden) continue;
    chosen.push_back(candidate.id);
    codes.push_back(code);
  }
  return chosen;
}

Result<std::vector<Place>*> GraphPlan::list_to_change(Place place, unsigned level) {
  const auto [at, is_new] = overlay_.lists.try_emplace(GraphOverlay::key(level, place));
  if (!is_new) return &at->second;
  GraphReader stored(*view_);
  Neighbours neighbours;
  if (!stored.read(level, place, neighbours)) return std::unexpected(stored.take_error());
  at->second.assign(neighbours.places, neighbours.places + neighbours.count);
  return &at->second;
}

Result<GraphState> GraphPlan::apply(const GraphWriters& writers, const GraphState& now) const {
  if (now != view_->state())
    return fail(ErrorCode::kConflict, "graph: worked out over generation %llu, it is at %llu now",
                static_cast<unsigned long long>(view_->state().generation),
                static_cast<unsigned long long>(now.generation));
  if (new_nodes() == 0) return now;
  const std::size_t code_bytes = view_->shape().code_bytes;
  for (std::size_t i = 0; i < new_nodes(); ++i)
    QUIRE_CHECK(writers.codes->set(overlay_.first_new + i,
                                   Bytes(overlay_.codes).subspan(i * code_bytes, code_bytes)));
  // In order: neighbouring elements are one page.
  std::vector<std::uint64_t> keys;
  keys.reserve(overlay_.lists.size());
  for (const auto& [key, list] : overlay_.lists) keys.push_back(key);
  std::ranges::sort(keys);
  for (const std::uint64_t key : keys) {
    const auto level = static_cast<unsigned>(key >> 32);
    const auto place = static_cast<Place>(key);
    const std::vector<Place>& list = overlay_.lists.at(key);
    QUIRE_TRY(std::byte * to, level == 0 ? writers.lists->touch(place)
                                         : writers.upper->touch(upper_slot(level, place)));
    std::memset(to, 0, view_->shape().list_bytes(level));
    for (std::size_t i = 0; i < list.size(); ++i) store_le(to + i * sizeof(Place), list[i]);
  }
  GraphState state = state_;
  state.generation = now.generation + 1;
  return state;
}

}  // namespace quire::hnsw
