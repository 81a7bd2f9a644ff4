// Searches that are narrowed to some records.
#include <algorithm>
#include <bit>
#include <cmath>

#include "index/vector/hnsw/hnsw_search.h"

namespace quire::hnsw {
namespace {

// Codes that are measured together, while those of the next batch are fetched.
constexpr std::size_t kMeasured = 32;
// So few matches are measured exactly at once.
constexpr std::uint64_t kFew = 64;

// Nanoseconds of the machine they were measured on: only what one is beside the other counts
// (docs/vector-indexes.md#filters has the measurements).
//
// To measure a code of many in order of place, which waits for memory.
double scan_cost(const GraphShape& shape) noexcept { return 10 + shape.code_bytes / 21.0; }

// A walk that keeps `ef`, where this share of the nodes matches: lists that are looked through
// included.
double walk_cost(const GraphShape& shape, std::size_t ef, double share) noexcept {
  const double codes = 60 * std::pow(static_cast<double>(ef), 0.65) * shape.m / 16.0;
  const double lists = share < 1.0 / 16 ? 1.5 : share < 0.5 ? 1.3 : 1;
  return codes * lists * (95 + shape.code_bytes / 32.0);
}

// Where less than so much of what matches elsewhere does near the query, the nearest that match lie
// apart, and no way from one leads to the next.
constexpr double kOpposed = 0.5;
// Then the walk keeps so many times as many, until that finds no other nearest.
constexpr std::size_t kMoreEffort = 4;

}  // namespace

// What is the same as for the last search is not looked for again.
Status HnswReader::find_matches(const std::shared_ptr<const RecordFilter>& among) {
  among_ = among.get();
  if (among_ == nullptr || among == filter_) return {};
  filter_.reset();
  matching_ = among->find_places(state_.places);
  // A step that finds all that it planned gone adds dead nodes, and leaves `places` as it is.
  if (matching_ == nullptr || matching_->end() != graph_->end()) {
    QUIRE_TRY(matching_, find_places(*among));
    among->keep_places(state_.places, matching_);
  }
  filter_ = among;
  return {};
}

Result<std::shared_ptr<const PlaceSet>> HnswReader::find_places(const RecordFilter& filter) {
  auto found = std::make_shared<PlaceSet>(graph_->end());
  const NumberSet& numbers = filter.numbers();
  const std::uint64_t end = std::min(numbers.size, places_.size());
  const auto add = [&](const std::byte* element, std::uint64_t number) -> Status {
    const RecordPlace there{load_le<std::uint32_t>(element)};
    if (there.is_nowhere()) return {};
    if (there.is_in_tail()) {
      found->add_waiting();
      return {};
    }
    if (there.place() >= graph_->end())
      return fail(ErrorCode::kCorrupt, "an HNSW index has record %llu at place %u, there are %u",
                  static_cast<unsigned long long>(number), there.place(), graph_->end());
    found->add(there.place());
    return {};
  };
  for (std::uint64_t first = 0; first < end; first += 64) {
    for (std::uint64_t word = numbers.words[first / 64]; word != 0; word &= word - 1) {
      const std::uint64_t number = first + static_cast<unsigned>(std::countr_zero(word));
      if (number >= end) break;
      const std::byte* element = places_.at(number);
      if (element == nullptr) return std::unexpected(places_.take_error());
      QUIRE_CHECK(add(element, number));
    }
  }
  found->finish();
  return found;
}

// Whether to measure all that match, rather than to walk.
bool HnswReader::measures(const SearchRequest& request, std::size_t ef) const noexcept {
  if (request.way != SearchWay::kAny) return request.way == SearchWay::kMeasure;
  const auto matches = static_cast<double>(matching_->count());
  return matches * scan_cost(graph_->shape()) <= walk_cost(graph_->shape(), ef, share());
}

double HnswReader::share() const noexcept {
  return static_cast<double>(matching_->count()) / std::max<double>(1, graph_->end() - 1);
}

Status HnswReader::search_matches(const SearchRequest& request, std::size_t k) {
  const std::size_t ef = std::max(request.ef, k);
  if (measures(request, ef)) return measure_all(request, k);
  GraphReader reader(*graph_);
  QUIRE_CHECK(
      search_.descend(reader, form_.codes.code_metric(), code_.data(), graph_->state().entry));
  figures_.measured += search_.measured();
  QUIRE_TRY(const bool opposed, is_opposed());
  QUIRE_TRY(const bool sure, opposed ? walk_until_sure(request, ef, k) : walk_once(request, ef));
  if (!sure) return measure_all(request, k);
  QUIRE_CHECK(scan_tail(request.vector, code_.data()));
  // It may have lost its way to some.
  return candidates_.size() < k ? measure_all(request, k) : rank(request.vector, k);
}

Result<bool> HnswReader::is_opposed() {
  const auto nearest = search_.found();
  if (nearest.empty()) return true;
  QUIRE_TRY(const double near, filtered_.share_near(*graph_, nearest.front().id, *matching_));
  return near < kOpposed * share();
}

// True.
Result<bool> HnswReader::walk_once(const SearchRequest& request, std::size_t ef) {
  figures_.way = SearchWay::kWalk;
  figures_.ef = ef;
  // From where the descent ended.
  QUIRE_TRY(const auto found, filtered_.run(*graph_, form_.codes.code_metric(), code_.data(),
                                            search_.found(), *matching_, ef, request.hops));
  figures_.measured += filtered_.measured();
  candidates_.clear();
  QUIRE_CHECK(add_candidates(found));
  return true;
}

// False: to measure all costs less than to go on.
Result<bool> HnswReader::walk_until_sure(const SearchRequest& request, std::size_t ef,
                                         std::size_t k) {
  std::vector<Candidate> before;
  while (true) {
    QUIRE_CHECK(walk_once(request, ef));
    // Nearest first.
    const std::span<const Candidate> best(candidates_.data(), std::min(k, candidates_.size()));
    if (std::ranges::equal(best, before) || ef >= matching_->count() || ef >= kMostEf) return true;
    before.assign(best.begin(), best.end());
    ef = std::min<std::size_t>(ef * kMoreEffort, kMostEf);
    if (measures(request, ef)) return false;
  }
}

Status HnswReader::measure_all(const SearchRequest& request, std::size_t k) {
  if (request.way == SearchWay::kAny && figures_.matches <= kFew)
    return scan_all(request.vector, k);
  figures_.way = SearchWay::kMeasure;
  candidates_.clear();
  QUIRE_CHECK(measure_matches(code_.data(), ranked_of(k)));
  QUIRE_CHECK(scan_tail(request.vector, code_.data()));
  if (candidates_.size() >= k) return rank(request.vector, k);
  return fail(ErrorCode::kCorrupt, "an HNSW index: records are not where they should be");
}

// The codes of the next batch are on their way while one is measured.
Status HnswReader::measure_matches(const std::byte* code, std::size_t most) {
  nearest_nodes_.reset(std::min<std::uint64_t>(most, matching_->count()));
  PlaceSet::Iterator each(*matching_);
  Place places[2][kMeasured];
  const void* codes[2][kMeasured];
  std::size_t sizes[2] = {};
  const auto fetch = [&](std::size_t side) -> Status {
    std::size_t& size = sizes[side];
    for (size = 0; size < kMeasured; ++size) {
      const Place place = each.next();
      if (place == kNoPlace) break;
      const std::byte* at = graph_->code(place);
      if (at == nullptr) return std::unexpected(graph_->take_error());
      for (std::size_t line = 0; line < form_.codes.code_bytes(); line += 64)
        __builtin_prefetch(at + line);
      places[side][size] = place;
      codes[side][size] = at;
    }
    return {};
  };
  QUIRE_CHECK(fetch(0));
  for (std::size_t side = 0; sizes[side] != 0; side = 1 - side) {
    QUIRE_CHECK(fetch(1 - side));
    const CodeMetric& metric = form_.codes.code_metric();
    float distances[kMeasured];
    metric.distance.list(code, codes[side], sizes[side], metric.dimension, distances);
    for (std::size_t i = 0; i < sizes[side]; ++i)
      nearest_nodes_.offer(distances[i], places[side][i]);
    figures_.measured += sizes[side];
  }
  return add_candidates(nearest_nodes_.sorted());
}

}  // namespace quire::hnsw
