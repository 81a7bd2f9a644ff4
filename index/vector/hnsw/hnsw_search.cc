#include "index/vector/hnsw/hnsw_search.h"

#include <algorithm>

namespace quire::hnsw {
namespace {

// Measured together.
constexpr std::size_t kBatch = 64;
// Of each raw vector before it is measured; the processor follows from there.
constexpr std::size_t kPrefetchBytes = 256;
// How many of the candidates are measured exactly, at least: codes do not order the first few well.
constexpr std::size_t kRankedLeast = 15;

}  // namespace

Result<std::unique_ptr<HnswReader>> HnswReader::open(View& view, const Collection& collection,
                                                     const HnswIndex& index,
                                                     std::unique_ptr<SearchScratch> scratch) {
  const HnswForm& form = index.form();
  auto state = HnswState::read(view, form);
  if (!state) return index.failure(collection, state.error());
  std::unique_ptr<HnswReader> reader(new HnswReader(form, std::move(scratch)));
  reader->state_ = *std::move(state);
  auto graph = reader->state_.graph(view, form);
  if (!graph) return index.failure(collection, graph.error());
  reader->graph_ = *std::move(graph);
  reader->tail_ = ArrayView(view.reader(), reader->state_.tail);
  QUIRE_TRY(const ArrayRoot vectors,
            view.array_root(collection.definition().vectors[form.vector_place]));
  if (vectors.element_size != form.codes.vector_bytes())
    return index.failure(collection, ErrorCode::kCorrupt,
                         "the array of vectors has elements of another size");
  reader->vectors_ = ArrayView(view.reader(), vectors);
  reader->places_ = ArrayView(view.reader(), reader->state_.places);
  return reader;
}

Result<std::span<const Neighbour<RecordNumber>>> HnswReader::search(const SearchRequest& request) {
  if (request.k == 0) return fail(ErrorCode::kInvalid, "a search for no neighbours");
  if (request.ef > kMostEf)
    return fail(ErrorCode::kInvalid, "a search with an ef of %zu, must be at most %u", request.ef,
                kMostEf);
  figures_ = {};
  QUIRE_CHECK(find_matches(request.among));
  const std::uint64_t total =
      among_ == nullptr ? count() : matching_->count() + matching_->waiting();
  figures_.matches = total;
  const std::size_t k = std::min<std::uint64_t>(request.k, total);
  if (k == total || !state_.encodes(form_)) {
    QUIRE_CHECK(scan_all(request.vector, k));
    return nearest_.sorted();
  }
  nearest_.reset(k);
  form_.codes.encode(request.vector, state_.parameters(), code_.data());
  search_.leave_out(request.without);
  QUIRE_CHECK(among_ == nullptr ? search_all(request, k) : search_matches(request, k));
  return nearest_.sorted();
}

Status HnswReader::search_all(const SearchRequest& request, std::size_t k) {
  figures_.way = SearchWay::kWalk;
  // Dead nodes take places of the pool; a graph may have lost its way to some.
  const std::uint64_t nodes = state_.roots.lists.size;
  for (std::size_t ef = std::max(request.ef, k);; ef *= 2) {
    candidates_.clear();
    QUIRE_CHECK(walk(code_.data(), std::min<std::size_t>(ef, kMostEf)));
    QUIRE_CHECK(scan_tail(request.vector, code_.data()));
    if (candidates_.size() >= k || ef >= nodes || ef >= kMostEf) break;
  }
  return candidates_.size() < k ? scan_all(request.vector, k) : rank(request.vector, k);
}

Status HnswReader::walk(const std::byte* code, std::size_t ef) {
  figures_.ef = ef;
  GraphReader reader(*graph_);
  QUIRE_TRY(const auto found,
            search_.run(reader, form_.codes.code_metric(), code, graph_->state().entry, ef));
  figures_.measured += search_.measured();
  return add_candidates(found);
}

Status HnswReader::add_candidates(std::span<const Neighbour<Place>> nodes) {
  for (const Neighbour<Place>& node : nodes) {
    const auto use = graph_->use(node.id);
    if (!use) return std::unexpected(graph_->take_error());
    if (use->is_live()) candidates_.push_back({node.distance, use->value});
  }
  return {};
}

Status HnswReader::scan_tail(const std::byte* vector, const std::byte* code) {
  for (std::uint64_t slot = 0; slot < tail_.size();) {
    const ArrayView::Piece piece = tail_.piece(slot);
    if (piece.data == nullptr) return std::unexpected(tail_.take_error());
    for (std::uint64_t done = 0; done < piece.count; done += kBatch)
      QUIRE_CHECK(measure_slots(vector, code, piece.data + done * form_.tail_entry_bytes(),
                                std::min<std::uint64_t>(kBatch, piece.count - done)));
    slot += piece.count;
  }
  return {};
}

// Codes of other parameters say nothing: their vectors are measured.
Status HnswReader::measure_slots(const std::byte* vector, const std::byte* code,
                                 const std::byte* slots, std::size_t count) {
  const std::size_t bytes = form_.tail_entry_bytes();
  const void* list[kBatch];
  std::size_t matches = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* slot = slots + i * bytes;
    if (is_match(TailEntry::read(slot, form_.codes.code_bytes()).record)) list[matches++] = slot;
  }
  float distances[kBatch];
  const DistanceFunctions& distance = form_.codes.code_metric().distance;
  if (matches == count) {
    distance.rows(code, slots, bytes, count, form_.codes.dimension(), distances);
  } else {
    distance.list(code, list, matches, form_.codes.dimension(), distances);
  }
  for (std::size_t i = 0; i < matches; ++i) {
    const TailEntry entry =
        TailEntry::read(static_cast<const std::byte*>(list[i]), form_.codes.code_bytes());
    if (entry.version != state_.code_version(form_)) {
      QUIRE_TRY(const std::byte* other, vector_of(entry.record));
      distances[i] = form_.codes.to_code_distance(
          form_.codes.vector_distance().one(vector, other, form_.codes.dimension()),
          state_.parameters());
    }
    candidates_.push_back({distances[i], entry.record});
  }
  figures_.measured += matches;
  return {};
}

Result<const std::byte*> HnswReader::vector_of(std::uint32_t record) {
  if (record >= vectors_.size())
    return fail(ErrorCode::kCorrupt, "an HNSW index has record %u, which has no vector", record);
  const std::byte* vector = vectors_.at(record);
  if (vector == nullptr) return std::unexpected(vectors_.take_error());
  return vector;
}

std::size_t HnswReader::ranked_of(std::size_t k) const noexcept {
  return form_.codes.is_exact() ? k : std::max(k + k / 2, kRankedLeast);
}

// The nearest by their codes are measured exactly, and the k nearest of them stay.
Status HnswReader::rank(const std::byte* vector, std::size_t k) {
  const std::size_t ranked = std::min(candidates_.size(), ranked_of(k));
  std::ranges::nth_element(candidates_,
                           candidates_.begin() + static_cast<std::ptrdiff_t>(ranked) - 1,
                           nearer<std::uint32_t>);
  const std::span<const Candidate> best(candidates_.data(), ranked);
  if (!form_.codes.is_exact()) return measure(vector, best);
  for (const Candidate& candidate : best) nearest_.offer(candidate.distance, candidate.id);
  return {};
}

Status HnswReader::measure(const std::byte* vector, std::span<const Candidate> candidates) {
  const void* raw[kBatch];
  float distances[kBatch];
  const std::size_t bytes = form_.codes.vector_bytes();
  while (!candidates.empty()) {
    const std::size_t count = std::min(candidates.size(), kBatch);
    for (std::size_t i = 0; i < count; ++i) {
      QUIRE_TRY(const std::byte* other, vector_of(candidates[i].id));
      for (std::size_t line = 0; line < std::min(bytes, kPrefetchBytes); line += 64)
        __builtin_prefetch(other + line);
      raw[i] = other;
    }
    form_.codes.vector_distance().list(vector, raw, count, form_.codes.dimension(), distances);
    for (std::size_t i = 0; i < count; ++i) nearest_.offer(distances[i], candidates[i].id);
    figures_.exact += count;
    candidates = candidates.subspan(count);
  }
  return {};
}

Status HnswReader::scan_all(const std::byte* vector, std::size_t k) {
  figures_.way = SearchWay::kMeasure;
  nearest_.reset(k);
  candidates_.clear();
  const auto add = [&](std::uint32_t record) -> Status {
    candidates_.push_back({0, record});
    if (candidates_.size() < kBatch) return {};
    QUIRE_CHECK(measure(vector, candidates_));
    candidates_.clear();
    return {};
  };
  const auto add_node = [&](Place place) -> Status {
    const auto use = graph_->use(place);
    if (!use) return std::unexpected(graph_->take_error());
    return use->is_live() ? add(use->value) : Status();
  };
  if (among_ == nullptr) {
    for (Place place = 1; place < graph_->end(); ++place) QUIRE_CHECK(add_node(place));
  } else {
    PlaceSet::Iterator each(*matching_);
    for (Place place = each.next(); place != kNoPlace; place = each.next())
      QUIRE_CHECK(add_node(place));
  }
  for (std::uint64_t slot = 0; slot < tail_.size(); ++slot) {
    const std::byte* element = tail_.at(slot);
    if (element == nullptr) return std::unexpected(tail_.take_error());
    const TailEntry entry = TailEntry::read(element, form_.codes.code_bytes());
    if (is_match(entry.record)) QUIRE_CHECK(add(entry.record));
  }
  return measure(vector, candidates_);
}

}  // namespace quire::hnsw
