#include "index/vector/hnsw/graph_plan.h"

#include <algorithm>
#include <cstring>

#include "index/kernels/top_k.h"
#include "index/vector/hnsw/graph_select.h"

namespace quire::hnsw {
namespace {

// As IP-DiskANN has them: how wide the search for those who name a dead node is, and how many of
// its neighbours each of them gets.
constexpr std::size_t kRepairEf = 64;
constexpr std::size_t kReplacements = 3;

}  // namespace

GraphPlan::GraphPlan(GraphView& view, const CodeMetric& metric)
    : view_(&view), metric_(metric), state_(view.state()) {
  overlay_.first_new = view.end();
}

Result<Place> GraphPlan::insert(Bytes code, Place free) {
  if (code.size() != view_->shape().code_bytes)
    return fail(ErrorCode::kInvalid, "graph: a code of %zu bytes, not of %u", code.size(),
                view_->shape().code_bytes);
  QUIRE_CHECK(leave_dead_entry());
  Place place = free;
  if (free == kNoPlace) {
    place = GraphReader(*view_, &overlay_).end();
    if (place >= kEndOfPlaces)
      return fail(ErrorCode::kTooLarge, "graph: all %u places are taken", kEndOfPlaces - 1);
    overlay_.codes.insert(overlay_.codes.end(), code.begin(), code.end());
  } else {
    overlay_.reused[free] = to_vector(code);
  }
  overlay_.lists[GraphOverlay::key(0, place)];
  QUIRE_TRY(const std::byte* own, code_of(place));
  QUIRE_CHECK(link(place, own));
  return place;
}

Status GraphPlan::relink(Place place) {
  QUIRE_TRY(const std::byte* code, code_of(place));
  return link(place, code);
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
    QUIRE_CHECK(walk_to_live(at));
    QUIRE_CHECK(link_level(place, at));
  }
  if (level > top) state_.entry = place;
  return {};
}

// Dead nodes take places of the pool, and there may be nothing else near: wider, until as many live
// ones are found as are to be linked, or nothing is left.
Status GraphPlan::walk_to_live(unsigned level) {
  for (std::size_t ef = view_->shape().ef_construction;; ef *= 2) {
    QUIRE_CHECK(search_.walk(level, ef));
    const std::span<const Neighbour<Place>> found = search_.found();
    if (found.size() < ef) return {};
    std::uint32_t count = 0;
    for (auto node = found.begin(); node != found.end() && count < view_->shape().m; ++node) {
      QUIRE_TRY(const bool live, is_live(node->id));
      if (live) ++count;
    }
    if (count == view_->shape().m) return {};
  }
}

Status GraphPlan::link_level(Place place, unsigned level) {
  Found found(search_.found().begin(), search_.found().end());
  std::erase_if(found, [place](const Neighbour<Place>& node) { return node.id == place; });
  QUIRE_TRY(std::vector<Place> chosen, select(found, view_->shape().m));
  for (const Place neighbour : chosen) QUIRE_CHECK(link_to(neighbour, {&place, 1}, level));
  overlay_.lists[GraphOverlay::key(level, place)] = std::move(chosen);
  return {};
}

// Adds neighbours to the list of a live node; where that is full, those are kept that the heuristic
// chooses of all.
Status GraphPlan::link_to(Place from, std::span<const Place> more, unsigned level) {
  QUIRE_TRY(const bool live, is_live(from));
  if (!live) return {};
  QUIRE_TRY(std::vector<Place> * list, list_to_change(from, level));
  std::vector<Place> all = *list;
  for (const Place place : more)
    if (place != from && std::ranges::find(all, place) == all.end()) all.push_back(place);
  const std::uint32_t most = view_->shape().most(level);
  if (all.size() > most) {
    QUIRE_TRY(const std::byte* code, code_of(from));
    QUIRE_TRY(const Found candidates, measured(code, all));
    QUIRE_TRY(all, select(candidates, most));
  }
  *list = std::move(all);
  return {};
}

// Dead ones are left out.
Result<std::vector<Place>> GraphPlan::select(std::span<const Neighbour<Place>> sorted,
                                             std::uint32_t most) {
  std::vector<Candidate> candidates;
  candidates.reserve(sorted.size());
  for (const Neighbour<Place>& node : sorted) {
    QUIRE_TRY(const bool live, is_live(node.id));
    if (!live) continue;
    QUIRE_TRY(const std::byte* code, code_of(node.id));
    candidates.push_back({node.distance, node.id, code});
  }
  const std::size_t count = select_neighbours(candidates, most, metric_);
  std::vector<Place> chosen;
  chosen.reserve(count);
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(candidates[i].place);
  return chosen;
}

Result<bool> GraphPlan::is_live(Place place) {
  GraphReader reader(*view_, &overlay_);
  const std::optional<bool> live = reader.is_live(place);
  if (!live) return std::unexpected(reader.take_error());
  return *live;
}

Result<const std::byte*> GraphPlan::code_of(Place place) {
  GraphReader reader(*view_, &overlay_);
  const std::byte* code = reader.code(place);
  if (code == nullptr) return std::unexpected(reader.take_error());
  return code;
}

// Nearest first.
Result<GraphPlan::Found> GraphPlan::measured(const std::byte* code, std::span<const Place> places) {
  Found found;
  found.reserve(places.size());
  for (const Place place : places) {
    QUIRE_TRY(const std::byte* other, code_of(place));
    found.push_back({metric_.distance.one(code, other, metric_.dimension), place});
  }
  std::ranges::sort(found, nearer<Place>);
  return found;
}

// --- taking out ---

// Those that live.
Result<GraphPlan::Some> GraphPlan::some_of(std::span<const Place> places) {
  Some some;
  for (const Place place : places) {
    QUIRE_TRY(const bool live, is_live(place));
    if (!live) continue;
    QUIRE_TRY(const std::byte* code, code_of(place));
    some.places.push_back(place);
    some.codes.push_back(code);
  }
  some.distances.resize(some.places.size());
  return some;
}

// Of which a few are nearest to a node, nearest first; fewer where there are no more.
Result<std::vector<Place>> GraphPlan::nearest_of(Some& some, Place to) {
  QUIRE_TRY(const std::byte* code, code_of(to));
  metric_.distance.list(code, some.codes.data(), some.codes.size(), metric_.dimension,
                        some.distances.data());
  TopK<Place> nearest(kReplacements);
  for (std::size_t i = 0; i < some.places.size(); ++i)
    if (some.places[i] != to) nearest.offer(some.distances[i], some.places[i]);
  std::vector<Place> places;
  for (const Neighbour<Place>& each : nearest.sorted()) places.push_back(each.id);
  return places;
}

Status GraphPlan::repair(Place place) {
  const std::uint32_t seed = view_->shape().seed;
  const unsigned level = level_of(place, seed);
  QUIRE_TRY(const std::byte* code, code_of(place));
  // Of levels above that of the entry only its own lists are known.
  const bool reached = state_.entry != kNoPlace;
  const unsigned top = reached ? level_of(state_.entry, seed) : 0;
  GraphReader reader(*view_, &overlay_);
  QUIRE_CHECK(search_.begin(reader, metric_, code, state_.entry));
  for (unsigned at = std::max(top, level) + 1; at-- > 0;) {
    const bool walks = reached && at <= top;
    if (walks) QUIRE_CHECK(search_.walk(at, at > level ? 1 : kRepairEf));
    if (at > level) continue;
    Found found;
    if (walks) found.assign(search_.found().begin(), search_.found().end());
    QUIRE_CHECK(repair_level(place, found, at));
  }
  if (place == state_.entry) return choose_entry(place);
  return {};
}

Status GraphPlan::repair_level(Place place, const Found& found, unsigned level) {
  QUIRE_TRY(std::vector<Place> * own, list_to_change(place, level));
  const std::vector<Place> neighbours = *own;
  std::vector<Place> near = neighbours;
  for (const Neighbour<Place>& node : found)
    if (node.id != place && std::ranges::find(near, node.id) == near.end()) near.push_back(node.id);
  QUIRE_TRY(Some others, some_of(neighbours));
  for (const Place from : near) {
    GraphReader reader(*view_, &overlay_);
    Neighbours list;
    if (!reader.read(level, from, list)) return std::unexpected(reader.take_error());
    if (std::find(list.places, list.places + list.count, place) == list.places + list.count)
      continue;
    QUIRE_TRY(const std::vector<Place> instead, nearest_of(others, from));
    QUIRE_CHECK(replace(from, place, instead, level));
  }
  // Each of its neighbours is named by one less: others of those around name it instead.
  QUIRE_TRY(Some around, some_of(near));
  for (const Place neighbour : others.places) {
    QUIRE_TRY(const std::vector<Place> instead, nearest_of(around, neighbour));
    for (const Place from : instead) QUIRE_CHECK(fill(from, {&neighbour, 1}, level));
  }
  QUIRE_TRY(own, list_to_change(place, level));
  own->clear();
  return {};
}

Status GraphPlan::replace(Place from, Place gone, std::span<const Place> by, unsigned level) {
  QUIRE_TRY(std::vector<Place> * list, list_to_change(from, level));
  std::erase(*list, gone);
  return fill(from, by, level);
}

// As many of them as there is room for.
Status GraphPlan::fill(Place from, std::span<const Place> more, unsigned level) {
  QUIRE_TRY(const bool live, is_live(from));
  if (!live) return {};
  QUIRE_TRY(std::vector<Place> * list, list_to_change(from, level));
  const std::uint32_t most = view_->shape().most(level);
  for (const Place place : more) {
    if (list->size() >= most) break;
    if (place != from && std::ranges::find(*list, place) == list->end()) list->push_back(place);
  }
  return {};
}

Status GraphPlan::forget(Place from, unsigned level, const std::function<bool(Place)>& gone) {
  QUIRE_TRY(std::vector<Place> * list, list_to_change(from, level));
  std::erase_if(*list, gone);
  return {};
}

Status GraphPlan::clear(Place place) {
  GraphReader reader(*view_, &overlay_);
  for (unsigned level = 0; level <= level_of(place, view_->shape().seed); ++level) {
    Neighbours list;
    if (!reader.read(level, place, list)) return std::unexpected(reader.take_error());
    if (list.count == 0) continue;
    QUIRE_TRY(std::vector<Place> * changed, list_to_change(place, level));
    changed->clear();
  }
  return {};
}

// Its surroundings may be dead too, and be taken out before it: then it leads nowhere.
Status GraphPlan::leave_dead_entry() {
  if (state_.entry == kNoPlace) return {};
  QUIRE_TRY(const bool live, is_live(state_.entry));
  return live ? Status() : choose_entry(state_.entry);
}

Result<bool> GraphPlan::becomes_entry(Place place) {
  QUIRE_TRY(const bool live, is_live(place));
  if (live) state_.entry = place;
  return live;
}

// One of the highest level that a live node has. O(nodes of that level), where there is one.
Status GraphPlan::choose_entry(Place gone) {
  const Place end = GraphReader(*view_, &overlay_).end();
  const std::uint32_t seed = view_->shape().seed;
  for (unsigned level = level_of(gone, seed) + 1; level-- > 0;) {
    for (Place group = 0; group <= group_of(level, end - 1); ++group) {
      const Place place = place_of(level, group, seed);
      if (place == kNoPlace || place >= end || place == gone) continue;
      QUIRE_TRY(const bool chosen, becomes_entry(place));
      if (chosen) return {};
    }
  }
  state_.entry = kNoPlace;
  return {};
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
  if (empty()) return now;
  const std::size_t code_bytes = view_->shape().code_bytes;
  for (std::size_t i = 0; i < new_nodes(); ++i)
    QUIRE_CHECK(writers.codes->set(overlay_.first_new + i,
                                   Bytes(overlay_.codes).subspan(i * code_bytes, code_bytes)));
  for (const auto& [place, code] : overlay_.reused) QUIRE_CHECK(writers.codes->set(place, code));
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
