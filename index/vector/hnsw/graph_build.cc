#include "index/vector/hnsw/graph_build.h"

#include <algorithm>
#include <memory>

#include "index/vector/hnsw/graph_search.h"
#include "index/vector/hnsw/share_out.h"

namespace quire::hnsw {
namespace {

// So many are linked by one thread first: those that are linked at once do not find each other.
constexpr std::size_t kAlone = 1000;
constexpr std::size_t kReportEvery = 64;

// One thread's part.
class Linker {
 public:
  explicit Linker(const BuildRequest& request)
      : metric_(request.metric), reader_(request.memory, request.codes) {}

  // Lists are made visible from level 0 up: who comes to a node goes down from there.
  Status link(Place place, Place entry) {
    const GraphShape& shape = reader_.shape();
    const unsigned level = level_of(place, shape.seed);
    const std::byte* code = reader_.code(place);
    if (code == nullptr) return std::unexpected(reader_.take_error());
    const unsigned top = level_of(entry, shape.seed);
    const unsigned highest = std::min(level, top);
    QUIRE_CHECK(search_.begin(reader_, metric_, code, entry));
    for (unsigned above = top; above > level; --above) QUIRE_CHECK(search_.walk(above, 1));
    for (unsigned at = highest + 1; at-- > 0;) {
      QUIRE_CHECK(walk_to_live(at));
      QUIRE_CHECK(choose(place, chosen_[at]));
    }
    for (unsigned at = 0; at <= highest; ++at) {
      reader_.memory().set(at, place, chosen_[at]);
      for (const Place neighbour : chosen_[at]) QUIRE_CHECK(link_back(at, neighbour, place));
    }
    for (unsigned alone = highest + 1; alone <= level; ++alone)
      reader_.memory().set(alone, place, {});
    return {};
  }
  // The first of all.
  void begin(Place place) {
    for (unsigned level = 0; level <= level_of(place, reader_.shape().seed); ++level)
      reader_.memory().set(level, place, {});
  }

 private:
  // See GraphPlan::walk_to_live.
  Status walk_to_live(unsigned level) {
    for (std::size_t ef = reader_.shape().ef_construction;; ef *= 2) {
      QUIRE_CHECK(search_.walk(level, ef));
      const auto found = search_.found();
      if (found.size() < ef) return {};
      const auto live = std::ranges::count_if(found, [this](const Neighbour<Place>& node) {
        return reader_.memory().is_live(node.id);
      });
      if (live >= reader_.shape().m) return {};
    }
  }

  // Of what the walk found.
  Status choose(Place place, std::vector<Place>& chosen) {
    candidates_.clear();
    for (const Neighbour<Place>& node : search_.found()) {
      if (node.id == place || !reader_.memory().is_live(node.id)) continue;
      const std::byte* code = reader_.code(node.id);
      if (code == nullptr) return std::unexpected(reader_.take_error());
      candidates_.push_back({node.distance, node.id, code});
    }
    take(select_neighbours(candidates_, reader_.shape().m, metric_), chosen);
    return {};
  }

  void take(std::size_t count, std::vector<Place>& chosen) {
    chosen.clear();
    for (std::size_t i = 0; i < count; ++i) chosen.push_back(candidates_[i].place);
  }

  // A list that is full keeps those that the heuristic chooses of all.
  Status link_back(unsigned level, Place from, Place place) {
    GraphMemory& memory = reader_.memory();
    while (!memory.append(level, from, place)) {
      Neighbours full;
      memory.read(level, from, full);
      QUIRE_CHECK(measure(from, full, place));
      sort_candidates(candidates_);
      take(select_neighbours(candidates_, reader_.shape().most(level), metric_), kept_);
      if (memory.replace(level, from, full, kept_)) return {};
    }
    return {};
  }

  // Makes candidates of the neighbours of a node and one more.
  Status measure(Place from, const Neighbours& neighbours, Place more) {
    const void* codes[kMostNeighbours + 1];
    float distances[kMostNeighbours + 1];
    candidates_.clear();
    const auto add = [&](Place place) {
      const std::byte* code = reader_.code(place);
      if (code == nullptr) return false;
      for (std::size_t line = 0; line < reader_.shape().code_bytes; line += 64)
        __builtin_prefetch(code + line);
      codes[candidates_.size()] = code;
      candidates_.push_back({0, place, code});
      return true;
    };
    bool all = true;
    for (std::uint32_t i = 0; i < neighbours.count && all; ++i) all = add(neighbours.places[i]);
    const std::byte* own = all && add(more) ? reader_.code(from) : nullptr;
    if (own == nullptr) return std::unexpected(reader_.take_error());
    metric_.distance.list(own, codes, candidates_.size(), metric_.dimension, distances);
    for (std::size_t i = 0; i < candidates_.size(); ++i) candidates_[i].distance = distances[i];
    return {};
  }

  CodeMetric metric_;
  MemoryReader reader_;
  GraphSearchOf<MemoryReader> search_;
  std::vector<Candidate> candidates_;
  std::vector<Place> kept_;
  std::vector<Place> chosen_[kTopLevel + 1];
};

class Build {
 public:
  explicit Build(BuildRequest& request) : request_(request), entry_(request.entry) {
    // Neighbouring places are near one another: linked one after the other they would find little
    // else.
    const auto turn = [seed = request.memory.shape().seed](Place place) {
      return std::pair(kTopLevel - level_of(place, seed), mix_bits(place));
    };
    std::ranges::sort(request.places, {}, turn);
  }

  Result<Place> run() {
    QUIRE_TRY(const std::size_t done, begin_alone());
    const auto make_worker = [this]() -> Worker {
      return [this, linker = std::make_shared<Linker>(request_)](std::size_t i) {
        return linker->link(request_.places[i], entry_);
      };
    };
    QUIRE_CHECK(share_out({.first = done,
                           .end = request_.places.size(),
                           .threads = request_.threads,
                           .make_worker = make_worker,
                           .report = request_.report}));
    return entry_;
  }

 private:
  // The first, and all that make the graph higher: they come before all others. How many.
  Result<std::size_t> begin_alone() {
    const std::uint32_t seed = request_.memory.shape().seed;
    Linker linker(request_);
    std::size_t done = 0;
    for (; done < request_.places.size(); ++done) {
      const Place place = request_.places[done];
      const bool higher = entry_ == kNoPlace || level_of(place, seed) > level_of(entry_, seed);
      if (!higher && done >= kAlone) break;
      if (done % kReportEvery == 0) QUIRE_CHECK(request_.report(done));
      if (entry_ == kNoPlace) {
        linker.begin(place);
      } else {
        QUIRE_CHECK(linker.link(place, entry_));
      }
      if (higher) entry_ = place;
    }
    return done;
  }

  BuildRequest& request_;
  Place entry_;  // does not change while several link
};

}  // namespace

Result<Place> build_graph(BuildRequest request) {
  if (request.places.empty()) return request.entry;
  return Build(request).run();
}

}  // namespace quire::hnsw
