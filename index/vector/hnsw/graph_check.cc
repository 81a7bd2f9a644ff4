#include "index/vector/hnsw/graph_check.h"

#include <algorithm>

#include "index/vector/hnsw/graph_sweep.h"

namespace quire::hnsw {
namespace {

class Check {
 public:
  Check(GraphView& view, const std::function<void(const Error&)>& report)
      : view_(view), report_(report), reader_(view) {}

  Result<GraphFigures> run() {
    unsigned top = 0;
    for (Place place = 1; place < view_.end(); ++place) {
      QUIRE_TRY(const PlaceUse use, use_of(place));
      const unsigned level = level_of(place, view_.shape().seed);
      if (use.is_live()) top = std::max(top, level);
      ++(use.is_live() ? figures_.nodes : use.is_dead() ? figures_.dead : figures_.free);
      for (unsigned at = 0; at <= level; ++at) QUIRE_CHECK(check_list(at, place));
    }
    const Place entry = view_.state().entry;
    if (figures_.nodes != 0 && entry == kNoPlace)
      damage(fail(ErrorCode::kCorrupt, "graph: it has no entry"));
    if (entry != kNoPlace) QUIRE_CHECK(check_entry_use(entry));
    if (entry != kNoPlace && level_of(entry, view_.shape().seed) < top)
      damage(fail(ErrorCode::kCorrupt, "graph: its entry, node %u, is not of the top level, %u",
                  entry, top));
    QUIRE_CHECK(count_unreachable());
    return figures_;
  }

 private:
  void damage(const std::unexpected<Error>& error) { report_(error.error()); }

  Result<PlaceUse> use_of(Place place) {
    const auto use = view_.use(place);
    if (use) return *use;
    return std::unexpected(view_.take_error());
  }

  Status check_entry_use(Place entry) {
    QUIRE_TRY(const PlaceUse use, use_of(entry));
    if (use.is_free())
      damage(fail(ErrorCode::kCorrupt, "graph: its entry, place %u, has no node", entry));
    return {};
  }

  // An error: it could not be read. One that says so of its contents is reported.
  Result<bool> read(unsigned level, Place place, Neighbours& neighbours) {
    GraphReader reader(view_);
    if (reader.read(level, place, neighbours)) return true;
    Error error = reader.take_error();
    if (error.code() != ErrorCode::kCorrupt) return std::unexpected(std::move(error));
    report_(error);
    return false;
  }

  Status check_list(unsigned level, Place place) {
    Neighbours neighbours;
    QUIRE_TRY(const bool readable, read(level, place, neighbours));
    if (!readable) return {};
    const std::byte* list = view_.list(level, place);
    for (std::uint32_t i = neighbours.count; i < view_.shape().most(level); ++i) {
      if (load_le<Place>(list + std::size_t{i} * sizeof(Place)) == kNoPlace) continue;
      damage(fail(ErrorCode::kCorrupt,
                  "graph: the list of node %u at level %u goes on behind its end", place, level));
      break;
    }
    QUIRE_TRY(const PlaceUse own, use_of(place));
    if (own.is_free() && neighbours.count != 0)
      damage(fail(ErrorCode::kCorrupt, "graph: place %u is free and has a list at level %u", place,
                  level));
    std::sort(neighbours.places, neighbours.places + neighbours.count);
    for (std::uint32_t i = 0; i < neighbours.count; ++i) {
      const Place neighbour = neighbours.places[i];
      const char* wrong = nullptr;
      if (neighbour == place) wrong = "itself";
      if (i > 0 && neighbour == neighbours.places[i - 1]) wrong = "twice";
      if (level_of(neighbour, view_.shape().seed) < level) wrong = "which is not of that level";
      QUIRE_TRY(const PlaceUse use, use_of(neighbour));
      if (use.is_free()) wrong = "a free place";
      if (wrong != nullptr)
        damage(fail(ErrorCode::kCorrupt, "graph: the list of node %u at level %u names node %u, %s",
                    place, level, neighbour, wrong));
    }
    return level == 0 ? count_edges(place, neighbours) : Status{};
  }

  Status count_edges(Place place, const Neighbours& neighbours) {
    figures_.edges += neighbours.count;
    for (std::uint32_t i = 0; i < neighbours.count; ++i) {
      Neighbours back;
      // What is wrong with that list is told where it is its turn.
      if (!reader_.read(0, neighbours.places[i], back)) continue;
      const auto end = back.places + back.count;
      if (std::find(back.places, end, place) == end) ++figures_.one_way;
    }
    return {};
  }

  // Where a list can't be read that was told in its turn.
  Status count_unreachable() {
    const auto unreachable = find_unreachable(view_);
    if (unreachable) figures_.unreachable = unreachable->size();
    if (unreachable || unreachable.error().code() == ErrorCode::kCorrupt) return {};
    return std::unexpected(unreachable.error());
  }

  GraphView& view_;
  const std::function<void(const Error&)>& report_;
  GraphReader reader_;
  GraphFigures figures_;
};

}  // namespace

Result<GraphFigures> check_graph(GraphView& view, const std::function<void(const Error&)>& report) {
  return Check(view, report).run();
}

}  // namespace quire::hnsw
